"""What a decision leads to at any node with attempts: another attempt, a raised limit, the end of its step."""

from collections.abc import Callable, Mapping

from punchlist.engine.asking import go_on
from punchlist.engine.limits import raise_limit
from punchlist.engine.progress import stop
from punchlist.engine.retry import again
from punchlist.engine.turn import Decision, Here
from punchlist.model import events as ev
from punchlist.model.gates import Effect
from punchlist.model.states import NodeStatus


def decide_attempt(here: Here, decision: Decision) -> None:
    """Do what a decision on a gate of the node's last attempt says."""
    _EFFECTS[decision.choice.effect](here, decision)


def _retry(here: Here, _decision: Decision) -> None:
    go_on(here)
    again(here, here.run.attempts[here.node.attempts[-1]])


def _raise(here: Here, decision: Decision) -> None:
    raise_limit(here, decision)
    _retry(here, decision)


def _answer(here: Here, decision: Decision) -> None:
    here.turn.emit(ev.ReworkAsked(step=here.own_step, message=str(decision.data["text"])))
    _retry(here, decision)


def skip_step(here: Here, decision: Decision) -> None:
    """End the item of the step as skipped; what needs it goes on. Outside a step, the node itself is skipped."""
    with here.turn.asked():
        stop(_whole(here), NodeStatus.SKIPPED, reason=said(decision))


def fail_step(here: Here, decision: Decision) -> None:
    """End the item of the step as failed; what needs it is cancelled. Outside a step, the node itself fails."""
    with here.turn.asked():
        stop(_whole(here), NodeStatus.FAILED, reason=said(decision))


def said(decision: Decision) -> str:
    """Return in words who decided what, for the record of what it ended."""
    return f"{decision.by} decided: {decision.choice.name}" + (f": {decision.note}" if decision.note else "")


def _whole(here: Here) -> Here:
    item = here.step_item
    return here.at(item.path) if item is not None else here


_EFFECTS: Mapping[Effect, Callable[[Here, Decision], None]] = {
    Effect.RETRY: _retry,
    Effect.RAISE: _raise,
    Effect.ANSWER: _answer,
    Effect.SKIP: skip_step,
    Effect.FAIL: fail_step,
}
