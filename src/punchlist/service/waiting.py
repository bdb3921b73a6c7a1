"""Waiting for commits of the engine: no polling while it is up, and no waiting for one that does not stay up."""

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


class Waiting:
    """One wait, over any number of commits, for what an engine brings about."""

    def __init__(self, service: "Service", watch: "Watch") -> None:
        self._service = service
        self._watch = watch
        self._patience = _SOON
        self._gone = 0

    def for_commit(self) -> None:
        """Return after a commit, or when it is time to look again; an engine that has gone is started once more.

        Raises StoreError when that was in vain several times running.
        """
        if self._watch.wait(self._patience):
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
