"""Changing a task that a run may have hold of: by that run, or its document alone, never beside a run."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from punchlist.errors import RefusedError
from punchlist.model.ids import RunId
from punchlist.model.states import FINAL_ATTEMPT, FINAL_NODE, TaskStatus
from punchlist.render import shapes
from punchlist.service import inbox, lookup
from punchlist.service.recording import Decide, change_task
from punchlist.service.waiting import Waiting

if TYPE_CHECKING:
    from punchlist.model.commands import InboxCommand
    from punchlist.model.events import TaskFact
    from punchlist.model.state import TaskState
    from punchlist.ports import Reader, Writer
    from punchlist.service.context import Answer, Service

_HELD = frozenset({TaskStatus.RUNNING, TaskStatus.WAITING})


class BegunMeanwhileError(RefusedError):
    """A run took the task up between the look at it and the change."""

    def __init__(self, task: str, run: RunId) -> None:
        super().__init__(f"run {run} of task {task} began at this moment", where=task, hint="Type it once more.")
        self.run = run


def steer(
    service: "Service",
    task: str,
    *,
    command: "Callable[[RunId], InboxCommand]",
    alone: Decide,
    expected: int | None = None,
    ends: bool = False,
) -> "Answer":
    """Send `command` to the run that has hold of a task; where none has, change the document by `alone`.

    With `ends` the end of the run and of its processes is waited for: a commit that is being made goes before it.

    An engine that takes the task up meanwhile is seen: a document changed beside a run would leave that at work.
    """
    with service.store.read() as reader:
        lookup.task(reader, task)
        found = lookup.live_run(reader, task)
    run = None if found is None else RunId(found.id)
    if run is None:
        try:
            return change_task(service, task, decide=unheld(alone), expected=expected)
        except BegunMeanwhileError as begun:
            run = begun.run
    inbox.send(service, command(run))
    if ends:
        await_end(service, run)
    with service.store.read() as reader:
        return {"task": shapes.task(lookup.task(reader, task))}


def await_end(service: "Service", run: RunId) -> None:
    """Return when a run is over and none of its processes lives: a commit that was being made is in the record then."""

    def over(reader: "Reader") -> bool:
        return lookup.run(reader, run).status in FINAL_NODE and _has_stopped(service, reader, run=run)

    _await(service, run, so=over)


def await_stop(service: "Service", run: RunId) -> None:
    """Return when no process lives of those attempts of a run that are over by its record."""
    _await(service, run, so=lambda reader: _has_stopped(service, reader, run=run))


def _has_stopped(service: "Service", reader: "Reader", *, run: RunId) -> bool:
    over = {each.id for each in reader.attempts(run=run) if each.status in FINAL_ATTEMPT}
    return not over & service.processes.alive()


def _await(service: "Service", run: RunId, *, so: "Callable[[Reader], bool]") -> None:
    line = f"waiting until what was stopped of {run} runs no more; ^C leaves it to end by itself"
    left = f"what was stopped of {run} ends by itself; see: punchlist status"
    with service.waits(line, left=left), service.engine.watch() as watch:
        waiting = Waiting(service, watch)
        while True:
            with service.store.read() as reader:
                if so(reader):
                    return
            waiting.for_commit()


def unheld(decide: Decide) -> Decide:
    """Return `decide`, which raises BegunMeanwhileError when a run has hold of the task by the time of the change."""

    def within(writer: "Writer", state: "TaskState") -> "Sequence[TaskFact]":
        run = lookup.live_run(writer, state.task.id) if state.task.status in _HELD else None
        if run is not None:
            raise BegunMeanwhileError(state.task.id, RunId(run.id))
        return decide(writer, state)

    return within
