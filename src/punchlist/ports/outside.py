"""Time and fresh identities, as the core is given them, and who outside is told of runs."""

from datetime import datetime
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


class Notifier(Protocol):
    """The callback of a workspace."""

    async def tell(self, delivery: Delivery) -> str:
        """Tell it, within its limit; return what went wrong, in words without any secret, or nothing.

        Cancelling ends what was begun. It may be told the same again, under the same id.
        """
        ...
