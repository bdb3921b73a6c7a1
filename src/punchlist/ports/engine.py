"""The engine, as seen by those who send it commands."""

from contextlib import AbstractContextManager
from typing import Protocol

import msgspec


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an engine holds the workspace's lock, and which process it is.

    One that `hands_over` ends for a newer version, which takes up what runs; one of a service manager does not.
    """

    running: bool
    pid: int | None = None
    since: str = ""
    version: str = ""
    hands_over: bool = False


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
        """Ask the engine to end between two transitions and wait for it; False when none ran. Attempts are stopped."""
        ...

    def watch(self) -> AbstractContextManager[Watch]:
        """Subscribe to commits of the engine and of other commands."""
        ...

    def announce(self) -> None:
        """Tell subscribers that this process has committed something."""
        ...
