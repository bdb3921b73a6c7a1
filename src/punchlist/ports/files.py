"""The generated files' folder."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Files(Protocol):
    """The generated files' folder. Paths are relative to it, with `/`."""

    def write(self, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Write each file whose content differs, atomically (temporary file, rename); return the paths written."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None when it is not there."""
        ...

    def listing(self) -> tuple[str, ...]:
        """Return all files below the folder, sorted."""
        ...

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files and the folders that this leaves empty."""
        ...
