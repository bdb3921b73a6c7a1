"""What workers are given, composed from state: the step, the review, the request."""

from punchlist.engine.judging import built_by
from punchlist.engine.place import Place
from punchlist.model.ids import Digest, Tree
from punchlist.model.json import digest
from punchlist.model.proofs import CheckResult
from punchlist.model.records import Criterion
from punchlist.model.results import CheckEvidence, PlanRequest, ReviewPack, StepPack
from punchlist.model.verdicts import Verdict


def step_pack(place: Place, *, verdict: Verdict | None) -> StepPack:
    """Return the pack of a builder: the step frozen for dispatch, with the failing verdict on rework."""
    record, told = place.record, place.told
    assert told.base is not None
    return StepPack(
        schema="punchlist/step-pack/1",
        step=record,
        task_digest=place.task.task.digest or Digest(""),
        project_digest=digest(place.project),
        base=told.base,
        criteria=record.criteria,
        scope=record.scope,
        policy=place.policy,
        context=record.context,
        messages=told.messages,
        task=place.task.task.title,
        spec=place.task.task.spec,
        verdict=verdict,
    )


def review_pack(
    place: Place, tree: str, *, criteria: tuple[Criterion, ...], checks: tuple[CheckResult, ...]
) -> ReviewPack:
    """Return the pack of a reviewer: criteria, changed paths and check outputs; never the builder's story."""
    task = place.state.task
    record = place.record if place.step is not None else None
    outcome = built_by(place, tree)
    snapshot = outcome.snapshot if outcome is not None else None
    base = place.told.base if place.step is not None else place.run.base if task is None else task.base
    assert base is not None
    title, spec = (task.task.title, task.task.spec) if task is not None else (place.run.definition.flow, "")
    return ReviewPack(
        schema="punchlist/review-pack/1",
        title=record.title if record is not None else title,
        goal=record.goal if record is not None else spec,
        criteria=criteria,
        base=base,
        tree=Tree(tree),
        changes=tuple(f"{change.how} {change.path}" for change in (snapshot.changes if snapshot is not None else ())),
        task=title,
        spec=spec if record is not None else "",
        checks=tuple(
            CheckEvidence(id=each.id, command=each.command, passed=each.passed, tail=each.tail) for each in checks
        ),
    )


def plan_request(place: Place, request: str, *, faults: tuple[str, ...]) -> PlanRequest:
    """Return the pack of a planner: the project, its spec, what was asked for, and the faults of its last plan."""
    project = place.project
    return PlanRequest(
        schema="punchlist/request/1",
        project=project.id,
        title=project.title,
        spec=project.spec,
        request=request,
        critique=faults,
    )
