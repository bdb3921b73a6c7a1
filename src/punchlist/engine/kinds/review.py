"""`review`: criteria judged by a worker in role `qa`, in a fresh session, read-only, on a clean checkout of the tree."""

import msgspec

from punchlist.engine.checking import exam_folder
from punchlist.engine.decisions import skip_step
from punchlist.engine.judging import Reviewed
from punchlist.engine.kinds.agent import limits_of, raised_limits
from punchlist.engine.packs import review_pack
from punchlist.engine.progress import end, go_on
from punchlist.engine.retry import after_failure, again
from punchlist.engine.scope import policy_at, resolve, step_at, text_of, upward
from punchlist.engine.steps import move
from punchlist.engine.turn import Decision, Kind, Turn
from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.flow import CheckNode, ReviewNode
from punchlist.model.gates import Effect
from punchlist.model.ids import NodePath
from punchlist.model.jobs import FailureClass, Job, Outcome, ProcessJob, Role
from punchlist.model.json import plain
from punchlist.model.parse import parse
from punchlist.model.proofs import CheckResult
from punchlist.model.records import Criterion
from punchlist.model.results import Review
from punchlist.model.state import AttemptState, State
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus
from punchlist.quality.review import review_problems

replace = msgspec.structs.replace


def _begin(turn: Turn, path: NodePath) -> None:
    worker = _worker(turn.state, path)
    turn.queue(path, Role.QA, worker=worker, step=step_at(turn.state, path), tree=_tree(turn.state, path))


def _worker(state: State, path: NodePath) -> str:
    node = _definition(state, path)
    if node.worker is not None:
        return text_of(state, path, node.worker, what="the reviewer's name")
    task = (state.run.inputs if state.run is not None else {}).get("task")
    steps = task.get("steps") if isinstance(task, dict) else None
    names = [step.get("qa") for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    for name in names:
        if isinstance(name, str):
            return name
    raise DefinitionError("no reviewer is set", where=path, hint="Set [roles] qa in punchlist.toml.")


def _attempt_over(turn: Turn, path: NodePath, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is not AttemptStatus.SUCCEEDED:
        after_failure(turn, path, attempt)
        return
    review = msgspec.convert(outcome.result, Review)
    reviewed = Reviewed(
        assigned=tuple(each.id for each in _criteria(turn.state, path)),
        results=review.criteria,
        attempt=attempt.id,
        evidence=outcome.evidence,
        exam_changed=outcome.exam_changed,
        unenforced=outcome.unenforced,
    )
    output = plain(reviewed)
    assert isinstance(output, dict)
    end(turn, path, NodeStatus.SUCCEEDED, output={**output, "suggestions": list(review.suggestions)})


def _examine(turn: Turn, path: NodePath, outcome: Outcome) -> Outcome:
    """Take an incomplete review, or one whose evidence does not resolve, for bad output: it is no pass."""
    review = msgspec.convert(outcome.result, Review)
    assigned = [each.id for each in _criteria(turn.state, path)]
    problems = review_problems(review, assigned, evidence=outcome.evidence)
    if not problems:
        return outcome
    reason = f"bad output: {'; '.join(problems)}"
    return replace(outcome, status=AttemptStatus.FAILED, failure=FailureClass.WORKER, reason=reason)


def _decided(turn: Turn, path: NodePath, decision: Decision) -> None:
    match decision.choice.effect:
        case Effect.RETRY | Effect.RAISE | Effect.ANSWER:
            go_on(turn, path)
            step = step_at(turn.state, path)
            if step is not None:
                move(turn, step, StepStatus.REVIEWING)
            again(turn, path, turn.run.attempts[turn.node(path).attempts[-1]])
        case Effect.SKIP:
            skip_step(turn, path, reason=str(decision.data.get("note", "")))
        case Effect.FAIL:
            end(turn, path, NodeStatus.FAILED, error=f"{decision.by} decided: fail")
        case effect:
            raise RefusedError(f"a gate at a review cannot be decided so: {effect}")


def _criteria(state: State, path: NodePath) -> tuple[Criterion, ...]:
    found = resolve(state, path, _definition(state, path).criteria)
    return parse(tuple[Criterion, ...], found, what=f"criteria of {path}")


def _tree(state: State, path: NodePath) -> str:
    node = _definition(state, path)
    if node.tree == "task_branch":
        assert state.task is not None
        return state.task.tip or ""
    return text_of(state, path, node.tree, what="tree")


def _checks(state: State, path: NodePath, tree: str) -> tuple[CheckResult, ...]:
    """Return the check results on the same tree that stand beside the review in its group."""
    run = state.run
    assert run is not None
    group = next(node for node in upward(run, path) if node.path != path)
    for child in group.children:
        node = run.nodes[child]
        output = node.output
        if isinstance(run.spots[node.spot].node, CheckNode) and isinstance(output, dict) and output["tree"] == tree:
            return msgspec.convert(output["results"], tuple[CheckResult, ...])
    return ()


def _job(state: State, attempt: AttemptState) -> Job:
    tree, step = _tree(state, attempt.node), attempt.step
    pack = review_pack(
        state, step, tree=tree, criteria=_criteria(state, attempt.node), checks=_checks(state, attempt.node, tree)
    )
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=Role.QA,
        folder=exam_folder(state, attempt),
        limits=limits_of(state, attempt.node, raised=raised_limits(state, attempt)),
        worker=attempt.worker,
        pack=plain(pack),
        env={"PUNCHLIST_ROUND": str(attempt.s), "PUNCHLIST_STEP": step or ""},
        sandbox=policy_at(state, attempt.node).sandbox,
        diff_base=pack.base,
    )


def _definition(state: State, path: NodePath) -> ReviewNode:
    assert state.run is not None
    node = state.run.spots[state.run.nodes[path].spot].node
    assert isinstance(node, ReviewNode)
    return node


REVIEW = Kind(begin=_begin, attempt_over=_attempt_over, decided=_decided, job=_job, examine=_examine)
