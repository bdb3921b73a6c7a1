"""Where a work folder is, and the engine's own files beside it: nothing that steers git lies within the folder."""

import re
from pathlib import Path

import msgspec

from punchlist.errors import RefusedError
from punchlist.model.ids import Commit, Tree
from punchlist.model.jobs import Folder
from punchlist.workspace.folders import load, save
from punchlist.workspace.git import At

_NAME = re.compile(r"T[1-9][0-9]*(\.[1-9][0-9]*)?|[a-z0-9][a-z0-9-]{0,59}")


class BuildRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A builder's clone: its step's revision, where it started, and the commits whose merge was started in it since.

    While a merge is being started, `merging` is its commit and `ours` the builder's work before it.
    """

    base: Commit
    revision: int = 0
    merged: tuple[Commit, ...] = ()
    merging: Commit | None = None
    ours: Commit | None = None

    @property
    def tip(self) -> Commit:
        """The commit of the branch that the clone stands on now."""
        return (self.base, *self.merged)[-1]


class ExamRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An exam folder: the tree that it shows, and the fingerprint of its git directory as the engine made it."""

    tree: Tree
    git: str


class SetupRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What set-up did to a folder: for which stamps it ended well, what was there before it, and what it made.

    Paths that end in "/" are folders. While it is `pending` it has been asked for and has not ended well.
    """

    stamps: tuple[str, ...] = ()
    pending: bool = False
    before: tuple[str, ...] = ()
    made: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True):
    """A work folder (`root`) and the names of what the engine keeps beside it."""

    root: Path

    def beside(self, what: str) -> Path:
        """Return the engine's file called `what` for this folder."""
        return self.root.with_name(f"{self.root.name}.{what}")

    def at(self, git_dir: Path) -> At:
        """Return where git looks at this folder: the engine's directory and index, the folder's files."""
        return At(git_dir=git_dir, work=self.root, index=self.beside("index"))

    @property
    def build(self) -> BuildRecord | None:
        """The record of a clone, None when there is none."""
        return load(self.beside("json"), BuildRecord)

    @property
    def exam(self) -> ExamRecord | None:
        """The record of an exam, None when there is none."""
        return load(self.beside("json"), ExamRecord)

    @property
    def setup(self) -> SetupRecord:
        """What is known of set-up here."""
        return load(self.beside("setup.json"), SetupRecord) or SetupRecord()

    def save_setup(self, record: SetupRecord) -> None:
        """Keep what set-up did."""
        save(self.beside("setup.json"), record)

    def clear(self) -> None:
        """Forget what is known of the folder, and remove what a killed git left beside it."""
        for what in ("json", "setup.json", "index", "index.lock"):
            self.beside(what).unlink(missing_ok=True)


def place_of(folder: Folder, *, work: Path) -> Place:
    """Return a folder's place: `<work>/<step, task or project>/<build or exam>`."""
    name = folder.step or folder.task or folder.project or ""
    if _NAME.fullmatch(name) is None:
        raise RefusedError(f"{name!r} names no step, task or project", where="work folder")
    return Place(work / name / folder.place)
