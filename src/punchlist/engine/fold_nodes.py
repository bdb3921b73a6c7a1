"""What events of a run say of its nodes: begun, listed, ended, begun again."""

import msgspec

from punchlist.engine import held_once, queues
from punchlist.engine.facts import fact_of
from punchlist.engine.fold_put import with_nodes
from punchlist.engine.fold_rests import has_place, rested
from punchlist.engine.spots import below
from punchlist.model import events as ev
from punchlist.model.flow import CallNode, Flow, GroupNode, IntegrateNode, MatchNode
from punchlist.model.ids import NodePath
from punchlist.model.state import NodeState, Queue, RunState, Timer
from punchlist.model.states import NODE_MOVES, NodeStatus, check_move

replace = msgspec.structs.replace
ROOT = NodePath("")
GOOD = frozenset({NodeStatus.SUCCEEDED, NodeStatus.SKIPPED})
_OF_PARTS = frozenset({"flow", "item", "round"})


def counts_as_done(run: RunState, node: NodeState) -> bool:
    """Say whether what needs this ended node may go on."""
    if node.status in GOOD:
        return True
    definition = run.spots[node.spot].node
    goes_on = not isinstance(definition, Flow) and definition.on_failure == "continue"
    return node.kind not in {"item", "round"} and goes_on and node.status is NodeStatus.FAILED


def child_path(parent: NodePath, name: str) -> NodePath:
    """Return the path of a child node."""
    return NodePath(f"{parent}.{name}" if parent else name)


def descendants(run: RunState, path: NodePath) -> list[NodePath]:
    """Return all nodes below `path`, each after the one that it is in."""
    found: list[NodePath] = []
    todo = list(run.nodes[path].children)
    while todo:
        each = todo.pop()
        found.append(each)
        todo += run.nodes[each].children
    return found


def began(run: RunState, node: NodeState) -> bool:
    """Say whether the log has told of this node: it began, ended, or was made to begin again."""
    if node.started_at or node.ended_at:
        return True
    return node.parent is not None and node.generation > run.nodes[node.parent].generation


def started(run: RunState, event: ev.Event) -> RunState:
    """Fold NodeStarted: a group's children are pending from here on, an item takes one of its group's places."""
    node = run.nodes[fact_of(event, ev.NodeStarted).node]
    check_move(NODE_MOVES, node.status, NodeStatus.RUNNING, what=f"node {node.path}")
    node = replace(node, status=NodeStatus.RUNNING, started_at=event.at)
    spot = run.spots[node.spot]
    changed: list[NodeState] = []
    if not node.children and (node.kind in _OF_PARTS or isinstance(spot.node, GroupNode | CallNode | MatchNode)):
        changed = [child_of(run, node, name=name) for name in spot.children]
        node = replace(node, children=tuple(child.path for child in changed), remaining=len(changed))
    if node.kind == "item" and node.parent is not None:
        group = run.nodes[node.parent]
        changed.append(replace(group, running=group.running + 1, ready=queues.drop(group.ready, node.index)))
    if isinstance(spot.node, IntegrateNode):
        run = replace(run, integrating=(*run.integrating, node.path))
    return _beside(with_nodes(run, *changed, node), node)


def _beside(run: RunState, node: NodeState) -> RunState:
    """Return the run after a node began or ended: where others beside it rest, or did, the group may as well."""
    if node.parent is None:
        return run
    group = run.nodes[node.parent]
    return rested(run, group.path) if group.resting or group.rests else run


def child_of(run: RunState, parent: NodeState, *, name: str) -> NodeState:
    """Return a node of a group as it is before anything of the group has begun."""
    spot = run.spots[parent.spot]
    place = held_once.text(below(parent.spot, name))
    return NodeState(
        path=child_path(parent.path, name),
        spot=place,
        kind=str(type(run.spots[place].node).__struct_config__.tag),
        parent=parent.path,
        missing=len(spot.needs[name]),
        wanted_by=tuple(child_path(parent.path, each) for each in spot.wanted_by.get(name, ())),
        generation=parent.generation,
    )


def call_entered(run: RunState, event: ev.Event) -> RunState:
    """Fold CallEntered: the called flow's inputs are the node's value."""
    fact = fact_of(event, ev.CallEntered)
    return with_nodes(run, replace(run.nodes[fact.node], value=fact.inputs))


def items_listed(run: RunState, event: ev.Event) -> RunState:
    """Fold ItemsListed: one node an item; those that need nothing stand in the queue in the order of the list."""
    fact = fact_of(event, ev.ItemsListed)
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
        ready = ready if item.missing else queues.insert(ready, item.index, entry=item.path)
    children = tuple(item.path for item in items)
    listed = replace(group, children=children, remaining=len(items), max_parallel=fact.max_parallel, ready=ready)
    return with_nodes(run, *items, listed)


def round_opened(run: RunState, event: ev.Event) -> RunState:
    """Fold RoundOpened: one more round, which is all that its repeat waits for."""
    fact = fact_of(event, ev.RoundOpened)
    group = run.nodes[fact.node]
    path = NodePath(f"{group.path}[{fact.index}]")
    before = run.earlier.get(path)  # a round that a way back dropped
    generation = group.generation if before is None else max(group.generation, before.generation + 1)
    opened = NodeState(
        path=path, spot=group.spot, kind="round", parent=group.path, index=fact.index, generation=generation
    )
    group = replace(group, children=(*group.children, path), remaining=1, failed=0, index=fact.index, most=fact.most)
    return with_nodes(run, opened, group)


def moved(run: RunState, event: ev.Event) -> RunState:
    """Fold NodeMoved: the node waits for a decision, or goes on."""
    fact = fact_of(event, ev.NodeMoved)
    node = run.nodes[fact.node]
    check_move(NODE_MOVES, node.status, fact.status, what=f"node {node.path}")
    return rested(with_nodes(run, replace(node, status=fact.status)), node.path)


def waits(run: RunState, event: ev.Event) -> RunState:
    """Fold NodeWaits: the node is looked at when its time has come, or its files are there."""
    fact = fact_of(event, ev.NodeWaits)
    timer = Timer(at=fact.until, since=event.at, fixed=fact.fixed, files=fact.files, least=fact.least)
    return replace(run, timers=run.timers.set(fact.node, timer))


def ending(run: RunState, event: ev.Event) -> RunState:
    """Fold NodeEnding: the node goes on to a known end. A cancel is carried out by it, and a pause is over."""
    fact = fact_of(event, ev.NodeEnding)
    node = run.nodes[fact.node]
    if node.path == ROOT:
        run = replace(run, cancelling="", paused=False, counted_from=run.transitions)
    run = with_nodes(run, replace(node, status=NodeStatus.RUNNING, ends=fact.status, why=fact.error))
    return rested(run, node.path)


def ended(run: RunState, event: ev.Event) -> RunState:
    """Fold NodeEnded: its group has one child less to wait for, and what needs it one need less."""
    fact = fact_of(event, ev.NodeEnded)
    node = run.nodes[fact.node]
    check_move(NODE_MOVES, node.status, fact.status, what=f"node {node.path}")
    over = replace(node, status=fact.status, rests=False, output=fact.output, error=fact.error, ended_at=event.at)
    done = counts_as_done(run, over)
    around = [] if node.parent is None else [_parent_after(run, node, done=done)]
    run = with_nodes(out_of_line(run, node.path), over, *around)
    return _beside(_release(run, over) if done else run, over)


def out_of_line(run: RunState, path: NodePath) -> RunState:
    """Take a node out of the line of those that integrate, of the items that wait for their turn, and of the timers."""
    if path in run.held:
        run = replace(run, held=run.held.delete(path))
    if path in run.timers:
        run = replace(run, timers=run.timers.delete(path))
    if path not in run.integrating:
        return run
    return replace(run, integrating=tuple(each for each in run.integrating if each != path))


def _parent_after(run: RunState, node: NodeState, *, done: bool) -> NodeState:
    """Return a group after one of its children ended; `node` is the child as it was before."""
    parent = run.nodes[node.parent or ROOT]
    return replace(
        parent,
        remaining=parent.remaining - 1,
        failed=parent.failed + (not done),
        running=parent.running - (node.kind == "item" and has_place(run, node)),
        resting=parent.resting - node.rests,
        ready=queues.drop(parent.ready, node.index) if node.kind == "item" else parent.ready,
    )


def _release(run: RunState, over: NodeState) -> RunState:
    for path in over.wanted_by:
        waiting = replace(run.nodes[path], missing=run.nodes[path].missing - 1)
        run = with_nodes(run, waiting)
        ready = waiting.kind == "item" and waiting.missing == 0 and waiting.status is NodeStatus.PENDING
        if ready and waiting.parent is not None:
            group = run.nodes[waiting.parent]
            run = with_nodes(run, replace(group, ready=_enter(group.ready, waiting)))
    return run


def _enter(ready: Queue[NodePath], item: NodeState) -> Queue[NodePath]:
    return queues.insert(ready, item.index, entry=item.path)
