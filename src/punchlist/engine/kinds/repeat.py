"""`repeat`: its nodes again and again until a condition holds, and the gate that asks when the rounds are used up."""

from collections.abc import Callable, Mapping
from typing import assert_never

from punchlist.engine.answering import fail_step, said, skip_step
from punchlist.engine.asking import ask, go_on
from punchlist.engine.place import Place
from punchlist.engine.progress import end, start
from punchlist.engine.reopening import add_step, reopen_step
from punchlist.engine.scope import resolve, truth, whole_number
from punchlist.engine.steps import move
from punchlist.engine.turn import Decision, Here, Kind
from punchlist.engine.waiving import waive_and_judge_again
from punchlist.model import events as ev
from punchlist.model.flow import RepeatNode
from punchlist.model.gates import GATES, Effect
from punchlist.model.json import Json, plain
from punchlist.model.state import NodeState
from punchlist.model.states import NodeStatus, StepStatus
from punchlist.model.verdicts import Verdict
from punchlist.quality.findings import blocks
from punchlist.quality.rework import stagnates

_NAMED = 5
"""How many findings the message of a gate names; what they say stands in the verdict that it shows."""


def _begin(here: Here) -> None:
    most = whole_number(here, here.defined(RepeatNode).repeat.max, what="repeat.max")
    _open_round(here, 0, most=most)


def _open_round(here: Here, index: int, *, most: int) -> None:
    here.emit(ev.RoundOpened(node=here.path, index=index, most=most))
    opened = here.at(here.node.children[-1])
    here.turn.later(lambda: start(opened))


def _child_over(here: Here, child: NodeState) -> None:
    if child.status is not NodeStatus.SUCCEEDED:
        end(here, NodeStatus.FAILED, error=child.error or f"{child.path} was {child.status}")
    elif truth(here.at(child.path), here.defined(RepeatNode).repeat.until, what="`until`"):
        end(here, NodeStatus.SUCCEEDED, output=_output(here, child))
    elif stuck := _stuck(here):
        _ask(here, f"the rounds go nowhere: {stuck}")
    elif here.node.index + 1 < here.node.most:
        _open_round(here, here.node.index + 1, most=here.node.most)
    else:
        _exhausted(here, child)


def _stuck(here: Here) -> str:
    """Return why another round would be no use, or nothing; only loops that end at a gate `rework` are watched.

    Rounds before a person's last decision count as trees that were judged already, not as rounds running.
    """
    rule = here.defined(RepeatNode).repeat
    if here.step is None or rule.on_exhausted != "gate" or rule.gate != "rework":
        return ""
    rows = [row for row in here.told.verdicts if row.r == here.told.r]
    since = here.node.children[here.node.settled :]
    latest = [row.verdict for row in rows if any(row.node.startswith(f"{path}.") for path in since)]
    tries = {verdict.attempt for verdict in latest}
    before = {row.verdict.tree for row in rows if row.verdict.attempt not in tries}
    return stagnates(latest, trees=before)


def _exhausted(here: Here, child: NodeState) -> None:
    rounds = here.node.index + 1
    message = f"{rounds} round{'s' if rounds > 1 else ''} used up"
    rule = here.defined(RepeatNode).repeat.on_exhausted
    match rule:
        case "fail":
            end(here, NodeStatus.FAILED, error=message)
        case "continue":
            end(here, NodeStatus.SUCCEEDED, output=_output(here, child))
        case "gate":
            _ask(here, message)
        case _:
            assert_never(rule)


def _ask(here: Here, message: str) -> None:
    verdict = _last_verdict(here)
    if verdict is not None and verdict.findings:
        blocking = [f"{each.id} {each.criterion or each.place}".rstrip() for each in verdict.findings if blocks(each)]
        more = f" and {len(blocking) - _NAMED} more" if len(blocking) > _NAMED else ""
        message = f"{message}. {verdict.reason_code}: {', '.join(blocking[:_NAMED])}{more}"
    kind = here.defined(RepeatNode).repeat.gate
    ask(here, kind, message=message, choices=_choices(here, kind), shows=plain(verdict))


def _last_verdict(place: Place) -> Verdict | None:
    task = place.state.task
    told = task.steps.get(place.step or "") if task is not None else None
    row = told.present if told is not None else None
    return None if row is None else row.verdict


def _choices(place: Place, kind: str) -> tuple[str, ...]:
    """Return the choices that mean something here: some are about a step, a verdict, or the whole of a task."""
    sense = {
        Effect.SKIP: place.step is not None,
        Effect.WAIVE: _last_verdict(place) is not None,
        Effect.ADD_STEP: place.delivers and place.step is None and _last_verdict(place) is not None,
        Effect.REOPEN: place.delivers and place.step is None,
    }
    return tuple(choice.name for choice in GATES[kind].choices if sense.get(choice.effect, True))


def _decided(here: Here, decision: Decision) -> None:
    _EFFECTS[decision.choice.effect](here, decision)


def _waive(here: Here, decision: Decision) -> None:
    go_on(here)
    waive_and_judge_again(here, decision)


def _last(here: Here, _decision: Decision) -> None:
    last = here.at(here.node.children[-1]).node
    end(here, NodeStatus.SUCCEEDED, output=_output(here, last))


def _more(here: Here, decision: Decision) -> None:
    go_on(here)
    if here.delivers and here.step is not None and decision.note:
        here.turn.emit(ev.ReworkAsked(step=here.own_step, message=decision.note))
    move(here, StepStatus.REWORK, reason=said(decision))
    count, index = decision.data.get("n", 1), here.node.index
    assert isinstance(count, int)
    _open_round(here, index + 1, most=index + 1 + count)


def _output(here: Here, round_: NodeState) -> Json:
    output = here.defined(RepeatNode).output
    return round_.output if output is None else resolve(here.at(round_.path), output)


_EFFECTS: Mapping[Effect, Callable[[Here, Decision], None]] = {
    Effect.MORE: _more,
    Effect.WAIVE: _waive,
    Effect.LAST: _last,
    Effect.ADD_STEP: add_step,
    Effect.REOPEN: reopen_step,
    Effect.SKIP: skip_step,
    Effect.FAIL: fail_step,
}
REPEAT = Kind(begin=_begin, child_over=_child_over, decided=_decided)
