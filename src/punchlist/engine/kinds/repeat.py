"""`repeat`: its nodes again and again until a condition holds, and the gate that asks when the rounds are used up."""

from punchlist.engine.decisions import add_step, reopen_step, skip_step, waive_and_judge_again
from punchlist.engine.progress import end, go_on, start, wait
from punchlist.engine.scope import resolve, step_at
from punchlist.engine.steps import move
from punchlist.engine.turn import Decision, Kind, Turn
from punchlist.errors import DefinitionError, RefusedError
from punchlist.model import events as ev
from punchlist.model.flow import RepeatNode
from punchlist.model.gates import GATES, Effect
from punchlist.model.ids import NodePath
from punchlist.model.json import Json, plain
from punchlist.model.state import NodeState
from punchlist.model.states import NodeStatus, StepStatus
from punchlist.quality.rework import stagnates


def _begin(turn: Turn, path: NodePath) -> None:
    most = resolve(turn.state, path, _definition(turn, path).repeat.max)
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise DefinitionError(f"repeat.max must be a whole number from 1, but is {most!r}", where=path)
    _open_round(turn, path, 0, most)


def _open_round(turn: Turn, path: NodePath, index: int, most: int) -> None:
    turn.emit(ev.RoundOpened(node=path, index=index, most=most), actor="engine")
    start(turn, turn.node(path).children[-1])


def _child_over(turn: Turn, path: NodePath, child: NodeState) -> None:
    if child.status is not NodeStatus.SUCCEEDED:
        end(turn, path, NodeStatus.FAILED, error=child.error)
        return
    rule = _definition(turn, path).repeat
    done = resolve(turn.state, child.path, rule.until)
    if not isinstance(done, bool):
        raise DefinitionError(f"`until` must be true or false, but is {done!r}", where=path)
    node = turn.node(path)
    if done:
        end(turn, path, NodeStatus.SUCCEEDED, output=_output(turn, child))
    elif stuck := _stuck(turn, path):
        _ask(turn, path, f"the rounds go nowhere: {stuck}")
    elif node.index + 1 < node.most:
        _open_round(turn, path, node.index + 1, node.most)
    else:
        _exhausted(turn, path, child)


def _stuck(turn: Turn, path: NodePath) -> str:
    """Return why another round would be no use, or nothing; only loops that end at a gate `rework` are watched."""
    rule, step = _definition(turn, path).repeat, step_at(turn.state, path)
    if step is None or rule.on_exhausted != "gate" or rule.gate != "rework":
        return ""
    told = turn.task.steps[step]
    decided = max((gate.decided_at for gate in turn.run.gates.values() if gate.node == path), default="")
    return stagnates([row.verdict for row in told.verdicts if row.r == told.r and row.at > decided])


def _exhausted(turn: Turn, path: NodePath, child: NodeState) -> None:
    rule = _definition(turn, path).repeat
    rounds = turn.node(path).index + 1
    message = f"{rounds} round{'s' if rounds > 1 else ''} used up"
    match rule.on_exhausted:
        case "fail":
            end(turn, path, NodeStatus.FAILED, error=message)
        case "continue":
            end(turn, path, NodeStatus.SUCCEEDED, output=_output(turn, child))
        case "gate":
            _ask(turn, path, message)


def _ask(turn: Turn, path: NodePath, message: str) -> None:
    rule, step = _definition(turn, path).repeat, step_at(turn.state, path)
    told = turn.state.task.steps.get(step or "") if turn.state.task is not None else None
    verdict = told.verdicts[-1].verdict if told is not None and told.verdicts else None
    if verdict is not None:
        findings = "; ".join(f"{each.id} {each.text}" for each in verdict.findings)
        message = f"{message}. {verdict.reason_code}: {findings}" if findings else message
    choices = tuple(choice.name for choice in GATES[rule.gate].choices)
    turn.open_gate(path, rule.gate, message=message, choices=choices, shows=plain(verdict), step=step)
    wait(turn, path)
    if step is not None:
        move(turn, step, StepStatus.WAITING, reason=message)


def _decided(turn: Turn, path: NodePath, decision: Decision) -> None:
    match decision.choice.effect:
        case Effect.MORE:
            _more(turn, path, decision)
        case Effect.WAIVE:
            go_on(turn, path)
            waive_and_judge_again(turn, path, decision)
        case Effect.SKIP:
            skip_step(turn, path, reason=_note(decision))
        case Effect.FAIL:
            end(turn, path, NodeStatus.FAILED, error=f"{decision.by} decided: fail {_note(decision)}".strip())
        case Effect.LAST:
            last = turn.node(turn.node(path).children[-1])
            end(turn, path, NodeStatus.SUCCEEDED, output=_output(turn, last))
        case Effect.ADD_STEP:
            add_step(turn, decision)
        case Effect.REOPEN:
            reopen_step(turn, decision)
        case effect:
            raise RefusedError(f"a gate at a repeat cannot be decided so: {effect}")


def _more(turn: Turn, path: NodePath, decision: Decision) -> None:
    go_on(turn, path)
    count = decision.data.get("n", 1)
    assert isinstance(count, int)
    step, message = step_at(turn.state, path), decision.data.get("message", decision.data.get("note"))
    if step is not None:
        if isinstance(message, str):
            turn.emit(ev.ReworkAsked(step=step, message=message))
        move(turn, step, StepStatus.REWORK)
    node = turn.node(path)
    _open_round(turn, path, node.index + 1, node.index + 1 + count)


def _note(decision: Decision) -> str:
    note = decision.data.get("note")
    return note if isinstance(note, str) else ""


def _output(turn: Turn, round_: NodeState) -> Json:
    definition = turn.definition(round_.path)
    assert isinstance(definition, RepeatNode)
    if definition.output is not None:
        return resolve(turn.state, round_.path, definition.output)
    return turn.node(round_.path).output


def _definition(turn: Turn, path: NodePath) -> RepeatNode:
    node = turn.definition(path)
    assert isinstance(node, RepeatNode)
    return node


REPEAT = Kind(begin=_begin, child_over=_child_over, decided=_decided)
