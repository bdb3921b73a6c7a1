"""`publish`: the accepted task's branch to where people see it, or a plan as draft tasks."""

from punchlist.engine.answering import decide_attempt
from punchlist.engine.asking import ask
from punchlist.engine.place import Place
from punchlist.engine.progress import end
from punchlist.engine.retry import after_failure
from punchlist.engine.scope import resolve, text_of
from punchlist.engine.turn import Decision, Here, Kind
from punchlist.engine.ways import way
from punchlist.model import events as ev
from punchlist.model.flow import PublishNode
from punchlist.model.gates import Effect
from punchlist.model.ids import Commit, ProjectId, TaskId
from punchlist.model.jobs import Job, PlanJob, PublishJob, Role
from punchlist.model.json import Json
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus, NodeStatus


def _begin(here: Here) -> None:
    node = here.defined(PublishNode)
    if node.publish == "task":
        way(_how(here), where=here.path)
    here.queue(Role.ENGINE, subject=node.publish)


def _how(place: Place) -> str:
    node = place.defined(PublishNode)
    return text_of(place, node.how, what="how") if node.how is not None else place.policy.on_accept


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status is AttemptStatus.SUCCEEDED:
        _published(here, outcome.result)
        return
    after_failure(here, attempt, instead=_ask if here.defined(PublishNode).publish == "task" else None)


def _ask(here: Here, reason: str) -> None:
    ask(here, "merge", message=f"publishing failed: {reason}", choices=("leave", "retry"))


def _published(here: Here, result: Json) -> None:
    assert isinstance(result, dict)
    if here.defined(PublishNode).publish == "task":
        here.emit(
            ev.TaskPublished(
                how=_how(here),
                branch=str(result["branch"]),
                commit=Commit(str(result["commit"])),
                merged=bool(result["merged"]),
            )
        )
    end(here, NodeStatus.SUCCEEDED, output=result)


def _decided(here: Here, decision: Decision) -> None:
    if decision.choice.effect is Effect.LEAVE:
        left: Json = {"branch": here.task.branch, "commit": here.task.tip, "merged": False}
        end(here, NodeStatus.SUCCEEDED, output=left)
    else:
        decide_attempt(here, decision)


def _job(place: Place, attempt: AttemptState) -> Job:
    project = ProjectId(place.project.id)
    if place.defined(PublishNode).publish == "plan":
        plan = resolve(place, place.defined(PublishNode).plan)
        return PlanJob(attempt=attempt.id, run=attempt.run, project=project, plan=plan)
    task = place.task
    assert task.branch is not None
    assert task.tip is not None
    return PublishJob(
        attempt=attempt.id,
        run=attempt.run,
        project=project,
        task=TaskId(task.task.id),
        branch=task.branch,
        commit=task.tip,
        how=way(_how(place), where=place.path),
        base=place.project.base,
    )


PUBLISH = Kind(begin=_begin, attempt_over=_attempt_over, decided=_decided, job=_job)
