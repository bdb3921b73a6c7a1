"""`check`: criteria by command, on a built tree, on the task's branch, or on the base (before approval and at dispatch)."""

import msgspec

from punchlist.engine import checking
from punchlist.engine.checking import Answers, Exam
from punchlist.engine.judging import facts_of_tree
from punchlist.engine.progress import end, go_on
from punchlist.engine.retry import again, ask
from punchlist.engine.scope import policy_at, resolve, step_at, text_of
from punchlist.engine.turn import Decision, Kind, Turn
from punchlist.errors import RefusedError
from punchlist.model.flow import CheckNode
from punchlist.model.gates import Effect
from punchlist.model.ids import NodePath, StepId
from punchlist.model.jobs import Job
from punchlist.model.json import Json, plain
from punchlist.model.parse import parse
from punchlist.model.proofs import CheckResult, ProofRow
from punchlist.model.records import Criterion
from punchlist.model.state import AttemptState, State
from punchlist.model.states import NodeStatus
from punchlist.quality.proof import differs, proof_row
from punchlist.quality.review import to_review
from punchlist.quality.verdict import clean


def _begin(turn: Turn, path: NodePath) -> None:
    rows = _still_proved(turn, path)
    if rows is not None:
        _end(turn, path, results=(), rows=rows)
        return
    _advance(turn, path)


def _advance(turn: Turn, path: NodePath) -> None:
    answers = checking.advance(turn, path, _exam(turn.state, path))
    if answers is not None:
        _answered(turn, path, answers)


def _attempt_over(turn: Turn, path: NodePath, attempt: AttemptState) -> None:
    if checking.attempt_over(turn, path, attempt):
        _advance(turn, path)


def _exam(state: State, path: NodePath) -> Exam:
    node = _definition(state, path)
    return Exam(
        tree=_tree(state, path, node),
        criteria=_criteria(state, path, node),
        step=step_at(state, path),
        twice=node.expect == "pass",
    )


def _criteria(state: State, path: NodePath, node: CheckNode) -> tuple[Criterion, ...]:
    return parse(tuple[Criterion, ...], resolve(state, path, node.criteria), what=f"criteria of {path}")


def _tree(state: State, path: NodePath, node: CheckNode) -> str:
    """Return the tree to check: the step's base, the tip of the task's branch, or what an expression gives."""
    assert state.run is not None
    task, step = state.task, step_at(state, path)
    if node.tree == "base":
        based = (
            task.steps[step].base if task is not None and step is not None and state.run.purpose == "deliver" else None
        )
        return based or state.run.base or ""
    if node.tree == "task_branch":
        assert task is not None
        return task.tip or ""
    return text_of(state, path, node.tree, what="tree")


def _still_proved(turn: Turn, path: NodePath) -> tuple[ProofRow, ...] | None:
    """Return what approval saw, when the base is still the one that it saw."""
    node, step = _definition(turn.state, path), step_at(turn.state, path)
    if node.expect != "approved" or step is None:
        return None
    proof = turn.task.proof
    if proof is None or proof.base != turn.task.steps[step].base:
        return None
    wanted = {each.id for each in _criteria(turn.state, path, node) if each.check is not None}
    rows = tuple(row for row in proof.rows if row.step == step and row.id in wanted)
    return rows if {row.id for row in rows} == wanted else None


def _answered(turn: Turn, path: NodePath, answers: Answers) -> None:
    node, step = _definition(turn.state, path), step_at(turn.state, path)
    if node.expect == "pass":
        _end(turn, path, results=answers.results, rows=())
        return
    criteria = {each.id: each for each in _criteria(turn.state, path, node)}
    rows = tuple(proof_row(step, criteria[result.id], result=result) for result in answers.results)
    changed = _changed(turn, step, rows) if node.expect == "approved" else ""
    if changed and not turn.node(path).decision:
        ask(turn, path, "unproven", message=changed)
    else:
        _end(turn, path, results=answers.results, rows=rows)


def _changed(turn: Turn, step: StepId | None, rows: tuple[ProofRow, ...]) -> str:
    approved = turn.task.proof.rows if turn.task.proof is not None else ()
    return "; ".join(differs(tuple(row for row in approved if row.step == step), rows))


def _end(turn: Turn, path: NodePath, *, results: tuple[CheckResult, ...], rows: tuple[ProofRow, ...]) -> None:
    node = _definition(turn.state, path)
    output: dict[str, Json] = {
        "tree": _tree(turn.state, path, node),
        "results": plain(results),
        "rows": plain(rows),
        "clean": True,
        "to_review": [],
    }
    if node.expect == "pass":
        criteria = _criteria(turn.state, path, node)
        facts = facts_of_tree(turn, path, tree=str(output["tree"]), criteria=criteria, checks=results)
        policy = policy_at(turn.state, path)
        asked = to_review(facts.criteria, facts.shows, policy_review=policy.review, wrote=facts.changes)
        output["to_review"] = plain(asked)
        output["clean"] = clean(msgspec.structs.replace(facts, assigned=tuple(each.id for each in asked)))
    end(turn, path, NodeStatus.SUCCEEDED, output=output)


def _decided(turn: Turn, path: NodePath, decision: Decision) -> None:
    go_on(turn, path)
    last = turn.node(path).attempts[-1] if turn.node(path).attempts else None
    match decision.choice.effect:
        case Effect.PROCEED:
            _advance(turn, path)
        case Effect.RETRY | Effect.RAISE if last is not None:
            again(turn, path, turn.run.attempts[last])
        case effect:
            raise RefusedError(f"a gate at a check cannot be decided so: {effect}")


def _job(state: State, attempt: AttemptState) -> Job:
    return checking.check_job(state, attempt, _exam(state, attempt.node).criteria)


def _definition(state: State, path: NodePath) -> CheckNode:
    assert state.run is not None
    node = state.run.spots[state.run.nodes[path].spot].node
    assert isinstance(node, CheckNode)
    return node


def rows_of(output: Json) -> tuple[ProofRow, ...]:
    """Return what a check node's output says of the base."""
    rows = output.get("rows", []) if isinstance(output, dict) else []
    return msgspec.convert(rows, tuple[ProofRow, ...])


CHECK = Kind(begin=_begin, attempt_over=_attempt_over, decided=_decided, job=_job)
