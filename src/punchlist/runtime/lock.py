"""The engine's lock: an OS lock on a file, never a pid file; the file only says who holds it."""

import fcntl
import os
from pathlib import Path

import msgspec

from punchlist.errors import StoreError
from punchlist.ports import EngineStatus


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds the lock: process, since when, program version."""

    pid: int
    since: str
    version: str


class EngineLock:
    """The lock on `path`, from the side of one process. It is let go when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None

    def take(self, holder: Holder) -> bool:
        """Take the lock unless another engine has it; say whether it is held now.

        Who only asks for the lock shares it for a moment: that is no engine, and no reason to give way.
        """
        descriptor = self._open(os.O_RDWR | os.O_CREAT)
        while not _locked(descriptor, fcntl.LOCK_EX):
            if not _locked(descriptor, fcntl.LOCK_SH):
                os.close(descriptor)
                return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(holder), 0)
        self._held = descriptor
        return True

    def release(self) -> None:
        """Let the lock go."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def is_free(self) -> bool:
        """Say whether nobody holds the lock; a missing file is a free lock."""
        if not self._path.exists():
            return True
        descriptor = self._open(os.O_RDONLY)  # asking who holds it needs no right to write
        try:
            return _locked(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def wait_free(self) -> None:
        """Return when nobody holds the lock any more."""
        descriptor = self._open(os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def status(self) -> EngineStatus:
        """Say who holds the lock."""
        if self.is_free():
            return EngineStatus(running=False)
        try:
            holder = msgspec.json.decode(self._path.read_bytes(), type=Holder)
        except (OSError, msgspec.DecodeError):
            return EngineStatus(running=True)  # it was taken this moment, and has not said yet by whom
        return EngineStatus(running=True, pid=holder.pid, since=holder.since, version=holder.version)

    def _open(self, flags: int) -> int:
        try:
            return os.open(self._path, flags | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"the engine's lock cannot be opened: {error.strerror}", where=str(self._path)) from error


def _locked(descriptor: int, how: int) -> bool:
    """Lock a file in place of what the descriptor had of it, unless that would mean to wait."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
