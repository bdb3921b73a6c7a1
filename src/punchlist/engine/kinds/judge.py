"""`judge`: the verdict over checks, review, scope and facts of one tree; the task is accepted by that on its branch."""

import msgspec

from punchlist.engine.judging import Reviewed, facts_of_tree, give
from punchlist.engine.progress import end
from punchlist.engine.scope import find, resolve, step_at
from punchlist.engine.steps import move
from punchlist.engine.turn import Kind, Turn
from punchlist.errors import DefinitionError
from punchlist.model import events as ev
from punchlist.model.flow import CheckNode, JudgeNode, ReviewNode
from punchlist.model.ids import NodePath
from punchlist.model.json import plain
from punchlist.model.parse import parse
from punchlist.model.proofs import CheckResult
from punchlist.model.records import Criterion
from punchlist.model.state import NodeState
from punchlist.model.states import NodeStatus, StepStatus, TaskStatus
from punchlist.quality.verdict import judge


def _begin(turn: Turn, path: NodePath) -> None:
    node = turn.definition(path)
    assert isinstance(node, JudgeNode)
    named = [find(turn.run, path, name) for name in node.judge]
    checks = _checks_node(turn, named, path)
    output = checks.output
    if not isinstance(output, dict):
        raise DefinitionError(f"{checks.path} has no answer to judge", where=path)
    definition = turn.definition(checks.path)
    assert isinstance(definition, CheckNode)
    criteria = resolve(turn.state, checks.path, definition.criteria)
    facts = facts_of_tree(
        turn,
        path,
        tree=str(output["tree"]),
        criteria=parse(tuple[Criterion, ...], criteria, what=f"criteria of {checks.path}"),
        checks=msgspec.convert(output["results"], tuple[CheckResult, ...]),
        review=_review(turn, named, assigned=msgspec.convert(output["to_review"], tuple[Criterion, ...])),
    )
    verdict = give(turn, path, judge(facts))
    step = step_at(turn.state, path)
    if step is not None and verdict.result == "fail":
        move(turn, step, StepStatus.REWORK, reason=verdict.reason_code)
    if step is None and verdict.result == "pass" and turn.run.purpose == "deliver":
        turn.emit(ev.TaskMoved(status=TaskStatus.ACCEPTED, reason=verdict.reason_code), actor="engine")
    end(turn, path, NodeStatus.SUCCEEDED, output=plain(verdict))


def _checks_node(turn: Turn, named: list[NodeState], path: NodePath) -> NodeState:
    """Return the check node of the tree that is judged: the one that demands that the checks pass."""
    for node in named:
        definition = turn.definition(node.path)
        if isinstance(definition, CheckNode) and definition.expect == "pass":
            return node
    raise DefinitionError("judge needs a check node that demands that its checks pass", where=path)


def _review(turn: Turn, named: list[NodeState], *, assigned: tuple[Criterion, ...]) -> Reviewed:
    """Return what the reviewer said; what was left to one and not reviewed (the checks were red) stays assigned."""
    for node in named:
        if isinstance(turn.definition(node.path), ReviewNode) and node.status is NodeStatus.SUCCEEDED:
            output = node.output
            assert isinstance(output, dict)
            return msgspec.convert({key: value for key, value in output.items() if key != "suggestions"}, Reviewed)
    return Reviewed(assigned=tuple(each.id for each in assigned))


JUDGE = Kind(begin=_begin)
