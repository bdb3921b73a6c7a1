"""Criteria run as commands in a clean checkout of one tree: set-up first, one after another, a red one twice.

Shared by check nodes and by integration (which checks a merged tree again). What to do next is a function of the
attempts so far, so a run that was killed goes on with the first check that has no answer.
"""

from collections.abc import Callable

import msgspec

from punchlist.engine.fold_attempts import check_key
from punchlist.engine.limits import of_exams
from punchlist.engine.place import Place
from punchlist.engine.retry import LIMITS, after_failure
from punchlist.engine.turn import Here
from punchlist.model.ids import StepId, TaskId, Tree
from punchlist.model.jobs import FailureClass, Folder, Outcome, ProcessJob, Role
from punchlist.model.proofs import CheckResult
from punchlist.model.records import Criterion
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus
from punchlist.quality.proof import cannot_run

SETUP = "setup"


class Exam(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be checked: criteria on a tree (or commit); `twice` runs a red check once more on the same tree."""

    tree: str
    criteria: tuple[Criterion, ...]
    step: StepId | None
    twice: bool


def advance(here: Here, exam: Exam) -> tuple[CheckResult, ...] | None:
    """Queue the next attempt that the exam needs, or return what its checks said when there is nothing more to run."""
    results: list[CheckResult] = []
    for criterion in exam.criteria:
        if criterion.check is None:
            continue
        tries = _answered(here, exam, criterion=criterion)
        if not tries or (exam.twice and len(tries) == 1 and not _green(tries[0])):
            return _go_on(here, exam, criterion=criterion, again=len(tries))
        results.append(_result(criterion, tries))
    return tuple(results)


def answers(place: Place, exam: Exam) -> tuple[CheckResult, ...]:
    """Return what the checks of an exam have said so far, each that has run."""
    found = ((each, _answered(place, exam, criterion=each)) for each in exam.criteria if each.check is not None)
    return tuple(_result(criterion, tries) for criterion, tries in found if tries)


def attempt_over(here: Here, attempt: AttemptState, *, instead: Callable[[Here, str], None] | None = None) -> bool:
    """Say whether an ended attempt is an answer; when it is not (lost, no program), what follows is done here.

    `instead` is what is done, with the reason, where the node would fail.
    """
    if _is_answer(attempt):
        return True
    after_failure(here, attempt, instead=instead)
    return False


def _go_on(here: Here, exam: Exam, *, criterion: Criterion, again: int) -> tuple[CheckResult, ...] | None:
    """Queue set-up or check; without a set-up folder, return that none of the checks can run."""
    setup = _setup(here, exam)
    if setup is None:
        command = check_command(criterion)
        here.queue(Role.CHECK, subject=criterion.id, step=exam.step, tree=exam.tree, command=command, again=again)
    elif setup.outcome is not None:
        return _without_setup(exam, setup, outcome=setup.outcome)
    return None


def _answered(place: Place, exam: Exam, *, criterion: Criterion) -> list[AttemptState]:
    key = check_key(exam.step, exam.tree, command=check_command(criterion))
    attempts = [place.run.attempts[each] for each in place.run.checked.get(key, ())]
    return [each for each in attempts if _is_answer(each)]


def _is_answer(attempt: AttemptState) -> bool:
    """Say whether a command ran and said something: it ended by itself, or passed a limit."""
    outcome = attempt.outcome
    if outcome is None or outcome.status is AttemptStatus.SUCCEEDED:
        return outcome is not None
    ran = outcome.exit_code is not None or outcome.signal is not None
    by_itself = outcome.failure is FailureClass.CRITERION or (outcome.failure is FailureClass.WORKER and ran)
    return by_itself or (outcome.status is AttemptStatus.TIMED_OUT and outcome.failure in LIMITS)


def check_command(criterion: Criterion) -> str:
    """Return what makes a check the same check: its command, time limit and network."""
    return f"{criterion.check}\n{criterion.timeout or ''}\n{'network' if criterion.network else ''}"


def _setup(here: Here, exam: Exam) -> AttemptState | None:
    """Return None when the folder is set up; else the set-up attempt: one under way, or one that is red."""
    if not here.project.setup:
        return None
    mine = [here.run.attempts[each] for each in here.node.attempts]
    tried = [each for each in mine if each.subject == SETUP and each.tree == exam.tree]
    if not tried:
        attempt = here.queue(Role.SETUP, subject=SETUP, step=exam.step, tree=exam.tree)
        return here.run.attempts[attempt]
    return None if _green(tried[-1]) else tried[-1]


def _without_setup(exam: Exam, setup: AttemptState, *, outcome: Outcome) -> tuple[CheckResult, ...]:
    return tuple(
        CheckResult(
            id=each.id,
            passed=False,
            attempt=setup.id,
            command=each.check,
            exit_code=outcome.exit_code,
            cannot_run=True,
            reason=f"set-up failed: {_reason(outcome)}",
            tail=outcome.tail,
            output_digest=outcome.output_digest,
        )
        for each in exam.criteria
        if each.check is not None
    )


def _green(attempt: AttemptState) -> bool:
    return attempt.status is AttemptStatus.SUCCEEDED


def _result(criterion: Criterion, tries: list[AttemptState]) -> CheckResult:
    last, outcome = tries[-1], tries[-1].outcome
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
        reason=stuck or ("" if passed else _reason(outcome)),
        tail=outcome.tail,
        output_digest=outcome.output_digest,
        cached_from=outcome.cached_from,
    )


def _reason(outcome: Outcome) -> str:
    return outcome.reason or f"exit {outcome.exit_code}"


def exam_job(place: Place, attempt: AttemptState, *, exam: Exam) -> ProcessJob:
    """Return the job of a check, or of the set-up before it."""
    if attempt.role is Role.SETUP:
        return setup_job(place, attempt, folder=exam_folder(place, attempt))
    criterion = next(each for each in exam.criteria if each.id == attempt.subject)
    assert criterion.check is not None
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=Role.CHECK,
        folder=exam_folder(place, attempt),
        limits=of_exams(place.policy, timeout=criterion.timeout or place.policy.check_timeout),
        argv=("sh", "-c", criterion.check),
        network=criterion.network,
        sandbox=place.policy.sandbox,
        again=attempt.again,
        twice=exam.twice,
    )


def setup_job(place: Place, attempt: AttemptState, *, folder: Folder) -> ProcessJob:
    """Return the job that makes a folder able to run the checks; the runtime passes over it when that was done."""
    policy = place.policy
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=Role.SETUP,
        folder=folder,
        limits=of_exams(policy, timeout=policy.timeout),
        argv=("sh", "-ec", "\n".join(place.project.setup)),
        sandbox=policy.sandbox,
    )


def exam_folder(place: Place, attempt: AttemptState) -> Folder:
    """Return the clean checkout that an attempt works in: its step's, the task's own, or without one the project's."""
    task = place.state.task
    return Folder(
        place="exam",
        project=place.project_id,
        task=TaskId(task.task.id) if task is not None else None,
        step=attempt.step if place.delivers else None,
        tree=Tree(attempt.tree) if attempt.tree else None,
    )
