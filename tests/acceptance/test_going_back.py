"""Going back in a run of a flow by the installed command: what failed again, and again from a node on."""

import os
import pty
import subprocess
from collections import Counter

import pytest

from tests.installed import PROGRAM, Workspace, until

FAILED, REFUSED = 1, 3
FLOW = """\
punchlist: 1
flow: release
nodes:
  fetch: {run: "echo fetch >> ran"}
  parts:
    for_each: [core, docs, site]
    as: part
    key: "${{ part }}"
    on_item_failure: continue
    nodes:
      make: {run: "echo make ${{ part }} >> ran"}
      polish:
        repeat: {max: 2, until: "${{ round.index == 1 }}"}
        nodes:
          test:
            nodes:
              look: {run: "echo look ${{ part }} >> ran; test ! -e bad-${{ part }}"}
              say: {run: "true"}
  ship: {run: "echo ship >> ran"}
"""
HELD = """\
punchlist: 1
flow: held
nodes:
  first: {run: "echo first >> ran"}
  second: {run: "echo second >> ran; read word < gate; test $word = good"}
  third: {run: "echo third >> ran"}
"""


@pytest.fixture
def place(folder: Workspace) -> Workspace:
    """A workspace with the two flows."""
    folder.ok("init")
    folder.write("release.yaml", FLOW)
    folder.write("held.yaml", HELD)
    return folder


def ran(place: Workspace) -> Counter[str]:
    return Counter((place.root / "ran").read_text(encoding="utf-8").splitlines())


def statuses(place: Workspace, run: str) -> dict[str, str]:
    return {node["path"]: node["status"] for node in place.ok("report", run)["run"]["nodes"]}


def test_what_failed_in_loops_within_loops_is_done_again_and_nothing_else(place: Workspace) -> None:
    place.write("bad-docs", "")
    first = place.punchlist("run", "release.yaml", "--wait", "--json")
    assert first.code == FAILED, first
    before = ran(place)
    assert statuses(place, "R1")["ship"] == "unreached"

    (place.root / "bad-docs").unlink()
    again = place.punchlist("retry", "R1", "--wait", "--json")

    assert again.code == 0, again
    assert ran(place) - before == Counter({"look docs": 2, "ship": 1})
    assert set(statuses(place, "R1").values()) == {"succeeded"}
    assert place.punchlist("retry", "R1").code == REFUSED
    assert place.punchlist("log", "verify").code == 0


def test_going_back_lists_what_it_invalidates_and_does_it_when_it_is_agreed_to(place: Workspace) -> None:
    place.ok("run", "release.yaml", "--wait")
    before = ran(place)
    node = "parts[docs].polish[0]"

    asked = place.punchlist("resume", "R1", "--from", node, "--json")
    assert asked.code == REFUSED, asked
    assert asked.json["error"]["code"] == "invalidates"
    assert "parts[docs].polish[1] (succeeded)" in asked.json["error"]["message"]
    assert "ship (succeeded)" in asked.json["error"]["message"]
    assert ran(place) == before

    done = place.ok("resume", "R1", "--from", node, "--yes", "--wait")

    assert done["run"]["status"] == "succeeded"
    assert ran(place) - before == Counter({"look docs": 2, "ship": 1})
    assert place.punchlist("log", "verify").code == 0


@pytest.mark.parametrize(("answer", "times"), [("y", 2), ("n", 1)])
def test_going_back_asks_on_a_terminal(answer: str, times: int, place: Workspace) -> None:
    place.ok("run", "release.yaml", "--wait")
    controller, terminal = pty.openpty()
    asked = subprocess.Popen(
        [PROGRAM, "resume", "R1", "--from", "fetch", "--wait"], cwd=place.root, env=place.environment, stdin=terminal,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.close(terminal)
    os.write(controller, f"{answer}\n".encode())
    _, err = asked.communicate(timeout=60)
    os.close(controller)

    assert "going back to fetch also invalidates what was built on it: parts (succeeded), ship (succeeded)" in err
    assert ran(place)["ship"] == times
    assert asked.returncode == (0 if answer == "y" else REFUSED)


def test_an_engine_killed_after_a_way_back_goes_on_from_there(place: Workspace) -> None:
    gate = place.root / "gate"
    os.mkfifo(gate)
    place.ok("run", "held.yaml")
    until(lambda: (place.root / "ran").is_file() and ran(place)["second"] == 1, what="second is held")
    gate.write_text("bad\n", encoding="utf-8")
    until(lambda: statuses(place, "R1")[""] == "failed", what="the run is over")
    place.ok("retry", "R1")
    until(lambda: ran(place)["second"] == 2, what="second is held again")

    place.kill_engine()
    place.ok("resume", "R1")
    gate.write_text("good\n", encoding="utf-8")  # to what the first engine began, and the second has taken up
    until(lambda: statuses(place, "R1")[""] != "running", what="the run is over")

    assert statuses(place, "R1") == {"": "succeeded", "first": "succeeded", "second": "succeeded", "third": "succeeded"}
    assert ran(place) == Counter({"first": 1, "second": 2, "third": 1})
    assert place.punchlist("log", "verify").code == 0
