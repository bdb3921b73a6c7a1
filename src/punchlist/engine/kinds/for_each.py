"""`for_each`: its nodes once an item, the items in order or as a graph, so many at a time."""

import re

from punchlist.engine.kinds.groups import first_error
from punchlist.engine.progress import end, start
from punchlist.engine.scope import Lookup, lookup, resolve
from punchlist.engine.turn import Kind, Turn
from punchlist.errors import DefinitionError
from punchlist.flow.expressions import evaluate
from punchlist.model import events as ev
from punchlist.model.flow import ForEachNode
from punchlist.model.ids import NodePath
from punchlist.model.json import Json
from punchlist.model.state import NodeState
from punchlist.model.states import NodeStatus

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def _begin(turn: Turn, path: NodePath) -> None:
    node = _definition(turn, path)
    items = resolve(turn.state, path, node.for_each)
    if not isinstance(items, list):
        raise DefinitionError(f"for_each must be a list, but is {items!r}", where=path)
    most = resolve(turn.state, path, node.max_parallel)
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise DefinitionError(f"max_parallel must be a whole number from 1, but is {most!r}", where=path)
    outer = lookup(turn.state, path)
    keys = [_key(node, _with_item(outer, node.as_, item), number, path) for number, item in enumerate(items)]
    doubled = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if doubled:
        raise DefinitionError(f"items with the same key: {', '.join(doubled)}", where=path)
    needs = [_needs(node, _with_item(outer, node.as_, item), keys, path) for item in items]
    turn.emit(
        ev.ItemsListed(node=path, keys=tuple(keys), values=tuple(items), needs=tuple(needs), max_parallel=most),
        actor="engine",
    )
    _go_on(turn, path)


def _with_item(outer: Lookup, name: str, item: Json) -> Lookup:
    return lambda asked: item if asked == name else outer(asked)


def _key(node: ForEachNode, names: Lookup, number: int, path: NodePath) -> str:
    if node.key is None:
        return str(number)
    key = evaluate(node.key, names)
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise DefinitionError(
            f"the key of item {number} is {key!r}; allowed: 1 to 80 letters, digits, dots, hyphens", where=path
        )
    return key


def _needs(node: ForEachNode, names: Lookup, keys: list[str], path: NodePath) -> tuple[str, ...]:
    if node.needs_from is None:
        return ()
    needs = evaluate(node.needs_from, names)
    if not isinstance(needs, list) or any(need not in keys for need in needs):
        raise DefinitionError(f"needs_from must be a list of keys, but is {needs!r}", where=path)
    return tuple(str(need) for need in needs)


def _child_over(turn: Turn, path: NodePath, _child: NodeState) -> None:
    if turn.node(path).failed and _definition(turn, path).on_item_failure == "stop":
        _leave_the_rest(turn, path)
    _go_on(turn, path)


def _leave_the_rest(turn: Turn, path: NodePath) -> None:
    for item in turn.node(path).children:
        if turn.node(item).status is NodeStatus.PENDING:
            end(turn, item, NodeStatus.UNREACHED, error="another item failed")


def _go_on(turn: Turn, path: NodePath) -> None:
    """Start as many items as there may be, and end with the last one."""
    node = turn.node(path)
    while node.running < node.max_parallel and node.ready.entries:
        start(turn, node.ready.entries[node.ready.first])
        node = turn.node(path)
    if node.remaining:
        return
    if node.failed:
        end(turn, path, NodeStatus.FAILED, error=first_error(turn, node))
    else:
        end(turn, path, NodeStatus.SUCCEEDED, output=[turn.node(item).output for item in node.children])


def _definition(turn: Turn, path: NodePath) -> ForEachNode:
    node = turn.definition(path)
    assert isinstance(node, ForEachNode)
    return node


FOR_EACH = Kind(begin=_begin, child_over=_child_over)
