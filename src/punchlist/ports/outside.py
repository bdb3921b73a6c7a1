"""Time and fresh identities, as the core is given them, and who outside is told of runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from punchlist.model.outside import Delivery


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        ...


class Ids(Protocol):
    """The only source of fresh identities."""

    def uuid(self) -> str:
        """Return a new UUID."""
        ...


class Programs(Protocol):
    """Programs that an engine calls beside attempts."""

    async def run(self, argv: Sequence[str], *, stdin: bytes, env: Mapping[str, str], cwd: Path) -> int:
        """Run a program, with `env` and nothing else; return its exit code, or a signal as a negative number.

        Its output is dropped, and nothing that it started is left. Cancelling ends it first. Raises WorkerError when it
        cannot be started, in words that do not name it: there may be secrets in its arguments.
        """
        ...


class Notifier(Protocol):
    """The callback of a workspace."""

    async def tell(self, delivery: Delivery) -> str:
        """Tell it, within its limit; return what went wrong, in words without any secret, or nothing.

        Cancelling ends what was begun. It may be told the same again, under the same id.
        """
        ...
