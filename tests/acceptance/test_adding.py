"""Adding nodes to a live run by the installed command: each addition once, whatever becomes of the engine."""

import os
from collections import Counter

import pytest

from tests.installed import Workspace, until

WRONG, REFUSED = 2, 3
HELD = """\
punchlist: 1
flow: held
nodes:
  held: {run: "echo held >> ran; read word < gate", needs: []}
  bad: {run: "echo bad >> ran; false", needs: []}
  after: {run: "echo after >> ran", needs: [bad]}
"""
MORE = """\
nodes:
  more: {run: "echo more >> ran", needs: [held]}
  last: {call: inner.yaml}
"""
MENDED = 'nodes: {bad: {run: "echo mended >> ran", needs: []}}\n'
INNER = 'punchlist: 1\nflow: inner\nnodes: {x: {run: "echo inner >> ran"}}\n'


@pytest.fixture
def place(folder: Workspace) -> Workspace:
    """A workspace with a run of which one node is held and another has failed."""
    folder.ok("init")
    for name, text in {"held": HELD, "more": MORE, "mended": MENDED, "nodes/inner": INNER}.items():
        folder.write(f"{name}.yaml", text)
    (folder.root / "more.yaml").rename(folder.root / "nodes" / "more.yaml")
    os.mkfifo(folder.root / "gate")
    folder.ok("run", "held.yaml")
    until(lambda: ran(folder)["held"] == 1 and statuses(folder).get("bad") == "failed", what="one failed, one is held")
    return folder


def ran(place: Workspace) -> Counter[str]:
    path = place.root / "ran"
    return Counter(path.read_text(encoding="utf-8").splitlines() if path.exists() else [])


def statuses(place: Workspace) -> dict[str, str]:
    return {node["path"]: node["status"] for node in place.ok("report", "R1")["run"]["nodes"]}


def let_go(place: Workspace) -> None:
    (place.root / "gate").write_text("go\n", encoding="utf-8")
    until(lambda: statuses(place)[""] not in {"running", "pending"}, what="the run is over")


def test_what_was_added_runs_once_though_the_engine_is_killed_right_after(place: Workspace) -> None:
    place.ok("add", "R1", "--file", "nodes/more.yaml")
    place.kill_engine()
    place.ok("add", "R1", "--file", "mended.yaml", "--replace")
    place.kill_engine()
    place.ok("resume", "R1")
    let_go(place)

    assert statuses(place)[""] == "succeeded"
    assert ran(place) == Counter(["held", "bad", "mended", "after", "more", "inner"])
    assert place.ok("log", "verify")["problems"] == []


def test_what_is_refused_is_named_with_its_places_and_changes_nothing(place: Workspace) -> None:
    before = statuses(place)
    wrong = "nodes: {x: {runn: y}, z: {run: z, needs: [nope]}}\n"

    calls = [
        place.punchlist("add", "R1", "--file", "-", stdin=wrong.encode()),
        place.punchlist("add", "R1", "--file", "mended.yaml"),
        place.punchlist("add", "R1", "--file", "missing.yaml"),
        place.punchlist("add", "R9", "--file", "mended.yaml"),
        place.punchlist("add", "T1", "--file", "mended.yaml"),
    ]

    assert [call.code for call in calls] == [WRONG, WRONG, WRONG, REFUSED, WRONG], calls
    assert "standard input:1:12: node 'x' does not say what it does" in calls[0].err
    assert "needs 'nope', but here are only: held, bad, after, x, z" in calls[0].err
    assert "run R1 has these nodes already: bad" in calls[1].err
    assert statuses(place) == before
    let_go(place)


def test_what_is_at_work_is_ended_and_replaced_and_then_the_run_goes_on(place: Workspace) -> None:
    held = place.processes()

    place.ok("add", "R1", "--file", "-", "--replace", stdin=b'nodes: {held: {run: "echo other >> ran", needs: []}}\n')
    until(lambda: statuses(place)[""] == "failed", what="the run is over")
    more = place.punchlist("add", "R1", "--file", "nodes/more.yaml")
    place.ok("add", "R1", "--file", "mended.yaml", "--replace")
    until(lambda: statuses(place)[""] == "succeeded", what="the run is over, and well")

    assert held
    assert not {*held} & {*place.processes()}
    assert (more.code, "With --replace and a node called bad or after it goes on" in more.err) == (REFUSED, True), more
    assert ran(place) == Counter(["held", "bad", "other", "mended", "after"])
    assert place.ok("log", "verify")["problems"] == []
