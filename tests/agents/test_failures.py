"""All that goes wrong with the real program at once, in one run: each step ends in the class that its trouble has."""

import json
from typing import Any

from tests.agents.conftest import Delivering, Make
from tests.installed import until

GREETER = {"greeter.py": 'def greet(name):\n    return f"Hello, {name}!"\n', ".gitignore": "__pycache__/\n"}
CHECK = "python3 -c \"from greeter import greet; assert greet('Ada') == 'Bonjour, Ada!'\""
POLICY = """\
[policy]
review = "uncovered"
retries = 1
rework = 0
silence = "20s"
"""
Ends = list[tuple[str, str | None]]
WORKER: Ends = [("failed", "worker")] * 2
ENDS: dict[str, tuple[Ends, str]] = {
    "Find it broken": (WORKER, "failed"),
    "Break off": (WORKER, "failed"),
    "Hang": ([("timed_out", "silence")] * 2, "waiting"),
    "Refuse": (WORKER, "failed"),
    "Say nothing": (WORKER, "failed"),
    "Answer wrongly": (WORKER, "failed"),
    "Answer for another": (WORKER, "failed"),
    "Claim it": ([("succeeded", None)], "waiting"),
}
"""How the builder's attempts end, and in which state that leaves the step."""
SAID = {
    "Find it broken": "API Error: 500",
    "Break off": "API Error: Connection",
    "Hang": "it passed its limit on silence",
    "Refuse": "API Error",
    "Say nothing": "it ended without calling record_builder_result",
    "Answer wrongly": "outcome: saw 'finished'; allowed: blocked, done, failed",
    "Answer for another": "it ended without calling record_builder_result",
    "Claim it": "",
}
"""What the record says of the first try."""
PATIENCE = 180


def test_every_trouble_has_its_class_and_its_end(delivering: Make) -> None:
    workspace, _ = delivering("failures", GREETER, more=POLICY)
    criterion = {"text": "It says Bonjour.", "check": CHECK}
    steps = [{"title": goal, "goal": goal, "criteria": [criterion], "needs": []} for goal in ENDS]
    workspace.write("../task.json", json.dumps({"title": "All goes wrong", "steps": steps}))
    workspace.ok("task", "create", "--file", "../task.json")
    workspace.ok("approve", "T1")

    workspace.punchlist("task", "start", "T1", "--wait", timeout=PATIENCE)
    until(lambda: workspace.processes() == {}, what="all that could be tried was tried")

    found = {step["title"]: step for step in shown(workspace)}
    assert {title: (ends(step), step["status"]) for title, step in found.items()} == ENDS
    for title, step in found.items():
        reason = builders(step)[0]["reason"]
        assert SAID[title] in reason
        assert '"type":' not in reason
    gates = {gate["about"]: gate["kind"] for gate in workspace.ok("gates")["gates"]}
    assert gates == {found["Hang"]["id"]: "limit", found["Claim it"]["id"]: "rework"}
    (verdict,) = found["Claim it"]["verdicts"]
    assert {each["kind"] for each in verdict["findings"]} == {"empty", "check", "claim"}


def shown(workspace: Delivering) -> list[dict[str, Any]]:
    """Return the steps of the task, with their attempts and verdicts."""
    return [workspace.ok("step", "show", each["id"])["step"] for each in workspace.ok("step", "list", "T1")["steps"]]


def ends(step: dict[str, Any]) -> Ends:
    return [(each["status"], each["failure_class"]) for each in builders(step)]


def builders(step: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in step["attempts"] if each["role"] == "builder"]
