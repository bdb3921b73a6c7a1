"""What an expression at a node can see: inputs, nodes that have run, the items and rounds around it, policy."""

from collections.abc import Callable

from punchlist.engine.fold_nodes import ROOT, child_path
from punchlist.engine.place import Place
from punchlist.errors import DefinitionError
from punchlist.flow.expressions import evaluate
from punchlist.model.flow import CallNode, ForEachNode, MatchNode
from punchlist.model.ids import AttemptId, NodePath
from punchlist.model.jobs import Artifact
from punchlist.model.json import Json, plain
from punchlist.model.state import NodeState, RunState

Lookup = Callable[[str], Json]


def lookup(place: Place) -> Lookup:
    """Return the values that names have for an expression of a node or group; unknown names raise KeyError."""

    def value(name: str) -> Json:
        first, _, rest = name.partition(".")
        if first == "nodes":
            return _node_field(place, rest)
        maker = _ROOTS.get(first)
        return maker(place) if maker is not None else _item(place, first)

    return value


def resolve_inside(place: Place, value: Json) -> Json:
    """Return `value` evaluated as the flow that a call node embeds sees it: with its own inputs."""
    outer = lookup(place)
    return evaluate(value, lambda name: place.node.value if name == "inputs" else outer(name))


def resolve(place: Place, value: Json) -> Json:
    """Return `value` with every expression in it evaluated at `place`; raises DefinitionError."""
    return evaluate(value, lookup(place))


def text_of(place: Place, value: Json, *, what: str) -> str:
    """Return `value` evaluated, which must be text; raises DefinitionError."""
    found = resolve(place, value)
    if not isinstance(found, str) or not found:
        raise DefinitionError(f"{what} must be text, but is {found!r}", where=place.path)
    return found


def whole_number(place: Place, value: Json, *, what: str) -> int:
    """Return `value` evaluated, which must be a whole number from 1; raises DefinitionError."""
    found = resolve(place, value)
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise DefinitionError(f"{what} must be a whole number from 1, but is {found!r}", where=place.path)
    return found


def truth(place: Place, value: Json, *, what: str) -> bool:
    """Return `value` evaluated, which must be true or false; raises DefinitionError."""
    found = resolve(place, value)
    if not isinstance(found, bool):
        raise DefinitionError(f"{what} must be true or false, but is {found!r}", where=place.path)
    return found


def _inputs(place: Place) -> Json:
    for node in place.upward():
        if node.path != place.path and isinstance(place.run.spots[node.spot].node, CallNode):
            return node.value
    return dict(place.run.inputs)


def _policy(place: Place) -> Json:
    return plain(place.policy)


def _env(place: Place) -> Json:
    return dict(place.run.env)


def _run(place: Place) -> Json:
    return {"id": place.run.id, "flow": place.run.definition.flow}


def _project(place: Place) -> Json:
    return plain(place.state.project)


def _task(place: Place) -> Json:
    return plain(place.state.task.task) if place.state.task is not None else None


def _round(place: Place) -> Json:
    for node in place.upward():
        if node.kind == "round":
            return {"index": node.index, "last": _last(place.run, node)}
    raise KeyError("round")


def _last(run: RunState, node: NodeState) -> Json:
    """Return the outputs of the round before, by node, with the decision that led on; None in the first round."""
    if node.index == 0 or node.parent is None:
        return None
    group = run.nodes[node.parent]
    before = NodePath(f"{group.path}[{node.index - 1}]")
    outputs: dict[str, Json] = {
        name: run.nodes[child_path(before, name)].output for name in run.spots[node.spot].children
    }
    return {**outputs, "decision": group.decision}


_ROOTS: dict[str, Callable[[Place], Json]] = {
    "inputs": _inputs,
    "policy": _policy,
    "env": _env,
    "run": _run,
    "project": _project,
    "task": _task,
    "round": _round,
}


def _item(place: Place, name: str) -> Json:
    for node in place.upward():
        definition = place.run.spots[node.spot].node
        if node.kind == "item" and isinstance(definition, ForEachNode) and definition.as_ == name:
            return node.value
    raise KeyError(name)


def _node_field(place: Place, name: str) -> Json:
    called, _, field = name.partition(".")
    node = find(place, called)
    match field:
        case "output":
            return node.output
        case "status":
            return node.status.value
        case "attempts":
            return len(node.attempts)
        case "tree":
            return tree_of(place.run, node)
        case "artifacts":
            made = made_by(place.run, node)
            return {name: plain(artifact) for name, (_, artifact) in made.items()} if made else None
        case _:
            raise KeyError(f"nodes.{name}")


def find(place: Place, name: str) -> NodeState:
    """Return the node called `name` as seen from `place`: among its children, then its siblings, then further out."""
    run = place.run
    for node in place.upward():
        inside_call = node.path != ROOT and isinstance(run.spots[node.spot].node, CallNode)
        spot = run.spots[node.spot]
        names = () if isinstance(spot.node, MatchNode) else spot.children  # of which cases are no names
        found = run.nodes.get(child_path(node.path, name)) if name in names else None
        if found is not None:
            return found
        if inside_call and node.path != place.path:
            break
    raise KeyError(f"nodes.{name}")


def made_by(run: RunState, node: NodeState) -> dict[str, tuple[AttemptId, Artifact]]:
    """Return what the node's last attempt left by name, each with the attempt that made it."""
    outcome = run.attempts[node.attempts[-1]].outcome if node.attempts else None
    if outcome is None or outcome.artifacts is None:
        return {}
    return {name: (outcome.attempt, each) for name, each in outcome.artifacts.items()}


def tree_of(run: RunState, node: NodeState) -> Json:
    """Return the tree that the node's last attempt left, or None."""
    for each in reversed(node.attempts):
        outcome = run.attempts[each].outcome
        if outcome is not None and outcome.snapshot is not None:
            return outcome.snapshot.tree
    return None
