"""Agents that answer by typed tools alone, in the engine's own attempts: plan, question, result, review."""

import json
import sys
from pathlib import Path

import pytest

from tests.installed import Workspace

WAITS = 6
SETTINGS = f"""\
[workers.agent]
type = "command"
argv = ["{sys.executable}", "{Path(__file__).parents[1] / "tool_agent.py"}"]

[roles]
planner = "agent"
builder = "agent"
qa = "agent"
"""


@pytest.fixture
def library(folder: Workspace) -> Workspace:
    folder.repository({"m.py": "x = 1\n"})
    folder.write("punchlist.toml", SETTINGS)
    folder.ok("init")
    return folder


def refused(workspace: Workspace) -> list[str]:
    """Return what the record says of refused calls."""
    found = [json.loads(path.read_text()) for path in workspace.root.glob(".punchlist/attempts/*/outcome.json")]
    return sorted(line for outcome in found for line in outcome.get("refused", ()))


def test_a_task_is_planned_asked_about_built_and_reviewed_by_tools_alone(library: Workspace) -> None:
    planned = library.ok("plan", "Say how to greet people, and part from them.")
    first, second = planned["tasks"]
    assert (first["title"], second["needs"]) == ("Greet people", [first["id"]])
    assert [each["attempts"] for each in planned["run"]["nodes"] if each["path"] == "plan"] == [["A1", "A2", "A3"]]
    assert [each["where"] for each in planned["critique"]] == ["tasks[1].steps[0].goal"]

    library.ok("approve", "T1")
    assert library.punchlist("task", "start", "T1", "--wait").code == WAITS
    (gate,) = library.ok("gates")["gates"]
    assert gate["kind"] == "blocked"
    assert "Which word?" in gate["message"]

    library.ok("decide", gate["id"], "answer", "-m", "Hello")
    end = library.punchlist("resume", "T1", "--wait", "--json")

    assert end.code == 0, end
    assert library.ok("task", "show", "T1")["task"]["status"] == "accepted"
    assert [line.partition(" ")[0] for line in refused(library)] == [
        "approve_task:",
        "approve_task:",
        "create_step:",
        "create_step:",
        "record_builder_result:",
        "record_qa_result:",
    ]


def test_what_is_still_wrong_with_a_plan_is_shown_before_it_is_approved(library: Workspace) -> None:
    library.ok("plan", "Say how to greet people.")

    shown = library.punchlist("plan", "Say how to greet people again.").out

    assert 'Look at this before you approve it:\n  tasks[1].steps[0].goal: T4.1 "Part" says no goal' in shown


def test_what_rules_leave_out_of_a_spec_is_shown_to_the_person(library: Workspace) -> None:
    spec = "Greet people\n\nAnswers come back within 200 ms.\n\n- It greets.\n"

    shown = library.punchlist("plan", spec, "--planner", "heuristic").out

    assert 'before you approve it:\n  line 3: no criterion speaks of "Answers come back within 200 ms."' in shown


def test_the_offline_planner_is_told_nothing_of_its_plan(library: Workspace) -> None:
    planned = library.ok("plan", "Greet people\n\n- It greets.\n", "--planner", "heuristic")

    assert "critique" not in planned  # no person is shown any either: nothing is left out
    assert [len(each["attempts"]) for each in planned["run"]["nodes"] if each["path"] == "plan"] == [1]
