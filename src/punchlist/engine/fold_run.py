"""What a run's stream says: the fold of its events into RunState. The cost of an event does not grow with the run."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec
from immutables import Map

from punchlist.engine import queues
from punchlist.engine.spots import below, index
from punchlist.model import events as ev
from punchlist.model.flow import CallNode, Flow, GroupNode, IntegrateNode
from punchlist.model.ids import AttemptId, GateId, NodePath
from punchlist.model.jobs import Role
from punchlist.model.state import AttemptState, GateState, NodeState, Queue, RunState
from punchlist.model.states import (
    ATTEMPT_MOVES,
    FINAL_NODE,
    GATE_MOVES,
    NODE_MOVES,
    AttemptStatus,
    GateStatus,
    NodeStatus,
    check_move,
)

replace = msgspec.structs.replace
ROOT = NodePath("")
GOOD = frozenset({NodeStatus.SUCCEEDED, NodeStatus.SKIPPED})
F = TypeVar("F", bound=ev.Fact)


def fold_run(run: RunState | None, event: ev.Event) -> RunState:
    """Return the run after `event`; raises RefusedError for a move that the tables of states do not list."""
    if isinstance(event.fact, ev.RunCreated):
        return _created(event.fact, event.at)
    if run is None:
        raise ValueError(f"{event.kind} before RunCreated in stream {event.stream}")
    folded = _FOLDS[type(event.fact)](run, event)
    return replace(folded, transitions=run.transitions + 1)


def counts_as_done(run: RunState, node: NodeState) -> bool:
    """Say whether what needs this ended node may go on."""
    if node.status in GOOD:
        return True
    definition = run.spots[node.spot].node
    goes_on = not isinstance(definition, Flow) and definition.on_failure == "continue"
    return node.kind not in {"item", "round"} and goes_on and node.status is NodeStatus.FAILED


def _created(fact: ev.RunCreated, at: str) -> RunState:
    spots = index(fact.definition)
    run = RunState(
        id=fact.run,
        purpose=fact.purpose,
        definition=fact.definition,
        spots=spots,
        inputs=fact.inputs,
        policy=fact.policy,
        project=fact.project,
        task=fact.task,
        base=fact.base,
        created_at=at,
    )
    return replace(run, nodes=run.nodes.set(ROOT, NodeState(path=ROOT, spot="", kind="flow")))


def _moved(run: RunState, event: ev.Event) -> RunState:
    fact = _as(event, ev.RunMoved)
    ended = event.at if fact.status in FINAL_NODE else ""
    return replace(run, status=fact.status, error=fact.error, outputs=fact.outputs, ended_at=ended)


def _paused(run: RunState, event: ev.Event) -> RunState:
    return replace(run, paused=_as(event, ev.RunPaused).paused)


def _inputs_changed(run: RunState, event: ev.Event) -> RunState:
    return replace(run, inputs=_as(event, ev.InputsChanged).inputs)


def _node_started(run: RunState, event: ev.Event) -> RunState:
    node = run.nodes[_as(event, ev.NodeStarted).node]
    check_move(NODE_MOVES, node.status, NodeStatus.RUNNING, what=f"node {node.path}")
    started = replace(node, status=NodeStatus.RUNNING, started_at=event.at)
    spot = run.spots[node.spot]
    nodes = run.nodes
    if node.kind in {"flow", "item", "round"} or isinstance(spot.node, GroupNode | CallNode):
        children = [_child(run, started, name) for name in spot.children]
        nodes = nodes.update({child.path: child for child in children})
        started = replace(started, children=tuple(child.path for child in children), remaining=len(children))
    if node.kind == "item" and node.parent is not None:
        group = nodes[node.parent]
        ready = queues.drop(group.ready, node.index)
        nodes = nodes.set(group.path, replace(group, running=group.running + 1, ready=ready))
    if isinstance(spot.node, IntegrateNode):
        run = replace(run, integrating=(*run.integrating, node.path))
    return replace(run, nodes=nodes.set(node.path, started))


def _child(run: RunState, parent: NodeState, name: str) -> NodeState:
    spot = run.spots[parent.spot]
    place = below(parent.spot, name)
    return NodeState(
        path=child_path(parent.path, name),
        spot=place,
        kind=kind_of(run, place),
        parent=parent.path,
        missing=len(spot.needs[name]),
        wanted_by=tuple(child_path(parent.path, each) for each in spot.wanted_by.get(name, ())),
    )


def child_path(parent: NodePath, name: str) -> NodePath:
    """Return the path of a child node."""
    return NodePath(f"{parent}.{name}" if parent else name)


def kind_of(run: RunState, place: str) -> str:
    """Return the kind of the node at a place of the definition: its tag."""
    definition = run.spots[place].node
    return str(type(definition).__struct_config__.tag)


def _call_entered(run: RunState, event: ev.Event) -> RunState:
    fact = _as(event, ev.CallEntered)
    return _with_nodes(run, replace(run.nodes[fact.node], value=fact.inputs))


def _items_listed(run: RunState, event: ev.Event) -> RunState:
    fact = _as(event, ev.ItemsListed)
    group = run.nodes[fact.node]
    position = {key: NodePath(f"{group.path}[{key}]") for key in fact.keys}
    wanted: dict[str, list[NodePath]] = {key: [] for key in fact.keys}
    for key, needs in zip(fact.keys, fact.needs, strict=True):
        for needed in needs:
            wanted[needed].append(position[key])
    items = [
        NodeState(
            path=position[key],
            spot=group.spot,
            kind="item",
            parent=group.path,
            key=key,
            value=value,
            index=number,
            missing=len(needs),
            wanted_by=tuple(wanted[key]),
            generation=group.generation,
        )
        for number, (key, value, needs) in enumerate(zip(fact.keys, fact.values, fact.needs, strict=True))
    ]
    ready = group.ready
    for item in items:
        if item.missing == 0:
            ready = _enter(ready, item)
    group = replace(
        group,
        children=tuple(item.path for item in items),
        remaining=len(items),
        max_parallel=fact.max_parallel,
        ready=ready,
    )
    return replace(run, nodes=run.nodes.update({item.path: item for item in items}).set(group.path, group))


def _enter(ready: Queue[NodePath], item: NodeState) -> Queue[NodePath]:
    """Return the queue with the item at the place of its index, so that items start in the order of the list."""
    entries = ready.entries.set(item.index, item.path)
    first = min(ready.first, item.index) if ready.entries else item.index
    return Queue(entries, first, max(ready.last, item.index + 1))


def _round_opened(run: RunState, event: ev.Event) -> RunState:
    fact = _as(event, ev.RoundOpened)
    group = run.nodes[fact.node]
    path = NodePath(f"{group.path}[{fact.index}]")
    opened = NodeState(
        path=path, spot=group.spot, kind="round", parent=group.path, index=fact.index, generation=group.generation
    )
    group = replace(group, children=(*group.children, path), remaining=1, failed=0, index=fact.index, most=fact.most)
    return replace(run, nodes=run.nodes.set(path, opened).set(group.path, group))


def _node_moved(run: RunState, event: ev.Event) -> RunState:
    fact = _as(event, ev.NodeMoved)
    node = run.nodes[fact.node]
    check_move(NODE_MOVES, node.status, fact.status, what=f"node {node.path}")
    return _with_nodes(run, replace(node, status=fact.status))


def _node_ended(run: RunState, event: ev.Event) -> RunState:
    fact = _as(event, ev.NodeEnded)
    node = run.nodes[fact.node]
    check_move(NODE_MOVES, node.status, fact.status, what=f"node {node.path}")
    ended = replace(node, status=fact.status, output=fact.output, error=fact.error, ended_at=event.at)
    run = _with_nodes(run, ended)
    if node.path in run.integrating:
        run = replace(run, integrating=tuple(each for each in run.integrating if each != node.path))
    done = counts_as_done(run, ended)
    if node.parent is not None:
        run = _with_nodes(run, _parent_after(run.nodes[node.parent], node, done=done))
    if done:
        run = _release(run, ended)
    return run


def _parent_after(parent: NodeState, node: NodeState, *, done: bool) -> NodeState:
    """Return a group after one of its children ended; `node` is the child as it was before."""
    began = node.kind == "item" and node.status in {NodeStatus.RUNNING, NodeStatus.WAITING}
    return replace(
        parent,
        remaining=parent.remaining - 1,
        failed=parent.failed + (not done),
        running=parent.running - began,
        ready=queues.drop(parent.ready, node.index) if node.kind == "item" else parent.ready,
    )


def _release(run: RunState, ended: NodeState) -> RunState:
    for path in ended.wanted_by:
        waiting = run.nodes[path]
        run = _with_nodes(run, replace(waiting, missing=waiting.missing - 1))
        if waiting.kind == "item" and waiting.missing == 1 and waiting.parent is not None:
            group = run.nodes[waiting.parent]
            run = _with_nodes(run, replace(group, ready=_enter(group.ready, waiting)))
    return run


def _nodes_reset(run: RunState, event: ev.Event) -> RunState:
    fact = _as(event, ev.NodesReset)
    again = set(fact.nodes)
    nodes = run.nodes
    for path in fact.nodes:
        node = nodes[path]
        for gone in descendants(run, path):
            nodes = nodes.delete(gone)
        needs = [each for each in again if path in run.nodes[each].wanted_by]
        fresh = NodeState(
            path=path,
            spot=node.spot,
            kind=node.kind,
            parent=node.parent,
            key=node.key,
            value=node.value,
            index=node.index,
            wanted_by=node.wanted_by,
            missing=len(needs),
            generation=fact.generation,
        )
        nodes = nodes.set(path, fresh)
    run = replace(run, nodes=nodes)
    for parent in {run.nodes[path].parent for path in fact.nodes}:
        if parent is not None:
            run = _revive(run, parent)
    return replace(run, status=NodeStatus.RUNNING, ended_at="")


def descendants(run: RunState, path: NodePath) -> list[NodePath]:
    """Return all nodes below `path`, children before their own children."""
    found: list[NodePath] = []
    todo = list(run.nodes[path].children)
    while todo:
        each = todo.pop()
        if each in run.nodes:
            found.append(each)
            todo += run.nodes[each].children
    return found


def _revive(run: RunState, path: NodePath) -> RunState:
    """Bring a group whose children begin again, and all above it, back to running, with its counts made anew."""
    node = run.nodes[path]
    children = [run.nodes[each] for each in node.children]
    over = [child for child in children if child.status in FINAL_NODE]
    revived = replace(
        node,
        status=NodeStatus.RUNNING,
        remaining=len(children) - len(over),
        failed=sum(not counts_as_done(run, child) for child in over),
        running=sum(child.kind == "item" and child.status in _UNDER_WAY for child in children),
        output=None,
        error="",
        ended_at="",
    )
    was_over = node.status in FINAL_NODE
    run = _with_nodes(run, revived)
    return _revive(run, node.parent) if was_over and node.parent is not None else run


_UNDER_WAY = frozenset({NodeStatus.RUNNING, NodeStatus.WAITING})


def _attempt_queued(run: RunState, event: ev.Event) -> RunState:
    fact = _as(event, ev.AttemptQueued)
    node = run.nodes[fact.node]
    queue, ticket = (run.queue, -1) if fact.not_before else queues.push(run.queue, fact.attempt)
    attempt = AttemptState(
        id=fact.attempt,
        run=run.id,
        node=fact.node,
        role=fact.role,
        worker=fact.worker,
        step=fact.step,
        subject=fact.subject,
        tree=fact.tree,
        command=fact.command,
        again=fact.again,
        r=fact.r,
        s=fact.s,
        generation=node.generation,
        session=fact.session,
        base=fact.base,
        not_before=fact.not_before,
        ticket=ticket,
        queued_at=event.at,
    )
    tries = run.tries
    if fact.role is Role.BUILDER and fact.step is not None:
        tries = tries.set(fact.step, tries.get(fact.step, 0) + 1)
    return replace(
        _with_nodes(run, replace(node, attempts=(*node.attempts, fact.attempt))),
        attempts=run.attempts.set(fact.attempt, attempt),
        queue=queue,
        parked=run.parked.set(fact.attempt, fact.not_before) if fact.not_before else run.parked,
        tries=tries,
        checked=_checked(run, fact),
    )


def check_key(step: str | None, tree: str, command: str) -> str:
    """Return the key under which the attempts of one check on one tree are found."""
    return f"{step or ''}|{tree}|{command}"


def _checked(run: RunState, fact: ev.AttemptQueued) -> Map[str, tuple[AttemptId, ...]]:
    if fact.role is not Role.CHECK or fact.tree is None:
        return run.checked
    key = check_key(fact.step, fact.tree, fact.command)
    return run.checked.set(key, (*run.checked.get(key, ()), fact.attempt))


def _attempt_started(run: RunState, event: ev.Event) -> RunState:
    attempt = run.attempts[_as(event, ev.AttemptStarted).attempt]
    check_move(ATTEMPT_MOVES, attempt.status, AttemptStatus.RUNNING, what=f"attempt {attempt.id}")
    started = replace(attempt, status=AttemptStatus.RUNNING, started_at=event.at)
    return replace(
        _unqueued(run, attempt),
        attempts=run.attempts.set(attempt.id, started),
        live=run.live.set(attempt.id, attempt.node),
    )


def _attempt_ended(run: RunState, event: ev.Event) -> RunState:
    outcome = _as(event, ev.AttemptEnded).outcome
    attempt = run.attempts[outcome.attempt]
    check_move(ATTEMPT_MOVES, attempt.status, outcome.status, what=f"attempt {attempt.id}")
    ended = replace(attempt, status=outcome.status, outcome=outcome, ended_at=event.at)
    run = _unqueued(run, attempt)
    live = run.live.delete(attempt.id) if attempt.id in run.live else run.live
    trees = run.trees
    if outcome.snapshot is not None:
        trees = trees.set(outcome.snapshot.tree, attempt.id)
    return replace(run, attempts=run.attempts.set(attempt.id, ended), live=live, trees=trees)


def _unqueued(run: RunState, attempt: AttemptState) -> RunState:
    parked = run.parked.delete(attempt.id) if attempt.id in run.parked else run.parked
    return replace(run, queue=queues.drop(run.queue, attempt.ticket), parked=parked)


def _ignored(run: RunState, _event: ev.Event) -> RunState:
    return run


def _gate_opened(run: RunState, event: ev.Event) -> RunState:
    fact = _as(event, ev.GateOpened)
    gate = GateState(
        id=fact.gate,
        kind=fact.gate_kind,
        node=fact.node,
        message=fact.message,
        shows=fact.shows,
        choices=fact.choices,
        step=fact.step,
        criterion=fact.criterion,
        opened_by=event.actor,
        since=event.at,
    )
    return replace(run, gates=run.gates.set(gate.id, gate), open_gates=run.open_gates.set(gate.id, gate.node))


def _gate_decided(run: RunState, event: ev.Event) -> RunState:
    fact = _as(event, ev.GateDecided)
    run = _gate_over(run, fact.gate, GateStatus.DECIDED)
    gate = replace(run.gates[fact.gate], choice=fact.choice, data=fact.data, by=event.actor, decided_at=event.at)
    node = run.nodes[gate.node]
    decision = {"gate": gate.id, "kind": gate.kind, "choice": fact.choice, "data": fact.data, "by": event.actor}
    return replace(_with_nodes(run, replace(node, decision=decision)), gates=run.gates.set(gate.id, gate))


def _gate_withdrawn(run: RunState, event: ev.Event) -> RunState:
    return _gate_over(run, _as(event, ev.GateWithdrawn).gate, GateStatus.WITHDRAWN)


def _gate_over(run: RunState, gate_id: GateId, status: GateStatus) -> RunState:
    gate = run.gates[gate_id]
    check_move(GATE_MOVES, gate.status, status, what=f"gate {gate_id}")
    return replace(
        run, gates=run.gates.set(gate_id, replace(gate, status=status)), open_gates=run.open_gates.delete(gate_id)
    )


_FOLDS: dict[type, Callable[[RunState, ev.Event], RunState]] = {
    ev.RunMoved: _moved,
    ev.RunPaused: _paused,
    ev.InputsChanged: _inputs_changed,
    ev.NodeStarted: _node_started,
    ev.CallEntered: _call_entered,
    ev.ItemsListed: _items_listed,
    ev.RoundOpened: _round_opened,
    ev.NodeMoved: _node_moved,
    ev.NodeEnded: _node_ended,
    ev.NodesReset: _nodes_reset,
    ev.AttemptQueued: _attempt_queued,
    ev.AttemptStarted: _attempt_started,
    ev.AttemptEnded: _attempt_ended,
    ev.OutcomeIgnored: _ignored,
    ev.GateOpened: _gate_opened,
    ev.GateDecided: _gate_decided,
    ev.GateWithdrawn: _gate_withdrawn,
}


def _as(event: ev.Event, kind: type[F]) -> F:
    assert isinstance(event.fact, kind)
    return event.fact


def _with_nodes(run: RunState, *nodes: NodeState) -> RunState:
    changed: Iterable[tuple[NodePath, NodeState]] = ((node.path, node) for node in nodes)
    return replace(run, nodes=run.nodes.update(dict(changed)))
