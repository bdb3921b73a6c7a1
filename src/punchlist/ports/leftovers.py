"""What finished work leaves on the disk."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from punchlist.model.ids import AttemptId, ProjectId


class Leftovers(Protocol):
    """Folders of attempts, work folders, and refs of the engine's repositories. Every method may raise StoreError."""

    def attempts(self) -> Mapping[AttemptId, int]:
        """Return the attempts that have a folder, each with the bytes in it."""
        ...

    def remove_attempt(self, attempt: AttemptId) -> None:
        """Remove the folder of an attempt that is over."""
        ...

    def works(self) -> Mapping[str, int]:
        """Return the steps, tasks and projects that have work folders, each with the bytes in them."""
        ...

    def old_files(self) -> Mapping[str, tuple[int, datetime]]:
        """Return what files that stay small were before, each with its bytes and when it was last written to."""
        ...

    def remove_old_file(self, name: str) -> None:
        """Remove one of these."""
        ...

    def refs(self, project: ProjectId) -> Collection[str]:
        """Return what keeps snapshots and trees in the engine's repository: `attempts/A31`, `trees/<tree>`."""
        ...

    def drop(self, project: ProjectId, refs: Collection[str]) -> int:
        """Remove such refs, and the objects that nothing refers to for two weeks; return how many bytes that freed."""
        ...
