"""What a view follows: the events of runs and of the tasks that they deliver, from each run's beginning to its end."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from punchlist.model.events import TaskMoved
from punchlist.model.ids import RunId
from punchlist.model.states import FINAL_NODE, NodeStatus
from punchlist.render import shapes
from punchlist.service import inbox
from punchlist.service.waiting import Waiting

if TYPE_CHECKING:
    from punchlist.model.events import Event
    from punchlist.model.ids import StreamId
    from punchlist.model.json import Json
    from punchlist.model.rows import RunRow
    from punchlist.ports import Reader
    from punchlist.service.context import Service

_SETTLED = FINAL_NODE | {NodeStatus.WAITING}


def follow_runs(
    service: "Service", runs: Sequence[str], *, then: Callable[[], Sequence[str]] = tuple
) -> "Iterator[dict[str, Json]]":
    """Yield the events of runs as they come, in the log's order; ends when each run is over or waits for a person.

    After each commit `then` may name more runs, which are followed from there on.

    Raises what the engine refused to start one with, and StoreError when no engine stays up.
    """
    told: dict[StreamId, int] = {}
    followed = list(runs)
    with service.engine.watch() as watch:
        waiting = Waiting(service, watch)
        while True:
            with service.store.read() as reader:
                found = [_run(reader, name) for name in followed]
                fresh = [event for row in found if row is not None for event in _fresh(reader, row, told=told)]
            for event in sorted(fresh, key=lambda each: each.seq):
                told[event.stream] = event.seq
                yield shapes.event(event)
            begun = then()
            followed += begun
            if not begun:
                if all(row is not None and row.status in _SETTLED for row in found):
                    return
                waiting.for_commit()


def _run(reader: "Reader", name: str) -> "RunRow | None":
    """Return a run, or None while the command that starts it is in the inbox."""
    found = reader.run(RunId(name))
    if found is None:
        for row in reader.inbox(pending=False):
            if isinstance(row.command, dict) and row.command.get("run") == name and row.state == "refused":
                inbox.answer_of(row)
    return found


def _fresh(reader: "Reader", run: "RunRow", *, told: "dict[StreamId, int]") -> "Iterator[Event]":
    head = reader.head("run", run.id)
    if head is not None:
        yield from reader.events(after=told.get(head.stream, 0), stream=head.stream)
    task = None if run.task is None or run.purpose != "deliver" else reader.head("task", run.task)
    if task is not None and task.stream in told:
        yield from reader.events(after=told[task.stream], stream=task.stream)
    elif task is not None:
        yield from _since_started(reader.events(stream=task.stream), run=run.id)


def _since_started(events: "Iterator[Event]", *, run: str) -> "Iterator[Event]":
    """Yield the events of a task from the one on that says that `run` took hold of it."""
    begun = False
    for event in events:
        begun = begun or (isinstance(event.fact, TaskMoved) and event.fact.run == run)
        if begun:
            yield event
