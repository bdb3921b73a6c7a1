"""What follows an attempt that did not succeed: another one, later, a gate, or the end of its node.

The failure is classified first; each class has its own budget, so that an outage never eats rework rounds.
"""

from datetime import datetime, timedelta

from punchlist.engine.progress import end, wait
from punchlist.engine.scope import policy_at, step_at
from punchlist.engine.steps import move
from punchlist.engine.turn import Turn
from punchlist.model.flow import AgentNode, Flow, Retry, ReviewNode
from punchlist.model.gates import GATES
from punchlist.model.ids import NodePath
from punchlist.model.jobs import FailureClass
from punchlist.model.policy import duration
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus

LOST_MOST = 3
LIMIT_MOST = 2
QUOTA_DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
_LIMITS = {FailureClass.TIMEOUT, FailureClass.SILENCE, FailureClass.MEMORY, FailureClass.OUTPUT}


def after_failure(turn: Turn, path: NodePath, attempt: AttemptState) -> None:
    """Queue the attempt again, open a gate, or fail the node, as the class of its failure and its budget say."""
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is AttemptStatus.CANCELLED:
        return
    failure = FailureClass.LOST if outcome.status is AttemptStatus.LOST else outcome.failure or FailureClass.WORKER
    same = _same(turn, path, attempt, failure)
    if failure is FailureClass.QUOTA:
        delay = QUOTA_DELAYS[min(same, len(QUOTA_DELAYS)) - 1]
        again(turn, path, attempt, not_before=outcome.not_before or _later(turn, delay))
    elif failure is FailureClass.LOST:
        _repeat_or_ask(turn, path, attempt, asks=same >= LOST_MOST)
    elif failure in _LIMITS:
        _repeat_or_ask(turn, path, attempt, asks=same >= LIMIT_MOST)
    elif failure is FailureClass.BLOCKED:
        ask(turn, path, "blocked", message=outcome.reason or "the agent asks, but left no question")
    elif failure is FailureClass.WORKER and same <= _retries(turn, path).max:
        again(turn, path, attempt, not_before=_later(turn, _delay(_retries(turn, path), same)))
    else:
        end(turn, path, NodeStatus.FAILED, error=f"attempt {attempt.id}: {outcome.reason or failure}")


def again(turn: Turn, path: NodePath, attempt: AttemptState, *, not_before: str | None = None) -> None:
    """Queue another attempt for the same thing."""
    turn.queue(
        path,
        attempt.role,
        subject=attempt.subject,
        worker=attempt.worker,
        step=attempt.step,
        tree=attempt.tree,
        command=attempt.command,
        again=attempt.again,
        session=attempt.outcome.session or attempt.session if attempt.outcome else attempt.session,
        not_before=not_before,
    )


def ask(turn: Turn, path: NodePath, kind: str, *, message: str) -> None:
    """Open a gate at a node, which waits for it, as does its step."""
    step = step_at(turn.state, path)
    choices = tuple(choice.name for choice in GATES[kind].choices)
    turn.open_gate(path, kind, message=message, choices=choices, shows={"node": path}, step=step)
    wait(turn, path)
    if step is not None and turn.run.purpose == "deliver":
        move(turn, step, StepStatus.WAITING, reason=message)


def _repeat_or_ask(turn: Turn, path: NodePath, attempt: AttemptState, *, asks: bool) -> None:
    assert attempt.outcome is not None
    if asks:
        ask(turn, path, "limit", message=f"attempt {attempt.id} again: {attempt.outcome.reason}")
    else:
        again(turn, path, attempt)


def _same(turn: Turn, path: NodePath, attempt: AttemptState, failure: FailureClass) -> int:
    """Return how many attempts for the same thing ended in this class, since the last decision at the node."""

    def counts(each: AttemptState) -> bool:
        ended = each.outcome
        if ended is None or (each.subject, each.again) != (attempt.subject, attempt.again):
            return False
        lost = ended.status is AttemptStatus.LOST
        return lost if failure is FailureClass.LOST else not lost and ended.failure is failure

    node = turn.node(path)
    decided = max((gate.decided_at for gate in turn.run.gates.values() if gate.node == path), default="")
    mine = [turn.run.attempts[each] for each in node.attempts]
    return sum(counts(each) for each in mine if each.queued_at >= decided)


def _retries(turn: Turn, path: NodePath) -> Retry:
    node = turn.definition(path)
    if not isinstance(node, Flow) and node.retry is not None:
        return node.retry
    by_agent = isinstance(node, AgentNode | ReviewNode)
    return Retry(max=policy_at(turn.state, path).retries if by_agent else 0)


def _delay(rule: Retry, tries: int) -> timedelta:
    growth: int = rule.factor ** (tries - 1)
    return min(duration(rule.first) * growth, duration(rule.most))


def _later(turn: Turn, delay: timedelta) -> str:
    return stamp(datetime.fromisoformat(turn.context.at) + delay)


def stamp(moment: datetime) -> str:
    """Return a time as events carry it: UTC, with microseconds, sortable as text."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
