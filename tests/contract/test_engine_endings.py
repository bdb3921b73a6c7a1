"""The end of a killed process is nobody's to interrupt: not even when the attempt that waits for it is killed, too."""

import asyncio
from pathlib import Path

from punchlist.model.commands import Cancel
from punchlist.model.ids import NodePath, RunId
from punchlist.model.jobs import Job, Outcome
from punchlist.model.json import plain
from punchlist.model.records import Project
from punchlist.service import runs
from punchlist.service.context import Service
from tests.engines import Working, engine_of
from tests.installed import until
from tests.services import workspace

FLOW = "punchlist: 1\nflow: two\nnodes: {first: {run: 'true'}, second: {run: 'true', needs: []}}\n"


class Lingering(Working):
    """A performer of attempts that never end, and whose end, once they are killed, takes until it is allowed."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.began, self.dying, self.may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.told: list[str] = []

    async def perform(self, job: Job, project: Project | None) -> Outcome:
        """Work until killed, and then some more."""
        self.told.append(f"{job.attempt} began")
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.dying.set()
            await self.may_end.wait()
            self.told.append(f"{job.attempt} ended")
        return await super().perform(job, project)


async def cancelled_twice(service: Service) -> list[str]:
    """Cancel the first attempt, and then the second, which waits for the first one's end; return what they did."""
    performer = Lingering(service)
    engine = engine_of(service, performer)

    def cancel(node: str | None) -> None:
        command = Cancel(run=RunId("R1"), node=None if node is None else NodePath(node))
        with service.store.write() as writer:
            writer.enqueue(plain(command), at=service.now(), actor=service.actor)
        performer.around.channel.tell_engine()

    def over() -> bool:
        return runs.show(service, "R1")["run"]["status"] == "cancelled"  # type: ignore[index,call-overload]

    serving = asyncio.create_task(engine.serve())
    await performer.began.wait()
    cancel("first")
    await performer.dying.wait()
    cancel(None)
    await asyncio.to_thread(until, over, what="the run is cancelled")
    performer.may_end.set()
    assert await serving
    return performer.told


def test_an_end_goes_on_when_the_attempt_that_waits_for_it_is_cancelled(tmp_path: Path) -> None:
    service = workspace(tmp_path / "w")
    (service.root / "two.yaml").write_text(FLOW, encoding="utf-8")
    runs.run(service, str(service.root / "two.yaml"), policy={"max_parallel": 1})

    assert asyncio.run(cancelled_twice(service)) == ["A1 began", "A1 ended"]


async def begun_beside_an_ending(service: Service) -> list[str]:
    """Cancel a run whose process does not want to end, begin another one, and return what both did."""
    performer = Lingering(service)
    serving = asyncio.create_task(engine_of(service, performer).serve())
    await performer.began.wait()
    performer.began.clear()
    with service.store.write() as writer:
        writer.enqueue(plain(Cancel(run=RunId("R1"))), at=service.now(), actor=service.actor)
    performer.around.channel.tell_engine()
    await performer.dying.wait()

    await asyncio.to_thread(runs.run, service, str(service.root / "two.yaml"), policy={"max_parallel": 1})
    performer.around.channel.tell_engine()
    await asyncio.wait_for(performer.began.wait(), 20)
    told = list(performer.told)

    with service.store.write() as writer:
        writer.enqueue(plain(Cancel(run=RunId("R2"))), at=service.now(), actor=service.actor)
    performer.around.channel.tell_engine()
    performer.may_end.set()
    assert await serving
    return told


def test_a_slow_end_holds_up_nobody_who_works_in_another_folder(tmp_path: Path) -> None:
    service = workspace(tmp_path / "w")
    (service.root / "two.yaml").write_text(FLOW, encoding="utf-8")
    runs.run(service, str(service.root / "two.yaml"), policy={"max_parallel": 1})

    assert asyncio.run(begun_beside_an_ending(service)) == ["A1 began", "A3 began"]
