"""The end of a killed process is nobody's to interrupt: not even when the attempt that waits for it is killed, too."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

from punchlist.model.commands import Cancel
from punchlist.model.ids import NodePath, RunId
from punchlist.model.jobs import Job, Outcome
from punchlist.model.json import plain
from punchlist.model.records import Project
from punchlist.runtime.lock import EngineLock, Holder
from punchlist.runtime.loop import Runtime
from punchlist.runtime.perform import Performer
from punchlist.service import runs
from punchlist.service.context import Service
from punchlist.service.publishing import published
from punchlist.service.showing import Showing
from punchlist.wiring import Surroundings
from tests.installed import until
from tests.services import workspace

FLOW = "punchlist: 1\nflow: two\nnodes: {first: {run: 'true'}, second: {run: 'true', needs: []}}\n"


class Lingering(Performer):
    """A performer of attempts that never end, and whose end, once they are killed, takes until it is allowed."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(
            root=around.root,
            workspace=around.workspace,
            processes=around.processes,
            workers=around.worker,
            prompt=lambda job, _: job.prompt,
            access=lambda *_: {},
            make_tasks=lambda *_: [],
            recall=lambda _: [],
        )
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


def engine_of(service: Service, around: Surroundings, *, performer: Performer) -> Runtime:
    return Runtime(
        store=around.store,
        performer=performer,
        channel=around.channel,
        lock=EngineLock(around.state / "engine.lock"),
        holder=Holder(pid=os.getpid(), since=service.now(), version="1"),
        clock=service.clock,
        pages=Showing(around.store, published(service), put_off=lambda: None),
        idle_exit=timedelta(),
    )


async def cancelled_twice(service: Service) -> list[str]:
    """Cancel the first attempt, and then the second, which waits for the first one's end; return what they did."""
    around = Surroundings(service.root, start=service.root, environ=os.environ)
    performer = Lingering(around)
    engine = engine_of(service, around, performer=performer)

    def cancel(node: str | None) -> None:
        command = Cancel(run=RunId("R1"), node=None if node is None else NodePath(node))
        with service.store.write() as writer:
            writer.enqueue(plain(command), at=service.now(), actor=service.actor)
        around.channel.tell_engine()

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
    around = Surroundings(service.root, start=service.root, environ=os.environ)
    performer = Lingering(around)
    serving = asyncio.create_task(engine_of(service, around, performer=performer).serve())
    await performer.began.wait()
    performer.began.clear()
    with service.store.write() as writer:
        writer.enqueue(plain(Cancel(run=RunId("R1"))), at=service.now(), actor=service.actor)
    around.channel.tell_engine()
    await performer.dying.wait()

    await asyncio.to_thread(runs.run, service, str(service.root / "two.yaml"), policy={"max_parallel": 1})
    around.channel.tell_engine()
    await asyncio.wait_for(performer.began.wait(), 20)
    told = list(performer.told)

    with service.store.write() as writer:
        writer.enqueue(plain(Cancel(run=RunId("R2"))), at=service.now(), actor=service.actor)
    around.channel.tell_engine()
    performer.may_end.set()
    assert await serving
    return told


def test_a_slow_end_holds_up_nobody_who_works_in_another_folder(tmp_path: Path) -> None:
    service = workspace(tmp_path / "w")
    (service.root / "two.yaml").write_text(FLOW, encoding="utf-8")
    runs.run(service, str(service.root / "two.yaml"), policy={"max_parallel": 1})

    assert asyncio.run(begun_beside_an_ending(service)) == ["A1 began", "A3 began"]
