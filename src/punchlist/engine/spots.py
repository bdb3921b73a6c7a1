"""Where a node stands in its definition: an index over a flow, made once a run."""

from punchlist.model.flow import AnyNode, CallNode, Flow, ForEachNode, GroupNode, MatchNode, RepeatNode
from punchlist.model.state import Spot


def index(flow: Flow) -> dict[str, Spot]:
    """Return the spots of a flow by dotted place (`steps.rounds.build`); the flow itself has the place `""`."""
    spots: dict[str, Spot] = {}
    todo: list[tuple[str, AnyNode | Flow]] = [("", flow)]
    while todo:
        place, node = todo.pop()
        children = _body(node)
        spots[place] = _spot(node, children)
        todo += [(below(place, child.id), child) for child in children]
    return spots


def below(place: str, name: str) -> str:
    """Return the place of a child."""
    return f"{place}.{name}" if place else name


def _spot(node: AnyNode | Flow, children: tuple[AnyNode, ...]) -> Spot:
    needs = _needs(children)
    wanted: dict[str, tuple[str, ...]] = {}
    for name, needed in needs.items():
        for each in needed:
            wanted[each] = (*wanted.get(each, ()), name)
    names = tuple(child.id for child in children)
    return Spot(node=node, children=names, needs=needs, wanted_by=wanted)


def _needs(children: tuple[AnyNode, ...]) -> dict[str, tuple[str, ...]]:
    """Return who needs whom: `needs` where it is said, else the node before."""
    needs: dict[str, tuple[str, ...]] = {}
    before: tuple[str, ...] = ()
    for child in children:
        needs[child.id] = before if child.needs is None else child.needs
        before = (child.id,)
    return needs


def _body(node: AnyNode | Flow) -> tuple[AnyNode, ...]:
    match node:
        case Flow():
            return node.parts
        case GroupNode() | ForEachNode() | RepeatNode():
            return node.nodes
        case MatchNode():
            return node.every
        case CallNode():
            return node.flow.parts
        case _:
            return ()
