"""The states of a task's steps, as the phases and ends of a run's nodes move them; what the tables refuse raises."""

from punchlist.engine.turn import Here
from punchlist.model import events as ev
from punchlist.model.flow import Flow
from punchlist.model.states import FINAL_STEP, NodeStatus, StepStatus

_ENDS = {
    NodeStatus.FAILED: StepStatus.FAILED,
    NodeStatus.CANCELLED: StepStatus.CANCELLED,
    NodeStatus.UNREACHED: StepStatus.CANCELLED,
    NodeStatus.SKIPPED: StepStatus.SKIPPED,
}
_BY_KIND = {
    "agent": StepStatus.BUILDING,
    "check": StepStatus.CHECKING,
    "review": StepStatus.REVIEWING,
    "integrate": StepStatus.INTEGRATING,
}


def move(here: Here, status: StepStatus, *, reason: str = "") -> None:
    """Move the step that a node of a deliver run works for; one that is there already, or over, stays."""
    if here.delivers and here.step is not None and here.record.status not in FINAL_STEP | {status}:
        here.emit(ev.StepMoved(step=here.own_step, status=status, reason=reason))


def enter_phase(here: Here) -> None:
    """Move the step to the state that the node stands for, if its definition names one."""
    definition = here.definition
    if not isinstance(definition, Flow) and definition.phase is not None and here.node.kind not in {"item", "round"}:
        move(here, StepStatus(definition.phase))


def enter_phase_again(here: Here) -> None:
    """Bring a step that waited back to what its node stands for; without a phase, to what nodes of its kind do."""
    definition = here.definition
    phase = None if isinstance(definition, Flow) else definition.phase
    status = StepStatus(phase) if phase is not None else _BY_KIND.get(here.node.kind)
    if status is not None:
        move(here, status)


def close(here: Here, *, reason: str) -> None:
    """Give a step what the end of its item means, with its closing record; one that is over already stays as it is."""
    item = here.step_item if here.delivers else None
    if item is None or item.path != here.path:
        return
    status = _ENDS.get(here.node.status)
    if status is not None:
        unreached = here.node.status is NodeStatus.UNREACHED
        move(here, status, reason="unreached" if unreached else reason)
    record(here)


def record(here: Here) -> None:
    """Write the closing record of the step's present revision, once, when the step is over."""
    status, told = here.record.status, here.told
    if told.closed or status not in FINAL_STEP:
        return
    here.emit(
        ev.StepClosed(
            step=here.own_step,
            r=told.r,
            status=status,
            attempts=here.tries.count,
            commit=told.commit if status is StepStatus.ACCEPTED else None,
            waived=told.waivers,
        )
    )
