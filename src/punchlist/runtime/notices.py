"""Notices of the kernel that a file was written, made or replaced (inotify): who waits for them need not look."""

import ctypes
import errno
import os
from collections.abc import Iterable
from pathlib import Path

from punchlist.errors import StoreError

_MODIFY, _LINKED, _CLOSED, _MOVED_HERE, _CREATED, _MOVED, _GONE = 0x2, 0x4, 0x8, 0x80, 0x100, 0x800, 0x400
_ENOUGH = 64 * 1024


class Notices:
    """A descriptor that can be read when something happened to the file at `path`, or beside it.

    Usable with `select` and event loops. The file need not be there yet; its folder must be. The file at `also`, in a
    folder where others write, is followed while it is there: one that is made later, and not in the place of another,
    is not noticed. Raises StoreError where the kernel gives no notices: too many are asked for by this user, or the
    disk is of a kind that has none.
    """

    def __init__(self, path: Path, *, also: Path | None = None) -> None:
        self._path = path
        self._also = also
        self._kernel = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = self._kernel.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise _failed(path)
        try:
            self._watch(path.parent, _MOVED_HERE | _CREATED)
            self._watch_files()
        except StoreError:
            self.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def take(self) -> None:
        """Take all notices that wait, and ask for those of a file that came to stand there meanwhile."""
        try:
            while os.read(self._descriptor, _ENOUGH):
                pass
        except BlockingIOError:
            pass
        self._watch_files()

    def close(self) -> None:
        """Ask for no more notices."""
        os.close(self._descriptor)

    def _watch_files(self) -> None:
        if self._path.exists():
            self._watch(self._path, _MODIFY | _CLOSED)
        if self._also is not None and self._also.exists():
            self._watch(self._also, _CLOSED | _LINKED | _MOVED | _GONE)

    def _watch(self, path: Path, mask: int) -> None:
        """Watch a path; one that is watched already stays so."""
        found = self._kernel.inotify_add_watch(self._descriptor, os.fsencode(path), mask)
        if found < 0 and ctypes.get_errno() != errno.ENOENT:  # it went away this moment: its folder will tell
            raise _failed(path)


class FolderNotices:
    """A descriptor that can be read when something came to stand in one of the folders that are watched.

    Raises StoreError where the kernel gives none.
    """

    def __init__(self) -> None:
        self._kernel = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = self._kernel.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise _failed(Path())

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def watch(self, folders: Iterable[Path]) -> None:
        """Ask for notices of these, too; one that is gone, or one too many, is left to who looks now and then."""
        for folder in folders:
            self._kernel.inotify_add_watch(self._descriptor, os.fsencode(folder), _MOVED_HERE | _CREATED | _CLOSED)

    def take(self) -> None:
        """Take all notices that wait."""
        try:
            while os.read(self._descriptor, _ENOUGH):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Ask for no more notices."""
        os.close(self._descriptor)


def _failed(path: Path) -> StoreError:
    return StoreError(f"the kernel gives no notices: {os.strerror(ctypes.get_errno())}", where=str(path))
