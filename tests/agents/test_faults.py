"""All that can go wrong between Claude Code and its model, with the program itself: what was recorded still holds."""

import json
from pathlib import Path

import pytest

from punchlist.model.jobs import FailureClass, Limits
from punchlist.model.states import AttemptStatus
from tests.agents.claude_runs import CASES, ClaudeRuns
from tests.agents.conftest import Serve
from tests.golden.agents.streams import HERE, shown

RECORDED = json.loads((HERE / "outcomes.json").read_bytes())
SAME = ("status", "failure", "session_over", "usage", "not_before", "result")
"""The parts of an outcome that do not differ from run to run."""
RACING = {"cut", "reset"}
"""Cases in which it depends on the moment how much of an answer, and of its cost, was read."""
BUSY = Limits(timeout=15)


@pytest.fixture
def runs(tmp_path: Path, claude: Path, serve: Serve) -> ClaudeRuns:
    return ClaudeRuns(tmp_path, claude, url=serve("faults").url)


@pytest.mark.parametrize("name", CASES)
def test_an_end_is_what_it_was_when_it_was_recorded(runs: ClaudeRuns, name: str) -> None:
    parts = [each for each in SAME if each != "usage" or name not in RACING]

    found = shown(runs.outcome(name))

    assert {each: found.get(each) for each in parts} == {each: RECORDED[name].get(each) for each in parts}


def test_nothing_is_written_outside_of_the_work_folder(runs: ClaudeRuns, tmp_path: Path) -> None:
    runs.outcome("elsewhere")

    assert not (tmp_path / "elsewhere.txt").exists()


def test_what_its_shell_started_ends_with_it(runs: ClaudeRuns) -> None:
    outcome = runs.outcome("busy", limits=BUSY)

    assert (outcome.status, outcome.failure) == (AttemptStatus.TIMED_OUT, FailureClass.TIMEOUT)
    stubborn = (runs.attempts.work / "busy").read_text(encoding="ascii").strip()
    assert not Path("/proc", stubborn).exists()
