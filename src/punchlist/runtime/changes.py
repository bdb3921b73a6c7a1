"""What a transaction changed of tasks, and who shows it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from punchlist.model import events as ev
from punchlist.model.ids import AttemptId, RunId, TaskId
from punchlist.model.state import State
from punchlist.model.states import FINAL_NODE
from punchlist.render.shown import Change


class Pages(Protocol):
    """The generated files. Both methods may raise StoreError."""

    def follow(self, changes: Sequence[Change]) -> None:
        """Write the files that changes make stale; each change follows the one told before, or the whole is read."""
        ...

    def mend(self, tasks: Sequence[TaskId]) -> None:
        """Write all files of tasks as the record has them."""
        ...


def changes_of(states: Mapping[RunId, State], events: Mapping[RunId, Sequence[ev.Event]]) -> list[Change]:
    """Return what the runs' events, which led to their states, changed of their tasks; nothing for one left as it was.

    Two runs may work on one task: its changes are in the order of its stream.
    """
    found = [change for run, told in events.items() for change in _change(states[run], told)]
    return sorted(found, key=lambda change: change.task.task.version)


def _change(state: State, events: Sequence[ev.Event]) -> Iterator[Change]:
    run = state.run
    if run is None or state.task is None:
        return
    told = tuple(event for event in events if isinstance(event.fact, ev.TaskFact))
    attempts = tuple(run.attempts[each] for each in _touched(events))
    if told or attempts:
        yield Change(task=state.task, attempts=attempts, events=told, over=run.status in FINAL_NODE)


def _touched(events: Iterable[ev.Event]) -> dict[AttemptId, None]:
    touched: dict[AttemptId, None] = {}
    for event in events:
        match event.fact:
            case ev.AttemptQueued(attempt=attempt) | ev.AttemptStarted(attempt=attempt):
                touched[attempt] = None
            case ev.AttemptEnded(outcome=outcome):
                touched[outcome.attempt] = None
            case _:
                pass
    return touched
