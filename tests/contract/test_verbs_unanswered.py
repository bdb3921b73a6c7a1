"""What is said when no engine takes a command: soon, and which of the two ways it is."""

from pathlib import Path

import msgspec
import pytest

from punchlist.errors import StoreError
from punchlist.model.commands import Pause
from punchlist.model.ids import RunId
from punchlist.ports import EngineStatus
from punchlist.service import inbox
from punchlist.service.context import Service
from tests.services import Asleep, project_workspace


class Silent(Asleep):
    """An engine that never answers, up or not; it adds up how long it was waited for, and takes no time."""

    def __init__(self, *, up: bool) -> None:
        super().__init__()
        self.up = up
        self.waited = 0.0

    def status(self) -> EngineStatus:
        return EngineStatus(running=self.up, pid=1)

    def wait(self, timeout: float | None) -> bool:
        assert timeout is not None
        self.waited += timeout
        return False


@pytest.mark.parametrize(
    ("up", "said", "at_most"), [(False, "no engine stays up", 10.0), (True, "the engine has said nothing for 20", 30.0)]
)
def test_a_command_that_nobody_takes_is_told_of_soon(tmp_path: Path, up: bool, said: str, at_most: float) -> None:
    engine = Silent(up=up)
    made = project_workspace(tmp_path / "ws")
    service: Service = msgspec.structs.replace(
        made, outside=msgspec.structs.replace(made.outside, engine=lambda: engine)
    )

    with pytest.raises(StoreError, match=said) as refused:
        inbox.send(service, Pause(run=RunId("R1")))

    assert engine.waited <= at_most
    assert engine.woken > 1
    assert "punchlist engine run" in refused.value.hint
    with service.store.read() as reader:
        assert [row.state for row in reader.inbox()] == ["pending"]
