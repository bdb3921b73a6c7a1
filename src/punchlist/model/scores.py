"""What a project's own files say of a task: kept beside its state, so that they can be written without reading that."""

import msgspec

from punchlist.model.ids import TaskId
from punchlist.model.state import Mark, StepState, TaskState
from punchlist.model.states import StepStatus, TaskStatus
from punchlist.model.verdicts import Waiver


class TaskScore(msgspec.Struct, frozen=True, kw_only=True):
    """How far a task is, and how it got there; findings and flaky criteria are those of the last verdicts."""

    id: TaskId
    title: str
    status: TaskStatus
    steps_accepted: int
    steps_total: int
    rounds: int
    failed_rounds: int
    open_findings: int
    flaky: int
    waivers: tuple[Waiver, ...] = ()
    created_at: str = ""
    changed_at: str = ""
    version: int = 1
    mark: Mark = Mark()


def score(state: TaskState) -> TaskScore:
    """Return what a project's files say of a task in this state."""
    task = state.task
    seen = [state.steps.get(step.id, StepState()) for step in task.steps]
    last = [each.present.verdict for each in seen if each.present is not None]
    return TaskScore(
        id=TaskId(task.id),
        title=task.title,
        status=task.status,
        steps_accepted=sum(step.status is StepStatus.ACCEPTED for step in task.steps),
        steps_total=len(task.steps),
        rounds=sum(len(each.verdicts) for each in seen),
        failed_rounds=sum(row.verdict.result == "fail" for each in seen for row in each.verdicts),
        open_findings=sum(found.state != "waived" for verdict in last for found in verdict.findings),
        flaky=sum(each.flaky for verdict in last for each in verdict.criteria),
        waivers=waived(state),
        created_at=state.created_at,
        changed_at=state.changed_at,
        version=task.version,
        mark=state.mark,
    )


def waived(state: TaskState) -> tuple[Waiver, ...]:
    """Return all that was waived in a task, steps in order, the task's own criteria last."""
    steps = [state.steps.get(step.id, StepState()) for step in state.task.steps]
    return tuple(waiver for each in (*steps, state.steps.get("", StepState())) for waiver in each.waivers)
