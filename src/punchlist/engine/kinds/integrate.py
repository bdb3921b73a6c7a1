"""`integrate`: a tree with a passing verdict onto the task's branch as one commit; nothing else makes a step accepted.

One integration of a task is at work at a time. When the branch moved since the step's base, the two are merged and the
merged tree is checked again; a conflict or a red check there is a finding, and goes to rework.
"""


from punchlist.engine import checking
from punchlist.engine.checking import Answers, Exam
from punchlist.engine.fold_task import step_of
from punchlist.engine.judging import Reviewed, facts_of_tree, give
from punchlist.engine.progress import end
from punchlist.engine.retry import after_failure
from punchlist.engine.scope import resolve, step_at
from punchlist.engine.steps import move, record
from punchlist.engine.turn import Kind, Turn
from punchlist.errors import DefinitionError
from punchlist.model import events as ev
from punchlist.model.flow import IntegrateNode
from punchlist.model.ids import Commit, NodePath, ProjectId, StepId, TaskId, Tree
from punchlist.model.jobs import IntegrateJob, Job, MergeJob, Role
from punchlist.model.json import Json, plain
from punchlist.model.parse import parse
from punchlist.model.state import AttemptState, State, StepState
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus
from punchlist.model.verdicts import Verdict
from punchlist.quality.verdict import judge

MERGE, COMMIT = "merge", "commit"


def _begin(turn: Turn, path: NodePath) -> None:
    if turn.run.integrating[0] == path:
        _integrate(turn, path)


def _integrate(turn: Turn, path: NodePath) -> None:
    step, verdict = _step(turn, path), _verdict(turn.state, path)
    if verdict.result != "pass" or verdict.commit is None:
        raise DefinitionError("only a tree with a passing verdict can be integrated", where=path)
    if turn.task.tip == turn.task.steps[step].base:
        _plan(turn, path, verdict.tree)
    else:
        turn.queue(path, Role.ENGINE, subject=MERGE, step=step)


def _attempt_over(turn: Turn, path: NodePath, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if attempt.role in {Role.CHECK, Role.SETUP}:
        if checking.attempt_over(turn, path, attempt):
            _check_merged(turn, path)
    elif outcome.status is not AttemptStatus.SUCCEEDED:
        after_failure(turn, path, attempt)
    elif attempt.subject == MERGE:
        _merged(turn, path, outcome.result)
    else:
        _committed(turn, path, outcome.result)


def _merged(turn: Turn, path: NodePath, result: Json) -> None:
    assert isinstance(result, dict)
    conflicts = result.get("conflicts")
    if isinstance(conflicts, list) and conflicts:
        _rework(turn, path, conflicts=tuple(str(each) for each in conflicts), answers=None)
    else:
        _check_merged(turn, path)


def _check_merged(turn: Turn, path: NodePath) -> None:
    """Check the merged tree; a tree that the branch does not change was judged already."""
    step = _step(turn, path)
    answers = checking.advance(turn, path, _exam(turn.state, path, step))
    if answers is None:
        return
    if all(result.passed for result in answers.results):
        _plan(turn, path, Tree(_merged_tree(turn.state, path)))
    else:
        _rework(turn, path, conflicts=(), answers=answers)


def _exam(state: State, path: NodePath, step: StepId) -> Exam:
    assert state.task is not None
    criteria = step_of(state.task.task, step).criteria
    waived = {waiver.criterion for waiver in state.task.steps[step].waivers}
    kept = tuple(each for each in criteria if each.id not in waived)
    return Exam(tree=_merged_tree(state, path), criteria=kept, step=step, twice=True)


def _merged_tree(state: State, path: NodePath) -> str:
    run = state.run
    assert run is not None
    for each in reversed(run.nodes[path].attempts):
        outcome = run.attempts[each].outcome
        if run.attempts[each].subject == MERGE and outcome is not None and isinstance(outcome.result, dict):
            return str(outcome.result["tree"])
    raise DefinitionError("there is no merged tree yet", where=path)


def _plan(turn: Turn, path: NodePath, tree: Tree) -> None:
    step = _step(turn, path)
    tip = turn.task.tip
    assert tip is not None
    attempt = turn.queue(path, Role.ENGINE, subject=COMMIT, step=step)
    turn.emit(
        ev.IntegrationPlanned(
            step=step,
            attempt=attempt,
            parent=tip,
            tree=tree,
            author="Punchlist <punchlist@localhost>",
            message=_message(turn, path, step),
        ),
        actor="engine",
    )


def _message(turn: Turn, path: NodePath, step: StepId) -> str:
    task, verdict = turn.task.task, _verdict(turn.state, path)
    told = turn.task.steps[step]
    waived = "".join(f"Punchlist-Waived: {each.finding} by {each.by}: {_line(each.reason)}\n" for each in told.waivers)
    return (
        f"{step_of(task, step).title}\n\n"
        f"Punchlist-Task: {task.id}\nPunchlist-Step: {step}\nPunchlist-Attempt: {verdict.attempt}\n"
        f"Punchlist-Verdict: {verdict.result} {verdict.checks_digest}\n{waived}"
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _committed(turn: Turn, path: NodePath, result: Json) -> None:
    assert isinstance(result, dict)
    step, commit = _step(turn, path), Commit(str(result["commit"]))
    planned = turn.task.steps[step].planned
    assert planned is not None
    turn.emit(ev.StepIntegrated(step=step, commit=commit, tree=planned.tree), actor="engine")
    move(turn, step, StepStatus.ACCEPTED)
    record(turn, step)
    _end(turn, path, {"done": True, "commit": commit})


def _rework(turn: Turn, path: NodePath, *, conflicts: tuple[str, ...], answers: Answers | None) -> None:
    """Give the failing verdict of the merge, and make the moved tip the base of the step's next try."""
    step, before = _step(turn, path), _verdict(turn.state, path)
    criteria = step_of(turn.task.task, step).criteria
    facts = facts_of_tree(
        turn,
        path,
        tree=before.tree if answers is None else _merged_tree(turn.state, path),
        criteria=criteria,
        checks=answers.results if answers is not None else (),
        review=Reviewed(),
        conflicts=conflicts,
    )
    verdict = give(turn, path, judge(facts))
    move(turn, step, StepStatus.REWORK, reason=verdict.reason_code)
    tip = turn.task.tip
    if conflicts and tip is not None:
        turn.emit(ev.StepDispatched(step=step, base=tip), actor="engine")
    _end(turn, path, {"done": False, "verdict": plain(verdict)})


def _end(turn: Turn, path: NodePath, output: dict[str, Json]) -> None:
    end(turn, path, NodeStatus.SUCCEEDED, output=output)


def next_in_line(turn: Turn) -> None:
    """Set the integration at work that has come to the head of the queue and has not begun."""
    if turn.run.integrating:
        first = turn.run.integrating[0]
        if not turn.node(first).attempts:
            _integrate(turn, first)


def _job(state: State, attempt: AttemptState) -> Job:
    assert attempt.step is not None
    if attempt.role in {Role.CHECK, Role.SETUP}:
        return checking.check_job(state, attempt, _exam(state, attempt.node, attempt.step).criteria)
    assert state.task is not None
    assert state.project is not None
    told, project = state.task.steps[attempt.step], ProjectId(state.project.id)
    if attempt.subject == MERGE:
        return _merge_job(state, attempt, told, project)
    planned = told.planned
    assert planned is not None
    assert state.task.branch is not None
    return IntegrateJob(
        attempt=attempt.id,
        run=attempt.run,
        project=project,
        task=TaskId(state.task.task.id),
        branch=state.task.branch,
        parent=planned.parent,
        tree=planned.tree,
        message=f"{planned.message}Punchlist-Event: {planned.event}\n",
        author=planned.author,
        at=planned.at,
    )


def _merge_job(state: State, attempt: AttemptState, told: StepState, project: ProjectId) -> MergeJob:
    verdict, onto = _verdict(state, attempt.node), state.task.tip if state.task is not None else None
    assert verdict.commit is not None
    assert told.base is not None
    assert onto is not None
    return MergeJob(
        attempt=attempt.id, run=attempt.run, project=project, base=told.base, commit=verdict.commit, onto=onto
    )


def _step(turn: Turn, path: NodePath) -> StepId:
    step = step_at(turn.state, path)
    if step is None:
        raise DefinitionError("integrate works on a step, and there is none around this node", where=path)
    return step


def _verdict(state: State, path: NodePath) -> Verdict:
    assert state.run is not None
    node = state.run.spots[state.run.nodes[path].spot].node
    assert isinstance(node, IntegrateNode)
    return parse(Verdict, resolve(state, path, node.integrate), what=f"the verdict of {path}")


INTEGRATE = Kind(begin=_begin, attempt_over=_attempt_over, job=_job)
