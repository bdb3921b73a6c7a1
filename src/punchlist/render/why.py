"""Why something is accepted, or the one thing that it waits for and the command that moves it."""

from collections.abc import Callable, Iterable, Sequence

from punchlist.model.ids import StepId
from punchlist.model.jobs import Role
from punchlist.model.json import Json
from punchlist.model.records import Criterion, Step
from punchlist.model.rows import GateRow
from punchlist.model.scores import waived
from punchlist.model.state import AttemptState, StepState, TaskState, VerdictRow
from punchlist.model.states import AttemptStatus, GateStatus, StepStatus, TaskStatus
from punchlist.model.verdicts import Judged, Verdict
from punchlist.render.shapes import Shape, verdict as verdict_shape
from punchlist.render.words import cost, judged_on, standing, waits

_TASK_WAITS = {
    TaskStatus.DRAFT: ("a person to approve it", "punchlist approve {id}"),
    TaskStatus.READY: ("somebody to start it", "punchlist task start {id}"),
    TaskStatus.FAILED: ("somebody to try again what failed{reason}", "punchlist retry {id}"),
    TaskStatus.CANCELLED: ("somebody to open it again{reason}", "punchlist task reopen {id}"),
}
_STEP_WAITS = {
    StepStatus.FAILED: ("somebody to try it again{reason}", "punchlist retry {id}"),
    StepStatus.CANCELLED: ("somebody to try it again{reason}", "punchlist retry {id}"),
    StepStatus.SKIPPED: ("nothing: it was skipped{reason}", "punchlist step reopen {id}"),
}


UNREACHED = "unreached"
"""The reason of a step that was cancelled because of another that it needs."""
_OF_ALL = frozenset({Role.BUILDER, Role.QA})
"""Roles whose attempts are about all criteria of a step."""
_PASSED = frozenset({StepStatus.ACCEPTED, StepStatus.SKIPPED})


Place = Callable[[AttemptState], str]
"""Says which limit leaves a queued attempt no place; an empty text when none does."""


def _unbounded(_attempt: AttemptState) -> str:
    return ""


def why(
    state: TaskState,
    step: StepId | None,
    *,
    attempts: Sequence[AttemptState],
    gates: Sequence[GateRow] = (),
    place: Place = _unbounded,
) -> Shape:
    """Return the explanation of a task, or of one of its steps.

    Of a task on whose branch nothing was built there is no commit: `base` is what its criteria were judged on.

    For what is accepted `criteria` leads from each criterion to its verdict, evidence, commit, attempts and cost. For
    what is not, `waits_for` is `{what, command}`: the one thing that comes next. Raises KeyError for an unknown step.
    """
    if step is None:
        return _task(state, attempts=attempts, gates=gates, place=place)
    return _step(state, _record(state, step), attempts=attempts, gates=gates, place=place)


def _record(state: TaskState, step: StepId) -> Step:
    return {each.id: each for each in state.task.steps}[step]


def _task(state: TaskState, *, attempts: Sequence[AttemptState], gates: Sequence[GateRow], place: Place) -> Shape:
    record, own = state.task, state.steps.get("", StepState())
    accepted = record.status is TaskStatus.ACCEPTED
    whole = all(step.status in _PASSED for step in record.steps)  # else the last verdict was on another whole
    present = [own.present] if whole and own.present is not None else []
    tip = state.tip if any(each.commit == state.tip for each in state.steps.values()) else None  # else it is the base
    return {
        "id": record.id,
        "title": record.title,
        "status": record.status.value,
        "standing": standing(record.status, waived(state)),
        "accepted": accepted,
        "waits_for": None if accepted else _task_waits(state, attempts=attempts, gates=gates, place=place),
        "criteria": _criteria(
            record.acceptance, present, commit=tip, attempts=[each for each in attempts if each.step is None]
        ),
        "steps": [_step(state, step, attempts=attempts, gates=gates, place=place) for step in record.steps],
        "commit": tip,
        "base": state.base,
        "branch": state.branch,
        "attempts": [each.id for each in attempts],
        "cost": cost(attempts),
        "approved_by": state.approved_by,
    }


def _step(
    state: TaskState, record: Step, *, attempts: Sequence[AttemptState], gates: Sequence[GateRow], place: Place
) -> Shape:
    seen = state.steps.get(record.id, StepState())
    mine = [each for each in attempts if each.step == record.id]
    accepted = record.status is StepStatus.ACCEPTED
    verdicts = [] if seen.present is None else [seen.present]
    commit = seen.commit if accepted else None
    return {
        "id": record.id,
        "title": record.title,
        "status": record.status.value,
        "standing": standing(record.status, seen.waivers),
        "accepted": accepted,
        "waits_for": None if accepted else _step_waits(state, record, attempts=mine, gates=gates, place=place),
        "criteria": _criteria(record.criteria, verdicts, commit=commit, attempts=mine),
        "findings": verdict_shape(verdicts[-1])["findings"] if verdicts else [],
        "commit": commit,
        "tree": seen.tree if accepted else None,
        "attempts": [each.id for each in mine],
        "cost": cost(mine),
    }


def _criteria(
    criteria: Iterable[Criterion],
    verdicts: Sequence[VerdictRow],
    *,
    commit: str | None,
    attempts: Sequence[AttemptState],
) -> list[Json]:
    """Return each criterion with the last verdict; nobody has judged those whose verdict is null."""
    last = verdicts[-1] if verdicts else None
    judged = {each.id: each for each in last.verdict.criteria} if last else {}
    return [
        _criterion(
            each,
            judged.get(each.id),
            last=last.verdict if last else None,
            commit=commit,
            attempts=_behind(each, last, attempts=attempts) if each.id in judged else (),
        )
        for each in criteria
    ]


def _behind(record: Criterion, last: VerdictRow | None, *, attempts: Sequence[AttemptState]) -> list[AttemptState]:
    """Return the attempts that a criterion's verdict rests on: who built the tree, its own checks, who reviewed it."""
    return [
        each
        for each in attempts
        if last is not None
        and (each.r, each.s) == (last.r, last.s)
        and (each.role in _OF_ALL or each.subject == record.id)
    ]


def _criterion(
    record: Criterion,
    judged: Judged | None,
    *,
    last: Verdict | None,
    commit: str | None,
    attempts: Sequence[AttemptState],
) -> Shape:
    unbuilt = last is not None and judged_on(last)[0] == "commit"
    return {
        "id": record.id,
        "text": record.text,
        "verdict": judged.verdict if judged else None,
        "by": list(judged.by) if judged else [],
        "evidence": list(judged.evidence) if judged else [],
        "finding": judged.finding if judged else "",
        "attempt": last.attempt if last else None,
        "attempts": [each.id for each in attempts],
        "cost": cost(attempts),
        "tree": last.tree if last and not unbuilt else None,
        "commit": last.commit if last and unbuilt else commit,
    }


def _task_waits(state: TaskState, *, attempts: Sequence[AttemptState], gates: Sequence[GateRow], place: Place) -> Json:
    record = state.task
    for row in gates:
        if row.gate.status is GateStatus.OPEN and row.task == record.id:
            return _gate(row)
    if record.status in _TASK_WAITS:
        return _said(_TASK_WAITS[record.status], name=record.id, reason=state.reason)
    if record.paused:
        return {"what": "somebody to end the pause", "command": f"punchlist resume {record.id}"}
    for step in record.steps:
        if step.status not in _PASSED:
            return _step_waits(
                state, step, attempts=[each for each in attempts if each.step == step.id], gates=gates, place=place
            )
    return _running(attempts, place) or {
        "what": "the verdict on the task's own criteria",
        "command": f"punchlist task show {record.id}",
    }


def _step_waits(
    state: TaskState, record: Step, *, attempts: Sequence[AttemptState], gates: Sequence[GateRow], place: Place
) -> Json:
    for row in gates:
        if row.gate.status is GateStatus.OPEN and row.gate.step == record.id:
            return _gate(row)
    if record.status is StepStatus.CANCELLED and state.task.status is TaskStatus.CANCELLED:
        return _said(_TASK_WAITS[TaskStatus.CANCELLED], name=state.task.id, reason=state.reason)
    stopped_by = _stopped_by(state, record)
    if stopped_by is not None:
        return _needed(state, stopped_by)
    if record.status in _STEP_WAITS:
        return _said(_STEP_WAITS[record.status], name=record.id, reason=_reason(state, record))
    return _running(attempts, place) or _held(state, record)


def _stopped_by(state: TaskState, record: Step) -> Step | None:
    """Return the step because of which a cancelled one was not reached: the one that failed or was cancelled itself."""
    if record.status is not StepStatus.CANCELLED or _reason(state, record) != UNREACHED:
        return None
    needs = [_record(state, StepId(need)) for need in record.needs]
    for need in needs:
        if need.status is StepStatus.FAILED or (
            need.status is StepStatus.CANCELLED and _reason(state, need) != UNREACHED
        ):
            return need
    return next((found for need in needs if (found := _stopped_by(state, need)) is not None), None)


def _needed(state: TaskState, record: Step) -> Json:
    reason = _reason(state, record)
    did = f"{record.status} ({reason})" if reason else record.status
    return {"what": f"{record.id}, which it needs and which is {did}", "command": f"punchlist retry {record.id}"}


def _reason(state: TaskState, record: Step) -> str:
    return state.steps.get(record.id, StepState()).reason


def _held(state: TaskState, record: Step) -> Json:
    """Return what a step waits for of which nothing runs: its task, a step that it needs, or the engine."""
    if state.task.status in _TASK_WAITS:
        return _said(_TASK_WAITS[state.task.status], name=state.task.id, reason=state.reason)
    if state.task.paused:
        return {"what": "somebody to end the pause", "command": f"punchlist resume {state.task.id}"}
    over = {each.id for each in state.task.steps if each.status in _PASSED}
    for need in record.needs:
        if need not in over:
            return {"what": f"{need}, which it needs", "command": f"punchlist why {need}"}
    return {"what": "the engine to go on", "command": f"punchlist resume {state.run or state.task.id}"}


def _running(attempts: Sequence[AttemptState], place: Place) -> Json:
    """Return the attempt that runs or is queued, the latest first; None when there is none."""
    for each in reversed(attempts):
        if each.status in {AttemptStatus.RUNNING, AttemptStatus.QUEUED}:
            before = next((before for before in attempts if before.id == each.after), None)
            return attempt_waits(each, before, place=place)
    return None


def attempt_waits(state: AttemptState, before: AttemptState | None, *, place: Place = _unbounded) -> Json:
    """Return what is waited for while an attempt runs, or has not begun: then there is no log of it to follow."""
    who = f"{state.role} {state.worker}" if state.worker else state.role.value
    if state.status is AttemptStatus.RUNNING:
        return {"what": f"{state.id} ({who}), running", "command": f"punchlist logs {state.id} -f"}
    return {
        "what": f"{state.id} ({who}), {waits(state, before, place=place(state))}",
        "command": f"punchlist events {state.run} -f",
    }


def _gate(row: GateRow) -> Json:
    state = row.gate
    return {
        "what": f"a decision on gate {state.id} ({state.kind}): {state.message}",
        "choices": list(state.choices),
        "command": f"punchlist approve {state.id}"
        if state.kind == "approval"
        else f"punchlist decide {state.id} CHOICE",
        "gate": state.id,
    }


def _said(words: tuple[str, str], *, name: str, reason: str) -> Json:
    what, command = words
    return {"what": what.format(reason=f" ({reason})" if reason else ""), "command": command.format(id=name)}
