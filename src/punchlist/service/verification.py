"""What the state rows and the commits must be, by the log: for `log verify`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from immutables import Map

from punchlist.engine.fold_project import fold_project
from punchlist.engine.fold_task import fold_task
from punchlist.engine.rows import all_rows, rows_of
from punchlist.engine.turn import fold
from punchlist.model import events as ev
from punchlist.model.ids import Commit, NodePath, ProjectId
from punchlist.model.jobs import Artifact
from punchlist.model.rows import GateRow, NodeRow, Row, StreamRow
from punchlist.model.state import State, TaskState
from punchlist.model.verdicts import Verdict, verdict_digest
from punchlist.service.recording import approval_gate

if TYPE_CHECKING:
    from punchlist.model.records import Project
    from punchlist.ports import Reader
    from punchlist.service.context import Service

Compare = Callable[[StreamRow, Iterator[ev.Event]], Iterable[str]]
_TRAILER = "Punchlist-Event: "
_VERDICT = "Punchlist-Verdict: pass "


def comparison(service: "Service", reader: "Reader") -> Compare:
    """Return what compares the rows of a stream with a fold of its events, and a task's commits with its trailers.

    To be asked of the workspace's stream last: the numbers there must be beyond all that the other streams gave.
    """
    given: dict[str, int] = {}

    def compare(row: StreamRow, events: Iterator[ev.Event]) -> Iterable[str]:
        told = _noting(given, events)
        match row.kind:
            case "project":
                return _project(reader, row, events=told)
            case "task":
                return _task(service, reader, row=row, events=told)
            case "run":
                return _run(service, reader, row=row, events=told)
            case "workspace":
                return _workspace(reader, row, given=given)

    return compare


def _workspace(reader: "Reader", row: StreamRow, *, given: Mapping[str, int]) -> Iterator[str]:
    """Compare what belongs to no other stream: there is none of it, and no number is to be given again."""
    yield from reader.differences((), stream=row)
    following = reader.numbered()
    for kind, number in given.items():
        if following.get(kind, 1) <= number:
            counted = following.get(kind, "gone")
            yield f"the row of {kind} in counters: next is {counted}, and the log says that {number} was given"


def _project(reader: "Reader", row: StreamRow, *, events: Iterator[ev.Event]) -> Iterator[str]:
    folded: Project | None = None
    for event in events:
        folded = fold_project(folded, event)
    yield from reader.differences([folded] if folded is not None else [], stream=row)


def _task(service: "Service", reader: "Reader", *, row: StreamRow, events: Iterator[ev.Event]) -> Iterator[str]:
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
    rows: list[Row] = [] if folded is None else [folded]
    yield from reader.differences([*rows, *gates.values()], stream=row)


def _run(service: "Service", reader: "Reader", *, row: StreamRow, events: Iterator[ev.Event]) -> Iterator[str]:
    made: dict[str, Artifact] = {}
    rows = rows_of_run(row, _with_artifacts(made, events))
    if not rows:
        yield f"the stream of run {row.local} does not begin with RunCreated"
        return
    yield from reader.differences(rows, stream=row)
    for name, artifact in made.items():
        if not service.workspace.left.holds(artifact):
            yield f"the kept copy of {name} ({artifact.path}) is gone, or is not what it was: {artifact.sha256}"


def _with_artifacts(made: dict[str, Artifact], events: Iterator[ev.Event]) -> Iterator[ev.Event]:
    """Yield events, and note in `made` the artifacts that they tell of, by name."""
    for event in events:
        if isinstance(event.fact, ev.AttemptEnded):
            outcome = event.fact.outcome
            made.update(
                {f"artifact {name!r} of {outcome.attempt}": each for name, each in (outcome.artifacts or {}).items()}
            )
        yield event


def rows_of_run(row: StreamRow, events: Iterator[ev.Event]) -> list[Row]:
    """Return all rows that a run's events fold to, its nodes in the order of their beginning; none without a run."""
    state = State(heads=Map({"run": ev.Head(row.stream)}))
    begun: dict[NodePath, None] = {}
    for event in events:
        state = fold(state, event)
        begun.update(dict.fromkeys(each.path for each in rows_of(state, [event]) if isinstance(each, NodeRow)))
    place = {path: n for n, path in enumerate(begun)}
    rows = [] if state.run is None else all_rows(state.run)
    return sorted(rows, key=lambda each: place.get(each.path, -1) if isinstance(each, NodeRow) else -1)


def _noting(given: dict[str, int], events: Iterator[ev.Event]) -> Iterator[ev.Event]:
    """Yield events, and note in `given` the highest number of each kind of id that they gave."""
    for event in events:
        for kind, name in _names(event.fact):
            given[kind] = max(given.get(kind, 0), int(name[1:]))
        yield event


def _names(fact: ev.AnyFact) -> Iterator[tuple[str, str]]:
    """Yield each id that a fact is the first to tell of, with the kind of what it counts."""
    match fact:
        case ev.TaskCreated(task=task):
            yield "task", task.id
        case ev.RunCreated(run=run):
            yield "run", run
        case ev.AttemptQueued(attempt=attempt):
            yield "attempt", attempt
        case ev.GateOpened(gate=gate) | ev.ApprovalProposed(gate=gate):
            yield "gate", gate
        case ev.VerdictGiven(verdict=verdict):
            yield from (("finding", each.id) for each in verdict.findings if each.id is not None)
        case _:
            pass


def _fold_gate(gates: dict[str, GateRow], state: TaskState, *, event: ev.Event) -> None:
    named = getattr(event.fact, "gate", "")
    gate = approval_gate(state.task, event, before=gates.get(named))
    if gate is not None:
        gates[gate.gate.id] = gate


def _commit(
    service: "Service", state: TaskState, *, fact: ev.StepIntegrated, planned: ev.Event | None
) -> Iterator[str]:
    """Compare an accepted commit with what was planned: it is there, holds the tree, names event and verdict."""
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
    elif not any(f"{_VERDICT}{verdict_digest(each)}\n" in text for each in _passing(state, fact)):
        yield f"{what} names no passing verdict of its tree that was recorded"


def _passing(state: TaskState, fact: ev.StepIntegrated) -> Iterator[Verdict]:
    """Return the verdicts by which the tree of an accepted commit may have been integrated, the latest first."""
    for row in reversed(state.steps[fact.step].verdicts):
        if row.verdict.result == "pass" and row.verdict.tree == fact.tree:
            yield row.verdict
