"""Waiting for commits of the engine: no polling while it is up, and no waiting for one that does not stay up."""

import time
from typing import TYPE_CHECKING

from punchlist.errors import StoreError
from punchlist.service.context import STATE

if TYPE_CHECKING:
    from punchlist.ports import Watch
    from punchlist.service.context import Service

_PATIENCE = 20.0
"""How many seconds without a commit pass before an engine that was up is looked for again."""
_SOON = 5.0
"""The same for one that was only just started."""
_TRIES = 3
_AT_ONCE = 50
"""How many commits of one wait are looked at as they come."""
_SHARE = 10
"""Afterwards looking takes one part of so many of the time: a large run commits a thousand times a second."""
_LONGEST = 0.05
"""Seconds that a commit is looked at later than it came, at most."""


class Waiting:
    """One wait, over any number of commits, for what an engine brings about."""

    def __init__(self, service: "Service", watch: "Watch") -> None:
        self._service = service
        self._watch = watch
        self._patience = _SOON
        self._gone = 0
        self._commits = 0
        self._returned = time.monotonic()

    def for_commit(self) -> None:
        """Return after a commit, or when it is time to look again; an engine that has gone is started once more.

        Raises StoreError when that was in vain several times running.
        """
        if self._commits > _AT_ONCE:
            time.sleep(min(_SHARE * (time.monotonic() - self._returned), _LONGEST))
        heard = self._watch.wait(self._patience)
        self._returned = time.monotonic()
        if heard:
            self._commits += 1
            return
        up = self._service.engine.status().running
        self._gone = 0 if up else self._gone + 1
        self._patience = _PATIENCE if up else _SOON
        if self._gone > _TRIES:
            raise StoreError(
                "the engine ends whenever it is started, so there is nothing to wait for; what was asked of it is kept",
                hint=f"Look into {self._service.root / STATE / 'engine.log'}, or type: punchlist engine run",
            )
        self._service.engine.wake()
