"""Nodes and groups that decide where a flow goes, run by the installed command."""

import os
from datetime import datetime, timedelta
from typing import Any

from tests.installed import Workspace, until

FAILED = 1


def run(place: Workspace, flow: str, *argv: str, code: int = 0) -> dict[str, Any]:
    """Run a flow to its end, and return its report."""
    place.write("flow.yaml", f"punchlist: 1\nflow: tried\n{flow}")
    if not (place.root / ".punchlist").exists():
        place.ok("init")
    call = place.punchlist("run", "flow.yaml", "--wait", "--json", *argv)
    assert call.code == code, call
    found: dict[str, Any] = place.ok("report", "R1")["run"]
    return found


def nodes(report: dict[str, Any]) -> dict[str, str]:
    return {each["path"]: each["status"] for each in report["nodes"]}


def test_an_assertion_that_does_not_hold_ends_the_run_with_its_message(folder: Workspace) -> None:
    flow = """
nodes:
  count: {run: "echo 2", output: {json: stdout}}
  enough: {assert: {that: "${{ nodes.count.output > 2 }}", message: "only ${{ nodes.count.output }} files"}}
  after: {run: touch after}
"""

    report = run(folder, flow, code=FAILED)

    assert (report["status"], report["error"]) == ("failed", "enough: only 2 files")
    assert nodes(report)["after"] == "unreached"
    assert not (folder.root / "after").exists()


def test_a_match_runs_the_case_for_what_a_command_said(folder: Workspace) -> None:
    flow = """
outputs: {said: "${{ nodes.route.output.said }}"}
nodes:
  tests: {run: "false", on_failure: continue}
  route:
    match: ${{ nodes.tests.status }}
    cases:
      succeeded: {nodes: {ship: {run: touch shipped}}, output: {said: shipped}}
      failed: {nodes: {mend: {run: "echo mended", output: {json: stdout}, when: false}, said: {set: {said: red}}}}
"""

    report = run(folder, flow)

    assert report["outputs"] == {"said": "red"}
    assert nodes(report)["route.succeeded"] == "skipped"
    assert not (folder.root / "shipped").exists()


def test_the_end_of_a_cancelled_run_is_waited_for_and_outlives_a_killed_engine(folder: Workspace) -> None:
    flow = """
nodes:
  work: {run: "echo work >> ran; read word < gate"}
  after: {run: "echo after >> ran"}
finally:
  last: {run: "echo last >> ran; read word < end; echo over >> ran"}
  told: {run: ["sh", "-c", "echo $0 >> ran", "${{ nodes.work.status }}"]}
"""
    folder.ok("init")
    folder.write("flow.yaml", f"punchlist: 1\nflow: tried\n{flow}")
    for name in ("gate", "end"):
        os.mkfifo(folder.root / name)
    ran = folder.root / "ran"
    folder.ok("run", "flow.yaml")
    until(ran.exists, what="it works")

    asked = folder.begun("cancel", "R1", "--json")
    until(lambda: "last" in ran.read_text(), what="it comes to its end")
    folder.kill_engine()
    folder.ok("engine", "start")
    (folder.root / "end").write_text("go\n")

    assert folder.over(asked).code == 0
    report = folder.ok("report", "R1")["run"]
    assert (report["status"], nodes(report)["finally"]) == ("cancelled", "succeeded")
    assert ran.read_text().split() == ["work", "last", "over", "cancelled"]


def test_what_is_left_of_a_wait_is_left_after_the_engine_was_killed(folder: Workspace) -> None:
    flow = """
nodes:
  time: {wait: {for: 2s}, timeout: 1m, needs: []}
  file: {wait: {file: "in/*.txt"}, timeout: 1m, needs: []}
"""
    folder.ok("init")
    folder.write("flow.yaml", f"punchlist: 1\nflow: tried\n{flow}")
    folder.ok("run", "flow.yaml")
    until(lambda: nodes(folder.ok("report", "R1")["run"]).get("time") == "running", what="it waits")
    folder.kill_engine()
    folder.ok("engine", "start")
    folder.write("in/one.txt", "1")

    until(lambda: folder.ok("report", "R1")["run"]["status"] == "succeeded", what="it is over")
    found = {each["path"]: each for each in folder.ok("report", "R1")["run"]["nodes"]}
    began, over = (datetime.fromisoformat(found["time"][key]) for key in ("started_at", "ended_at"))
    assert timedelta(seconds=2) <= over - began < timedelta(seconds=4)
    assert found["file"]["output"] == {"files": ["in/one.txt"]}


def test_a_gate_is_decided_by_its_form_or_by_nobody_in_time(folder: Workspace) -> None:
    flow = """
nodes:
  ask: {gate: {message: "Which?", form: {version: string}}}
  late: {gate: {message: "Go on?", timeout: 100ms, on_timeout: reject}}
"""
    folder.ok("init")
    folder.write("flow.yaml", f"punchlist: 1\nflow: tried\n{flow}")
    folder.ok("run", "flow.yaml")
    until(lambda: folder.ok("gates")["gates"], what="it asks")

    refused = folder.punchlist("decide", "G1", "approve", "--json")
    assert refused.code == 2, refused
    assert "version is missing; allowed: string" in refused.out + refused.err
    folder.ok("decide", "G1", "approve", "--data", '{"version": "1.2"}')

    until(lambda: folder.ok("report", "R1")["run"]["status"] == "succeeded", what="it is over")
    found = {each["path"]: each["output"] for each in folder.ok("report", "R1")["run"]["nodes"]}
    assert found["ask"]["data"] == {"version": "1.2"}
    assert found["late"] == {"choice": "reject", "data": {}, "by": "timeout"}
