"""A planner session of the real program: its plan is criticised once, and then holds all that was asked for."""

import json
from pathlib import Path

from tests.agents.conftest import Make

PATIENCE = 120
BACKGROUND = "The library greets people by name. It has grown over the years, and many programs call it every day. "
SPEC = f"""\
# Greeter

## Background

{BACKGROUND * 40}

## What is wanted

- `greet` must take a language, and French greets with Bonjour.
- An unknown language must raise ValueError.
- The README must show a greeting in French.
"""
GREETER = {"greeter.py": 'def greet(name):\n    return f"Hello, {name}!"\n', "README.md": "# greeter\n"}


def test_a_plan_passes_the_critique_after_one_round(delivering: Make) -> None:
    workspace, server = delivering("planner", GREETER, more='planner = "claude"\n')
    workspace.write("spec.md", SPEC)
    workspace.ok("project", "edit", "--spec", "spec.md")

    planned = workspace.ok("plan", timeout=PATIENCE)

    first, second = planned["tasks"]
    assert planned["critique"] == []
    assert (first["needs"], second["needs"]) == ([], [first["id"]])
    assert [criterion["check"] for criterion in second["steps"][0]["criteria"]] == ["grep -q Bonjour README.md"]
    attempts = sorted((workspace.root / ".punchlist" / "attempts").glob("A*/io"))
    assert len(attempts) == 2
    before, after = (read(each / "prompt.md") for each in attempts)
    assert "Your last plan was refused" not in before
    assert "The README must show a greeting in French" in after.partition("Your last plan was refused")[2]
    assert json.loads(read(attempts[0] / "refused.jsonl"))["tool"] == "create_task"
    offered = {tool["name"] for tool in server.requests[0]["tools"]}
    assert {"mcp__punchlist__create_task", "mcp__punchlist__create_step", "mcp__punchlist__update_step"} <= offered
    assert not {"Bash", "Edit", "Write", "mcp__punchlist__record_builder_result"} & offered


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
