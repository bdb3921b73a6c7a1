"""What queued attempts wait for where the settings bound how many are at work at once."""

from functools import cache
from typing import TYPE_CHECKING

from punchlist.model.states import AttemptStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from punchlist.model.places import Limits
    from punchlist.model.state import AttemptState
    from punchlist.ports import Reader
    from punchlist.service.context import Service

MOST = 100
"""How many of those that wait are told."""


def waiting(service: "Service", reader: "Reader") -> "list[tuple[AttemptState, str]]":
    """Return queued attempts whose time has come and for which there is no place, each with the limit in its way."""
    live = reader.runs(live=True)
    if not live or not _limits(service):
        return []
    place = places(service, reader)
    paused = {run.id for run in live if run.paused}
    found = ((each, place(each)) for each in reader.queued(MOST) if each.run not in paused)
    return sorted(((each, what) for each, what in found if what), key=lambda pair: int(pair[0].id[1:]))


def places(service: "Service", reader: "Reader") -> "Callable[[AttemptState], str]":
    """Return what says which limit leaves an attempt no place; an empty text for one that waits for something else.

    The settings are read for the first one that is queued.
    """
    time = service.now()

    @cache
    def limits() -> "Limits":
        return _limits(service)

    @cache
    def workers() -> "list[str | None]":
        return list(reader.workers_at_work())

    def place(attempt: "AttemptState") -> str:
        if attempt.status is not AttemptStatus.QUEUED or (attempt.not_before or "") > time or not limits():
            return ""
        from punchlist.model.places import at_work, full

        return full(limits(), attempt.worker, now=at_work(workers()))

    return place


def _limits(service: "Service") -> "Limits":
    from punchlist.model.places import limits_of

    return limits_of(service.settings)
