"""Criteria run as commands in a clean checkout of one tree: set-up first, one after another, a red one twice.

Shared by check nodes and by integration (which checks a merged tree again). What to do next is a function of the attempts
so far, so a run that was killed goes on with the first check that has no answer.
"""

import msgspec

from punchlist.engine.fold_run import check_key
from punchlist.engine.retry import after_failure
from punchlist.engine.scope import policy_at
from punchlist.engine.turn import Turn
from punchlist.model.ids import Digest, NodePath, ProjectId, StepId, TaskId, Tree
from punchlist.model.jobs import FailureClass, Folder, Limits, Outcome, ProcessJob, Role
from punchlist.model.policy import duration, size
from punchlist.model.proofs import CheckResult
from punchlist.model.records import Criterion
from punchlist.model.state import AttemptState, RunState, State
from punchlist.model.states import AttemptStatus
from punchlist.quality.proof import cannot_run

SETUP = "setup"
_ANSWERS = {AttemptStatus.SUCCEEDED, AttemptStatus.FAILED, AttemptStatus.TIMED_OUT}


class Exam(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be checked: criteria on a tree (or commit); `twice` runs a red check once more on the same tree."""

    tree: str
    criteria: tuple[Criterion, ...]
    step: StepId | None
    twice: bool


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks said; `setup_failed` is the set-up attempt that did not succeed, if so."""

    results: tuple[CheckResult, ...]
    setup_failed: AttemptState | None = None


def advance(turn: Turn, path: NodePath, exam: Exam) -> Answers | None:
    """Queue the next attempt that the exam needs, or return its answers when there is nothing more to run."""
    results: list[CheckResult] = []
    for criterion in exam.criteria:
        if criterion.check is None:
            continue
        tries = _answered(turn.run, exam, criterion)
        if not tries or (exam.twice and len(tries) == 1 and not _green(tries[0])):
            if (failed := _set_up(turn, path, exam)) is not None:
                return _without_setup(turn, exam, failed) if failed.outcome is not None else None
            _queue(turn, path, exam, criterion, again=len(tries))
            return None
        results.append(_result(criterion, tries))
    return Answers(results=tuple(results))


def attempt_over(turn: Turn, path: NodePath, attempt: AttemptState) -> bool:
    """Say whether an ended attempt is an answer; when it is not (lost, no program), what follows is done here."""
    outcome = attempt.outcome
    assert outcome is not None
    if is_answer(outcome):
        return True
    after_failure(turn, path, attempt)
    return False


def _answered(run: RunState, exam: Exam, criterion: Criterion) -> list[AttemptState]:
    key = check_key(exam.step, exam.tree, check_command(criterion))
    attempts = [run.attempts[each] for each in run.checked.get(key, ())]
    return [each for each in attempts if each.outcome is not None and is_answer(each.outcome)]


def is_answer(outcome: Outcome) -> bool:
    """Say whether a command ended by itself or by its limit: anything else says nothing about the tree."""
    ran = outcome.exit_code is not None or outcome.signal is not None
    return outcome.status in _ANSWERS and (ran or outcome.status is not AttemptStatus.FAILED)


def check_command(criterion: Criterion) -> str:
    """Return what makes a check the same check: its command, time limit and network."""
    return f"{criterion.check}\n{criterion.timeout or ''}\n{'network' if criterion.network else ''}"


def _set_up(turn: Turn, path: NodePath, exam: Exam) -> AttemptState | None:
    """Return None when the folder is set up; else the set-up attempt: one under way, or one that failed."""
    project = turn.state.project
    if project is None or not project.setup:
        return None
    mine = [turn.run.attempts[each] for each in turn.node(path).attempts]
    tried = [each for each in mine if each.subject == SETUP and each.tree == exam.tree]
    if not tried:
        attempt = turn.queue(path, Role.SETUP, subject=SETUP, step=exam.step, tree=exam.tree)
        return turn.run.attempts[attempt]
    return None if _green(tried[-1]) else tried[-1]


def _without_setup(turn: Turn, exam: Exam, failed: AttemptState) -> Answers:
    outcome = failed.outcome
    assert outcome is not None
    reason = f"set-up failed: {outcome.reason or 'exit ' + str(outcome.exit_code)}"
    results = tuple(
        CheckResult(
            id=each.id,
            passed=False,
            attempt=failed.id,
            command=each.check,
            exit_code=outcome.exit_code,
            cannot_run=True,
            reason=reason,
            tail=outcome.tail,
            output_digest=outcome.output_digest,
        )
        for each in exam.criteria
        if each.check is not None
    )
    return Answers(results=results, setup_failed=failed)


def _queue(turn: Turn, path: NodePath, exam: Exam, criterion: Criterion, *, again: int) -> None:
    turn.queue(
        path,
        Role.CHECK,
        subject=criterion.id,
        step=exam.step,
        tree=exam.tree,
        command=check_command(criterion),
        again=again,
    )


def _green(attempt: AttemptState) -> bool:
    return attempt.status is AttemptStatus.SUCCEEDED


def _result(criterion: Criterion, tries: list[AttemptState]) -> CheckResult:
    last = tries[-1]
    outcome = last.outcome
    assert outcome is not None
    assert criterion.check is not None
    passed = _green(last)
    timed_out = last.status is AttemptStatus.TIMED_OUT
    stuck = cannot_run(outcome.exit_code, timed_out=timed_out, tail=outcome.tail)
    return CheckResult(
        id=criterion.id,
        passed=passed,
        attempt=last.id,
        command=criterion.check,
        exit_code=outcome.exit_code,
        flaky=passed and not _green(tries[0]),
        cannot_run=bool(stuck),
        reason=stuck or _reason(outcome),
        tail=outcome.tail,
        output_digest=Digest(outcome.output_digest) if outcome.output_digest else None,
    )


def _reason(outcome: Outcome) -> str:
    if outcome.status is AttemptStatus.SUCCEEDED:
        return ""
    return outcome.reason or f"exit {outcome.exit_code}"


def check_job(state: State, attempt: AttemptState, criteria: tuple[Criterion, ...]) -> ProcessJob:
    """Return the job of a check or set-up attempt."""
    run, project = state.run, state.project
    assert run is not None
    assert project is not None
    policy = policy_at(state, attempt.node)
    if attempt.role is Role.SETUP:
        return setup_job(state, attempt, exam_folder(state, attempt))
    criterion = next(each for each in criteria if each.id == attempt.subject)
    assert criterion.check is not None
    limits = Limits(
        timeout=duration(criterion.timeout or policy.check_timeout).total_seconds(), memory=size(policy.memory)
    )
    return ProcessJob(
        attempt=attempt.id,
        run=run.id,
        role=Role.CHECK,
        folder=exam_folder(state, attempt),
        limits=limits,
        argv=("sh", "-c", criterion.check),
        network=criterion.network,
        sandbox=policy.sandbox,
    )


def setup_job(state: State, attempt: AttemptState, folder: Folder) -> ProcessJob:
    """Return the job that makes a folder able to run the checks; the runtime passes over it when that was done."""
    assert state.project is not None
    policy = policy_at(state, attempt.node)
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=Role.SETUP,
        folder=folder,
        limits=Limits(timeout=duration(policy.timeout).total_seconds(), memory=size(policy.memory)),
        argv=("sh", "-ec", "\n".join(state.project.setup)),
        sandbox=policy.sandbox,
    )


def exam_folder(state: State, attempt: AttemptState) -> Folder:
    """Return the clean checkout that an attempt works in: its step's, or the task's own."""
    assert state.project is not None
    task = TaskId(state.task.task.id) if state.task is not None else None
    deliver = state.run is not None and state.run.purpose == "deliver"
    return Folder(
        place="exam",
        project=ProjectId(state.project.id),
        task=task,
        step=attempt.step if deliver else None,
        tree=Tree(attempt.tree) if attempt.tree else None,
    )
