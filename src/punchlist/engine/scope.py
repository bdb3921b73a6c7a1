"""What an expression at a node can see: inputs, nodes that have run, the items and rounds around it, policy."""

from collections.abc import Callable, Iterator

from punchlist.engine.fold_run import ROOT, child_path
from punchlist.engine.fold_task import step_of
from punchlist.errors import DefinitionError
from punchlist.flow.expressions import evaluate
from punchlist.model.flow import CallNode, ForEachNode
from punchlist.model.ids import NodePath, StepId
from punchlist.model.json import Json, plain
from punchlist.model.policy import Policy, overlay
from punchlist.model.state import NodeState, RunState, State

Lookup = Callable[[str], Json]


def lookup(state: State, path: NodePath) -> Lookup:
    """Return the values that names have for an expression of the node (or group) at `path`; unknown names KeyError."""
    assert state.run is not None
    run = state.run

    def value(name: str) -> Json:
        first, _, rest = name.partition(".")
        if first == "nodes":
            return _node_field(run, path, *rest.split(".", 1))
        maker = _ROOTS.get(first)
        return maker(state, path) if maker is not None else _item(run, path, first)

    return value


def resolve(state: State, path: NodePath, value: Json) -> Json:
    """Return `value` with every expression in it evaluated at `path`; raises DefinitionError."""
    return evaluate(value, lookup(state, path))


def text_of(state: State, path: NodePath, value: Json, *, what: str) -> str:
    """Return `value` evaluated, which must be text; raises DefinitionError."""
    found = resolve(state, path, value)
    if not isinstance(found, str) or not found:
        raise DefinitionError(f"{what} must be text, but is {found!r}", where=path)
    return found


def upward(run: RunState, path: NodePath) -> Iterator[NodeState]:
    """Yield the node at `path` and those around it, innermost first, the run's root last."""
    node: NodeState | None = run.nodes[path]
    while node is not None:
        yield node
        node = run.nodes[node.parent] if node.parent is not None else None


def step_at(state: State, path: NodePath) -> StepId | None:
    """Return the step that the node works for: the nearest item around it that is a step of the run's task."""
    if state.run is None or state.task is None:
        return None
    ids = {step.id for step in state.task.task.steps}
    for node in upward(state.run, path):
        if node.kind == "item" and isinstance(node.value, dict) and node.value.get("id") in ids:
            return StepId(str(node.value["id"]))
    return None


def policy_at(state: State, path: NodePath) -> Policy:
    """Return the policy in force at a node: the run's, with its step's laid over it."""
    assert state.run is not None
    step = step_at(state, path)
    if step is None or state.task is None:
        return state.run.policy
    return overlay(state.run.policy, step_of(state.task.task, step).policy)


def _inputs(state: State, path: NodePath) -> Json:
    assert state.run is not None
    for node in upward(state.run, path):
        if node.path != path and isinstance(state.run.spots[node.spot].node, CallNode):
            return node.value
    return dict(state.run.inputs)


def _policy(state: State, path: NodePath) -> Json:
    return plain(policy_at(state, path))


def _run(state: State, _path: NodePath) -> Json:
    assert state.run is not None
    return {"id": state.run.id, "flow": state.run.definition.flow}


def _project(state: State, _path: NodePath) -> Json:
    return plain(state.project)


def _task(state: State, _path: NodePath) -> Json:
    return plain(state.task.task) if state.task is not None else None


def _round(state: State, path: NodePath) -> Json:
    run = state.run
    assert run is not None
    for node in upward(run, path):
        if node.kind == "round":
            return {"index": node.index, "last": _last(run, node)}
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


_ROOTS: dict[str, Callable[[State, NodePath], Json]] = {
    "inputs": _inputs,
    "policy": _policy,
    "run": _run,
    "project": _project,
    "task": _task,
    "round": _round,
}


def _item(run: RunState, path: NodePath, name: str) -> Json:
    for node in upward(run, path):
        definition = run.spots[node.spot].node
        if node.kind == "item" and isinstance(definition, ForEachNode) and definition.as_ == name:
            return node.value
    raise KeyError(name)


def _node_field(run: RunState, path: NodePath, name: str, field: str = "output") -> Json:
    node = find(run, path, name)
    match field:
        case "output":
            return node.output
        case "status":
            return node.status.value
        case "attempts":
            return len(node.attempts)
        case "tree":
            return tree_of(run, node)
        case _:
            raise KeyError(f"nodes.{name}.{field}")


def find(run: RunState, path: NodePath, name: str) -> NodeState:
    """Return the node called `name` as seen from `path`: among its own children, then its siblings, then further out."""
    for node in upward(run, path):
        if name in run.spots[node.spot].children:
            found = run.nodes.get(child_path(node.path, name))
            if found is not None and (node.path == path or not _is_call(run, node)):
                return found
        if node.path != path and _is_call(run, node):
            break
    raise KeyError(f"nodes.{name}")


def _is_call(run: RunState, node: NodeState) -> bool:
    return node.path != ROOT and isinstance(run.spots[node.spot].node, CallNode)


def tree_of(run: RunState, node: NodeState) -> Json:
    """Return the tree that the node's last attempt left, or None."""
    for each in reversed(node.attempts):
        outcome = run.attempts[each].outcome
        if outcome is not None and outcome.snapshot is not None:
            return outcome.snapshot.tree
    return None
