"""`wanted`: what the state now asks of the world. A function of state, so that after a crash it is computed again."""

from collections.abc import Iterable

import msgspec

from punchlist.engine.place import Place
from punchlist.engine.registry import KINDS
from punchlist.engine.room import may_start
from punchlist.model import events as ev
from punchlist.model.ids import AttemptId, NodePath
from punchlist.model.jobs import Job, ListJob, Pin, ProcessJob
from punchlist.model.state import RunState, State
from punchlist.model.states import AttemptStatus


class Watched(msgspec.Struct, frozen=True):
    """A node that waits until so many files fit a pattern, in the folder where a flow's commands run."""

    node: NodePath
    files: str
    least: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts to start, attempts whose processes must be gone, the next time that is due, and files to watch for."""

    start: tuple[AttemptId, ...] = ()
    kill: tuple[AttemptId, ...] = ()
    wake_at: str | None = None
    watch: tuple[Watched, ...] = ()


def wanted(state: State, changed: Iterable[AttemptId], *, decided_at: str = "") -> Wanted:
    """Return what the `changed` attempts of a run ask for (after a crash: all that were running).

    What was due when it was `decided_at`, and did not start, waits for room: no timer wakes it but another one's end.
    """
    run = state.run
    if run is None:
        return Wanted()
    touched = [run.attempts[each] for each in dict.fromkeys(changed) if each in run.attempts]
    return Wanted(
        start=tuple(each.id for each in touched if each.status is AttemptStatus.RUNNING),
        kill=tuple(each.id for each in touched if each.status is AttemptStatus.CANCELLED and each.started_at),
        wake_at=_wake_at(run, decided_at),
        watch=tuple(Watched(path, each.files, each.least) for path, each in sorted(run.timers.items()) if each.files),
    )


def _wake_at(run: RunState, decided_at: str) -> str | None:
    """Return when the first timer or parked attempt is due; with no slot free, another's end wakes the latter."""
    timers = [] if run.cancelling else [each.at for each in run.timers.values()]
    parked = run.parked.values() if may_start(run) else ()
    return min((at for at in (*timers, *parked) if at > decided_at), default=None)


def _pins(place: Place) -> tuple[Pin, ...]:
    from punchlist.engine.pins import pins_of  # only runs with artifacts need it

    return pins_of(place)


def changed_attempts(events: Iterable[ev.Event]) -> tuple[AttemptId, ...]:
    """Return the attempts that events of a run started or ended."""
    found: list[AttemptId] = []
    for event in events:
        match event.fact:
            case ev.AttemptStarted(attempt=attempt):
                found.append(attempt)
            case ev.AttemptEnded(outcome=outcome):
                found.append(outcome.attempt)
            case _:
                pass
    return tuple(found)


def job_of(state: State, attempt: AttemptId) -> Job:
    """Return what an attempt runs, composed from the state alone. Raises DefinitionError for a broken expression."""
    assert state.run is not None
    asked = state.run.attempts[attempt]
    place = Place(state, asked.node)
    job = KINDS[place.node.kind].job
    assert job is not None
    wanted_job = job(place, asked)
    if not isinstance(wanted_job, ProcessJob | ListJob):
        return wanted_job
    run, pins = state.run, _pins(place) if state.run.made else ()
    if isinstance(wanted_job, ListJob):
        return msgspec.structs.replace(wanted_job, masked=run.secrets, uses=pins)
    return msgspec.structs.replace(
        wanted_job, path=run.path, nonce_digest=asked.nonce_digest, masked=run.secrets, uses=pins
    )
