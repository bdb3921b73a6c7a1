"""The builder's clone: its own git directory, made once and kept as the builder left it, and merges started in it.

The clone borrows nothing and names no remote, so nothing that an agent does in it reaches another repository. Once an
agent has been there the engine never runs git with the clone's git directory: it writes files there, and nothing else.
"""

import shutil
from pathlib import Path

import msgspec

from punchlist.errors import RefusedError
from punchlist.model.ids import Commit
from punchlist.model.jobs import Folder
from punchlist.workspace.folders import is_folder, make_folder, remove_locks, save, wipe, write
from punchlist.workspace.git import EMAIL, At
from punchlist.workspace.places import BuildRecord, Place
from punchlist.workspace.repository import ATTRIBUTES, Repository
from punchlist.workspace.rules import caches
from punchlist.workspace.snapshots import tree_left

_CONFIG = f"""\
[core]
	repositoryformatversion = {{version}}
	filemode = true
	bare = false
	logallrefupdates = true
[user]
	name = Builder
	email = {EMAIL}
[gc]
	auto = 0
[push]
	default = nothing
"""
_SHA256 = "[extensions]\n\tobjectformat = sha256\n"
_SOUND = ("", "objects", "objects/pack", "refs", "refs/heads")
_UNDER_WAY = ("rebase-merge", "rebase-apply", "sequencer", "CHERRY_PICK_HEAD", "REVERT_HEAD")
_SHA1_LENGTH = 40


def prepare_build(repository: Repository, place: Place, *, folder: Folder) -> None:
    """Make the clone at `folder.base` unless it is there; then start the merge of `folder.merge`, once.

    Within a revision of its step it stays as the builder left it. Of another revision, or on another commit, it is made
    anew: a step that was opened again is built on the branch as it is, not on what an earlier try left. Raises
    RefusedError when a commit is not known.
    """
    record = place.build
    if record is None or not is_folder(place.root) or not _is_of(record, folder):
        record = _clone(repository, place, folder=folder)
    git_dir = place.root / ".git"
    if not all(is_folder(git_dir / name) for name in _SOUND) or (git_dir / "commondir").exists():
        _mend(repository, place, commit=record.tip, branch=_branch(folder))
    remove_locks(git_dir)
    if folder.merge is not None and folder.merge not in {record.base, *record.merged}:
        _start_merge(repository, place, record=record, merge=folder.merge, branch=_branch(folder))


def make_git_dir(repository: Repository, git_dir: Path, *, commit: Commit, branch: str | None) -> None:
    """Make a git directory that holds a commit with its history and tags, and nothing of anyone else.

    HEAD is on `branch`, or on the commit itself; there is no index yet.
    """
    wipe(git_dir)
    for name in ("info", "objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (git_dir / name).mkdir(parents=True)
    tags = _tags(repository, commit)
    add_objects(repository, git_dir, wanted=[commit, *(oid for oid, _ in tags)])
    (git_dir / "packed-refs").write_text("".join(f"{oid} {name}\n" for oid, name in tags), encoding="utf-8")
    sha1 = len(commit) == _SHA1_LENGTH
    config = _CONFIG.format(version=0 if sha1 else 1) + ("" if sha1 else _SHA256)
    (git_dir / "config").write_text(config, encoding="utf-8")
    (git_dir / "info" / "attributes").write_bytes(ATTRIBUTES)
    (git_dir / "info" / "exclude").write_text(
        "".join(f"{name}/\n" for name in sorted(caches().every)), encoding="utf-8"
    )
    if (shallow := repository.path / "shallow").exists():
        shutil.copyfile(shallow, git_dir / "shallow")
    point_head(git_dir, commit=commit, branch=branch)


def point_head(git_dir: Path, *, commit: Commit, branch: str | None) -> None:
    """Put HEAD on a branch at a commit, or on the commit itself; whatever stands in the way is removed."""
    if branch is None:
        write(git_dir / "HEAD", f"{commit}\n".encode())
        return
    name = git_dir / "refs" / "heads" / branch
    for parent in reversed(name.relative_to(git_dir).parents[:-2]):
        make_folder(git_dir / parent)
    if is_folder(name):
        wipe(name)
    write(name, f"{commit}\n".encode())
    write(git_dir / "HEAD", f"ref: refs/heads/{branch}\n".encode())


def add_objects(repository: Repository, git_dir: Path, *, wanted: list[str]) -> None:
    """Put commits and tags with all that they need into a git directory, as one pack."""
    command = ["pack-objects", "-q", "--revs", "--window=0", str(git_dir / "objects" / "pack" / "pack")]
    stdin = "".join(f"{oid}\n" for oid in wanted).encode()
    repository.git.run(command, at=repository.at, stdin=stdin, failure=RefusedError)


def _is_of(record: BuildRecord, folder: Folder) -> bool:
    return record.revision == folder.revision and folder.base in {None, record.base, *record.merged, folder.merge}


def _clone(repository: Repository, place: Place, *, folder: Folder) -> BuildRecord:
    if folder.base is None:
        raise RefusedError("a builder's clone needs a base commit to start at", where=str(place.root))
    repository.facts(folder.base)
    wipe(place.root)
    place.clear()
    make_folder(place.root)
    _mend(repository, place, commit=folder.base, branch=_branch(folder))
    repository.git.run(["read-tree", "--reset", "-u", folder.base], at=place.at(repository.path))
    shutil.copyfile(place.beside("index"), place.root / ".git" / "index")
    record = BuildRecord(base=folder.base, revision=folder.revision)
    save(place.beside("json"), record)
    return record


def _mend(repository: Repository, place: Place, *, commit: Commit, branch: str) -> None:
    """Give the clone a git directory; without one, git would find the repository around the workspace."""
    make_git_dir(repository, place.root / ".git", commit=commit, branch=branch)


def _start_merge(repository: Repository, place: Place, *, record: BuildRecord, merge: Commit, branch: str) -> None:
    """Leave the clone as `git merge --no-commit` would: what the builder had is committed, conflicts have markers."""
    git, git_dir = repository.git, place.root / ".git"
    ours = _before_merge(repository, place, record=record, merge=merge)
    merged, conflicts = merge_trees(repository, ours, theirs=merge)
    git.run(["read-tree", "--reset", "-u", merged], at=place.at(repository.path), failure=RefusedError)
    add_objects(repository, git_dir, wanted=[ours, merge, f"^{record.base}"])
    theirs = At(git_dir=repository.path, work=place.root, index=place.beside("merge.index"))
    shutil.copyfile(place.beside("index"), place.beside("merge.index"))
    if conflicts:
        stages = _stages(conflicts, none=b"0" * len(ours))
        git.run(["update-index", "-z", "--index-info"], at=theirs, stdin=stages)
    for name in _UNDER_WAY:
        wipe(git_dir / name)
    write(git_dir / "index", place.beside("merge.index").read_bytes())
    write(git_dir / "MERGE_HEAD", f"{merge}\n".encode())
    write(git_dir / "MERGE_MSG", f"Merge the moved branch into {branch}\n".encode())
    write(git_dir / "MERGE_MODE", b"")
    point_head(git_dir, commit=ours, branch=branch)
    done = BuildRecord(base=record.base, revision=record.revision, merged=(*record.merged, merge))
    save(place.beside("json"), done)


def _before_merge(repository: Repository, place: Place, *, record: BuildRecord, merge: Commit) -> Commit:
    """Return the builder's work as a commit, noted before anything changes: a start that was killed is done again."""
    if record.merging == merge and record.ours is not None:
        return record.ours
    tree = tree_left(repository, place, base=record.tip)
    ours = repository.engine_commit(tree, parents=[record.tip], message="Work before the merge\n")
    save(place.beside("json"), msgspec.structs.replace(record, merging=merge, ours=ours))
    return ours


def _stages(conflicts: list[tuple[bytes, bytes]], *, none: bytes) -> bytes:
    removed = [b"0 %s\t%s\0" % (none, path) for path in dict.fromkeys(path for _, path in conflicts)]
    return b"".join([*removed, *(b"%s\t%s\0" % conflict for conflict in conflicts)])


def merge_trees(repository: Repository, ours: Commit, *, theirs: Commit) -> tuple[str, list[tuple[bytes, bytes]]]:
    """Merge two commits without a checkout.

    Returns the merged tree, with markers in it where there are conflicts, and for each conflicting version its
    `mode oid stage` and path.
    """
    command = ["merge-tree", "--write-tree", "-z", "--no-messages", ours, theirs]
    ran = repository.git.run(command, at=repository.at, accept=(0, 1), failure=RefusedError)
    tree, *rest = ran.out.split(b"\0")
    pairs = [record.partition(b"\t")[::2] for record in rest if b"\t" in record]
    return tree.decode(), [(pair[0], pair[1]) for pair in pairs]


def _tags(repository: Repository, commit: Commit) -> list[tuple[str, str]]:
    command = ["for-each-ref", "--format=%(objectname) %(refname)", f"--merged={commit}", "refs/tags/"]
    found = (line.partition(" ") for line in repository.git.run(command, at=repository.at).text.splitlines())
    return [(oid, name) for oid, _, name in found]


def _branch(folder: Folder) -> str:
    return f"punchlist/{folder.step or folder.task or folder.project}"
