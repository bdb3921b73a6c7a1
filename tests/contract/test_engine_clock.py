"""A clock that is set in the middle of a run: nothing waits for longer than it was told to, and nothing is lost."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from punchlist.model.state import AttemptState
from punchlist.ports import Clock
from punchlist.service import changes, logs, runs
from punchlist.service.context import Service
from tests.engines import engine_of
from tests.installed import until
from tests.services import Asleep, workspace

FLOW = """\
punchlist: 1
flow: again
nodes: {once: {run: "test -f there || { touch there; exit 1; }", retry: {max: 1, backoff: {first: 30m}}}}
"""
HOUR = timedelta(hours=1)


class Adjusted:
    """The machine's clock, set forward or back by `by`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.by = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self.by


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A workspace with a run of one command, which fails once and is then to wait for half an hour."""
    made = workspace(tmp_path / "w")
    (made.root / "again.yaml").write_text(FLOW, encoding="utf-8")
    runs.run(made, str(made.root / "again.yaml"))
    yield made
    made.store.close()


def attempts(service: Service) -> list[AttemptState]:
    with service.store.read() as reader:
        return reader.attempts()


async def served(service: Service, *, by: timedelta) -> None:
    """Let an engine work until its command waits for half an hour, set its clock, and let it work to the end."""
    clock = Adjusted(service.clock)
    serving = asyncio.create_task(engine_of(service, clock=clock, look=timedelta(milliseconds=20)).serve())
    await asyncio.to_thread(until, lambda: len(attempts(service)) > 1, what="the command is to be run again")
    clock.by = by
    assert await serving


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])
def test_what_waits_for_its_time_does_not_wait_for_a_clock_that_was_set(service: Service, by: timedelta) -> None:
    asyncio.run(asyncio.wait_for(served(service, by=by), 30))

    assert [each.status for each in attempts(service)] == ["failed", "succeeded"]
    assert logs.verify(service)["problems"] == []


def test_an_engine_that_starts_after_the_clock_was_set_back_does_not_wait_for_it(service: Service) -> None:
    async def stopped_while_it_waits() -> None:
        ahead = Adjusted(service.clock)
        ahead.by = HOUR
        first = engine_of(service, clock=ahead, look=HOUR)
        serving = asyncio.create_task(first.serve())
        await asyncio.to_thread(until, lambda: len(attempts(service)) > 1, what="the command is to be run again")
        first.stop()
        assert await serving

    asyncio.run(asyncio.wait_for(stopped_while_it_waits(), 30))
    asyncio.run(asyncio.wait_for(engine_of(service, clock=service.clock, look=HOUR).serve(), 30))

    assert [each.status for each in attempts(service)] == ["failed", "succeeded"]


def test_who_waits_for_a_change_waits_no_hour_longer_after_the_clock_was_set_back(service: Service) -> None:
    clock = Adjusted(service.clock)
    waits: list[float] = []

    class Silent(Asleep):
        """Nothing is heard of it; in the first wait the clock is set back by an hour."""

        def wait(self, timeout: float | None) -> bool:
            assert timeout is not None
            clock.by += timedelta(seconds=timeout) if waits else -HOUR
            waits.append(timeout)
            return False

    silent = Silent()
    outside = msgspec.structs.replace(service.outside, engine=lambda: silent)
    waiting = msgspec.structs.replace(service, clock=clock, outside=outside)

    answer = changes.wait_for(waiting, ["R1"], timeout=timedelta(seconds=50))

    assert answer["timed_out"] is True
    assert 50 <= sum(waits) <= 71
