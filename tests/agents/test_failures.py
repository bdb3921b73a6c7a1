"""All that goes wrong with the real program at once, in one run: each step ends in the class that its trouble has."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.agents.conftest import Delivering, Make
from tests.installed import PROGRAM

GREETER = {"greeter.py": 'def greet(name):\n    return f"Hello, {name}!"\n', ".gitignore": "__pycache__/\n"}
CHECK = "python3 -c \"from greeter import greet; assert greet('Ada') == 'Bonjour, Ada!'\""
SILENCE = 20
POLICY = f"""\
[policy]
review = "uncovered"
retries = 1
rework = 0
silence = "{SILENCE}s"
max_parallel = 4
"""
"""Three steps end at a gate, and each keeps its place among those at work."""
PATIENCE = 240
OVER = 15
"""How many seconds an attempt may live on after its limit: it is asked to end, told to, and killed."""
REFUSED, WAITS = 3, 6


class End(NamedTuple):
    """How the builder's attempts of a trouble end, in which state that leaves the step, and what the record says."""

    attempts: list[tuple[str, str | None]]
    step: str
    said: str


WORKER: list[tuple[str, str | None]] = [("failed", "worker")] * 2
SILENT = "it ended without calling record_builder_result"
ENDS = {
    "Find it broken": End(WORKER, "failed", "API Error: 500"),
    "Break off": End(WORKER, "failed", "API Error: Connection"),
    "Hang": End([("timed_out", "silence")] * 2, "waiting", "it passed its limit on silence"),
    "Refuse": End(WORKER, "failed", "API Error"),
    "Write without end": End(WORKER, "failed", "output token maximum"),
    "Say nothing": End(WORKER, "failed", SILENT),
    "Answer wrongly": End(WORKER, "failed", "outcome: saw 'finished'; allowed: blocked, done, failed"),
    "Answer for another": End(WORKER, "failed", SILENT),
    "Answer twice": End(WORKER, "failed", "It is beyond me."),
    "Claim it": End([("succeeded", None)], "waiting", ""),
    "Judge it": End([("succeeded", None)], "waiting", ""),
    "Answer by the tools of others": End(WORKER, "failed", SILENT),
}


@pytest.fixture
def over(delivering: Make) -> Delivering:
    """A workspace in which every trouble has come about, each in a step of T1; T2 is a draft."""
    workspace, _ = delivering("failures", GREETER, more=POLICY)
    criterion = {"text": "It says Bonjour.", "check": CHECK}
    steps = [{"title": goal, "goal": goal, "criteria": [criterion], "needs": []} for goal in ENDS]
    for title, wanted in (("All goes wrong", steps), ("A draft", steps[:1])):
        workspace.write("../task.json", json.dumps({"title": title, "steps": wanted}))
        workspace.ok("task", "create", "--file", "../task.json")
    tools = workspace.write("../tools/intruder", intruder())
    tools.chmod(0o755)
    tools.with_name("punchlist").symlink_to(PROGRAM)
    workspace.ok("approve", "T1")
    call = workspace.punchlist("task", "start", "T1", "--wait", timeout=PATIENCE)
    assert call.code == WAITS, call
    assert workspace.processes() == {}
    return workspace


def intruder() -> str:
    """Return a program that runs the one beside this file, whatever folder it is called in."""
    above = Path(__file__).parents[2]
    return f'#!/bin/sh\nhere=$PWD\ncd "{above}" && exec "{sys.executable}" -m tests.agents.intruder "$here/told"\n'


def test_every_trouble_has_its_class_and_its_end(over: Delivering) -> None:
    found = {step["title"]: step for step in shown(over)}
    for line in matrix(found):
        sys.stdout.write(f"{line}\n")

    assert {title: ends(step) for title, step in found.items()} == {
        title: (end.attempts, end.step) for title, end in ENDS.items()
    }
    for title, step in found.items():
        reason = builders(step)[0]["reason"]
        assert ENDS[title].said in reason
        assert '"type":' not in reason
    gates = {gate["about"]: gate["kind"] for gate in over.ok("gates")["gates"]}
    assert gates == {
        found["Hang"]["id"]: "limit",
        found["Claim it"]["id"]: "rework",
        found["Judge it"]["id"]: "rework",
    }
    for title in ("Claim it", "Judge it"):
        (verdict,) = found[title]["verdicts"]
        assert {"check", "claim"} <= {each["kind"] for each in verdict["findings"]}
    assert all(lasted(each) < SILENCE + OVER for each in builders(found["Hang"]))
    what_was_tried_with_the_tools_of_others_was_refused(over, found["Answer by the tools of others"])
    what_was_tried_in_the_place_of_a_person_was_refused(over, found["Judge it"])


def what_was_tried_with_the_tools_of_others_was_refused(workspace: Delivering, step: dict[str, Any]) -> None:
    first = builders(step)[0]
    told = json.loads(left(workspace, step))
    assert "saw token 'another one'" in told["token"]
    assert "saw attempt 'A" in told["attempt"]
    assert "saw role 'qa'" in told["role"]
    assert "is over, and nothing more is taken from it" in told["late"]
    assert [each.partition(":")[0] for each in refusals(workspace, first)] == ["(start)"] * 3


def what_was_tried_in_the_place_of_a_person_was_refused(workspace: Delivering, step: dict[str, Any]) -> None:
    told = left(workspace, step)
    exits = [int(line.removeprefix("exit ")) for line in told.splitlines() if line.startswith("exit ")]
    assert exits == [REFUSED] * 7, told
    assert workspace.ok("task", "show", "T2")["task"]["status"] == "draft"
    assert workspace.ok("step", "show", "T1.1")["step"]["status"] == ENDS["Find it broken"].step


def matrix(found: dict[str, dict[str, Any]]) -> list[str]:
    """Return a line for each trouble: what came of its attempts and of its step, and what the record says first."""
    lines = []
    for title, step in found.items():
        tries = " · ".join(f"{status} ({failure or 'claims it'})" for status, failure in ends(step)[0])
        said = (builders(step)[0]["reason"] or step["verdicts"][-1]["findings"][0]["text"]).splitlines()[0]
        lines.append(f"{title:30} {tries:42} {step['status']:8} {said[:70]}")
    return lines


def shown(workspace: Delivering) -> list[dict[str, Any]]:
    """Return the steps of the task, with their attempts and verdicts."""
    return [workspace.ok("step", "show", each["id"])["step"] for each in workspace.ok("step", "list", "T1")["steps"]]


def ends(step: dict[str, Any]) -> tuple[list[tuple[str, str | None]], str]:
    return [(each["status"], each["failure_class"]) for each in builders(step)], step["status"]


def builders(step: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in step["attempts"] if each["role"] == "builder"]


def lasted(attempt: dict[str, Any]) -> float:
    begun, ended = (datetime.fromisoformat(attempt[each]) for each in ("started_at", "ended_at"))
    return (ended - begun).total_seconds()


def left(workspace: Delivering, step: dict[str, Any]) -> str:
    """Return what a builder's shell has left in its work folder of what it was told."""
    return (workspace.root / ".punchlist" / "work" / str(step["id"]) / "build" / "told").read_text(encoding="utf-8")


def refusals(workspace: Delivering, attempt: dict[str, Any]) -> list[str]:
    """Return what the record says that the typed tools refused to an attempt."""
    outcome = workspace.root / ".punchlist" / "attempts" / str(attempt["id"]) / "outcome.json"
    return list(json.loads(outcome.read_bytes()).get("refused", ()))
