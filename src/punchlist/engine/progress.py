"""How nodes begin and end, and what each end means for those that need it and for the group around it."""

from collections.abc import Callable

import msgspec

from punchlist.engine.fold_run import GOOD, counts_as_done, descendants
from punchlist.engine.scope import resolve, step_at
from punchlist.engine.steps import close, enter_phase
from punchlist.engine.turn import Turn
from punchlist.errors import DefinitionError
from punchlist.model import events as ev
from punchlist.model.flow import Flow, ForEachNode
from punchlist.model.ids import AttemptId, NodePath
from punchlist.model.jobs import Outcome
from punchlist.model.json import Json
from punchlist.model.state import NodeState
from punchlist.model.states import FINAL_NODE, AttemptStatus, NodeStatus

replace = msgspec.structs.replace


def start(turn: Turn, path: NodePath) -> None:
    """Begin a node whose needs are over; its `when` may skip it, an error in an expression fails it."""
    node = turn.node(path)
    if node.status is not NodeStatus.PENDING:
        return
    guarded(turn, path, lambda: _start(turn, node))


def guarded(turn: Turn, path: NodePath, work: Callable[[], None]) -> None:
    """Do `work` for a node; an error in its definition or data ends it as failed, with the whole message."""
    try:
        work()
    except DefinitionError as error:
        end(turn, path, NodeStatus.FAILED, error=str(error))


def _start(turn: Turn, node: NodeState) -> None:
    definition = turn.definition(node.path)
    if not _asked_for(turn, node):
        end(turn, node.path, NodeStatus.SKIPPED)
        return
    turn.emit(ev.NodeStarted(node=node.path), actor="engine")
    step = step_at(turn.state, node.path)
    if (
        step is not None
        and not isinstance(definition, Flow)
        and definition.phase
        and node.kind not in {"item", "round"}
    ):
        enter_phase(turn, step, definition.phase)
    turn.kinds[node.kind].begin(turn, node.path)


def _asked_for(turn: Turn, node: NodeState) -> bool:
    definition = turn.definition(node.path)
    if isinstance(definition, Flow) or node.kind == "round" or definition.when is None:
        return True
    if isinstance(definition, ForEachNode) and node.kind != "item":
        return True  # asked for each item
    said = resolve(turn.state, node.path, definition.when)
    if not isinstance(said, bool):
        raise DefinitionError(f"`when` must be true or false, but is {said!r}", where=node.path)
    return said


def end(turn: Turn, path: NodePath, status: NodeStatus, *, output: Json = None, error: str = "") -> None:
    """End a node; those that need it go on, or can no longer be reached, and the group around it hears of it."""
    _record_end(turn, ev.NodeEnded(node=path, status=status, output=output, error=error))
    node = turn.node(path)
    if counts_as_done(turn.run, node):
        for dependent in node.wanted_by:
            waiting = turn.node(dependent)
            if waiting.missing == 0 and waiting.kind != "item":
                turn.later(lambda dependent=dependent: start(turn, dependent))  # type: ignore[misc]
    else:
        _unreach(turn, node)
    if node.parent is not None:
        turn.later(lambda: _tell(turn, path))


def _record_end(turn: Turn, fact: ev.NodeEnded) -> None:
    """Record a node's end; when it is the item of a step that is delivered, the step ends with it."""
    turn.emit(fact, actor="engine")
    if turn.node(fact.node).kind == "item" and turn.run.purpose == "deliver":
        step = step_at(turn.state, fact.node)
        if step is not None:
            close(turn, step, fact.status, reason=fact.error)


def _tell(turn: Turn, path: NodePath) -> None:
    node = turn.run.nodes.get(path)
    if node is None or node.parent is None or node.status not in FINAL_NODE:
        return  # it was reset meanwhile
    parent = turn.node(node.parent)
    child_over = turn.kinds[parent.kind].child_over
    if child_over is not None and parent.status not in FINAL_NODE:
        guarded(turn, parent.path, lambda: child_over(turn, parent.path, node))


def _unreach(turn: Turn, node: NodeState) -> None:
    for dependent in node.wanted_by:
        if turn.node(dependent).status is NodeStatus.PENDING:
            end(turn, dependent, NodeStatus.UNREACHED, error=f"needs {node.path}, which {_did(node.status)}")


def _did(status: NodeStatus) -> str:
    return {NodeStatus.FAILED: "failed", NodeStatus.CANCELLED: "was cancelled"}.get(status, "was not reached")


def stop(turn: Turn, path: NodePath, status: NodeStatus, *, reason: str) -> None:
    """End a node with all below it: gates are withdrawn, attempts are over at once (their processes are killed after)."""
    clear(turn, path, reason=reason)
    for below in reversed(descendants(turn.run, path)):
        if turn.node(below).status not in FINAL_NODE:
            left = NodeStatus.CANCELLED if turn.node(below).status is not NodeStatus.PENDING else NodeStatus.UNREACHED
            _record_end(turn, ev.NodeEnded(node=below, status=left, error=reason))
    if turn.node(path).status not in FINAL_NODE:
        error = "" if status in GOOD else reason
        end(turn, path, status, error=error)


def clear(turn: Turn, path: NodePath, *, reason: str) -> None:
    """Withdraw the gates and end the attempts of a node and all below it."""
    places = {path, *descendants(turn.run, path)}
    for gate, at in turn.run.open_gates.items():
        if at in places:
            turn.emit(ev.GateWithdrawn(gate=gate, reason=reason), actor="engine")
    for place in places:
        for attempt in turn.node(place).attempts:
            cancel_attempt(turn, attempt, reason=reason)


def cancel_attempt(turn: Turn, attempt: AttemptId, *, reason: str) -> bool:
    """End an attempt that is not over as cancelled; say whether it was not over."""
    if turn.run.attempts[attempt].status not in {AttemptStatus.QUEUED, AttemptStatus.RUNNING}:
        return False
    outcome = Outcome(attempt=attempt, status=AttemptStatus.CANCELLED, reason=reason)
    turn.emit(ev.AttemptEnded(outcome=outcome), actor="engine")
    return True


def wait(turn: Turn, path: NodePath) -> None:
    """Let a node wait for a decision."""
    if turn.node(path).status is NodeStatus.RUNNING:
        turn.emit(ev.NodeMoved(node=path, status=NodeStatus.WAITING), actor="engine")


def go_on(turn: Turn, path: NodePath) -> None:
    """Let a node that waited go on."""
    if turn.node(path).status is NodeStatus.WAITING:
        turn.emit(ev.NodeMoved(node=path, status=NodeStatus.RUNNING), actor="engine")
