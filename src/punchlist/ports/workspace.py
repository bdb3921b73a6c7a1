"""The engine's git and work folders."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from punchlist.errors import Problem
from punchlist.model.ids import AttemptId, Commit, Digest, ProjectId, Tree
from punchlist.model.jobs import (
    Artifact,
    Folder,
    IntegrateJob,
    MergeJob,
    PublishJob,
    Snapshot,
)
from punchlist.model.records import Project


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """A merge without a checkout: the tree, or the paths in conflict."""

    tree: Tree | None
    conflicts: tuple[str, ...] = ()


class SetupNeed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a folder must be set up before use; `stamp` is what `setup_done` takes afterwards."""

    needed: bool
    stamp: str


class Left(Protocol):
    """What processes leave in their work folders. Blocking, as the workspace is."""

    def read(self, work: Path, name: str, *, most: int) -> bytes:
        """Return what a file holds; raises DefinitionError when it is not there, outside, or has more than `most`."""
        ...

    def keep(self, work: Path, name: str, *, refuse: Callable[[Path], bool]) -> Artifact:
        """Keep a copy of a file by its content; `refuse` looks at the copy. Raises DefinitionError as `read` does."""
        ...

    def digest(self, work: Path, name: str) -> Digest | None:
        """Return the SHA-256 of a file as it is now; None where there is none that could be kept."""
        ...

    def holds(self, artifact: Artifact) -> bool:
        """Say whether the kept copy of an artifact is there, and is what it was."""
        ...


class Workspace(Protocol):
    """The engine's git and the work folders. Blocking: the runtime calls it beside its loop.

    Never touches the user's checkout, index, config or hooks; of their branches only the task's own.
    Raises DefinitionError or RefusedError for what a person can mend (no commits, no base branch, submodules).
    """

    @property
    def left(self) -> Left:
        """What processes leave in their work folders."""
        ...

    def create_repository(self, path: Path) -> bool:
        """Make a repository with one empty commit on `main` where there is none; say whether all in it is of this."""
        ...

    def base(self, project: Project) -> Commit:
        """Return the tip of the project's base branch in the user's repository."""
        ...

    def base_problems(self, project: Project) -> Sequence[Problem]:
        """Return why the project has no base, each at its field, `repo` or `base`; nothing of what is seen is kept."""
        ...

    def uncommitted(self, project: Project) -> int:
        """Return how many paths of the user's checkout differ from its HEAD (they are not in the base)."""
        ...

    def tree_of(self, project: Project, commit: Commit | Tree) -> Tree:
        """Return a commit's tree; a tree is its own."""
        ...

    def prepare(self, project: Project, folder: Folder) -> Path:
        """Make the folder ready and return it: a builder's clone as it was left, or an exam clean at its tree."""
        ...

    def path(self, folder: Folder) -> Path:
        """Return where a folder is, without making it ready."""
        ...

    def setup_need(self, project: Project, folder: Folder) -> SetupNeed:
        """Say whether the project's set-up must run in this folder now (once per folder and hash of what it names)."""
        ...

    def setup_done(self, project: Project, folder: Folder, stamp: str) -> None:  # noqa: PLR0917 - in the order in which one says it
        """Record that set-up ran, and which ignored paths it made, so that cleaning leaves them."""
        ...

    def snapshot(self, project: Project, folder: Folder, attempt: AttemptId, base: Commit) -> Snapshot:  # noqa: PLR0917 - in the order in which one says it
        """Record everything in the builder's clone as `refs/attempts/<attempt>`; same content, same tree."""
        ...

    def exam_changes(self, project: Project, folder: Folder) -> tuple[str, ...]:
        """Return the paths of an exam folder that differ from its tree, those aside that the base's rules ignore."""
        ...

    def resolve(self, project: Project, tree: Tree, references: Sequence[str]) -> dict[str, bool]:  # noqa: PLR0917 - in the order in which one says it
        """Say of each `path:line` (or `path`) whether it exists in the tree; anything that leaves the tree is False.

        A path that begins with `**/` is looked for in every folder.
        """
        ...

    def diff(self, project: Project, old: str, new: str) -> str:  # noqa: PLR0917 - in the order in which one says it
        """Return the patch between two commits or trees."""
        ...

    def merge(self, project: Project, job: MergeJob) -> Merged:
        """Merge without a checkout."""
        ...

    def integrate(self, project: Project, job: IntegrateJob) -> Commit:
        """Make the planned commit, move the task's branch by compare-and-swap, push it; redoing it is no change.

        Raises RefusedError when the branch is at another commit than the parent or the planned one.
        """
        ...

    def publish(self, project: Project, job: PublishJob) -> bool:
        """Push the branch; for `merge` bring it into the base branch. Return whether it was merged."""
        ...

    def leave(self, name: str) -> None:
        """Move the folders of a step or task away, if there are any: it begins anew when it is worked on again."""
        ...

    def sweep(self) -> None:
        """Remove all folders that were moved away."""
        ...

    def home(self, project: ProjectId) -> Path:
        """Return the project's private HOME, made when missing."""
        ...
