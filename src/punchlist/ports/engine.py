"""The engine, as seen by those who send it commands."""

from contextlib import AbstractContextManager
from typing import Protocol

import msgspec


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an engine holds the workspace's lock, and which process it is.

    One that `hands_over` ends, when it is asked to, for another one that takes up what runs. No newer version asks one
    that is `managed`: a service manager, or who sits at its terminal, would not start the other.
    """

    running: bool
    pid: int | None = None
    since: str = ""
    version: str = ""
    hands_over: bool = False
    managed: bool = False


class Watch(Protocol):
    """A subscription to "something was committed"."""

    def wait(self, timeout: float | None) -> bool:
        """Return True after the next commit since the last call, False when `timeout` seconds have passed."""
        ...


class Engine(Protocol):
    """The workspace's engine process, from outside."""

    def wake(self) -> None:
        """Make sure that an engine looks at the inbox: poke the one that runs, start one (detached) when none does."""
        ...

    def status(self) -> EngineStatus:
        """Say whether an engine runs."""
        ...

    def stop(self) -> bool:
        """Ask the engine to end between two transitions and wait for it; False when none ran. Attempts are stopped.

        Raises StoreError, which names the process, when that does not end.
        """
        ...

    def hand_over(self) -> bool:
        """Ask the engine to end, as `stop` does, and to leave what runs to the next one; that is the caller's to start.

        One of a version that cannot do that is stopped.
        """
        ...

    def watch(self) -> AbstractContextManager[Watch]:
        """Subscribe to commits of the engine and of other commands."""
        ...

    def announce(self) -> None:
        """Tell subscribers that this process has committed something."""
        ...
