"""What a builder left, as a tree: every file but those that the base's rules, caches and set-up account for.

Taken with the engine's git directory, index and configuration; of the clone's own `.git` nothing is read.
"""

from collections.abc import Collection, Iterable
from typing import Literal

from punchlist.errors import RefusedError
from punchlist.model.ids import Commit, Tree
from punchlist.model.jobs import Change
from punchlist.workspace.folders import open_up, write
from punchlist.workspace.git import Ran
from punchlist.workspace.places import Place
from punchlist.workspace.repository import GITLINK, Repository
from punchlist.workspace.rules import exactly, is_under

DIFF_SIZE = 200 * 1024
_CUT = "\n[the diff is longer: what follows was cut]\n"
_EMPTY_BLOB = {
    40: "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    64: "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
}
_MARK = ".punchlist-nested"
_HOW: dict[str, Literal["added", "deleted", "modified", "type"]] = {
    "A": "added",
    "D": "deleted",
    "M": "modified",
    "T": "type",
}
_DENIED = b"Permission denied"


def tree_left(repository: Repository, place: Place, *, base: Commit) -> Tree:
    """Return the tree of what is in the folder now; the same content over the same base gives the same tree.

    A nested repository is recorded as its files. Raises RefusedError when git cannot read the folder.
    """
    recorder = _Recorder(repository, place, base=base)
    recorder.start()
    recorder.update_tracked()
    recorder.add(recorder.untracked())
    tree = recorder.tree()
    if links := recorder.links(tree):
        recorder.forget(links)
        recorder.add(recorder.untracked(opened=links))
        tree = recorder.tree()
    return tree


def changes(repository: Repository, old: str, *, new: str) -> tuple[Change, ...]:
    """Return the paths that differ between two commits or trees, in order; a rename is one deleted and one added."""
    command = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", old, new]
    records = iter(repository.git.run(command, at=repository.at, failure=RefusedError).records)
    return tuple(_change(facts, path) for facts, path in zip(records, records, strict=True))


def shown(path: str) -> str:
    """Return a path as records hold it: what is not UTF-8 in its name stands escaped."""
    return path.encode(errors="surrogateescape").decode(errors="backslashreplace")


def patch(repository: Repository, old: str, *, new: str, size: int = DIFF_SIZE) -> str:
    """Return the difference as text of at most `size` bytes; what was cut is said in its last line."""
    options = ["-p", "--find-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--no-commit-id"]
    output = repository.git.beginning(["diff-tree", "-r", *options, old, new], at=repository.at, size=size)
    if len(output) <= size:
        return output.decode(errors="replace")
    return output[: output.rfind(b"\n", 0, size) + 1 or size].decode(errors="replace") + _CUT


def untracked(repository: Repository, place: Place, *, rules: bytes) -> list[str]:
    """List the files that the engine's index of the folder does not name and `rules` do not ignore.

    A nested repository is one entry that ends in "/".
    """
    write(place.beside("rules"), rules)
    command = ["ls-files", "-z", "--others", f"--exclude-from={place.beside('rules')}"]
    return _reading(repository, place, command=command).records


def made_by_setup(place: Place) -> tuple[str, ...]:
    """Return the paths that set-up made in the folder, folders without their "/"."""
    return tuple(path.rstrip("/") for path in place.setup.made)


class _Recorder:
    """The steps from a folder to a tree, over the engine's index of that folder."""

    def __init__(self, repository: Repository, place: Place, *, base: Commit) -> None:
        self._repository = repository
        self._place = place
        self._base = base
        self._at = place.at(repository.path)
        self._made = made_by_setup(place)
        self._added = False

    def start(self) -> None:
        """Set the index to the base; times and sizes known from earlier are kept, so unchanged files are not read."""
        self._place.beside("index.lock").unlink(missing_ok=True)
        command = ["read-tree", "-m", self._base]
        if self._repository.git.run(command, at=self._at, accept=(0, 128)).code != 0:
            self._place.beside("index").unlink(missing_ok=True)
            self._repository.git.run(["read-tree", self._base], at=self._at, failure=RefusedError)

    def update_tracked(self) -> None:
        """Take what became of the base's files."""
        ran = _reading(self._repository, self._place, command=["add", "--update", "--verbose"])
        self._added = b"add '" in ran.out

    def untracked(self, *, opened: Iterable[str] = ()) -> list[str]:
        """List new files; nested repositories are opened one level after the other."""
        rules = self._repository.ignored(self._base) + exactly(self._place.setup.made)
        closed, known, found = set(opened), set[str](), list[str]()
        while not known or closed - known:
            self._open(closed - known)
            known |= closed | {""}
            found = [path for path in untracked(self._repository, self._place, rules=rules) if not self._is_made(path)]
            closed = {path.rstrip("/") for path in found if path.endswith("/")}
        if marks := [f"{folder}/{_MARK}" for folder in known if folder]:
            self.forget(marks)
        return [path for path in found if not path.endswith("/")]

    def add(self, paths: list[str]) -> None:
        """Take new files."""
        if paths:
            stdin = _joined(paths)
            command = ["update-index", "--add", "--replace", "-z", "--stdin"]
            _reading(self._repository, self._place, command=command, stdin=stdin)

    def links(self, tree: Tree) -> list[str]:
        """Return where git took a repository that stands in place of a file for a submodule."""
        if not self._added:
            return []
        return [change.path for change in changes(self._repository, self._base, new=tree) if change.new_mode == GITLINK]

    def forget(self, paths: Iterable[str]) -> None:
        """Take paths out of the index, whatever is in the folder."""
        command = ["update-index", "--force-remove", "-z", "--stdin"]
        self._repository.git.run(command, at=self._at, stdin=_joined(paths))

    def tree(self) -> Tree:
        """Write the index as a tree."""
        return Tree(self._repository.git.run(["write-tree"], at=self._at).text)

    def _is_made(self, path: str) -> bool:
        return bool(self._made) and is_under(path.rstrip("/"), self._made)

    def _open(self, folders: Collection[str]) -> None:
        """Let git look into nested repositories: it does where its index names a file in them."""
        if folders:
            entry = f"100644 {_EMPTY_BLOB[len(self._base)]}\t"
            stdin = _joined(f"{entry}{folder}/{_MARK}" for folder in folders)
            self._repository.git.run(["update-index", "-z", "--index-info"], at=self._at, stdin=stdin)


def _reading(repository: Repository, place: Place, *, command: list[str], stdin: bytes = b"") -> Ran:
    """Run a git command that reads the folder; what its owner made unreadable is opened up, once."""
    at = place.at(repository.path)
    ran = repository.git.run(command, at=at, stdin=stdin, accept=range(256))
    if ran.code != 0 or _DENIED in ran.err:
        open_up(place.root)
        place.beside("index.lock").unlink(missing_ok=True)
        ran = repository.git.run(command, at=at, stdin=stdin, failure=RefusedError)
    return ran


def _joined(paths: Iterable[str]) -> bytes:
    return b"".join(path.encode(errors="surrogateescape") + b"\0" for path in paths)


def _change(facts: str, path: str) -> Change:
    old_mode, new_mode, _, _, letter = facts.removeprefix(":").split(" ")
    how = "type" if GITLINK in {old_mode, new_mode} else _HOW[letter]
    return Change(path=path, how=how, old_mode=old_mode, new_mode=new_mode)
