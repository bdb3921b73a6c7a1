"""The engine's process as its own lines see it: they never start another one, and end with it."""

import os
import select
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

from punchlist.errors import StoreError
from punchlist.ports import EngineStatus, Watch
from punchlist.runtime.channel import Channel, Watching


class EngineWithin:
    """Implements `ports.Engine` in the process that is the engine; `stop_waiting` ends every wait for an answer."""

    def __init__(self, channel: Channel, *, name: str, status: EngineStatus) -> None:
        self._channel = channel
        self._name = name
        self._status = status
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._over = False

    def wake(self) -> None:
        """Poke the loop; raises StoreError when it has ended: what was sent waits for the next engine."""
        if self._over:
            raise StoreError("the engine ends; the next one takes this up", where=self._name)
        self._channel.tell_engine()

    def status(self) -> EngineStatus:
        """Say that the engine runs, until it ends."""
        return EngineStatus(running=False) if self._over else self._status

    def stop(self) -> bool:
        """Refuse: a line cannot end the engine that takes it."""
        raise StoreError("a line cannot end the engine", where=self._name, hint="Type: punchlist engine stop")

    def hand_over(self) -> bool:
        """Refuse, as `stop` does."""
        return self.stop()

    def watch(self) -> AbstractContextManager[Watch]:
        """Subscribe to commits."""
        return self._watch()

    def announce(self) -> None:
        """Tell subscribers of a commit."""
        self._channel.announce()

    def stop_waiting(self) -> None:
        """End every wait, now and later."""
        self._over = True
        os.write(self._write, b"!")

    @contextmanager
    def _watch(self) -> Generator[Watch]:
        with self._channel.watch(self._name) as watching:
            yield _Interruptible(watching, self._read)


class _Interruptible:
    """A subscription whose waits end when a pipe can be read, which is never emptied."""

    def __init__(self, watching: Watching, pipe: int) -> None:
        self._watching = watching
        self._pipe = pipe

    def wait(self, timeout: float | None) -> bool:
        """Return True after the next commit since the last call, False when the time has passed or all is over."""
        ready, _, _ = select.select([self._watching.fileno(), self._pipe], [], [], timeout)
        return self._pipe not in ready and self._watching.wait(0)
