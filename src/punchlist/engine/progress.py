"""How nodes begin and end, and what each end means for those that need it and for the group around it."""

from collections.abc import Callable

from punchlist.engine.cases import is_taken
from punchlist.engine.finish import FINALLY, around, both, first_error, last_child, last_of, unfinished
from punchlist.engine.fold_nodes import GOOD, counts_as_done, descendants
from punchlist.engine.fold_put import UNDER_WAY
from punchlist.engine.scope import truth
from punchlist.engine.steps import close, enter_phase
from punchlist.engine.turn import Here, Turn
from punchlist.errors import DefinitionError, RefusedError
from punchlist.model import events as ev
from punchlist.model.flow import Flow, ForEachNode
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Outcome
from punchlist.model.json import Json
from punchlist.model.state import RunState
from punchlist.model.states import FINAL_ATTEMPT, FINAL_NODE, AttemptStatus, NodeStatus, TaskStatus

COMMIT = "commit"
_LATER = frozenset({"item", FINALLY})
"""Kinds of nodes that need nothing, and begin when the group around them lets them."""
_DID = {NodeStatus.FAILED: "failed", NodeStatus.CANCELLED: "was cancelled"}


def start(here: Here) -> None:
    """Begin a node whose needs are over; its `when` may skip it, an error in an expression fails it."""
    if here.node.status is NodeStatus.PENDING:
        guarded(here, lambda: _start(here))


def guarded(here: Here, work: Callable[[], None]) -> None:
    """Do `work` for a node; an error in its definition or data ends it as failed, with the whole message.

    So does a move that the tables of states do not list: a flow of one's own may name phases in another order.
    """
    try:
        work()
    except (DefinitionError, RefusedError) as error:
        for path in here.node.children:
            if here.at(path).node.status is NodeStatus.PENDING:
                leave(here.at(path), error=f"{here.path} failed")
        end(here, NodeStatus.FAILED, error=str(error))


def take_up(here: Here) -> None:
    """Begin what waits for nothing in a group under way of which parts begin again, and in the groups within it."""
    for path in here.node.children:
        child = here.at(path)
        if child.node.status in UNDER_WAY:
            take_up(child)
        elif child.node.status is NodeStatus.PENDING and child.node.missing == 0 and child.node.kind not in _LATER:
            here.turn.later(lambda child=child: start(child))  # type: ignore[misc]
    taken_up = here.turn.kinds[here.node.kind].taken_up
    if taken_up is not None:
        taken_up(here)


def _start(here: Here) -> None:
    if here.node.children:  # an item that goes on: a part of it succeeded, and stays
        here.emit(ev.NodeStarted(node=here.path))
        take_up(here)
        return
    if not _asked_for(here):
        end(here, NodeStatus.SKIPPED)
        return
    here.emit(ev.NodeStarted(node=here.path))
    enter_phase(here)
    here.turn.kinds[here.node.kind].begin(here)


def _asked_for(here: Here) -> bool:
    definition, kind = here.definition, here.node.kind
    if kind == "case":
        return is_taken(here)
    if isinstance(definition, Flow) or kind == "round" or definition.when is None:
        return True
    if isinstance(definition, ForEachNode) and kind != "item":
        return True  # asked for each item
    return truth(here, definition.when, what="`when`")


def end(here: Here, status: NodeStatus, *, output: Json = None, error: str = "", reason: str = "") -> None:
    """End a node; those that need it go on, or can no longer be reached, and the group around it hears of it.

    `reason` says why a step ends with it, where that is no error.
    """
    here.emit(ev.NodeEnded(node=here.path, status=status, output=output, error=error))
    close(here, reason=reason or error)
    node, turn = here.node, here.turn
    done = counts_as_done(here.run, node)
    for path in node.wanted_by:
        dependent = here.at(path)
        if not done:
            turn.later(lambda dependent=dependent: unreach(dependent, here))  # type: ignore[misc]
        elif dependent.node.missing == 0 and dependent.node.kind != "item":
            turn.later(lambda dependent=dependent: start(dependent))  # type: ignore[misc]
    turn.later(lambda: _tell(here))
    if here.run.open_gates:
        turn.at_last(lambda: offer_place(here))


def offer_place(here: Here) -> None:
    """Let the next items begin where this node's rest until a person decides: what waits for one takes no place."""
    nodes, turn = here.run.nodes, here.turn
    above = nodes.get(here.path)
    while above is not None and above.parent is not None:
        group = turn.at(above.parent)
        goes_on = turn.kinds[group.node.kind].taken_up
        if goes_on is not None and above.rests and group.node.status is NodeStatus.RUNNING:
            goes_on(group)
        above = nodes.get(above.parent)


def unreach(here: Here, needed: Here) -> None:
    """End a pending node that can no longer be reached, because of what it needs."""
    if here.node.status is NodeStatus.PENDING:
        did = _DID.get(needed.node.status, "was not reached")
        leave(here, error=f"needs {needed.path}, which {did}")


def leave(here: Here, *, error: str) -> None:
    """End a pending node as unreached, and of an item that was to go on what is pending in it."""
    if here.node.children:
        stop(here, NodeStatus.UNREACHED, reason=error)
    else:
        end(here, NodeStatus.UNREACHED, error=error)


def _tell(here: Here) -> None:
    """Let the group around an ended node hear of it, unless either has begun again or ended meanwhile."""
    node = here.run.nodes.get(here.path)
    if node is None or node.parent is None or node.status not in FINAL_NODE:
        return
    parent = here.at(node.parent)
    if parent.node.ends is not None:
        _go_on_to_end(parent, parent.node.ends)
        return
    child_over = here.turn.kinds[parent.node.kind].child_over
    if child_over is not None and parent.node.status not in FINAL_NODE:
        guarded(parent, lambda: child_over(parent, node))


def begin_last(here: Here) -> None:
    """Begin what runs at the end of a flow, when all else is over; what the flow comes to stays as it is by then."""
    last = last_of(here)
    if last is None or here.node.remaining > 1:
        return
    if here.node.failed and here.node.ends is None:
        here.emit(ev.NodeEnding(node=here.path, status=NodeStatus.FAILED, error=first_error(here)))
    start(last)


def _go_on_to_end(here: Here, status: NodeStatus) -> None:
    """Begin what is left of a node of which it is known how it ends, or end it."""
    if here.node.remaining:
        begin_last(here)
    elif here.node.status not in FINAL_NODE:
        _come_to_end(here, status, why=here.node.why)


def _come_to_end(here: Here, status: NodeStatus, *, why: str) -> None:
    """End a node as it was known that it would end, before what ran at last."""
    error = "" if status in GOOD else both(why, last_child(here.run, here.node))
    end(here, status, error=error, reason=why)


def stop(here: Here, status: NodeStatus, *, reason: str) -> None:
    """End a node with all below it: gates are withdrawn, attempts are over at once (their processes are killed after).

    A flow at whose end something is still to run is left with that: it, and what is around it, ends when that is over.
    Raises RefusedError while a commit is being made below it: what is in git must be in the record.
    """
    clear(here, reason=reason)
    left_open = unfinished(here)
    kept, last = around(here, left_open), {flow.node.children[-1] for flow in left_open}
    for path in reversed(descendants(here.run, here.path)):
        below = here.at(path)
        if path in kept:
            _let_end(below, NodeStatus.CANCELLED, reason=reason)
        elif below.node.status not in FINAL_NODE and path not in last:
            reached = below.node.status is not NodeStatus.PENDING or below.node.kind == "item"
            left = NodeStatus.CANCELLED if reached else NodeStatus.UNREACHED
            here.emit(ev.NodeEnded(node=path, status=left, error=reason))
            close(below, reason=reason)
    if here.path in kept:
        _let_end(here, status, reason=reason)
    elif here.node.status not in FINAL_NODE:
        _come_to_end(here, here.node.ends or status, why=here.node.why or reason)
    for flow in left_open:
        here.turn.later(lambda flow=flow: begin_last(flow))  # type: ignore[misc]


def _let_end(here: Here, status: NodeStatus, *, reason: str) -> None:
    if here.node.ends is None:
        here.emit(ev.NodeEnding(node=here.path, status=status, error=reason))


def clear(here: Here, *, reason: str) -> None:
    """Withdraw the gates and end the attempts of a node and all below it; refused while it makes a commit."""
    places = dict.fromkeys([here.path, *descendants(here.run, here.path)])
    for attempt in committing(here.run):
        if here.run.live[attempt] in places:
            step = here.run.attempts[attempt].step
            raise RefusedError(
                f"step {step} is being committed at this moment", hint="It is accepted then; look again in a second."
            )
    for gate, path in sorted(here.run.open_gates.items()):
        if path in places:
            here.emit(ev.GateWithdrawn(gate=gate, reason=reason))
    for path in places:
        for attempt in here.at(path).node.attempts:
            cancel_attempt(here, attempt, reason=reason)


def has_hold(turn: Turn) -> bool:
    """Say whether a run still delivers its task: once that is accepted, another run may have taken it up."""
    task = turn.state.task
    if turn.run.purpose != "deliver" or task is None:
        return False
    return task.run == turn.run.id and task.task.status in {TaskStatus.RUNNING, TaskStatus.WAITING}


def committing(run: RunState) -> list[AttemptId]:
    """Return the attempts that are making a commit now; a commit that is only queued has touched nothing yet."""
    return [attempt for attempt in run.live if run.attempts[attempt].subject == COMMIT]


def cancel_attempt(here: Here, attempt: AttemptId, *, reason: str) -> None:
    """End an attempt as cancelled, unless it is over."""
    if here.run.attempts[attempt].status not in FINAL_ATTEMPT:
        outcome = Outcome(attempt=attempt, status=AttemptStatus.CANCELLED, reason=reason)
        here.emit(ev.AttemptEnded(outcome=outcome))
