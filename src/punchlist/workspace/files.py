"""The generated files' folder on a real disk: each file is replaced whole, or not at all."""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from punchlist.dying import reach
from punchlist.errors import StoreError

_SUFFIX = ".punchlist-new"


class FolderFiles:
    """Implements `ports.Files` below `root`, which is made by the first write.

    Raises StoreError for what the disk refuses. A path that leads out of the folder, or through a symbolic link in it,
    is a bug of the caller and raises ValueError or StoreError; nothing outside is ever written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Write each file whose content differs (temporary file beside it, rename); return the paths written."""
        return tuple(path for path, content in files.items() if self._write(path, content))

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None when it is not there."""
        return self._read(self._path(path))

    def listing(self) -> tuple[str, ...]:
        """Return all files below the folder, sorted; what an interrupted write left is not one of them."""
        return tuple(sorted(path for path in self._walk() if not path.endswith(_SUFFIX)))

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files and the folders that this leaves empty."""
        for path in paths:
            target = self._path(path)
            try:
                target.unlink(missing_ok=True)
            except OSError as error:
                raise _failed(error, target) from error
            self._prune(target.parent)

    def _write(self, path: str, content: bytes) -> bool:
        target = self._path(path)
        if self._read(target) == content:
            return False
        unfinished = target.with_name(f".{target.name[:200]}.{os.getpid()}-{threading.get_ident()}{_SUFFIX}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._refuse_links(target.parent)
            unfinished.write_bytes(content)
            reach("while-rendering")
            unfinished.replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise _failed(error, target) from error
        return True

    def _read(self, target: Path) -> bytes | None:
        try:
            return None if target.is_symlink() else target.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise _failed(error, target) from error

    def _path(self, path: str) -> Path:
        parts = path.split("/")
        if path.startswith("/") or not set(parts).isdisjoint({"", ".", ".."}):
            raise ValueError(path)
        return self._root.joinpath(*parts)

    def _refuse_links(self, folder: Path) -> None:
        for each in (folder, *folder.parents):
            if each == self._root:
                return
            if each.is_symlink():
                raise StoreError(
                    "a folder of generated files is a symbolic link", where=str(each), hint="Remove it, and try again."
                )

    def _walk(self) -> Iterator[str]:
        for folder, _, names in os.walk(self._root):
            inside = Path(folder).relative_to(self._root)
            yield from ((inside / name).as_posix() for name in names)

    def _prune(self, folder: Path) -> None:
        for each in (folder, *folder.parents):
            if each == self._root or not each.is_relative_to(self._root):
                return
            try:
                each.rmdir()
            except OSError:
                return


def _failed(error: OSError, path: Path) -> StoreError:
    """Return the error for a generated file; what it tells of is recorded by then, so nothing is to be typed again."""
    return StoreError(
        f"the generated file cannot be written: {error.strerror or error}",
        where=str(path),
        hint="What was asked for is recorded. Mend the disk or folder, then type: punchlist files write",
    )
