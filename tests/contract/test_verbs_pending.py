"""A run that was asked for while no engine was at work: it is there to be looked at, and has not begun."""

from pathlib import Path

import pytest

from punchlist.errors import RefusedError
from punchlist.service import report, runs, why
from punchlist.service.context import Service
from tests.services import at, workspace

FLOW = 'punchlist: 1\nflow: build\nnodes: {a: {run: "true"}}\n'


@pytest.fixture
def asked(tmp_path: Path) -> Service:
    """A workspace whose engine sleeps, in which R1 was asked for."""
    made = workspace(tmp_path / "ws")
    (made.root / "build.yaml").write_text(FLOW, encoding="utf-8")
    runs.run(made, str(made.root / "build.yaml"))
    return made


def test_it_is_shown_as_pending(asked: Service) -> None:
    for answer in (runs.show(asked, "R1"), report.report(asked, "R1")):
        assert (at(answer, "run", "flow"), at(answer, "run", "status")) == ("build", "pending")
        assert at(answer, "run", "nodes") == []
    assert at(why.why(asked, "R1"), "why", "status") == "pending"


def test_another_one_is_still_not_there(asked: Service) -> None:
    with pytest.raises(RefusedError, match="there is no run R2"):
        runs.show(asked, "R2")
