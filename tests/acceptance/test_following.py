"""What is attached to a run shows it, and lets go without harm."""

import json
import signal

import pytest

from tests.installed import Workspace

FAILED, WAITS, INTERRUPTED = 1, 6, 130
FLOW = """\
punchlist: 1
flow: two
inputs: {code: {type: int, default: 0}, seconds: {type: string, default: "0"}}
outputs: {said: "${{ nodes.second.output.stdout }}"}
nodes:
  first: {run: "sleep ${{ inputs.seconds }}; exit ${{ inputs.code }}"}
  second: {run: "echo said"}
"""
ASKING = """\
punchlist: 1
flow: asking
nodes:
  ask: {gate: {message: Go on?, choices: [yes_please, no_thanks]}}
  after: {run: "true"}
"""


@pytest.fixture
def place(folder: Workspace) -> Workspace:
    folder.ok("init")
    folder.write("two.yaml", FLOW)
    folder.write("asking.yaml", ASKING)
    return folder


@pytest.mark.parametrize(
    "how", [["--wait"], ["--follow"], ["--foreground"], ["--foreground", "--follow"]], ids=" ".join
)
def test_a_run_that_is_awaited_has_its_outcome_as_exit_code(how: list[str], place: Workspace) -> None:
    good = place.punchlist("run", "two.yaml", *how)
    bad = place.punchlist("run", "two.yaml", "-i", "code=7", *how)

    assert good.code == 0, good
    assert "R1 (two) succeeded" in good.out
    assert "said" in good.out
    assert bad.code == FAILED, bad
    assert "R2 (two) failed" in bad.out
    assert "first failed" in bad.out


def test_a_run_that_is_awaited_is_one_object_with_its_nodes(place: Workspace) -> None:
    run = place.ok("run", "two.yaml", "--wait")["run"]

    assert (run["id"], run["flow"], run["status"], run["outputs"]) == ("R1", "two", "succeeded", {"said": "said\n"})
    nodes = {node["path"]: node for node in run["nodes"]}
    assert nodes["second"]["status"] == "succeeded"
    assert set(nodes["second"]) >= {"path", "kind", "status", "attempts", "output", "error"}


def test_following_in_json_shows_progress_on_standard_error_only(place: Workspace) -> None:
    call = place.punchlist("run", "two.yaml", "--follow", "--json")

    assert call.json["run"]["status"] == "succeeded"
    assert "second succeeded" in call.err


def test_a_run_returns_at_once_without_options(place: Workspace) -> None:
    run = place.ok("run", "two.yaml", "-i", "seconds='30'")["run"]

    assert run["id"] == "R1"
    assert run["status"] in {"pending", "running"}
    assert place.ok("cancel", "R1")["run"]["status"] == "cancelled"
    assert place.punchlist("resume", "R1", "--wait").code in {FAILED, 3}


def test_interrupting_a_view_detaches_and_the_run_goes_on(place: Workspace) -> None:
    view = place.begun("run", "two.yaml", "-i", "seconds='2'", "--follow")
    assert view.stdout is not None
    assert "first" in view.stdout.readline()

    view.send_signal(signal.SIGINT)
    _, err = view.communicate(timeout=20)

    assert view.returncode == INTERRUPTED
    assert "detached: the run goes on" in err
    assert place.ok("status")["runs"][0]["status"] == "running"
    waited = place.punchlist("resume", "R1", "--wait", "--json")
    assert waited.json["run"]["status"] == "succeeded"


@pytest.mark.parametrize("how", [["--wait"], ["--follow"], ["--foreground"]], ids=" ".join)
def test_a_run_that_waits_for_a_decision_says_what_to_type(how: list[str], place: Workspace) -> None:
    call = place.punchlist("run", "asking.yaml", *how)
    gates = place.punchlist("gates")

    assert call.code == WAITS, call
    assert "punchlist gates" in call.out
    assert "punchlist decide G1 yes_please" in gates.out
    assert "punchlist decide G1" in place.punchlist().out
    assert place.ok("decide", "G1", "yes_please")["gate"]["status"] == "decided"
    assert place.punchlist("decide", "G1", "no_thanks").code == 3


def test_output_of_an_attempt_is_shown_and_followed(place: Workspace) -> None:
    run = place.ok("run", "two.yaml", "--wait")["run"]
    attempt = next(node for node in run["nodes"] if node["path"] == "second")["attempts"][0]

    assert place.punchlist("logs", attempt).out == "said\n"
    assert place.punchlist("logs", attempt, "-f").out == "said\n"
    assert place.ok("logs", attempt)["text"] == "said\n"
    line = json.loads(place.punchlist("logs", attempt, "-f", "--json").out)
    assert line == {"ok": True, "stream": "stdout", "text": "said\n"}


def test_events_are_followed_as_they_come(place: Workspace) -> None:
    view = place.begun("events", "--follow", "--json")
    place.ok("run", "two.yaml", "--wait")
    assert view.stdout is not None
    for line in view.stdout:
        assert json.loads(line)["ok"] is True
        if '"RunMoved"' in line and '"succeeded"' in line:
            break
    view.send_signal(signal.SIGINT)
    view.communicate(timeout=20)

    assert view.returncode == INTERRUPTED
