"""What queued attempts wait for where the settings bound how many are at work at once."""

from typing import TYPE_CHECKING

from punchlist.model.states import AttemptStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from punchlist.model.state import AttemptState
    from punchlist.ports import Reader
    from punchlist.service.context import Service

MOST = 100
"""How many of those that wait are told."""


def waiting(service: "Service", reader: "Reader") -> "list[tuple[AttemptState, str]]":
    """Return queued attempts whose time has come and for which there is no place, each with the limit in its way."""
    place = places(service, reader)
    paused = {run.id for run in reader.runs(live=True) if run.paused}
    found = ((each, place(each)) for each in _queued(service, reader) if each.run not in paused)
    return sorted(((each, what) for each, what in found if what), key=lambda pair: int(pair[0].id[1:]))


def places(service: "Service", reader: "Reader") -> "Callable[[AttemptState], str]":
    """Return what says which limit leaves an attempt no place; an empty text for one that waits for something else."""
    from punchlist.model.places import at_work, full, limits_of

    limits = limits_of(service.settings)
    if not limits:
        return lambda _attempt: ""
    now, time = at_work(reader.workers_at_work()), service.now()

    def place(attempt: "AttemptState") -> str:
        waits = attempt.status is AttemptStatus.QUEUED and (attempt.not_before or "") <= time
        return full(limits, attempt.worker, now=now) if waits else ""

    return place


def _queued(service: "Service", reader: "Reader") -> "Iterable[AttemptState]":
    from punchlist.model.places import limits_of

    return reader.queued(MOST) if limits_of(service.settings) else ()
