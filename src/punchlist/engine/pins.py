"""Which artifacts a node uses: those that its own expressions name, and those that what it names is made of."""

from collections.abc import Iterator

from punchlist.engine.place import Place
from punchlist.engine.scope import find, made_by
from punchlist.flow.expressions import chains_in
from punchlist.flow.syntax import Chain
from punchlist.flow.uses import uses
from punchlist.model.flow import CallNode, Flow, ForEachNode, GroupNode, RepeatNode, SetNode
from punchlist.model.ids import NodePath
from punchlist.model.jobs import Pin
from punchlist.model.json import Json
from punchlist.model.state import NodeState

_NAMED = 3
_DEEPEST = 30


def pins_of(place: Place) -> tuple[Pin, ...]:
    """Return the artifacts that a node uses, each as it was when it was made; the node's attempt rests on them."""
    node = place.definition
    if isinstance(node, Flow):
        return ()
    found = {pin: None for use in uses(node) for pin in _in_value(place, use.value, deep=0)}
    return tuple(found)


def _in_value(place: Place, value: Json, *, deep: int) -> Iterator[Pin]:
    if deep > _DEEPEST:
        return
    for chain in chains_in(value):
        if chain.names[0] == "nodes" and len(chain.names) >= _NAMED:
            yield from _of_node(place, chain, deep=deep)
        elif chain.names[0] == "inputs":
            yield from _of_inputs(place, chain, deep=deep)
        else:
            yield from _of_item(place, chain.names[0], deep=deep)


def _of_node(place: Place, chain: Chain, *, deep: int) -> Iterator[Pin]:
    try:
        node = find(place, chain.names[1])
    except KeyError:
        return
    if chain.names[2] == "artifacts":
        wanted = chain.names[_NAMED : _NAMED + 1]
        for name, (attempt, made) in made_by(place.run, node).items():
            if not wanted or name in wanted:
                yield Pin(node=node.path, name=name, attempt=attempt, path=made.path, sha256=made.sha256)
    elif chain.names[2] == "output":
        yield from _of_output(place, node, deep=deep + 1)


def _of_output(place: Place, node: NodeState, *, deep: int) -> Iterator[Pin]:
    """Yield what the output of a node is made of, as far as expressions made it."""
    here, definition = place.at(node.path), place.run.spots[node.spot].node
    match definition:
        case CallNode():
            yield from _in_value(here, dict(definition.flow.outputs), deep=deep)
        case SetNode():
            yield from _in_value(here, dict(definition.set), deep=deep)
        case ForEachNode() | RepeatNode() if node.kind in {"for_each", "repeat"}:
            last = node.children[-1:] if isinstance(definition, RepeatNode) else node.children
            for path in last:
                yield from _of_body(place.at(path), definition.output, deep=deep)
        case GroupNode():
            yield from _of_body(here, definition.output, deep=deep)
        case _:
            for path in node.children:  # a match gives what the case that was taken gives
                yield from _of_output(place, place.run.nodes[path], deep=deep + 1)


def _of_body(place: Place, output: Json, *, deep: int) -> Iterator[Pin]:
    children = place.node.children
    if output is not None:
        yield from _in_value(place, output, deep=deep)
    elif children:
        yield from _of_output(place, place.run.nodes[children[-1]], deep=deep + 1)


def _of_inputs(place: Place, chain: Chain, *, deep: int) -> Iterator[Pin]:
    for node in place.upward():
        around = place.run.spots[node.spot].node
        if isinstance(around, CallNode):
            given = around.with_.get(chain.names[1]) if len(chain.names) > 1 else dict(around.with_)
            yield from _in_value(_beside(place, node), given, deep=deep + 1)
            return


def _of_item(place: Place, name: str, *, deep: int) -> Iterator[Pin]:
    for node in place.upward():
        around = place.run.spots[node.spot].node
        if node.kind == "item" and isinstance(around, ForEachNode) and around.as_ == name and node.parent is not None:
            group = place.run.nodes[node.parent]
            yield from _in_value(_beside(place, group), around.for_each, deep=deep + 1)
            return


def _beside(place: Place, node: NodeState) -> Place:
    """Return the place that the siblings of a node are seen from."""
    return place.at(node.parent if node.parent is not None else NodePath(""))
