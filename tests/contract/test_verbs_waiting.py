"""Waiting for the engine: it is started again when it has gone, and given up when it does not stay."""

from pathlib import Path

import msgspec
import pytest

from punchlist.errors import StoreError
from punchlist.ports import EngineStatus
from punchlist.service.context import Service
from punchlist.service.waiting import Waiting
from tests.services import Asleep, project_workspace


class Unsteady(Asleep):
    """An engine of which nothing is heard; whether it runs is told beforehand, look by look."""

    def __init__(self, *running: bool) -> None:
        super().__init__()
        self.running = list(running)
        self.waited: list[float | None] = []

    def status(self) -> EngineStatus:
        return EngineStatus(running=self.running.pop(0))

    def wait(self, timeout: float | None) -> bool:
        self.waited.append(timeout)
        return False


def waiting(root: Path, engine: Unsteady) -> Waiting:
    service: Service = project_workspace(root)
    with_engine = msgspec.structs.replace(
        service, outside=msgspec.structs.replace(service.outside, engine=lambda: engine)
    )
    return Waiting(with_engine, engine)


def test_an_engine_that_has_gone_is_started_three_times_and_then_given_up(tmp_path: Path) -> None:
    engine = Unsteady(False, False, False, False)
    wait = waiting(tmp_path, engine)

    for _ in range(3):
        wait.for_commit()
    with pytest.raises(StoreError) as raised:
        wait.for_commit()

    assert engine.woken == 3
    assert "engine.log" in str(raised.value)
    assert raised.value.exit_code == 5


def test_an_engine_that_was_seen_at_work_gets_its_three_starts_again(tmp_path: Path) -> None:
    engine = Unsteady(False, False, False, True, False, False, False)
    wait = waiting(tmp_path, engine)

    for _ in range(7):
        wait.for_commit()

    assert engine.woken == 7
    assert engine.waited[4] > engine.waited[0]  # type: ignore[operator]
