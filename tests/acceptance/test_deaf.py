"""The folder of an engine's socket goes, as it does when its user logs out: the engine hears all the same."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.installed import Workspace, until

ASKING = """\
punchlist: 1
flow: asking
nodes:
  ask: {gate: {message: Go on?, choices: [yes_please, no_thanks]}}
  again: {gate: {message: Really?, choices: [yes_please, no_thanks]}}
"""


@dataclass(frozen=True)
class LoggedIn(Workspace):
    """A workspace whose user is logged in: there is a folder for sockets, until the last session ends."""

    sockets: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "XDG_RUNTIME_DIR": str(self.sockets)}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[LoggedIn]:
    with TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as sockets:
        made = LoggedIn(tmp_path / "here", tmp_path / "home", Path(sockets))
        made.root.mkdir()
        made.home.mkdir()
        made.ok("init")
        made.write("asking.yaml", ASKING)
        assert made.punchlist("run", "asking.yaml", "--wait").code == 6
        yield made
        made.stop()


def log_out(place: LoggedIn) -> None:
    assert list(place.sockets.rglob("engine")), "the engine listens here"
    shutil.rmtree(place.sockets)


@pytest.mark.parametrize("again", [True, False], ids=["logged in again", "without a login"])
def test_an_engine_hears_though_the_folder_of_its_socket_was_removed(again: bool, place: LoggedIn) -> None:
    engine = place.engine()
    log_out(place)
    if again:
        place.sockets.mkdir(mode=0o700)

    decided = place.ok("decide", "G1", "yes_please")

    assert decided["gate"]["status"] == "decided"
    assert place.engine() == engine
    assert list(place.sockets.rglob("engine")), "it listens there again"


def test_what_other_programs_read_goes_on_being_written_after_that(place: LoggedIn) -> None:
    log_out(place)
    place.sockets.mkdir(mode=0o700)

    place.ok("decide", "G1", "yes_please")
    place.ok("decide", "G2", "yes_please")

    outbox = place.root / ".punchlist" / "outbox.jsonl"
    until(lambda: kinds(outbox).count("GateDecided") == 2, what="both decisions are written", patience=30)


def kinds(outbox: Path) -> list[str]:
    return [str(json.loads(line).get("kind")) for line in outbox.read_text(encoding="utf-8").splitlines()]
