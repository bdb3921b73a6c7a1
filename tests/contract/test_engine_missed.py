"""What is recorded as at work and is not waited for by the engine that runs is taken up at its next look."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from punchlist.model.jobs import Job, Outcome
from punchlist.model.records import Project
from punchlist.service import runs
from punchlist.service.context import Service
from tests.engines import Working, engine_of
from tests.services import is_clean, workspace

FLOW = "punchlist: 1\nflow: once\nnodes: {first: {run: 'echo begun >>begun; sleep 0.5'}}\n"


class Forgetful(Working):
    """A performer that forgets the first attempt, before its process is started or when it is `at_work`."""

    def __init__(self, service: Service, *, at_work: bool) -> None:
        super().__init__(service)
        self._at_work = at_work
        self._forgotten: list[asyncio.Task[Outcome]] = []
        self.told: list[str] = []

    async def perform(self, job: Job, project: Project | None) -> Outcome:
        """Forget the first job, and do the others."""
        self.told.append("performed")
        if len(self.told) > 1:
            return await super().perform(job, project)
        if self._at_work:
            self._forgotten.append(asyncio.create_task(super().perform(job, project)))
            await asyncio.sleep(0)
        raise asyncio.CancelledError

    async def recover(self, job: Job, project: Project | None) -> Outcome:
        """Take up a job."""
        self.told.append("taken up")
        return await super().recover(job, project)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = workspace(tmp_path / "w")
    (made.root / "once.yaml").write_text(FLOW, encoding="utf-8")
    runs.run(made, str(made.root / "once.yaml"))
    yield made
    made.store.close()


def served(service: Service, *, at_work: bool) -> list[str]:
    """Let an engine work until it has nothing to do; return what its performer did."""
    performer = Forgetful(service, at_work=at_work)
    engine = engine_of(service, performer, look=timedelta(milliseconds=100))
    assert asyncio.run(asyncio.wait_for(engine.serve(), 60))
    return performer.told


def statuses(service: Service) -> list[str]:
    with service.store.read() as reader:
        return [each.status.value for each in reader.attempts()]


def test_an_attempt_that_never_became_a_process_is_lost_and_made_again(service: Service) -> None:
    told = served(service, at_work=False)

    assert told == ["performed", "taken up", "performed"]
    assert statuses(service) == ["lost", "succeeded"]
    assert (service.root / "begun").read_text() == "begun\n"
    assert is_clean(service)


def test_an_attempt_that_lives_is_waited_for_and_not_started_twice(service: Service) -> None:
    told = served(service, at_work=True)

    assert told == ["performed", "taken up"]
    assert statuses(service) == ["succeeded"]
    assert (service.root / "begun").read_text() == "begun\n"
    assert is_clean(service)
