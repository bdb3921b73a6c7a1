"""The exam folder: a clean checkout of one tree, whatever an earlier run left there.

Its files follow the engine's own git directory and index, which lie outside the folder. The folder has a `.git` all the
same, because test suites and version plug-ins ask git, and because without one git would find the repository around the
workspace: it holds the judged commit with its history and tags, is never read by the engine, and is made anew for each
tree and whenever anything in it was touched.
"""

import shutil

from punchlist.errors import RefusedError
from punchlist.model.ids import Commit, Tree
from punchlist.workspace.clones import make_git_dir
from punchlist.workspace.folders import fingerprint, is_folder, make_folder, save, sweep
from punchlist.workspace.places import ExamRecord, Place
from punchlist.workspace.repository import Repository
from punchlist.workspace.rules import caches, exactly, folders_of, is_under
from punchlist.workspace.snapshots import made_by_setup, shown


def prepare_exam(repository: Repository, place: Place, *, tree: Tree) -> None:
    """Make the folder show exactly `tree`, beside what set-up made and caches; never follows a link out of it."""
    record = place.exam
    make_folder(place.root)
    clean(repository, place, tree=tree, same=record is not None and record.tree == tree)
    git_dir = place.root / ".git"
    if record is None or record.tree != tree or not is_folder(git_dir) or fingerprint(git_dir) != record.git:
        place.beside("json").unlink(missing_ok=True)
        make_git_dir(repository, git_dir, commit=repository.standing_on(tree), branch=None)
        shutil.copyfile(place.beside("index"), git_dir / "index")
        save(place.beside("json"), ExamRecord(tree=tree, git=fingerprint(git_dir)))


def clean(repository: Repository, place: Place, *, tree: Tree, same: bool) -> None:
    """Remove what does not belong, then write what differs; `same` says that the folder showed this tree before.

    Caches go with the tree that filled them: what one tree's checks left there must not help another to pass.
    """
    made = frozenset(made_by_setup(place))
    files = repository.files(tree)
    spared = caches().every if same else frozenset[str]()

    def keep(path: str, real: bool) -> bool:  # noqa: FBT001 - one of two answers of a listing
        return path in made or (real and path.rpartition("/")[2] in spared)

    place.beside("index.lock").unlink(missing_ok=True)
    sweep(place.root, files=files, folders=folders_of(files), keep=keep)
    command = ["read-tree", "--reset", "-u", tree]
    at = place.at(repository.path)
    if repository.git.run(command, at=at, accept=range(256)).code != 0:
        place.beside("index").unlink(missing_ok=True)
        repository.git.run(command, at=at, failure=RefusedError)


def exam_changes(repository: Repository, place: Place, *, base: Commit | None) -> tuple[str, ...]:
    """Return the paths that differ from the tree; new ones only where neither rules, caches nor set-up know them.

    The rules are those of `base` where one is given, else the tree's own.
    """
    record = place.exam
    if record is None or not is_folder(place.root):
        raise RefusedError("the exam folder was not prepared", where=str(place.root))
    made = made_by_setup(place)
    rules = repository.ignored(base or record.tree) + exactly(place.setup.made)
    place.beside("rules").write_bytes(rules)
    command = ["ls-files", "-z", "--modified", "--deleted", "--others", f"--exclude-from={place.beside('rules')}"]
    found = repository.git.run(command, at=place.at(repository.path), failure=RefusedError).records
    return tuple(sorted({shown(path) for path in found if not is_under(path.rstrip("/"), made)}))
