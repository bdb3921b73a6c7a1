"""The engine's lock: an OS lock on the state folder, never a pid file; a file in it only says who holds it."""

import contextlib
import fcntl
import os
import select
import signal
from pathlib import Path

import msgspec

from punchlist.errors import StoreError
from punchlist.model.json import decode
from punchlist.ports import EngineStatus
from punchlist.sharing import file_mode

CALL = signal.SIGURG
"""Calls the engine that holds the lock; of all signals one that ends no process which does not know it."""
HAND_OVER = signal.SIGUSR2
"""Asks an engine that says so of itself to end and leave what runs to a newer one."""

_LOOKS, _LOOK = 200, 0.01
"""How often, and after how many seconds each time, a lock is looked at that a dead engine left to what it started.

Nobody tells when a lock is let go, and who waits in the kernel for it waits without any end.
"""
_SEEN = 0o044
"""Who may look at the workspace, and no more, sees which process the engine is."""
_ROOM = 200
"""Bytes of what the lock's file says, filled up with blanks."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds the lock: process, since when, program version, and whether it hands over when it is asked to.

    One that is `managed` is kept by somebody else: a service manager, a terminal. No newer version asks it.
    """

    pid: int
    since: str
    version: str
    hands_over: bool = False
    managed: bool = False


class StartingLock:
    """Says that an engine is being started: locked by who starts it, and handed on to the engine as standard input.

    The engine lets it go when it holds its own lock, and when it ends before that, however it ends.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / "engine.starting"

    def take(self) -> int | None:
        """Return the locked file, for the engine's standard input; None when another one is being started."""
        descriptor = _opened(self._path, os.O_RDONLY | os.O_CREAT)
        while not _locked(descriptor, fcntl.LOCK_EX):
            if not _locked(descriptor, fcntl.LOCK_SH):
                os.close(descriptor)
                return None
        return descriptor

    def wait_begun(self, patience: float) -> bool:
        """Wait until no engine is being started any more: it runs, or it has failed; False after so many seconds."""
        return not self._path.exists() or _free_within(patience, self._path)

    def let_go(self) -> None:
        """Read from nothing from now on, where standard input is the locked file."""
        with contextlib.suppress(OSError):
            there, mine = self._path.stat(), os.fstat(0)
            if (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino):
                nothing = os.open(os.devnull, os.O_RDONLY)
                os.dup2(nothing, 0)
                os.close(nothing)


class EngineLock:
    """The lock of an engine, from the side of one process. It is let go when the process ends, however it ends.

    The folder of `path` is what is locked: nobody removes that under a running engine without the store. The file says
    who holds it, and is locked as well, for those who look there; where it was removed, its holder makes it anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None
        self._file: int | None = None
        self._holder: Holder | None = None

    def take(self, holder: Holder) -> bool:
        """Take the lock unless another engine has it; say whether it is held now.

        Who only asks for the lock shares it for a moment: that is no engine, and no reason to give way. Nor is what an
        engine was starting when it was killed: until that is a program of its own, it has a copy of the lock.
        """
        descriptor = _opened(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        looks = _LOOKS
        while not _locked(descriptor, fcntl.LOCK_EX):
            if not _locked(descriptor, fcntl.LOCK_SH):
                if self._holder_lives() or not looks:
                    os.close(descriptor)
                    return False
                looks -= 1
                select.select((), (), (), _LOOK)
        self._held, self._holder = descriptor, holder
        self._write(holder)
        StartingLock(self._path.parent).let_go()
        return True

    def _holder_lives(self) -> bool:
        """Say whether the process that the file names lives; True where it names none."""
        try:
            os.kill(decode(self._path.read_bytes(), Holder).pid, 0)
        except ProcessLookupError:
            return False
        except (OSError, msgspec.DecodeError):
            return True  # a lock that was taken this moment, or a process of somebody else
        return True

    def say_who(self) -> None:
        """Let the file say who holds the lock where it was removed; nothing hangs on that, so failures pass."""
        if self._holder is not None and not (self._file is not None and self._is_there(self._file)):
            self._close_file()
            with contextlib.suppress(StoreError, OSError):
                self._write(self._holder)

    def release(self) -> None:
        """Let the lock go."""
        self._close_file()
        self._holder = None
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def is_free(self) -> bool:
        """Say whether nobody holds the lock."""
        if not self._path.parent.exists():
            return True
        descriptor = _opened(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return _locked(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def wait_free(self, patience: float) -> bool:
        """Wait until nobody holds the lock any more; False after so many seconds."""
        return _free_within(patience, self._path.parent)

    def status(self) -> EngineStatus:
        """Say who holds the lock."""
        if self.is_free():
            return EngineStatus(running=False)
        try:
            holder = decode(self._path.read_bytes(), Holder)
        except (OSError, msgspec.DecodeError):
            return EngineStatus(running=True)  # it was taken this moment, and has not said yet by whom
        return EngineStatus(
            running=True,
            pid=holder.pid,
            since=holder.since,
            version=holder.version,
            hands_over=holder.hands_over,
            managed=holder.managed,
        )

    def _write(self, holder: Holder) -> None:
        self._file = _opened(self._path, os.O_RDWR | os.O_CREAT)
        _locked(self._file, fcntl.LOCK_EX)
        said = msgspec.json.encode(holder).ljust(_ROOM)  # as long as what it replaces: no reader finds half of it
        os.pwrite(self._file, said, 0)
        os.ftruncate(self._file, len(said))

    def _is_there(self, descriptor: int) -> bool:
        try:
            there, held = self._path.stat(), os.fstat(descriptor)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _opened(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC, file_mode(path.parent) | _SEEN)
    except OSError as error:
        raise StoreError(f"the engine's lock cannot be opened: {error.strerror}", where=str(path)) from error


def _free_within(patience: float, path: Path) -> bool:
    """Wait until nobody has a file locked for himself; False after so many seconds."""
    descriptor = _opened(path, os.O_RDONLY)
    try:
        for _ in range(round(patience / _LOOK)):
            if _locked(descriptor, fcntl.LOCK_SH):
                return True
            select.select((), (), (), _LOOK)
        return _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, how: int) -> bool:
    """Lock a file in place of what the descriptor had of it, unless that would mean to wait."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
