"""What workers are given, composed from state: the step, the review, the request."""

from punchlist.engine.fold_task import step_of
from punchlist.engine.scope import policy_at
from punchlist.model.ids import Digest, NodePath, StepId, Tree
from punchlist.model.json import Json, digest
from punchlist.model.proofs import CheckResult
from punchlist.model.records import Criterion
from punchlist.model.results import CheckEvidence, PlanRequest, ReviewPack, StepPack
from punchlist.model.state import State
from punchlist.model.verdicts import Verdict


def step_pack(state: State, path: NodePath, step: StepId, *, verdict: Verdict | None) -> StepPack:
    """Return the pack of a builder: the step frozen for dispatch, with the failing verdict on rework."""
    assert state.task is not None
    task, told = state.task.task, state.task.steps[step]
    record = step_of(task, step)
    assert told.base is not None
    return StepPack(
        schema="punchlist/step-pack/1",
        step=record,
        task_digest=task.digest or Digest(""),
        project_digest=digest(state.project),
        base=told.base,
        criteria=record.criteria,
        scope=record.scope,
        policy=policy_at(state, path),
        context=record.context,
        messages=told.messages,
        verdict=verdict,
    )


def review_pack(
    state: State, step: StepId | None, *, tree: str, criteria: tuple[Criterion, ...], checks: tuple[CheckResult, ...]
) -> ReviewPack:
    """Return the pack of a reviewer: criteria, changed paths and check outputs; never the builder's story."""
    assert state.task is not None
    assert state.run is not None
    task = state.task.task
    record = step_of(task, step) if step is not None else None
    built = state.run.trees.get(tree)
    outcome = state.run.attempts[built].outcome if built is not None else None
    changes = outcome.snapshot.changes if outcome is not None and outcome.snapshot is not None else ()
    base = state.task.steps[step].base if step is not None else state.task.base
    assert base is not None
    return ReviewPack(
        schema="punchlist/review-pack/1",
        title=record.title if record is not None else task.title,
        goal=record.goal if record is not None else task.spec,
        criteria=criteria,
        base=base,
        tree=Tree(tree),
        changes=tuple(f"{change.how} {change.path}" for change in changes),
        checks=tuple(
            CheckEvidence(id=each.id, command=each.command, passed=each.passed, tail=each.tail) for each in checks
        ),
    )


def plan_request(state: State, request: Json) -> PlanRequest:
    """Return the pack of a planner: the project, its spec, and what was asked for."""
    project = state.project
    assert project is not None
    return PlanRequest(
        schema="punchlist/request/1",
        project=project.id,
        title=project.title,
        spec=project.spec,
        request=request if isinstance(request, str) else "",
    )
