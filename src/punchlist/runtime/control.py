"""The engine as other processes see it: poke it, start it, ask whether it runs, stop it."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from punchlist.errors import StoreError
from punchlist.ports import EngineStatus, Watch
from punchlist.runtime.channel import Channel
from punchlist.runtime.lock import EngineLock


class EngineControl:
    """Implements `ports.Engine`. `command` is the argv that runs an engine of this workspace in the foreground."""

    def __init__(self, *, state: Path, channel: Channel, command: Sequence[str], name: str) -> None:
        self._log = state / "engine.log"
        self._lock = EngineLock(state / "engine.lock")
        self._channel = channel
        self._command = tuple(command)
        self._name = name

    def wake(self) -> None:
        """Make sure that an engine looks at the inbox: poke the one that runs, start one (detached) when none does."""
        self._channel.tell_engine()
        if self._lock.is_free():
            self._start()

    def status(self) -> EngineStatus:
        """Say whether an engine runs."""
        return self._lock.status()

    def stop(self) -> bool:
        """Ask the engine to end between two transitions and wait for it; False when none ran."""
        status = self._lock.status()
        if not status.running or status.pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(status.pid, signal.SIGTERM)
        self._lock.wait_free()
        return True

    def watch(self) -> AbstractContextManager[Watch]:
        """Subscribe to commits of the engine and of other commands."""
        return self._watch()

    @contextlib.contextmanager
    def _watch(self) -> Generator[Watch]:
        with self._channel.watch(self._name) as watching:
            yield watching

    def announce(self) -> None:
        """Tell subscribers that this process has committed something."""
        self._channel.announce()

    def _start(self) -> None:
        try:
            with self._log.open("ab") as log:
                subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    close_fds=True,
                )
        except OSError as error:
            raise StoreError(f"the engine could not be started: {error}", where=str(self._log)) from error
