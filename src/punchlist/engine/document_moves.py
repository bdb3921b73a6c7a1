"""Decisions on tasks that no run has hold of: each says what follows as a list of facts, or refuses."""

from collections.abc import Iterable, Sequence

from punchlist.engine.documents import frozen_digest, same_step
from punchlist.engine.fold_task import step_of, subject
from punchlist.engine.terms import Terms
from punchlist.errors import ConflictError, Problem, RefusedError
from punchlist.model import events as ev
from punchlist.model.ids import FindingId, GateId, StepId
from punchlist.model.records import Task
from punchlist.model.state import TaskState
from punchlist.model.states import (
    FINAL_STEP,
    FINAL_TASK,
    STEP_MOVES,
    TASK_MOVES,
    StepStatus,
    TaskStatus,
    check_move,
)
from punchlist.model.verdicts import Finding
from punchlist.quality.findings import waiver, waiver_of

_LIVE = frozenset({TaskStatus.RUNNING, TaskStatus.WAITING})


def edit(state: TaskState, edited: Task, *, what: str) -> list[ev.TaskFact]:
    """Change a draft. A step that is over and was changed opens again, and so does every accepted one built on it.

    An open proposal is withdrawn: what was shown is no longer what is there. No change gives no fact.
    """
    task = state.task
    if task.status is not TaskStatus.DRAFT:
        raise RefusedError(f"task {task.id} is {task.status}: only a draft can be edited", hint=_to_draft(task))
    if edited == task:
        return []
    _refuse_removal(task, edited)
    before = {step.id: step for step in task.steps}
    changed = [
        StepId(step.id)
        for step in edited.steps
        if step.status in FINAL_STEP and step.id in before and not same_step(before[step.id], step)
    ]
    opened = [each for first in changed for each in (first, *built_on(edited, first))]
    facts: list[ev.TaskFact] = [ev.TaskEdited(task=edited, what=what)]
    return [*_withdrawn(state), *facts, *_opened(state, opened, reason="changed")]


def withdraw(state: TaskState, *, reproved: str = "") -> list[ev.TaskFact]:
    """Withdraw the open proposal of a draft, because what was shown of its project is no longer what is there.

    With `reproved`, which says what has changed, what its checks show on the base is to be found out anew.
    """
    again: list[ev.TaskFact] = [ev.TaskEdited(task=state.task, what=reproved)] if reproved else []
    return [*_withdrawn(state), *again]


def propose(state: TaskState, gate: GateId, *, message: str, terms: Terms) -> list[ev.TaskFact]:
    """Ask a person to approve the draft as it is, in its project as that is."""
    task = state.task
    if task.status is not TaskStatus.DRAFT:
        raise RefusedError(f"task {task.id} is {task.status}: only a draft can be proposed", hint=_to_draft(task))
    _refuse_empty(task)
    if state.proposal is not None:
        raise RefusedError(
            f"task {task.id} is proposed already, as {state.proposal}", hint=f"Type: punchlist approve {task.id}"
        )
    return [ev.ApprovalProposed(gate=gate, digest=frozen_digest(task, terms), message=message)]


def approve(
    state: TaskState, *, message: str, anyway: Sequence[str], terms: Terms, unproved: bool = False
) -> list[ev.TaskFact]:
    """Freeze the draft; `anyway` is what was unproven and is passed over, `unproved` says that nobody waited for it."""
    task = state.task
    _check_task(task, TaskStatus.READY)
    if task.status in FINAL_TASK:
        raise RefusedError(f"task {task.id} is {task.status}", hint=f"Type: punchlist task reopen {task.id}")
    _refuse_empty(task)
    facts: list[ev.TaskFact] = []
    if state.proposal is not None:
        facts.append(ev.ApprovalDecided(gate=state.proposal, choice="approve", message=message))
    approved = ev.TaskApproved(
        digest=frozen_digest(task, terms),
        message=message,
        anyway=tuple(anyway),
        unproved=unproved,
        destination=terms.destination,
    )
    return [*facts, approved]


def reject(state: TaskState, *, message: str) -> list[ev.TaskFact]:
    """Turn down a proposal; the task stays a draft."""
    task = state.task
    if state.proposal is None:
        hint = _to_draft(task) if task.status is not TaskStatus.DRAFT else "It is a draft as it stands; edit it."
        raise RefusedError(f"task {task.id} is not proposed for approval", hint=hint)
    return [ev.ApprovalDecided(gate=state.proposal, choice="reject", message=message)]


def revise(state: TaskState, *, reason: str) -> list[ev.TaskFact]:
    """Bring an approved task back to draft as its next revision; what is accepted stays."""
    task = state.task
    if task.status in FINAL_TASK:
        raise RefusedError(
            f"task {task.id} is {task.status}: it cannot be revised", hint=f"Type: punchlist task reopen {task.id}"
        )
    _check_task(task, TaskStatus.DRAFT)
    return [ev.TaskRevised(revision=task.revision + 1, reason=reason)]


def cancel(state: TaskState, *, reason: str) -> list[ev.TaskFact]:
    """End a task that does not run, and with it every step that is not over."""
    task = state.task
    _check_task(task, TaskStatus.CANCELLED)
    facts: list[ev.TaskFact] = _withdrawn(state)
    why = reason or "its task was cancelled"
    for step in task.steps:
        if step.status not in FINAL_STEP:
            facts += _closed(state, StepId(step.id), status=StepStatus.CANCELLED, reason=why)
    return [*facts, ev.TaskMoved(status=TaskStatus.CANCELLED, reason=reason)]


def reopen(state: TaskState, *, reason: str) -> list[ev.TaskFact]:
    """Bring a task that is over back to ready, its failed and cancelled steps to pending.

    A task that was never approved goes on to draft, as its next revision.
    """
    task = state.task
    _refuse_open(task)
    again = [StepId(step.id) for step in task.steps if step.status in {StepStatus.FAILED, StepStatus.CANCELLED}]
    return [*_awakened(state, reason=reason), *_opened(state, again, reason=reason or "opened again")]


def reopen_step(state: TaskState, step: StepId, *, reason: str) -> list[ev.TaskFact]:
    """Open a step that is over again, with the accepted ones built on it; a task that is over becomes ready."""
    _refuse_live(state.task, f"step {step}")
    now = step_of(state.task, step).status
    check_move(STEP_MOVES, now, StepStatus.PENDING, what=f"step {step}")
    opened = _opened(state, [step, *built_on(state.task, step)], reason=reason or "opened again")
    return [*_awakened(state, reason=reason), *opened]


def close_step(state: TaskState, step: StepId, *, status: StepStatus, reason: str) -> list[ev.TaskFact]:
    """Skip or cancel a step of a task that does not run; cancelled, those that need it are cancelled too.

    Refused in a task that is over: all of its steps are.
    """
    _refuse_live(state.task, f"step {step}")
    if state.task.status in FINAL_TASK:
        raise RefusedError(
            f"step {step}: task {state.task.id} is {state.task.status}",
            hint=f"Type: punchlist task reopen {state.task.id}",
        )
    now = step_of(state.task, step).status
    check_move(STEP_MOVES, now, status, what=f"step {step}")
    facts = _closed(state, step, status=status, reason=reason)
    if status is StepStatus.CANCELLED:
        for each in _needing(state.task, step):
            if step_of(state.task, each).status not in FINAL_STEP:
                facts += _closed(state, each, status=status, reason="unreached")
    return facts


def ask_rework(state: TaskState, step: StepId, *, message: str, finding: FindingId) -> list[ev.TaskFact]:
    """Open a step that is over again with a person's finding, first in the builder's next prompt.

    What is accepted and was built on it is opened too.
    """
    _refuse_live(state.task, f"step {step}")
    now = step_of(state.task, step).status
    facts = _awakened(state, reason=f"rework of {step}")
    if now in FINAL_STEP:
        facts += _opened(state, [step, *built_on(state.task, step)], reason="rework")
    return [*facts, ev.ReworkAsked(step=step, message=message, finding=finding)]


def rework_now(state: TaskState, step: StepId, *, message: str, finding: FindingId) -> list[ev.TaskFact]:
    """Return what `ask_rework` does where the task is started at once; refused while other steps keep it from that."""
    facts = ask_rework(state, step, message=message, finding=finding)
    problems = [
        Problem(each.id, f"is {each.status}", hint=f"Type: punchlist step reopen {each.id}")
        for each in state.task.steps
        if each.id != step and each.status in {StepStatus.FAILED, StepStatus.CANCELLED}
    ]
    if problems:
        raise RefusedError(
            f"rework of {step} would start task {state.task.id}, and that has other steps that are over badly:",
            where=step,
            problems=problems,
            hint=f"Then again: punchlist rework {step} -m TEXT",
        )
    return facts


def waive(state: TaskState, finding: FindingId, *, by: str, reason: str) -> list[ev.TaskFact]:
    """Pass over a finding of the last verdict; what was waived is shown wherever the verdict is."""
    key = state.findings.get(finding)
    told = state.steps.get(key) if key is not None else None
    row = told.present if told is not None else None
    found = _in_last_verdict(row.verdict.findings, finding) if row is not None else None
    if found is None or told is None:
        raise RefusedError(
            f"finding {finding} is not in the last verdict of {key or state.task.id}: it is closed",
            hint=f"Type: punchlist why {key or state.task.id}",
        )
    if found.kind == "conflict":
        raise RefusedError(f"finding {finding} is a conflict: it cannot be waived", hint="Ask for rework instead.")
    if waiver_of(found, told.waivers) is not None:
        raise RefusedError(f"finding {finding} is waived already")
    step = StepId(key) if key else None
    given = waiver(found, subject=subject(state.task, step), by=by, reason=reason)
    return [ev.FindingWaived(step=step, waiver=given)]


def check_version(task: Task, expected: int | None) -> None:
    """Refuse a change that was made for another version than the present one."""
    if expected is not None and expected != task.version:
        raise ConflictError(
            f"task {task.id} is at version {task.version}, and the change was made for version {expected}",
            hint=f"Read it again (punchlist task show {task.id}), then repeat the change.",
        )


_NEXT = {
    TaskStatus.DRAFT: "punchlist approve {0}",
    TaskStatus.READY: "punchlist task start {0}, or punchlist task revise {0} to change it",
    TaskStatus.RUNNING: "punchlist why {0}, or punchlist pause {0}",
    TaskStatus.WAITING: "punchlist gates",
    TaskStatus.ACCEPTED: "punchlist task reopen {0}",
    TaskStatus.FAILED: "punchlist retry {0}",
    TaskStatus.CANCELLED: "punchlist task reopen {0}",
}
"""What a person most likely wants to type for a task in each state."""


def _check_task(task: Task, then: TaskStatus) -> None:
    check_move(
        TASK_MOVES, task.status, then, what=f"task {task.id}", hint=f"Type: {_NEXT[task.status].format(task.id)}"
    )


def check_startable(task: Task, *, needed: Iterable[Task]) -> None:
    """Refuse to start a task that is not ready, is paused, has steps that are over badly, or needs one not accepted."""
    _check_task(task, TaskStatus.RUNNING)
    problems = [
        Problem(step.id, f"is {step.status}", hint=_reopen_or_skip(step.id))
        for step in task.steps
        if step.status in {StepStatus.FAILED, StepStatus.CANCELLED}
    ]
    problems += [
        Problem(each.id, f"is {each.status}, and {task.id} needs it accepted", hint=f"Type: punchlist why {each.id}")
        for each in needed
        if each.status is not TaskStatus.ACCEPTED
    ]
    if problems:
        raise RefusedError(f"task {task.id} cannot start:", problems=problems)


def _reopen_or_skip(step: str) -> str:
    return f"Type: punchlist step reopen {step}, or punchlist step skip {step}"


def built_on(task: Task, step: StepId) -> tuple[StepId, ...]:
    """Return the accepted steps that need this one, directly or not, in their order."""
    return tuple(each for each in _needing(task, step) if step_of(task, each).status is StepStatus.ACCEPTED)


def _needing(task: Task, step: StepId) -> tuple[StepId, ...]:
    reached: set[str] = {step}
    before = 0
    while before != len(reached):
        before = len(reached)
        reached |= {each.id for each in task.steps if reached & set(each.needs)}
    return tuple(StepId(each.id) for each in task.steps if each.id in reached and each.id != step)


def _opened(state: TaskState, steps: Iterable[StepId], *, reason: str) -> list[ev.TaskFact]:
    return [
        ev.StepMoved(step=each, status=StepStatus.PENDING, reason=reason, r=state.steps[each].r + 1)
        for each in dict.fromkeys(steps)
    ]


def _closed(state: TaskState, step: StepId, *, status: StepStatus, reason: str) -> list[ev.TaskFact]:
    told = state.steps[step]
    moved = ev.StepMoved(step=step, status=status, reason=reason)
    return [moved, ev.StepClosed(step=step, r=told.r, status=status, attempts=told.tries, waived=told.waivers)]


def _awakened(state: TaskState, *, reason: str) -> list[ev.TaskFact]:
    """Make a task that is over ready again; one that was never approved goes on to draft, as its next revision."""
    task = state.task
    if task.status not in FINAL_TASK:
        return []
    facts: list[ev.TaskFact] = [ev.TaskMoved(status=TaskStatus.READY, reason=reason)]
    if task.digest is None:
        facts.append(ev.TaskRevised(revision=task.revision + 1, reason="it was never approved"))
    return facts


def _withdrawn(state: TaskState) -> list[ev.TaskFact]:
    return [] if state.proposal is None else [ev.ApprovalDecided(gate=state.proposal, choice="withdrawn")]


def _in_last_verdict(findings: Sequence[Finding], finding: FindingId) -> Finding | None:
    return next((each for each in findings if each.id == finding), None)


def _refuse_removal(task: Task, edited: Task) -> None:
    left = {step.id for step in edited.steps}
    gone = [step for step in task.steps if step.id not in left and step.status is StepStatus.ACCEPTED]
    if gone:
        raise RefusedError(
            f"step {gone[0].id} is accepted: its commit stays on the task's branch",
            hint=f"To undo what it did, reopen it (punchlist step reopen {gone[0].id}) with another goal.",
        )


def _refuse_empty(task: Task) -> None:
    if not task.steps:
        raise RefusedError(f"task {task.id} has no steps", hint=f"Type: punchlist step add {task.id} --file step.yaml")


def _refuse_open(task: Task) -> None:
    if task.status not in FINAL_TASK:
        raise RefusedError(
            f"task {task.id} is {task.status}: it is not over", hint=f"Type: {_NEXT[task.status].format(task.id)}"
        )


def _refuse_live(task: Task, what: str) -> None:
    if task.status in _LIVE:
        raise RefusedError(
            f"{what}: task {task.id} is {task.status}",
            hint=f"Wait until it is over: punchlist events {task.id} -f",
        )


def _to_draft(task: Task) -> str:
    if task.status in FINAL_TASK:
        return f"Type: punchlist task reopen {task.id}"
    return f"Type: punchlist task revise {task.id}"
