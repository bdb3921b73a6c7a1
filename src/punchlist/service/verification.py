"""What the state rows and the commits must be, by the log: for `log verify`."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from immutables import Map

from punchlist.engine.fold_project import fold_project
from punchlist.engine.fold_task import fold_task
from punchlist.engine.rows import all_rows
from punchlist.engine.turn import fold
from punchlist.model import events as ev
from punchlist.model.ids import Commit, ProjectId, RunId, TaskId
from punchlist.model.rows import GateRow, NodeRow, Row, RunRow, StreamRow, TaskSummary, summary
from punchlist.model.scores import TaskScore, score
from punchlist.model.state import AttemptState, State, TaskState
from punchlist.service.recording import approval_gate

if TYPE_CHECKING:
    from punchlist.model.records import Project
    from punchlist.ports import Reader
    from punchlist.service.context import Service

Lines = Callable[[], dict[TaskId, tuple[TaskSummary, TaskScore]]]
Compare = Callable[[StreamRow, Iterator[ev.Event]], Iterable[str]]
_TRAILER = "Punchlist-Event: "


def comparison(service: "Service", reader: "Reader") -> Compare:
    """Return what compares the rows of a stream with a fold of its events, and a task's commits with its trailers."""
    lines = cache(lambda: _lines(reader))

    def compare(row: StreamRow, events: Iterator[ev.Event]) -> Iterable[str]:
        match row.kind:
            case "project":
                return _project(reader, row.local, events=events)
            case "task":
                return _task(service, reader, name=row.local, events=events, lines=lines)
            case "run":
                return _run(reader, row, events=events)
            case "workspace":
                return ()

    return compare


def _project(reader: "Reader", name: str, *, events: Iterator[ev.Event]) -> Iterator[str]:
    folded: Project | None = None
    for event in events:
        folded = fold_project(folded, event)
    if folded != reader.project(ProjectId(name)):
        yield f"the row of project {name} differs from the fold of its events"


def _task(
    service: "Service", reader: "Reader", *, name: str, events: Iterator[ev.Event], lines: Lines
) -> Iterator[str]:
    folded: TaskState | None = None
    gates: dict[str, GateRow] = {}
    planned: dict[str, ev.Event] = {}
    for event in events:
        folded = fold_task(folded, event)
        _fold_gate(gates, folded, event=event)
        if isinstance(event.fact, ev.IntegrationPlanned):
            planned[event.fact.step] = event
        elif isinstance(event.fact, ev.StepIntegrated):
            yield from _commit(service, folded, fact=event.fact, planned=planned.get(event.fact.step))
    if folded is None or folded != reader.task(TaskId(name)):
        yield f"the row of task {name} differs from the fold of its events"
    if folded is not None and lines().get(TaskId(name)) != (summary(folded), score(folded)):
        yield f"the line of task {name} in the list of tasks differs from the fold of its events"
    yield from (
        f"the row of gate {gate} differs from the log" for gate, row in gates.items() if reader.gate(row.gate.id) != row
    )


def _lines(reader: "Reader") -> dict[TaskId, tuple[TaskSummary, TaskScore]]:
    """Return the lines that tell of each task, without its gates, whose own rows are compared."""
    scores = {each.id: each for project in reader.projects() for each in reader.scores(ProjectId(project.id))}
    lines = (msgspec.structs.replace(each, waits_for="") for each in reader.tasks())
    return {each.id: (each, scores[each.id]) for each in lines if each.id in scores}


def _run(reader: "Reader", row: StreamRow, *, events: Iterator[ev.Event]) -> Iterator[str]:
    state = State(heads=Map({"run": ev.Head(row.stream)}))
    for event in events:
        state = fold(state, event)
    if state.run is None:
        yield f"the stream of run {row.local} does not begin with RunCreated"
        return
    kept = _kept_rows(reader, RunId(row.local))
    for each in all_rows(state.run):
        key = _key(each)
        if kept.pop(key, None) != each:
            yield f"the row of {key} differs from the fold of the events of run {row.local}"
    yield from (f"there is a row of {key}, which the events of run {row.local} do not tell of" for key in kept)


def _kept_rows(reader: "Reader", run: RunId) -> dict[str, Row]:
    found = reader.run(run)
    rows: list[Row] = [] if found is None else [found]
    rows += reader.nodes(run)
    rows += reader.attempts(run=run)
    rows += reader.gates(run=run, everything=True)
    return {_key(each): each for each in rows}


def _key(row: Row) -> str:
    match row:
        case RunRow():
            return f"run {row.id}"
        case NodeRow():
            return f"node {row.path or '(the flow)'}"
        case AttemptState():
            return f"attempt {row.id}"
        case GateRow():
            return f"gate {row.gate.id}"
        case _:
            return type(row).__name__


def _fold_gate(gates: dict[str, GateRow], state: TaskState, *, event: ev.Event) -> None:
    named = getattr(event.fact, "gate", "")
    gate = approval_gate(state.task, event, before=gates.get(named))
    if gate is not None:
        gates[gate.gate.id] = gate


def _commit(
    service: "Service", state: TaskState, *, fact: ev.StepIntegrated, planned: ev.Event | None
) -> Iterator[str]:
    """Compare an accepted commit with what was planned: it is there, holds the tree, and names the event."""
    text = service.outside.commit_text(ProjectId(state.task.project), Commit(fact.commit))
    what = f"commit {fact.commit[:12]} of {fact.step}"
    if text is None:
        yield f"{what} is not in the repository"
    elif planned is None:
        yield f"{what} was never planned"
    elif not text.startswith(f"tree {fact.tree}\n"):
        yield f"{what} does not hold the accepted tree {fact.tree[:12]}"
    elif f"{_TRAILER}{planned.hash}" not in text:
        yield f"{what} lacks the trailer {_TRAILER}{planned.hash}"
