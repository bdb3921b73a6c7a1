"""What a way back in a run undoes: what did not come to a good end, or a node and all that was built on it."""

from collections.abc import Iterable, Iterator

import msgspec

from punchlist.engine.finish import FINALLY
from punchlist.engine.fold_nodes import ROOT, counts_as_done
from punchlist.engine.fold_put import UNDER_WAY
from punchlist.model.flow import ForEachNode
from punchlist.model.ids import NodePath
from punchlist.model.state import NodeState, RunState
from punchlist.model.states import FINAL_NODE, NodeStatus


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes that begin again, none of them within another, and rounds that are dropped."""

    nodes: tuple[NodePath, ...]
    dropped: tuple[NodePath, ...] = ()


def what_failed(run: RunState) -> Undone:
    """Return what failed, was cancelled or was not reached, as deep as it can be named; what succeeded is not touched.

    A failure that its node allows (`on_failure: continue`) is an answer, and stays.
    """
    return Undone(nodes=_with_what_needs_them(run, _failed(run, ROOT)))


def from_node(run: RunState, path: NodePath) -> Undone:
    """Return a node with everything that was built on it, in its group and around it; later rounds are dropped.

    Items that were not reached because another failed come to their turn as well.
    """
    starts, dropped = [path], list[NodePath]()
    for node in _upward(run, path):
        group = run.nodes[node.parent] if node.parent is not None else None
        if group is None:
            continue
        siblings = [run.nodes[each] for each in group.children]
        if node.kind == "round":
            dropped += [each.path for each in siblings if each.index > node.index]
        elif node.kind == "item" and _stops(run, group):
            starts += [each.path for each in siblings if each.status is NodeStatus.UNREACHED]
    return Undone(nodes=_with_what_needs_them(run, starts), dropped=tuple(dropped))


def again(run: RunState, paths: Iterable[NodePath]) -> Undone:
    """Return nodes with what needs them, to begin again though they came to no good end."""
    return Undone(nodes=_with_what_needs_them(run, paths))


def lost(run: RunState, undone: Undone, *, named: NodePath) -> list[NodeState]:
    """Return what has begun and is undone though it is not the node that was named."""
    every = [run.nodes[each] for each in (*undone.nodes, *undone.dropped) if each != named]
    return [each for each in every if each.started_at and each.status is not NodeStatus.PENDING]


def bad_need(run: RunState, path: NodePath) -> NodeState | None:
    """Return what keeps a node from beginning: a need of it that is over and did not come to a good end."""
    parent = run.nodes[path].parent
    siblings = [run.nodes[each] for each in run.nodes[parent].children] if parent is not None else []
    return next((each for each in siblings if path in each.wanted_by and _is_bad(run, each)), None)


def _failed(run: RunState, top: NodePath) -> Iterator[NodePath]:
    todo = [top]
    while todo:
        path = todo.pop()
        children = [run.nodes[each] for each in run.nodes[path].children]
        inside = [each.path for each in children if each.status in UNDER_WAY or _is_bad(run, each)]
        if not inside and path != ROOT and _is_bad(run, run.nodes[path]):
            yield path
        todo += reversed(inside)


def _is_bad(run: RunState, node: NodeState) -> bool:
    return node.status in FINAL_NODE and not counts_as_done(run, node)


def _stops(run: RunState, group: NodeState) -> bool:
    definition = run.spots[group.spot].node
    return isinstance(definition, ForEachNode) and definition.on_item_failure == "stop"


def _upward(run: RunState, path: NodePath) -> Iterator[NodeState]:
    node: NodeState | None = run.nodes[path]
    while node is not None:
        yield node
        node = run.nodes[node.parent] if node.parent is not None else None


def _with_what_needs_them(run: RunState, starts: Iterable[NodePath]) -> tuple[NodePath, ...]:
    """Return the nodes with what needs them or a group around them; the cost does not grow with their number twice."""
    found: dict[NodePath, None] = {}
    climbed: set[NodePath] = set()
    for path in starts:
        _add(run, [path], found=found)
        for above in _upward(run, path):
            if above.path in climbed:
                break
            climbed.add(above.path)
            _add(run, (*above.wanted_by, *_last_beside(run, above)), found=found)
    return tuple(path for path in found if not any(above.path in found for above in _above(run, path)))


def _last_beside(run: RunState, node: NodeState) -> Iterator[NodePath]:
    """Yield what runs at the end of the flow that a node is in: it is to run again, when that has ended again."""
    beside = run.nodes[node.parent].children[-1:] if node.parent is not None else ()
    yield from (path for path in beside if run.nodes[path].kind == FINALLY and path != node.path)


def _add(run: RunState, paths: Iterable[NodePath], *, found: dict[NodePath, None]) -> None:
    todo = list(paths)
    while todo:
        path = todo.pop()
        if path not in found:
            found[path] = None
            todo += run.nodes[path].wanted_by


def _above(run: RunState, path: NodePath) -> Iterator[NodeState]:
    above = _upward(run, path)
    next(above)
    return above
