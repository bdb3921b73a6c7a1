"""Time and fresh identities, as the core is given them."""

from datetime import datetime
from typing import Protocol


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
