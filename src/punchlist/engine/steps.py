"""The states of a task's steps, as the phases and ends of a run's nodes move them; what the tables refuse raises."""

from punchlist.engine.fold_task import step_of
from punchlist.engine.turn import Turn
from punchlist.model import events as ev
from punchlist.model.flow import Phase
from punchlist.model.ids import StepId
from punchlist.model.states import FINAL_STEP, NodeStatus, StepStatus

_ENDS = {
    NodeStatus.FAILED: StepStatus.FAILED,
    NodeStatus.CANCELLED: StepStatus.CANCELLED,
    NodeStatus.UNREACHED: StepStatus.CANCELLED,
    NodeStatus.SKIPPED: StepStatus.SKIPPED,
}


def enter_phase(turn: Turn, step: StepId, phase: Phase) -> None:
    """Move a step to the state that a node stands for."""
    move(turn, step, StepStatus(phase))


def move(turn: Turn, step: StepId, status: StepStatus, *, reason: str = "") -> None:
    """Move a step; a step that is there already stays."""
    if step_of(turn.task.task, step).status is not status:
        turn.emit(ev.StepMoved(step=step, status=status, reason=reason), actor="engine")


def close(turn: Turn, step: StepId, ended: NodeStatus, *, reason: str) -> None:
    """Give a step the state that its item's end means, and its closing record; an accepted step stays accepted."""
    now = step_of(turn.task.task, step).status
    status = _ENDS.get(ended)
    if status is not None and now not in FINAL_STEP:
        unreached = "unreached" if ended is NodeStatus.UNREACHED else reason
        move(turn, step, status, reason=unreached)
    record(turn, step)


def record(turn: Turn, step: StepId) -> None:
    """Write the closing record of a step's present revision, once, when the step is over."""
    status, told = step_of(turn.task.task, step).status, turn.task.steps[step]
    if told.closed or status not in FINAL_STEP:
        return
    turn.emit(
        ev.StepClosed(
            step=step,
            r=told.r,
            status=status,
            attempts=turn.run.tries.get(step, 0),
            commit=told.commit if status is StepStatus.ACCEPTED else None,
            waived=told.waivers,
        ),
        actor="engine",
    )
