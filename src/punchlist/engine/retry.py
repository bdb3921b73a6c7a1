"""What follows an attempt that did not succeed: another one, later, a gate, or the end of its node.

The failure is classified first; each class has its own budget, so that an outage never eats rework rounds.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from punchlist.engine.asking import ask
from punchlist.engine.limits import twice
from punchlist.engine.place import Place
from punchlist.engine.progress import end
from punchlist.engine.turn import Here
from punchlist.model.flow import Flow, PythonNode, Retry, RunNode
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import FailureClass, Outcome, ProcessJob, Role
from punchlist.model.policy import duration
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus, NodeStatus

Instead = Callable[[Here, str], None]
"""What is done, with the reason, where a node would fail."""
LOST_MOST = 3
LIMIT_MOST = 2
_LINES = 5
"""How many of its last lines are shown where it is asked what to do about a limit."""
QUOTA_DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
LIMITS = frozenset(
    {
        FailureClass.TIMEOUT,
        FailureClass.SILENCE,
        FailureClass.MEMORY,
        FailureClass.OUTPUT,
        FailureClass.PROCESSES,
    }
)


def after_failure(here: Here, attempt: AttemptState, *, instead: Instead | None = None) -> None:
    """Queue the attempt again, open a gate, or fail the node, as the class of its failure and its budget say.

    `instead` is what is done, with the reason, where the node would fail.
    """
    assert attempt.outcome is not None
    rule = _retries(here)
    if _goes_back(here, attempt):
        again(here, attempt)
    elif not is_named(rule, attempt.outcome):
        _by_class(here, attempt, rule=rule, instead=instead)
    elif (count := _count(here, attempt, alike=lambda outcome: is_named(rule, outcome))) <= rule.max:
        again(here, attempt, not_before=_later(here, _delay(rule, count)))
    else:
        _give_up(here, attempt, instead=instead)


def is_named(rule: Retry, outcome: Outcome) -> bool:
    """Say whether a rule names a failure: its class, or the code that the process ended with."""
    return class_of(outcome).value in rule.on or f"exit:{outcome.exit_code}" in rule.on


def _by_class(here: Here, attempt: AttemptState, *, rule: Retry, instead: Instead | None) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    failure = class_of(outcome)
    same = _count(here, attempt, alike=lambda outcome: class_of(outcome) is failure)
    if failure is FailureClass.QUOTA:
        again(here, attempt, not_before=_reset(outcome) or _later(here, QUOTA_DELAYS[min(same, len(QUOTA_DELAYS)) - 1]))
    elif failure is FailureClass.BLOCKED:
        choices = None if attempt.role is Role.BUILDER else ("skip", "fail")  # only a builder's pack takes an answer
        ask(here, "blocked", message=outcome.reason or "the agent asks, but left no question", choices=choices)
    elif failure is FailureClass.LOST and same >= LOST_MOST:
        _ask_limit(here, attempt, raisable=False)
    elif failure in LIMITS and same >= LIMIT_MOST:
        _ask_limit(here, attempt, raisable=outcome.passed_limit is not None)
    elif failure in LIMITS or failure is FailureClass.LOST:
        again(here, attempt)
    elif failure is FailureClass.WORKER and not rule.on and same <= rule.max:
        again(here, attempt, not_before=_later(here, _delay(rule, same)))
    else:
        _give_up(here, attempt, instead=instead)


def _give_up(here: Here, attempt: AttemptState, *, instead: Instead | None) -> None:
    assert attempt.outcome is not None
    reason = attempt.outcome.reason or class_of(attempt.outcome)
    if instead is not None:
        instead(here, reason)
    else:
        end(here, NodeStatus.FAILED, error=f"attempt {attempt.id}: {reason}")


def bad(outcome: Outcome, problems: Sequence[str]) -> Outcome:
    """Return the outcome of what ended well and answered other than it was asked to."""
    return msgspec.structs.replace(
        outcome,
        status=AttemptStatus.FAILED,
        failure=FailureClass.WORKER,
        reason=f"bad output: {'; '.join(problems)}",
        bad_output=True,
    )


def _goes_back(here: Here, attempt: AttemptState) -> bool:
    """Say whether an answer that was not what was asked for goes back to who gave it: once, and it costs no try."""
    return attempt.role is Role.NODE and _is_bad(attempt) and _bad_ones(here)[:1] == [attempt.id]


def _bad_ones(here: Here) -> list[AttemptId]:
    mine = (here.run.attempts[each] for each in here.node.attempts[here.node.settled :])
    return [each.id for each in mine if _is_bad(each)]


def _is_bad(attempt: AttemptState) -> bool:
    return attempt.outcome is not None and attempt.outcome.bad_output


def class_of(outcome: Outcome) -> FailureClass:
    """Return the class of a failure; what was cancelled, though not by a decision, was lost."""
    if outcome.status in {AttemptStatus.LOST, AttemptStatus.CANCELLED}:
        return FailureClass.LOST
    return outcome.failure or FailureClass.WORKER


def again(here: Here, attempt: AttemptState, *, not_before: str | None = None) -> None:
    """Queue another attempt for the same thing, in the same session unless that cannot be gone on with."""
    outcome = attempt.outcome
    session = attempt.session
    if outcome is not None:
        session = None if outcome.session_over else outcome.session or attempt.session
    here.queue(
        attempt.role,
        subject=attempt.subject,
        worker=attempt.worker,
        step=attempt.step,
        tree=attempt.tree,
        command=attempt.command,
        again=attempt.again,
        session=session,
        not_before=not_before,
        after=attempt.id,
    )


def sent_back(place: Place, attempt: AttemptState) -> str:
    """Return why the try before, in the same session, was not taken; nothing for another kind of end."""
    mine = place.node.attempts
    before = [place.run.attempts[each] for each in mine[: mine.index(attempt.id)]]
    same = [each.outcome for each in before if each.role is attempt.role]
    if attempt.role is Role.NODE:
        return same[-1].reason if same and same[-1] is not None and same[-1].bad_output else ""
    if attempt.session is None or not same or same[-1] is None or same[-1].failure is not FailureClass.WORKER:
        return ""
    return same[-1].reason


def _ask_limit(here: Here, attempt: AttemptState, *, raisable: bool) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    choices = ("raise", "retry", "skip", "fail") if raisable else ("retry", "skip", "fail")
    message, lines = f"attempt {attempt.id} again: {outcome.reason}", outcome.tail.strip("\n").splitlines()
    if lines and lines[-1] not in outcome.reason:
        message += "\n".join(["; its last lines:", *lines[-_LINES:]])
    ask(here, "limit", message=message, choices=choices, example=_twice(here, attempt) if raisable else "")


def _twice(here: Here, attempt: AttemptState) -> str:
    """Return twice the limit that an attempt has passed, as a person may give it."""
    made = here.turn.kinds[here.node.kind].job
    job = made(here, attempt) if made is not None else None
    passed = attempt.outcome.passed_limit if attempt.outcome is not None else None
    return twice(job.limits, passed) if isinstance(job, ProcessJob) and passed else ""


def _count(here: Here, attempt: AttemptState, *, alike: Callable[[Outcome], bool]) -> int:
    """Return how many attempts for the same thing ended alike, since the last decision at the node.

    Those before that were stopped, by a pause or with the engine, did not fail.
    """

    def counts(each: AttemptState) -> bool:
        if each.outcome is None or (each.subject, each.again) != (attempt.subject, attempt.again):
            return False
        if each.status is AttemptStatus.CANCELLED and each.id != attempt.id:
            return False
        if each.id != attempt.id and _is_bad(each) and _goes_back(here, each):
            return False
        return each.status is not AttemptStatus.SUCCEEDED and alike(each.outcome)

    mine = [here.run.attempts[each] for each in here.node.attempts[here.node.settled :]]
    return sum(counts(each) for each in mine)


def _retries(here: Place) -> Retry:
    definition = here.definition
    if not isinstance(definition, Flow) and definition.retry is not None:
        return definition.retry
    return Retry(max=0 if isinstance(definition, RunNode | PythonNode) else here.policy.retries)


def _delay(rule: Retry, tries: int) -> timedelta:
    delay, most = duration(rule.first), duration(rule.most)
    for _ in range(tries - 1):
        delay = min(delay * rule.factor, most)
    return min(delay, most)


def _reset(outcome: Outcome) -> str | None:
    """Return the time at which a quota is said to be free again; None when nothing usable was said."""
    try:
        moment = datetime.fromisoformat(outcome.not_before or "")
    except ValueError:
        return None
    return stamp(moment.astimezone(UTC)) if moment.tzinfo is not None else None


def _later(here: Here, delay: timedelta) -> str:
    return stamp(datetime.fromisoformat(here.turn.context.at) + delay)


def stamp(moment: datetime) -> str:
    """Return a time as events carry it: UTC, with microseconds, sortable as text."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
