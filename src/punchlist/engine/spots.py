"""Where a node stands in its definition: an index over a flow, made once a run."""

from punchlist.model.flow import AnyNode, CallNode, Flow, ForEachNode, GroupNode, RepeatNode
from punchlist.model.state import Spot


def index(flow: Flow) -> dict[str, Spot]:
    """Return the spots of a flow by dotted place (`steps.rounds.build`); the flow itself has the place `""`."""
    spots: dict[str, Spot] = {}
    _add(spots, "", flow, flow.nodes)
    return spots


def below(place: str, name: str) -> str:
    """Return the place of a child."""
    return f"{place}.{name}" if place else name


def _add(spots: dict[str, Spot], place: str, node: AnyNode | Flow, children: tuple[AnyNode, ...]) -> None:
    needs = _needs(children)
    wanted: dict[str, tuple[str, ...]] = {}
    for name, needed in needs.items():
        for each in needed:
            wanted[each] = (*wanted.get(each, ()), name)
    names = tuple(child.id for child in children)
    spots[place] = Spot(node=node, children=names, needs=needs, wanted_by=wanted)
    for child in children:
        _add(spots, below(place, child.id), child, _body(child))


def _needs(children: tuple[AnyNode, ...]) -> dict[str, tuple[str, ...]]:
    """Return who needs whom: `needs` where it is said, else the node before."""
    needs: dict[str, tuple[str, ...]] = {}
    before: tuple[str, ...] = ()
    for child in children:
        needs[child.id] = before if child.needs is None else child.needs
        before = (child.id,)
    return needs


def _body(node: AnyNode) -> tuple[AnyNode, ...]:
    match node:
        case GroupNode() | ForEachNode() | RepeatNode():
            return node.nodes
        case CallNode():
            return node.flow.nodes
        case _:
            return ()
