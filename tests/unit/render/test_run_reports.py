"""The story of a run: when its nodes ran, what they gave, what it says of what goes on or is too long."""

import xml.etree.ElementTree as ET

from msgspec.structs import replace

from punchlist.model.ids import AttemptId, Digest, NodePath, RunId
from punchlist.model.jobs import Artifact, Outcome, Pin, Role
from punchlist.model.rows import NodeRow, RunRow
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus, NodeStatus
from punchlist.render.report import report_run
from punchlist.render.shapes import artifacts
from punchlist.render.timeline import MOST, timeline

RUN = RunRow(
    id=RunId("R1"),
    flow="f",
    purpose="flow",
    status=NodeStatus.RUNNING,
    created_at="2026-11-21T10:00:00Z",
)
NODE = NodeRow(
    run=RunId("R1"),
    path=NodePath("a"),
    kind="run",
    status=NodeStatus.SUCCEEDED,
    attempts=(AttemptId("A1"), AttemptId("A2"), AttemptId("A3")),
    output={"exit_code": 0, "stdout": "x" * 5_000},
    started_at="2026-11-21T10:00:01Z",
    ended_at="2026-11-21T10:00:05Z",
)
TRIED = AttemptState(
    id=AttemptId("A1"),
    run=RunId("R1"),
    node=NodePath("a"),
    role=Role.COMMAND,
    status=AttemptStatus.FAILED,
    queued_at="2026-11-21T10:00:01Z",
    started_at="2026-11-21T10:00:02Z",
    ended_at="2026-11-21T10:00:03Z",
)
QUEUED = replace(TRIED, id=AttemptId("A2"), status=AttemptStatus.QUEUED, started_at="", ended_at="")
GOES_ON = replace(NODE, path=NodePath("b" * 60), status=NodeStatus.RUNNING, attempts=(), output=None, ended_at="")


def test_a_bar_stands_where_its_node_ran_and_a_try_within_it() -> None:
    picture = ET.fromstring(timeline(RUN, [NODE, GOES_ON], attempts=[TRIED, QUEUED]))

    bars = [(each.get("class"), each.get("x"), each.get("width")) for each in picture.iter("rect")]
    assert bars == [("good", "388.0", "512.0"), ("try", "516.0", "128.0"), ("rest", "388.0", "512.0")]
    texts = [each.text for each in picture.iter("text")]
    assert texts == ["a", f"…{'b' * 35}", "0", "5.0 s"]
    assert f"{'b' * 60}: running, goes on" in [each.text for each in picture.iter("title")]


def test_a_run_in_which_nothing_began_or_all_at_once_has_a_picture_as_far_as_that_goes() -> None:
    at_once = replace(NODE, started_at=RUN.created_at, ended_at=RUN.created_at, attempts=())

    assert timeline(RUN, [replace(NODE, started_at="")], attempts=[]) == ""
    assert 'width="1.0"' in timeline(RUN, [at_once], attempts=[])
    assert timeline(RUN, [NODE] * (MOST + 5), attempts=[]).count("<g>") == MOST


def test_what_a_node_gave_is_shown_once_and_cut_where_it_is_long() -> None:
    group = replace(NODE, path=NodePath("each[0]"), kind="item", output={"said": "once"})
    early = replace(NODE, path=NodePath("c"), started_at="2026-11-21T09:59:59Z", output=None)

    page = report_run(RUN, [group, NODE, early], attempts=[TRIED, QUEUED])

    assert "said" not in page
    assert "The first 2,000 characters; all 5,0" in page
    assert len(page) < 4_500
    assert "| `a` | run | succeeded | after 1.0 s | 4.0 s | `A1`, `A2`, `A3` |  |" in page
    assert "| `c` | run | succeeded |  |" in page
    assert "| `A1` | `a` | command |  | failed |  | 1.0 s | 1.0 s |  |" in page


def test_a_page_needs_nothing_from_elsewhere() -> None:
    page = report_run(RUN, [NODE], attempts=[TRIED], form="html")

    assert "<script" not in page
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert '<svg class="timeline"' in page


def test_each_artifact_is_shown_with_who_made_it_and_of_what() -> None:
    pin = Pin(node=NodePath("b"), name="plan", attempt=AttemptId("A9"), path="plan.md", sha256=Digest("p" * 64))
    made = Artifact(path="a|b.md", sha256=Digest("a" * 64), size=7)
    outcome = Outcome(attempt=TRIED.id, status=AttemptStatus.SUCCEEDED, artifacts={"design": made}, used=(pin,))
    tried = replace(TRIED, outcome=outcome)

    page = report_run(RUN, [NODE], attempts=[tried, QUEUED])
    (told,) = artifacts([QUEUED, tried])

    assert f"| `design` | `a\\|b.md` | 7 | `{'a' * 64}` | `A1` at `a` | plan of A9 |" in page
    assert told == {
        "name": "design",
        "node": "a",
        "attempt": "A1",
        "path": "a|b.md",
        "sha256": "a" * 64,
        "size": 7,
        "copy": f".punchlist/artifacts/aa/{'a' * 64}",
        "made_from": [{"node": "b", "name": "plan", "attempt": "A9", "path": "plan.md", "sha256": "p" * 64}],
    }
    assert "## Artifacts" not in report_run(RUN, [NODE], attempts=[TRIED])


def test_a_run_without_anything_to_tell_has_no_empty_chapters() -> None:
    page = report_run(RUN, [], attempts=[])

    assert [line for line in page.splitlines() if line.startswith("#")] == ["# R1 f", "## Nodes"]
