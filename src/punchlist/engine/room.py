"""Room: how many attempts a run may have at work beside all other runs, and which attempt takes the next place."""

from collections.abc import Collection, Sequence
from itertools import islice

import msgspec

from punchlist.engine.queues import head, in_order
from punchlist.model.ids import AttemptId
from punchlist.model.state import RunState


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """How many attempts of a run may be at work at once as far as the other runs leave places: in all, and by worker.

    None, and a worker that is not named, are bounded by nothing but the run's own policy.
    """

    places: int | None = None
    workers: dict[str, int] = {}


NONE = Room(places=0)
"""Room for nothing new: whose turn it is will be seen when all runs have been looked at."""


def may_start(run: RunState) -> bool:
    """Say whether a run starts attempts, and has a slot for one by its own policy."""
    return not (run.paused or run.cancelling) and len(run.live) < run.policy.max_parallel


def due(run: RunState, at: str) -> list[AttemptId]:
    """Return the parked attempts whose time has come, the first one first.

    One that was parked after the present was parked by a clock that was set back since: how long it has waited nobody
    knows, and it does not wait for that clock's time to come again.
    """
    attempts = run.attempts
    parked = sorted((time, each) for each, time in run.parked.items())
    return [each for time, each in parked if time <= at or at < attempts[each].queued_at]


def next_attempt(run: RunState, ready: Sequence[AttemptId], *, room: Room) -> AttemptId | None:
    """Return what starts next: of `ready`, else of the queue, the first for whose worker there is room; None for none.

    The queue is looked through only while a worker is at its limit, and then only for what no worker does.
    """
    if not may_start(run) or (room.places is not None and len(run.live) >= room.places):
        return None
    busy = full_workers(run, room)
    if not busy:
        return ready[0] if ready else head(run.queue)
    passing = next((each for each in ready if run.attempts[each].worker not in busy), None)
    return passing or _first_past(run, busy)


def _first_past(run: RunState, busy: Collection[str]) -> AttemptId | None:
    """Return the oldest of the queue whose worker is not `busy`: the first of a line, or what no worker does."""
    lines = [line for worker, line in run.lines.items() if worker not in busy and line.entries]
    heads = [(line.first, line.entries[line.first]) for line in lines]
    if len(run.queue.entries) > sum(len(line.entries) for line in run.lines.values()):
        heads += islice(((at, each) for at, each in in_order(run.queue) if run.attempts[each].worker is None), 1)
    return min(heads)[1] if heads else None


def full_workers(run: RunState, room: Room) -> frozenset[str]:
    """Return the workers of which a run may have no more at work."""
    if not room.workers:
        return frozenset()
    live = [run.attempts[each].worker for each in run.live]
    return frozenset(worker for worker, places in room.workers.items() if live.count(worker) >= places)


def waits_since(run: RunState, attempt: AttemptId) -> str:
    """Return since when an attempt could have started, but for a place."""
    asked = run.attempts[attempt]
    return max(asked.queued_at, asked.not_before or "")
