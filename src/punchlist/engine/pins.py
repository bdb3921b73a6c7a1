"""Which artifacts a node uses: those that its own expressions name, and those that what it names is made of."""

from collections.abc import Iterator

from punchlist.engine.place import Place
from punchlist.engine.scope import find, made_by
from punchlist.flow.expressions import chains_in
from punchlist.flow.syntax import Chain
from punchlist.flow.uses import uses
from punchlist.model.flow import AnyNode, CallNode, Flow, ForEachNode, GroupNode, RepeatNode, SetNode
from punchlist.model.ids import NodePath
from punchlist.model.jobs import Pin
from punchlist.model.json import Json
from punchlist.model.state import NodeState

_NAMED = 3
Written = tuple[Place, Json]
"""A value as it is written, with expressions in it, and from where these see."""


def pins_of(place: Place) -> tuple[Pin, ...]:
    """Return the artifacts that a node uses, each as it was when it was made; the node's attempt rests on them."""
    node = place.definition
    if isinstance(node, Flow):
        return ()
    search = _Search()
    todo: list[Written] = [(place, use.value) for use in uses(node) if use.view == "node"]
    while todo:
        here, value = todo.pop(0)
        for chain in chains_in(value):
            todo += search.follow(here, chain)
    return tuple(search.found)


class _Search:
    """Follows names to what they are made of, each thing once, however many name it."""

    def __init__(self) -> None:
        self.found: dict[Pin, None] = {}
        self._seen: set[tuple[str, str]] = set()

    def follow(self, place: Place, chain: Chain) -> list[Written]:
        """Note the artifacts that a name means, and return what else it is made of."""
        if chain.names[0] == "nodes" and len(chain.names) >= _NAMED:
            return self._of_node(place, chain)
        if chain.names[0] == "inputs":
            return [*self._of_inputs(place, chain)]
        return [*self._of_item(place, chain.names[0])]

    def _of_node(self, place: Place, chain: Chain) -> list[Written]:
        node, field, wanted = find(place, chain.names[1]), chain.names[2], chain.names[_NAMED : _NAMED + 1]
        if field == "output":
            return self._of_output(place, node)
        if field == "artifacts":
            for name, (attempt, made) in made_by(place.run, node).items():
                if not wanted or name in wanted:
                    pin = Pin(node=node.path, name=name, attempt=attempt, path=made.path, sha256=made.sha256)
                    self.found[pin] = None
        return []

    def _of_output(self, place: Place, node: NodeState) -> list[Written]:
        """Return what the output of a node is made of, as far as expressions made it."""
        found: list[Written] = []
        todo = [node]
        while todo:
            each = todo.pop()
            if self._first_seen("output", each.path):
                definition = place.run.spots[each.spot].node
                written = _written(definition, each)
                if written is None:
                    todo += [place.run.nodes[path] for path in _giving(definition, each)]
                else:
                    found.append((place.at(each.path), written))
        return found

    def _of_inputs(self, place: Place, chain: Chain) -> Iterator[Written]:
        around = next((each for each in place.upward() if isinstance(_definition(place, each), CallNode)), None)
        call = _definition(place, around) if around is not None else None
        if around is not None and isinstance(call, CallNode):
            given = dict(call.with_) if len(chain.names) == 1 else call.with_.get(chain.names[1])
            if self._first_seen(f"inputs {chain.names[1:2]}", around.path):
                yield _beside(place, around), given

    def _of_item(self, place: Place, name: str) -> Iterator[Written]:
        for node in place.upward():
            definition = _definition(place, node)
            if node.kind == "item" and isinstance(definition, ForEachNode) and definition.as_ == name:
                if self._first_seen("item", node.path):
                    yield _beside(place, place.run.nodes[node.parent or NodePath("")]), definition.for_each
                return

    def _first_seen(self, what: str, path: NodePath) -> bool:
        known = (what, path) in self._seen
        self._seen.add((what, path))
        return not known


def _definition(place: Place, node: NodeState) -> AnyNode | Flow:
    return place.run.spots[node.spot].node


def _written(definition: AnyNode | Flow, node: NodeState) -> Json:
    """Return the value by which a node says what its output is; null when others, or a process, give it."""
    match definition:
        case CallNode():
            return dict(definition.flow.outputs)
        case SetNode():
            return dict(definition.set)
        case ForEachNode() | RepeatNode() if node.kind in {"for_each", "repeat"}:
            return None
        case GroupNode() | ForEachNode() | RepeatNode():
            return definition.output
        case _:
            return None


def _giving(definition: AnyNode | Flow, node: NodeState) -> tuple[NodePath, ...]:
    """Return the nodes inside that give a group its output: all items or cases, else the last one."""
    every = node.kind == "for_each" or not isinstance(definition, ForEachNode | RepeatNode | GroupNode)
    return node.children if every else node.children[-1:]


def _beside(place: Place, node: NodeState) -> Place:
    """Return the place that the siblings of a node are seen from."""
    return place.at(node.parent if node.parent is not None else NodePath(""))
