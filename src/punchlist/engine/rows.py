"""The state rows that events change, as a function of the state after them."""

import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from punchlist.engine.fold_nodes import ROOT, began
from punchlist.engine.place import Place
from punchlist.model import events as ev
from punchlist.model.ids import AttemptId, GateId, NodePath
from punchlist.model.rows import GateRow, NodeRow, Row, RunRow
from punchlist.model.state import GateState, NodeState, RunState, State


@dataclass(frozen=True, slots=True)
class _Touched:
    """What events are about, each thing once, in the order of first sight."""

    nodes: dict[NodePath, None] = field(default_factory=dict[NodePath, None])
    attempts: dict[AttemptId, None] = field(default_factory=dict[AttemptId, None])
    gates: dict[GateId, None] = field(default_factory=dict[GateId, None])

    def see(self, fact: ev.AnyFact, *, state: State) -> None:
        match fact:
            case ev.NodeStarted() | ev.NodeMoved() | ev.NodeEnding() | ev.NodeEnded():
                self.nodes[fact.node] = None
            case ev.NodesReset(nodes=paths):
                for path in paths:
                    self.nodes.update(dict.fromkeys(_upward(state, path)))
            case ev.FlowRebased():
                self.nodes[ROOT] = None
            case ev.AttemptQueued(attempt=attempt, node=path):
                self.attempts[attempt] = self.nodes[path] = None
            case ev.AttemptStarted(attempt=attempt):
                self.attempts[attempt] = None
            case ev.AttemptEnded(outcome=outcome):
                self.attempts[outcome.attempt] = None
            case ev.GateOpened() | ev.GateDecided() | ev.GateExpired() | ev.GateWithdrawn():
                self.gates[fact.gate] = None
            case _:
                pass


def _upward(state: State, path: NodePath) -> list[NodePath]:
    """Return a node and all that is around it; alone where the flow does not have it any more."""
    there = state.run is not None and path in state.run.nodes
    return [node.path for node in Place(state, path).upward()] if there else [path]


def rows_of(state: State, events: Iterable[ev.Event]) -> list[Row]:
    """Return a row for everything that a run's `events`, which led to `state`, touched.

    What begins again makes everything around it run again.
    """
    touched, kinds, rows = _Touched(), set[type](), list[Row]()
    for event in events:
        touched.see(event.fact, state=state)
        kinds.add(type(event.fact))
    if state.task is not None and not kinds.isdisjoint(_OF_TASK):
        rows.append(state.task)
    if state.run is not None:
        rows += [] if kinds.isdisjoint(_OF_RUN) else [run_row(state.run)]
        rows += _run_rows(state.run, touched)
    return rows


_OF_TASK = frozenset(typing.get_args(ev.TaskFact))
_OF_RUN = frozenset({ev.RunCreated, ev.RunMoved, ev.RunPaused, ev.NodesReset, ev.FlowRebased, ev.NodeEnding})
"""What a run's own row is made of; all else leaves it as it is."""


def _run_rows(run: RunState, touched: _Touched) -> Iterator[Row]:
    for path in touched.nodes:
        node = _shown(run, path)
        if node is not None:
            yield node_row(run, node)
    for attempt in touched.attempts:
        yield run.attempts[attempt]
    for gate in touched.gates:
        yield gate_row(run, run.gates[gate])


def _shown(run: RunState, path: NodePath) -> NodeState | None:
    """Return a node as people see it: one that began again under another is as it was, until it begins there."""
    node = run.nodes.get(path)
    return node if node is not None and began(run, node) else run.earlier.get(path)


def all_rows(run: RunState) -> list[Row]:
    """Return every row of a run: what its rows must be when they are checked against the log."""
    paths = dict.fromkeys([*run.earlier, *run.nodes])
    touched = _Touched(paths, dict.fromkeys(run.attempts), dict.fromkeys(run.gates))
    return [run_row(run), *_run_rows(run, touched)]


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
