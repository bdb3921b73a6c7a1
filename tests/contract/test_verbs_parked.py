"""What waits for its time, with a real engine: who, why and until when, in `status` and in `why`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from punchlist.cli.views import attention
from punchlist.service import runs, status, why
from punchlist.service.context import Service
from tests.installed import until
from tests.services import stopped, workspace

# An engine outlives who started it, also when that is this process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*subprocess .* is still running"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FLOW = """\
punchlist: 1
flow: again
nodes: {ask: {run: [sh, -c, "exit 3"], retry: {max: 1, backoff: {first: 1h, most: 1h}}}}
"""


@pytest.fixture
def parked(tmp_path: Path) -> Iterator[Service]:
    """A workspace whose one run failed, and tries again in an hour."""
    with stopped(workspace(tmp_path / "ws", engine=True)) as made:
        (made.root / "again.yaml").write_text(FLOW)
        runs.run(made, str(made.root / "again.yaml"))
        until(lambda: found(made)["parked"], what="the attempt is parked")
        yield made


def found(service: Service) -> Any:
    return status.status(service)


def test_status_says_who_is_parked_why_and_until_when(parked: Service) -> None:
    answer = found(parked)

    (line,) = answer["parked"]
    assert (line["attempt"], line["run"], line["step"], line["node"]) == ("A2", "R1", None, "ask")
    assert (line["failure_class"], line["command"]) == ("worker", "punchlist why A2")
    assert "3" in line["reason"]
    first: Any = why.why(parked, "A1")
    assert line["not_before"] > first["why"]["ended_at"]
    shown = attention.status(answer)
    assert f"ask  A2 (command) until {line['not_before'][:19]}Z" in shown


def test_why_of_what_is_parked_leads_to_no_log_that_is_not_there(parked: Service) -> None:
    answer: Any = why.why(parked, "A2")

    waits = answer["why"]["waits_for"]
    assert waits["what"].startswith(f"A2 (command), parked until {answer['why']['not_before'][:19]}Z: worker: ")
    assert waits["command"] == "punchlist events R1 -f"
    assert "waits for" in attention.why(answer)


def test_what_is_over_is_parked_no_more(parked: Service) -> None:
    runs.cancel(parked, "R1", reason="enough")

    assert found(parked)["parked"] == []
    answer: Any = why.why(parked, "A2")
    assert "waits_for" not in answer["why"]
