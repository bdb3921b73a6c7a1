"""Groups that hold nodes in an order: the flow itself, nested nodes, a called flow, an item, a round."""

from punchlist.engine.finish import FINALLY, first_error
from punchlist.engine.progress import begin_last, end, start
from punchlist.engine.scope import resolve, resolve_inside
from punchlist.engine.turn import Here, Kind
from punchlist.model import events as ev
from punchlist.model.flow import CallNode, Flow, ForEachNode, GroupNode, MatchNode
from punchlist.model.json import Json
from punchlist.model.state import NodeState
from punchlist.model.states import FINAL_STEP, NodeStatus, StepStatus

_PASSED = frozenset({StepStatus.ACCEPTED, StepStatus.SKIPPED})


def begin(here: Here) -> None:
    """Start the children that need nothing; a group without any ends at once."""
    if not here.node.children:
        child_over(here, here.node)
    for path in here.node.children:
        child = here.at(path)
        if child.node.missing == 0 and child.node.kind != FINALLY:
            here.turn.later(lambda child=child: start(child))  # type: ignore[misc]


def child_over(here: Here, _child: NodeState) -> None:
    """End the group with its last child: failed when one failed and was not allowed to."""
    if here.node.remaining:
        begin_last(here)
    elif here.node.failed:
        end(here, NodeStatus.FAILED, error=first_error(here))
    else:
        end(here, NodeStatus.SUCCEEDED, output=_output(here))


def _output(here: Here) -> Json:
    definition = here.definition
    match definition:
        case Flow():
            return resolve(here, dict(definition.outputs))
        case CallNode():
            return resolve_inside(here, dict(definition.flow.outputs))
        case MatchNode():
            children = [here.at(path).node for path in here.node.children]
            return next((each.output for each in children if each.status is NodeStatus.SUCCEEDED), None)
        case GroupNode() | ForEachNode() if definition.output is not None:
            return resolve(here, definition.output)
        case _:
            return here.at(here.node.children[-1]).node.output if here.node.children else None


def _begin_item(here: Here) -> None:
    if not _is_step(here):
        begin(here)
    elif here.record.status in FINAL_STEP:
        passed = here.record.status in _PASSED
        error = "" if passed else f"step {here.step} is {here.record.status}"
        end(here, NodeStatus.SUCCEEDED if passed else NodeStatus.FAILED, error=error)
    else:
        assert here.task.tip is not None
        here.emit(ev.StepDispatched(step=here.own_step, base=here.task.tip))
        begin(here)


def _item_child_over(here: Here, child: NodeState) -> None:
    """End an item; that of a step can only succeed when its step did, which integration alone brings about."""
    over = not here.node.remaining and not here.node.failed
    if over and _is_step(here) and here.record.status not in _PASSED:
        end(here, NodeStatus.FAILED, error=f"step {here.step} was not integrated: nothing else makes it accepted")
    else:
        child_over(here, child)


def _is_step(here: Here) -> bool:
    item = here.step_item
    return here.delivers and item is not None and item.path == here.path


GROUP = Kind(begin=begin, child_over=child_over, taken_up=begin_last)
ITEM = Kind(begin=_begin_item, child_over=_item_child_over)
