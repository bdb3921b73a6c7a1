"""What a callback is told of runs: written down when it happens, tried again later, given up after some hours."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from punchlist.engine.retry import stamp
from punchlist.model import events as ev
from punchlist.model.ids import RunId
from punchlist.model.json import Json, convert, plain
from punchlist.model.outside import CALLBACKS, CallbackCursor, Delivery, Moment
from punchlist.model.states import NodeStatus
from punchlist.ports import Clock, Reader, Store

AGAIN = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""How long after each try in vain the next one is made; after the last of them there is none."""
_MANY = 500
_KINDS = ("RunMoved", "GateOpened")
_ENDS: dict[NodeStatus, Moment] = {
    NodeStatus.SUCCEEDED: "done",
    NodeStatus.FAILED: "failed",
    NodeStatus.CANCELLED: "failed",
}


class Deliveries:
    """The deliveries of a workspace; one process at a time. `on` says of what moments there is someone to tell.

    Where nobody is to be told, nothing is written down, and who is named later is told of what happens from then on.
    """

    def __init__(self, store: Store, clock: Clock, *, on: Callable[[], Sequence[Moment]]) -> None:
        self._store = store
        self._clock = clock
        self._on = on

    def record(self) -> bool:
        """Write down what is to be told of the events since the last time; say whether there was anything."""
        wanted = frozenset(self._on())
        with self._store.read() as reader:
            kept, last = reader.cursor(CALLBACKS), reader.last_event()
            seen = None if kept is None else convert(kept, CallbackCursor).seq
            found: list[Delivery] = []
            if wanted and seen is not None and seen < last:
                found, last = self._found(reader, after=seen, last=last)
        after = plain(CallbackCursor(seq=last)) if wanted else None
        if found or after != kept:
            with self._store.write() as writer:
                writer.move_cursor(CALLBACKS, after, was=kept)
                for delivery in found:
                    if delivery.body["on"] in wanted:
                        writer.put_delivery(delivery)
        return bool(found)

    def _found(self, reader: Reader, *, after: int, last: int) -> tuple[list[Delivery], int]:
        events = reader.events_of_kinds(_KINDS, after=after, limit=_MANY)
        due = stamp(self._clock.now())
        deliveries = [_delivery(reader, run, event=event, due=due) for run, event in events]
        end = events[-1][1].seq if len(events) >= _MANY else last
        return [each for each in deliveries if each is not None], end

    def waiting(self) -> list[Delivery]:
        """Return what is still to be told, in the order in which it happened."""
        with self._store.read() as reader:
            return reader.deliveries()

    def told(self, delivery: Delivery, *, problem: str) -> None:
        """Write down what became of a try: it was told, or it is told again later, or never."""
        with self._store.write() as writer:
            if not problem:
                writer.remove_delivery(delivery.id)
            else:
                writer.put_delivery(self._again(delivery, problem))

    def _again(self, delivery: Delivery, problem: str) -> Delivery:
        tries, now = delivery.tries + 1, self._clock.now()
        if tries > len(AGAIN):
            return msgspec.structs.replace(delivery, tries=tries, problem=problem, given_up=stamp(now))
        return msgspec.structs.replace(delivery, tries=tries, problem=problem, due=stamp(now + AGAIN[tries - 1]))

    def until_due(self, delivery: Delivery) -> timedelta:
        """Return how long it is until a delivery is to be tried."""
        return max(datetime.fromisoformat(delivery.due) - self._clock.now(), timedelta())


def _delivery(reader: Reader, run: str, *, event: ev.Event, due: str) -> Delivery | None:
    """Return what is to be told of an event, None for one of which nobody is told.

    No text that a person or an agent wrote is in it: it goes to places that the record does not know.
    """
    row = reader.run(RunId(run))
    if row is None or row.purpose == "prove":
        return None
    gate: Json = None
    match event.fact:
        case ev.RunMoved(status=status) if status in _ENDS:
            on = _ENDS[status]
        case ev.GateOpened(gate=opened, gate_kind=kind, step=step):
            on, status = "waiting", NodeStatus.WAITING
            gate = {"id": opened, "kind": kind, "step": step}
        case _:
            return None
    body: dict[str, Json] = {
        "id": event.hash,
        "on": on,
        "at": event.at,
        "run": {"id": run, "status": status, "flow": row.flow, "project": row.project, "task": row.task},
        "gate": gate,
        "type": f"punchlist why {row.task or run}",
    }
    return Delivery(id=event.hash, body=body, due=due)
