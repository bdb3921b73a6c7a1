"""`publish`: the accepted task's branch to where people see it, or a plan as draft tasks."""

from punchlist.engine.progress import end, go_on
from punchlist.engine.retry import after_failure, again, ask
from punchlist.engine.scope import policy_at, resolve, text_of
from punchlist.engine.turn import Decision, Kind, Turn
from punchlist.errors import DefinitionError, RefusedError
from punchlist.model import events as ev
from punchlist.model.flow import PublishNode
from punchlist.model.gates import Effect
from punchlist.model.ids import Commit, NodePath, ProjectId, TaskId
from punchlist.model.jobs import FailureClass, Job, PlanJob, PublishJob, Role
from punchlist.model.policy import Policy
from punchlist.model.state import AttemptState, State
from punchlist.model.states import AttemptStatus, NodeStatus


def _begin(turn: Turn, path: NodePath) -> None:
    node = _definition(turn.state, path)
    if node.publish == "task":
        _how(turn.state, path)
    turn.queue(path, Role.ENGINE, subject=node.publish)


def _attempt_over(turn: Turn, path: NodePath, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is AttemptStatus.SUCCEEDED:
        _published(turn, path, outcome.result)
    elif _definition(turn.state, path).publish == "task" and outcome.failure is FailureClass.DEFINITION:
        ask(turn, path, "merge", message=f"publishing failed: {outcome.reason}")
    else:
        after_failure(turn, path, attempt)


def _published(turn: Turn, path: NodePath, result: object) -> None:
    assert isinstance(result, dict)
    if _definition(turn.state, path).publish == "task":
        turn.emit(
            ev.TaskPublished(
                how=_how(turn.state, path),
                branch=str(result["branch"]),
                commit=Commit(str(result["commit"])),
                merged=bool(result["merged"]),
            ),
            actor="engine",
        )
    end(turn, path, NodeStatus.SUCCEEDED, output=result)


def _decided(turn: Turn, path: NodePath, decision: Decision) -> None:
    match decision.choice.effect:
        case Effect.RETRY:
            go_on(turn, path)
            again(turn, path, turn.run.attempts[turn.node(path).attempts[-1]])
        case Effect.LEAVE:
            branch, tip = turn.task.branch, turn.task.tip
            end(turn, path, NodeStatus.SUCCEEDED, output={"branch": branch, "commit": tip, "merged": False})
        case effect:
            raise RefusedError(f"publishing cannot be decided so: {effect}", hint="Choose leave or retry.")


def _how(state: State, path: NodePath) -> str:
    node = _definition(state, path)
    how = text_of(state, path, node.how, what="how") if node.how is not None else policy_at(state, path).on_accept
    allowed = Policy.__annotations__["on_accept"].__args__
    if how not in allowed:
        raise DefinitionError(f"how is {how!r}; allowed: {', '.join(allowed)}", where=path)
    return how


def _job(state: State, attempt: AttemptState) -> Job:
    node, project = _definition(state, attempt.node), state.project
    assert project is not None
    if node.publish == "plan":
        plan = resolve(state, attempt.node, node.plan)
        return PlanJob(attempt=attempt.id, run=attempt.run, project=ProjectId(project.id), plan=plan)
    task = state.task
    assert task is not None
    assert task.branch is not None
    assert task.tip is not None
    return PublishJob(
        attempt=attempt.id,
        run=attempt.run,
        project=ProjectId(project.id),
        task=TaskId(task.task.id),
        branch=task.branch,
        commit=task.tip,
        how=_how(state, attempt.node),  # type: ignore[arg-type]
        base=project.base,
    )


def _definition(state: State, path: NodePath) -> PublishNode:
    assert state.run is not None
    node = state.run.spots[state.run.nodes[path].spot].node
    assert isinstance(node, PublishNode)
    return node


PUBLISH = Kind(begin=_begin, attempt_over=_attempt_over, decided=_decided, job=_job)
