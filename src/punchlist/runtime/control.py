"""The engine as other processes see it: poke it, start it, ask whether it runs, stop it."""

import contextlib
import itertools
import os
import re
import signal
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from punchlist.errors import RefusedError, StoreError
from punchlist.ports import EngineStatus, Watch
from punchlist.runtime.lock import CALL, HAND_OVER, EngineLock, StartingLock
from punchlist.runtime.logfile import keep_small

if TYPE_CHECKING:
    from punchlist.runtime.channel import Channel

_ATTEMPT = "PUNCHLIST_"
_DETACH = """\
{ ulimit -S -w unlimited || ulimit -S -x unlimited; } 2>/dev/null
exec 3<&0
"$@" <&3 3<&- &
"""
"""Starts an engine beside the shell, without the tag of an attempt (a limit) that may have come to start it."""
PATIENCE = 30.0
"""Seconds that an engine has to end: it kills what runs, and waits for its own work on git."""
_WATCHES = itertools.count()
"""One count for the process: a subscription's name is its own, of whichever context it is."""


class EngineControl:
    """Implements `ports.Engine`.

    `command` is the argv that runs an engine of this workspace in the foreground. What marks a process as part of an
    attempt is left out of its `environment`: an engine that an agent happens to start does not end with that agent.
    `channel` is asked for when something is to be told: to see whether an engine runs, no socket need be loaded.
    """

    def __init__(
        self,
        *,
        state: Path,
        channel: "Callable[[], Channel]",
        command: Sequence[str],
        environment: Mapping[str, str],
        name: str,
        version: str,
        patience: float = PATIENCE,
    ) -> None:
        self._log = state / "engine.log"
        self._lock = EngineLock(state / "engine.lock")
        self._starting = StartingLock(state)
        self._channel = channel
        self._command = tuple(command)
        self._environment = {key: value for key, value in environment.items() if not key.startswith(_ATTEMPT)}
        self._name = name
        self._version = version
        self._patience = patience

    def wake(self) -> None:
        """Make sure that an engine looks at the inbox: poke the one that runs, start one (detached) when none does.

        One that runs and has no socket here is called by a signal: the folder of sockets goes when its user logs out.
        An older one is asked to hand over to the one that is started then: what runs lives on.
        """
        told = self._channel().tell_engine()
        if self._lock.is_free() or self._hand_over():
            self._start()
        elif not told:
            self._call()

    def status(self) -> EngineStatus:
        """Say whether an engine runs."""
        return self._lock.status()

    def stop(self) -> bool:
        """Ask the engine to end between two transitions and wait for it; False when none ran.

        One that is being started is waited for first: it would run when this says that none does.
        Raises StoreError when it does not end, and when the file that says which process it is was removed; the engine
        then says it again.
        """
        return self._end(lambda _: signal.SIGTERM)

    def hand_over(self) -> bool:
        """Ask the engine to end and to leave what runs to the next one; False when none ran. Raises as `stop` does."""
        return self._end(lambda holder: HAND_OVER if holder.hands_over else signal.SIGTERM)

    def _end(self, sign: Callable[[EngineStatus], signal.Signals]) -> bool:
        if not self._starting.wait_begun(self._patience):
            raise StoreError(
                f"an engine was being started, and did not begin its work within {self._patience:g} s",
                where=str(self._log),
                hint="See what is in that file, and what the process does: ps -ef | grep 'punchlist.*engine run'",
            )
        status = self._lock.status()
        if not status.running:
            return False
        if status.pid is None:
            self._channel().tell_engine()
            raise StoreError(
                "an engine runs here, and its lock's file did not say which process it is",
                where=str(self._log.with_name("engine.lock")),
                hint="By now it should say so again. Type: punchlist engine stop",
            )
        if not self._send(status.pid, sign(status)):
            raise RefusedError(
                f"the engine, process {status.pid}, is {_whose(status.pid)}, and not yours to end",
                where=str(self._log.parent),
                hint="Whose it is types: punchlist engine stop",
            )
        return True

    def watch(self) -> AbstractContextManager[Watch]:
        """Subscribe to commits of the engine and of other commands."""
        return self._watch()

    @contextlib.contextmanager
    def _watch(self) -> Generator[Watch]:
        with self._channel().watch(f"{self._name}-{next(_WATCHES)}") as watching:
            yield watching

    def announce(self) -> None:
        """Tell subscribers that this process has committed something."""
        self._channel().announce()

    def _hand_over(self) -> bool:
        """Have an engine of an older version end; False when it is none, or one that does not hand over."""
        holder = self._lock.status()
        if holder.pid is None or holder.managed or not holder.hands_over:
            return False
        if not _is_older(holder.version, than=self._version):
            return False
        return self._send(holder.pid, HAND_OVER)

    def _send(self, pid: int, sign: signal.Signals) -> bool:
        """Send the engine a signal that ends it, and wait until it has let go of its lock; False for another user's."""
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            pass
        except PermissionError:
            return False
        if not self._lock.wait_free(self._patience):
            stopped = _is_stopped(pid)
            raise StoreError(
                f"the engine, process {pid}, did not end within {self._patience:g} s"
                + (": it is stopped, as by SIGSTOP or a debugger" if stopped else ""),
                where=str(self._log),
                hint=f"To let it go on: kill -CONT {pid}"
                if stopped
                else f"To end it at once: kill -KILL {pid}; what it runs lives on, and the next engine takes it up",
            )
        return True

    def _call(self) -> None:
        holder = self._lock.status().pid
        if holder is None:
            return
        try:
            os.kill(holder, CALL)
        except ProcessLookupError:
            pass
        except PermissionError as error:
            raise StoreError(
                f"the engine, process {holder}, is {_whose(holder)}, and cannot be called from here; what you asked is "
                "kept until it looks",
                where=str(self._log.parent),
                hint="Let its user type: punchlist status. To share the workspace, let your group have its state: "
                "chgrp -R GROUP .punchlist; chmod -R g+rwX .punchlist; find .punchlist -type d -exec chmod g+s {} +",
            ) from error

    def _start(self) -> None:
        """Start an engine that is nobody's child: it outlives this process, and leaves it nothing to collect.

        Where one is being started already, that one will do: it looks for work when it has begun.
        """
        import subprocess

        starting = self._starting.take()
        if starting is None:
            return
        try:
            keep_small(self._log)
            with self._log.open("ab") as log, os.fdopen(starting, "rb") as stdin:
                subprocess.run(
                    ("/bin/sh", "-c", _DETACH, "sh", *self._command),
                    stdin=stdin,
                    stdout=log,
                    stderr=log,
                    env=self._environment,
                    start_new_session=True,
                    check=True,
                )
        except (OSError, subprocess.SubprocessError) as error:
            raise StoreError(f"the engine could not be started: {error}", where=str(self._log)) from error


def _whose(pid: int) -> str:
    """Say which user a process is of, as far as can be seen."""
    import pwd

    with contextlib.suppress(OSError, KeyError):
        return f"of the user {pwd.getpwuid(Path(f'/proc/{pid}').stat().st_uid).pw_name}"
    return "of another user"


def _is_stopped(pid: int) -> bool:
    """Say whether a process is stopped, by job control or by a debugger."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1] in b"Tt"
    return False


def _is_older(version: str, *, than: str) -> bool:
    """Say whether a version comes before another, by the numbers in it."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"[0-9]+", version)]
