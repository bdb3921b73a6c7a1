"""Groups that hold nodes in an order: the flow itself, nested nodes, a called flow, an item, a round."""

from punchlist.engine.progress import end, start
from punchlist.engine.scope import resolve, step_at
from punchlist.engine.turn import Kind, Turn
from punchlist.errors import DefinitionError
from punchlist.model import events as ev
from punchlist.model.flow import CallNode, Flow, ForEachNode, GroupNode
from punchlist.model.ids import NodePath
from punchlist.model.json import Json
from punchlist.model.state import NodeState
from punchlist.model.states import NodeStatus


def begin(turn: Turn, path: NodePath) -> None:
    """Start the children that need nothing."""
    for child in turn.node(path).children:
        if turn.node(child).missing == 0:
            turn.later(lambda child=child: start(turn, child))  # type: ignore[misc]


def child_over(turn: Turn, path: NodePath, _child: NodeState) -> None:
    """End the group with its last child: failed when one failed and was not allowed to."""
    node = turn.node(path)
    if node.remaining:
        return
    if node.failed:
        end(turn, path, NodeStatus.FAILED, error=first_error(turn, node))
    else:
        end(turn, path, NodeStatus.SUCCEEDED, output=_output(turn, node))


def first_error(turn: Turn, node: NodeState) -> str:
    """Return the error of the first child that failed by itself."""
    failed = [turn.node(child) for child in node.children if turn.node(child).status is NodeStatus.FAILED]
    return f"{failed[0].path}: {failed[0].error}" if failed else "a node of it was cancelled"


def _output(turn: Turn, node: NodeState) -> Json:
    definition = turn.definition(node.path)
    match definition:
        case Flow():
            return resolve(turn.state, node.path, dict(definition.outputs))
        case CallNode():
            return resolve(turn.state, node.path, dict(definition.flow.outputs))
        case GroupNode() | ForEachNode() if definition.output is not None:
            return resolve(turn.state, node.path, definition.output)
        case _:
            return turn.node(node.children[-1]).output if node.children else None


def _begin_item(turn: Turn, path: NodePath) -> None:
    step = step_at(turn.state, path)
    if step is not None and turn.run.purpose == "deliver":
        base = turn.task.tip or turn.task.base
        if base is None:
            raise DefinitionError(f"task {turn.task.task.id} has no base commit", where=path)
        turn.emit(ev.StepDispatched(step=step, base=base), actor="engine")
    begin(turn, path)


GROUP = Kind(begin=begin, child_over=child_over)
ITEM = Kind(begin=_begin_item, child_over=child_over)
