"""The state rows that events change, as a function of the state after them."""

from collections.abc import Iterable

from punchlist.model import events as ev
from punchlist.model.ids import AttemptId, GateId, NodePath
from punchlist.model.rows import GateRow, NodeRow, Row, RunRow
from punchlist.model.state import GateState, NodeState, RunState, State


def rows_of(state: State, events: Iterable[ev.Event]) -> list[Row]:
    """Return a row for everything that `events`, which led to `state`, touched."""
    nodes: dict[NodePath, None] = {}
    attempts: dict[AttemptId, None] = {}
    gates: dict[GateId, None] = {}
    rows: list[Row] = []
    streams: set[str] = set()
    for event in events:
        _touch(event.fact, nodes, attempts, gates)
        streams.add(_stream(event.fact))
    if "project" in streams and state.project is not None:
        rows.append(state.project)
    if "task" in streams and state.task is not None:
        rows.append(state.task)
    if "run" in streams and state.run is not None:
        rows += _run_rows(state.run, nodes, attempts, gates)
    return rows


def _run_rows(
    run: RunState, nodes: Iterable[NodePath], attempts: Iterable[AttemptId], gates: Iterable[GateId]
) -> Iterable[Row]:
    yield run_row(run)
    for path in nodes:
        if path in run.nodes:
            yield node_row(run, run.nodes[path])
    for attempt in attempts:
        yield run.attempts[attempt]
    for gate in gates:
        yield gate_row(run, run.gates[gate])


def _touch(
    fact: ev.AnyFact, nodes: dict[NodePath, None], attempts: dict[AttemptId, None], gates: dict[GateId, None]
) -> None:
    match fact:
        case ev.NodeStarted(node=path) | ev.NodeMoved(node=path) | ev.NodeEnded(node=path):
            nodes[path] = None
        case ev.RoundOpened(node=path) | ev.ItemsListed(node=path) | ev.CallEntered(node=path):
            nodes[path] = None
        case ev.NodesReset(nodes=paths):
            nodes.update(dict.fromkeys(paths))
        case ev.AttemptQueued(attempt=attempt, node=path):
            attempts[attempt] = nodes[path] = None
        case ev.AttemptStarted(attempt=attempt):
            attempts[attempt] = None
        case ev.AttemptEnded(outcome=outcome):
            attempts[outcome.attempt] = None
        case ev.GateOpened(gate=gate) | ev.GateDecided(gate=gate) | ev.GateWithdrawn(gate=gate):
            gates[gate] = None
        case _:
            pass


def _stream(fact: ev.AnyFact) -> str:
    if isinstance(fact, ev.RunFact):
        return "run"
    return "task" if isinstance(fact, ev.TaskFact) else "project"


def run_row(run: RunState) -> RunRow:
    """Return a run's row."""
    return RunRow(
        id=run.id,
        flow=run.definition.flow,
        purpose=run.purpose,
        status=run.status,
        project=run.project,
        task=run.task,
        paused=run.paused,
        error=run.error,
        outputs=run.outputs,
        created_at=run.created_at,
        ended_at=run.ended_at,
    )


def node_row(run: RunState, node: NodeState) -> NodeRow:
    """Return a node's row."""
    return NodeRow(
        run=run.id,
        path=node.path,
        kind=node.kind,
        status=node.status,
        attempts=node.attempts,
        output=node.output,
        error=node.error,
        generation=node.generation,
        started_at=node.started_at,
        ended_at=node.ended_at,
    )


def gate_row(run: RunState, gate: GateState) -> GateRow:
    """Return a gate's row."""
    return GateRow(gate=gate, project=run.project, task=run.task, run=run.id)


def all_rows(run: RunState) -> list[Row]:
    """Return every row of a run: what its rows must be when they are checked against the log."""
    began = [node.path for node in run.nodes.values() if node.started_at or node.ended_at]
    return list(_run_rows(run, began, run.attempts, run.gates))
