"""What a process leaves in its work folder: found and read without being led out of it."""

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from punchlist.errors import DefinitionError

_CHUNK = 1 << 20
_MEGA = 1_000_000


class FolderLeft:
    """Files below a work folder. `state` is the engine's own folder, which holds nothing that a process may leave."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def read(self, work: Path, name: str, *, most: int) -> bytes:
        """Return what the file `name` in a work folder holds.

        Raises DefinitionError when it is not there, no regular file, outside of the folder, or has more than `most`
        bytes; a larger one is not read.
        """
        with self._opened(work, name) as descriptor:
            size = os.fstat(descriptor).st_size
            if size > most:
                raise too_large(name, size=size, most=most)
            content = _read(descriptor, most + 1)
        if len(content) > most:
            raise too_large(name, size=len(content), most=most)
        return content

    @contextmanager
    def _opened(self, work: Path, name: str) -> Generator[int]:
        path = self._found(work, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DefinitionError(f"{name!r} cannot be read: {error.strerror}", where=str(path)) from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise DefinitionError(f"{name!r} is no regular file", where=str(path))
            if Path(f"/proc/self/fd/{descriptor}").readlink() != path:  # something was moved meanwhile
                raise DefinitionError(f"{name!r} is not where it was a moment ago", where=str(path))
            yield descriptor
        finally:
            os.close(descriptor)

    def _found(self, work: Path, name: str) -> Path:
        """Return the path of a file without links in it; raises DefinitionError when it is not inside the folder."""
        folder = work.resolve()
        if not name or "\0" in name:
            raise DefinitionError(f"{name!r} is no path", hint="Name a file below the work folder.")
        try:
            path = (folder / name).resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: links that lead to each other
            raise DefinitionError(
                f"there is no file {name!r}", where=str(folder / name), hint=f"Paths are looked up in {folder}."
            ) from None
        if not path.is_relative_to(folder):
            raise DefinitionError(f"{name!r} leads out of the work folder", where=str(path), hint=f"Allowed: {folder}")
        if path.is_relative_to(self._state.resolve()):
            work_folders = self._state.resolve() / "work"
            if not path.is_relative_to(work_folders) or not folder.is_relative_to(work_folders):
                raise DefinitionError(f"{name!r} is a file of the engine's own", where=str(path))
        return path


def too_large(name: str, *, size: int, most: int) -> DefinitionError:
    """Return the refusal of an answer that is larger than a record may hold."""
    return DefinitionError(
        f"{name!r} has {size / _MEGA:.1f} MB; an answer holds at most {most >> 20} MiB",
        hint="Leave large values in a file, and name it under `artifacts:`.",
    )


def _read(descriptor: int, most: int) -> bytes:
    parts: list[bytes] = []
    while most > 0 and (chunk := os.read(descriptor, min(most, _CHUNK))):
        parts.append(chunk)
        most -= len(chunk)
    return b"".join(parts)
