"""What a run's stream says of nodes that begin again: what was below them is kept, what is around them goes on."""

from collections.abc import Iterable

import msgspec

from punchlist.engine import queues
from punchlist.engine.facts import fact_of
from punchlist.engine.fold_nodes import ROOT, began, counts_as_done, descendants, out_of_line
from punchlist.engine.fold_put import UNDER_WAY, with_nodes
from punchlist.engine.fold_rests import has_place, rested
from punchlist.model import events as ev
from punchlist.model.ids import NodePath
from punchlist.model.state import NodeState, Queue, RunState
from punchlist.model.states import FINAL_NODE, NodeStatus

replace = msgspec.structs.replace


def reset(run: RunState, event: ev.Event) -> RunState:
    """Fold NodesReset: the nodes are pending again, what was below them is kept as it was, what is around them runs.

    A run that was over runs again. An item that was over is pending, with what succeeded in it: it waits for its place.
    """
    fact = fact_of(event, ev.NodesReset)
    was_over = run.status in FINAL_NODE
    for path in fact.dropped:
        run = _drop(run, path)
    for path in fact.nodes:
        run = _begin_again(run, path, generation=fact.generation)
    around = dict.fromkeys(run.nodes[path].parent or ROOT for path in fact.nodes)
    for path in list(around):
        run = _go_on(_revive(run, path, around=around), path)
    for path in around:
        run = count(line_up(run, path), path)
    for path in around:
        run = rested(run, path)
    if was_over:
        run = replace(run, cancelling="", cancelled_by="", revising=False)
    return replace(run, status=NodeStatus.RUNNING, ended_at="", error="", outputs=None)


def _drop(run: RunState, path: NodePath) -> RunState:
    """Take a round away from its repeat; a decision that came after the rounds that are left is taken back."""
    group = run.nodes[run.nodes[path].parent or ROOT]
    run = put_away(run, [path, *descendants(run, path)])
    left = tuple(each for each in group.children if each != path)
    after = group.settled >= len(left)
    group = replace(
        group,
        children=left,
        index=len(left) - 1,
        settled=0 if after else group.settled,
        decision=None if after else group.decision,
    )
    return with_nodes(run, group)


def _begin_again(run: RunState, path: NodePath, *, generation: int) -> RunState:
    node = run.nodes[path]
    run = out_of_line(put_away(run, descendants(run, path)), path)
    fresh = NodeState(
        path=path,
        spot=node.spot,
        kind=node.kind,
        parent=node.parent,
        key=node.key,
        value=node.value,
        index=node.index,
        wanted_by=node.wanted_by,
        generation=generation,
    )
    return with_nodes(run, fresh)


def put_away(run: RunState, paths: Iterable[NodePath]) -> RunState:
    """Keep nodes as they were, and out of sight."""
    earlier, nodes = run.earlier, run.nodes
    for gone in paths:
        run = out_of_line(run, gone)
        earlier = earlier.set(gone, run.nodes[gone]) if began(run, run.nodes[gone]) else earlier
        nodes = nodes.delete(gone)
    return replace(run, nodes=nodes, earlier=earlier)


def _revive(run: RunState, path: NodePath, *, around: dict[NodePath, None]) -> RunState:
    """Bring a group back to running, and all above it that was over; `around` collects them."""
    node = run.nodes[path]
    around[path] = None
    if node.status not in FINAL_NODE:
        status = NodeStatus.RUNNING if node.status in UNDER_WAY else node.status
        return with_nodes(run, replace(node, status=status))
    status = NodeStatus.PENDING if node.kind == "item" else NodeStatus.RUNNING
    run = with_nodes(run, replace(node, status=status, output=None, error="", ended_at=""))
    return run if node.parent is None else _revive(run, node.parent, around=around)


def _go_on(run: RunState, path: NodePath | None) -> RunState:
    """Let a group, and all above it, come to the end that its parts bring about, whatever was known of its end."""
    while path is not None:
        node = run.nodes[path]
        run = run if node.ends is None else with_nodes(run, replace(node, ends=None, why=""))
        path = node.parent
    return run


def line_up(run: RunState, path: NodePath) -> RunState:
    """Make anew what the pending children of a group wait for, and the line of a `for_each`."""
    children = [run.nodes[each] for each in run.nodes[path].children]
    missing = {each.path: 0 for each in children}
    for child in children:
        if child.status not in FINAL_NODE or not counts_as_done(run, child):
            for each in child.wanted_by:
                missing[each] += 1
    waiting = [replace(each, missing=missing[each.path]) for each in children if each.status is NodeStatus.PENDING]
    ready: Queue[NodePath] = Queue()
    for item in [*waiting, *(each for each in children if each.path in run.held)]:
        if item.kind == "item" and item.missing == 0:
            ready = queues.insert(ready, item.index, entry=item.path)
    run = with_nodes(run, *waiting)
    return with_nodes(run, replace(run.nodes[path], ready=ready))


def count(run: RunState, path: NodePath) -> RunState:
    """Make the counts of a group anew."""
    node = run.nodes[path]
    children = [run.nodes[each] for each in node.children]
    over = [child for child in children if child.status in FINAL_NODE]
    counted = replace(
        node,
        remaining=len(children) - len(over),
        failed=sum(not counts_as_done(run, child) for child in over),
        running=sum(child.kind == "item" and has_place(run, child) for child in children),
        resting=sum(child.rests for child in children),
    )
    return with_nodes(run, counted)
