"""Work of several runs in one folder goes one after the other; work in other folders does not wait for it."""

import asyncio
from pathlib import Path

import pytest

from punchlist.model.jobs import Job, Outcome, ProcessJob, Role
from punchlist.model.json import Json
from punchlist.model.records import Project
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus
from punchlist.service import plans, projects, runs
from punchlist.service.context import Service
from tests.contract.test_engine_endings import FLOW
from tests.engines import Working, engine_of
from tests.installed import until
from tests.services import workspace

PLANS = ("R1", "R2")
SETTINGS = '[workers.thinker]\ntype = "command"\nargv = ["sh"]\n'


class Planning(Working):
    """A performer whose planner has a plan at once, and whose checks take until they are allowed to end."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.may_end, self.beside = asyncio.Event(), asyncio.Event()
        self.told: list[str] = []

    async def perform(self, job: Job, project: Project | None) -> Outcome:
        """Answer for the planner, and for a check when it may end; all else begins beside them."""
        if not isinstance(job, ProcessJob):
            return await super().perform(job, project)
        if job.role is Role.PLANNER:
            return Outcome(attempt=job.attempt, status=AttemptStatus.SUCCEEDED, result=plan_of(job))
        if job.role is Role.CHECK:
            self.told.append(f"{job.run} began")
            await self.may_end.wait()
            self.told.append(f"{job.run} ended")
        else:
            self.beside.set()
        return Outcome(attempt=job.attempt, status=AttemptStatus.SUCCEEDED, exit_code=0)


def plan_of(job: ProcessJob) -> Json:
    criteria: list[Json] = [{"text": "It holds.", "check": f"check {job.run}", "review": True}]
    step: Json = {"title": "Do it", "goal": "It is done.", "criteria": criteria}
    return {"schema": "punchlist/plan/1", "tasks": [{"title": "Do it", "steps": [step]}]}


async def planned_at_once(service: Service) -> list[str]:
    """Let two plans be made at once, and a run of something else once both are at their checks; return what came."""
    performer = Planning(service)
    serving = asyncio.create_task(engine_of(service, performer).serve())
    await asyncio.to_thread(until, lambda: len(checks(service)) == len(PLANS), what="both plans are at their checks")
    await asyncio.to_thread(runs.run, service, str(service.root / "two.yaml"))
    performer.around.channel.tell_engine()
    await asyncio.wait_for(performer.beside.wait(), 20)
    performer.may_end.set()
    assert await serving
    return performer.told


def checks(service: Service) -> list[AttemptState]:
    with service.store.read() as reader:
        return [each for each in reader.attempts() if each.role is Role.CHECK]


def test_checks_of_two_plans_do_not_share_their_folder_at_once(tmp_path: Path) -> None:
    service = workspace(tmp_path / "w", settings=SETTINGS)
    (service.root / "two.yaml").write_text(FLOW, encoding="utf-8")
    projects.create(service, "p", spec="# What is wanted\n")
    for run in PLANS:
        with pytest.raises(AssertionError, match="nobody answers here"):  # of the engine, which is still to begin
            plans.plan(service, "p", request=f"Do {run}.", planner="thinker")

    told = asyncio.run(planned_at_once(service))

    assert len(told) == 2 * len(PLANS)
    assert [each.replace("began", "ended") for each in told[::2]] == told[1::2]
