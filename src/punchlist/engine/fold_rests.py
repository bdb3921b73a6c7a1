"""Which nodes rest until a person decides, and what that means for the places of a `for_each`.

Counted event by event: a fold here looks at a node, at what is around it, and at no other item.
"""

import msgspec
from immutables import Map

from punchlist.engine import queues
from punchlist.engine.facts import fact_of
from punchlist.engine.fold_put import UNDER_WAY, with_nodes
from punchlist.model import events as ev
from punchlist.model.flow import ForEachNode
from punchlist.model.ids import AttemptId, NodePath
from punchlist.model.state import AttemptState, NodeState, Queue, RunState
from punchlist.model.states import NodeStatus

replace = msgspec.structs.replace
_EMPTY: Queue[AttemptId] = Queue()


def rested(run: RunState, path: NodePath) -> RunState:
    """Return the run in which it shows of a node, and of what is around it, whether it rests.

    A node rests that waits for a decision, and a group whose parts under way all do. An item that comes to rest gives
    its place to the next one; one that goes on takes a place again, or waits for one.
    """
    node = run.nodes[path]
    rests = _rests(run, node)
    if rests is node.rests:
        return run
    run = with_nodes(run, replace(node, rests=rests))
    if node.parent is None:
        return run
    group = run.nodes[node.parent]
    run = with_nodes(run, replace(group, resting=group.resting + (1 if rests else -1)))
    if node.kind == "item" and node.status in UNDER_WAY and not _in_turn(run, group):
        run = _give_up(run, node) if rests else _ask(run, node)
    return rested(run, node.parent)


def has_place(run: RunState, item: NodeState) -> bool:
    """Say whether an item takes one of the places of its `for_each`."""
    if item.status not in UNDER_WAY or item.path in run.held or item.parent is None:
        return False
    return not item.rests or _in_turn(run, run.nodes[item.parent])


def taken(run: RunState, event: ev.Event) -> RunState:
    """Fold PlaceTaken: an item goes on that waited for its turn, and what is asked for in it waits for a slot."""
    item = run.nodes[fact_of(event, ev.PlaceTaken).node]
    asked = run.held[item.path]
    run = with_nodes(replace(run, held=run.held.delete(item.path)), _one_more(run, item))
    for attempt in asked:
        run = lined_up(run, attempt)
    return run


def lined_up(run: RunState, attempt: AttemptId) -> RunState:
    """Put an attempt into the queue for a slot, or behind the item around it that waits for its turn.

    What integrates is held by nothing: there is one line for all, and whoever stands first in it must go on.
    """
    told = run.attempts[attempt]
    item = _held_around(run, run.nodes[told.node]) if run.held and run.nodes[told.node].kind != "integrate" else None
    if item is not None:
        return replace(run, held=run.held.set(item, (*run.held[item], attempt)))
    queue, ticket = queues.push(run.queue, attempt)
    lines = line_with(run, attempt, worker=told.worker, ticket=ticket)
    return replace(run, queue=queue, lines=lines, attempts=run.attempts.set(attempt, replace(told, ticket=ticket)))


def line_with(run: RunState, attempt: AttemptId, *, worker: str | None, ticket: int) -> Map[str, Queue[AttemptId]]:
    """Return the lines of workers with an attempt where it is in the queue; what no worker does is in none."""
    if worker is None:
        return run.lines
    return run.lines.set(worker, queues.insert(run.lines.get(worker, _EMPTY), ticket, entry=attempt))


def line_without(run: RunState, attempt: AttemptState) -> Map[str, Queue[AttemptId]]:
    """Return the lines of workers without an attempt."""
    if attempt.worker is None or attempt.worker not in run.lines:
        return run.lines
    return run.lines.set(attempt.worker, queues.drop(run.lines[attempt.worker], attempt.ticket))


def let_go(run: RunState, attempt: AttemptId) -> RunState:
    """Return the run in which an attempt that is over waits behind no item."""
    item = _held_around(run, run.nodes[run.attempts[attempt].node]) if run.held else None
    if item is None or attempt not in run.held[item]:
        return run
    return replace(run, held=run.held.set(item, tuple(each for each in run.held[item] if each != attempt)))


def _rests(run: RunState, node: NodeState) -> bool:
    if node.status is not NodeStatus.RUNNING:
        return node.status is NodeStatus.WAITING
    if not node.resting:
        return False
    if isinstance(run.spots[node.spot].node, ForEachNode) and node.kind != "item":
        return node.running == node.resting if _in_turn(run, node) else not (node.running or node.ready.entries)
    parts = [run.nodes[path] for path in node.children]  # as many as the flow has names for, or rounds so far
    return all(each.rests or each.status is not NodeStatus.RUNNING for each in parts)


def _in_turn(run: RunState, group: NodeState) -> bool:
    """Say whether a `for_each` is a list of which each item begins when the one before is over, decided or not."""
    node = run.spots[group.spot].node
    return group.max_parallel == 1 and isinstance(node, ForEachNode) and node.needs_from is None


def _give_up(run: RunState, item: NodeState) -> RunState:
    group = run.nodes[item.parent or NodePath("")]
    if item.path in run.held:
        run = replace(run, held=run.held.delete(item.path))
        return with_nodes(run, replace(group, ready=queues.drop(group.ready, item.index)))
    return with_nodes(run, replace(group, running=group.running - 1))


def _ask(run: RunState, item: NodeState) -> RunState:
    group = run.nodes[item.parent or NodePath("")]
    if group.running < group.max_parallel:
        return with_nodes(run, _one_more(run, item))
    run = replace(run, held=run.held.set(item.path, ()))
    return with_nodes(run, replace(group, ready=queues.insert(group.ready, item.index, entry=item.path)))


def _one_more(run: RunState, item: NodeState) -> NodeState:
    group = run.nodes[item.parent or NodePath("")]
    return replace(group, running=group.running + 1, ready=queues.drop(group.ready, item.index))


def _held_around(run: RunState, node: NodeState) -> NodePath | None:
    above: NodeState | None = node
    while above is not None:
        if above.path in run.held:
            return above.path
        above = run.nodes[above.parent] if above.parent is not None else None
    return None
