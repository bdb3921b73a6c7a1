"""A planner session of the real program over a spec of two pages: criticised once, its plan holds all that is asked."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from tests.agents.conftest import Delivering, Make
from tests.installed import until

PATIENCE = 120
SPEC = Path(__file__).with_name("parcels") / "spec.md"
PARCELS = {
    "README.md": "# parcels\n\n    $ printf '420\\n' | python3 -m parcels\n    2.80\n",
    "parcels/__init__.py": "from parcels.prices import price\n",
    "parcels/__main__.py": (
        "import sys\n\nfrom parcels import price\n\n"
        "for line in sys.stdin:\n    print(f'{price(int(line)) / 100:.2f}')\n"
    ),
    "parcels/prices.py": (
        "INLAND = {500: 280, 2000: 450, 10000: 790}\n\n\n"
        "def price(grams):\n    return next(pence for limit, pence in INLAND.items() if grams <= limit)\n"
    ),
    "tests/__init__.py": "",
    "tests/test_prices.py": (
        "import unittest\n\nfrom parcels import price\n\n\nclass Prices(unittest.TestCase):\n"
        "    def test_a_letter(self):\n        self.assertEqual(price(420), 280)\n"
    ),
}
REMARKS = SPEC.with_name("remarks.txt")
"""What is wrong with the first plan, without how to mend it: all of it, and nothing else."""


MENDED = re.compile(r" (?:Give it|Say what|Let one need|Give a step) .*")
GOALS = {
    "T1.1": ["goal", "goal", "goal"],
    "T1.2": ["goal", "goal", "guard"],
    "T2.1": ["goal", "goal", "goal", "guard"],
    "T2.2": ["goal", "goal"],
    "T2.3": ["goal"],
    None: ["guard", "guard"],
}
"""What the base shows of the second plan's checks, by step."""


def test_a_plan_passes_the_critique_after_one_round(delivering: Make) -> None:
    workspace, server = delivering("planner", PARCELS, more='planner = "claude"\n')
    workspace.write("spec.md", SPEC.read_text(encoding="utf-8"))
    workspace.ok("project", "edit", "--spec", "spec.md")

    planned = workspace.ok("plan", timeout=PATIENCE)

    assert planned["critique"] == []
    assert [(each["id"], each["needs"], len(each["steps"])) for each in planned["tasks"]] == [
        ("T1", [], 2),
        ("T2", ["T1"], 3),
    ]
    first, second = planners(workspace)
    assert first["session"] == second["session"] is not None
    assert all(each["usage"]["microdollars"] > 0 for each in (first, second))
    before, after = (read(workspace, each, "prompt.md") for each in (first, second))
    assert "Your last plan was refused" not in before
    assert remarks(after) == REMARKS.read_text(encoding="utf-8").splitlines()
    assert json.loads(read(workspace, first, "refused.jsonl"))["tool"] == "create_task"
    offered = {tool["name"] for tool in server.requests[0]["tools"]}
    assert {"mcp__punchlist__create_task", "mcp__punchlist__create_step", "mcp__punchlist__update_step"} <= offered
    assert not {"Bash", "Edit", "Write", "mcp__punchlist__record_builder_result"} & offered
    what_the_plans_checks_showed_is_the_proof(workspace)


def planners(workspace: Delivering) -> list[dict[str, Any]]:
    """Return the outcomes of the planner's attempts."""
    attempts = {each["attempt"] for each in facts(workspace, "AttemptQueued") if each["role"] == "planner"}
    ended = [each["outcome"] for each in facts(workspace, "AttemptEnded")]
    return [each for each in ended if each["attempt"] in attempts]


def remarks(prompt: str) -> list[str]:
    """Return what the planner was told, without how to mend it and without the escapes of markdown."""
    found = re.findall(r"^- (P\d+ .*)$", prompt.partition("Your last plan was refused")[2], re.MULTILINE)
    plain = (re.sub(r"\\(.)", r"\1", each) for each in found)
    return [MENDED.sub("", re.sub(r'it said "[^:]*sh:', 'it said "SHELL:', each)) for each in plain]


def what_the_plans_checks_showed_is_the_proof(workspace: Delivering) -> None:
    """No check ran twice on the base, but those that could not run there for want of a test that they name."""
    until(lambda: all(proof(workspace, each) for each in ("T1", "T2")), what="both drafts are proved")
    rows = [row for task in ("T1", "T2") for row in proof(workspace, task)["rows"]]
    shown: dict[str | None, list[str]] = {}
    for row in rows:
        shown.setdefault(row["step"], []).append(row["shows"])
    assert shown == GOALS
    commands = {
        each["attempt"]: each["command"].strip() for each in facts(workspace, "AttemptQueued") if "command" in each
    }
    ended = (each["outcome"] for each in facts(workspace, "AttemptEnded"))
    ran = Counter(
        commands[each["attempt"]] for each in ended if each["attempt"] in commands and not each.get("cached_from")
    )
    assert {command for command, times in ran.items() if times > 1} <= {
        "python3 -m unittest tests.test_sheet",
        "python3 -m unittest tests.test_weights",
    }
    assert ran["python3 -m unittest"] == 1


def proof(workspace: Delivering, task: str) -> Any:
    return workspace.ok("task", "show", task)["task"]["proof"]


def facts(workspace: Delivering, kind: str) -> list[dict[str, Any]]:
    return [each["data"] for each in workspace.ok("events")["events"] if each["kind"] == kind]


def read(workspace: Delivering, outcome: dict[str, Any], name: str) -> str:
    folder = workspace.root / ".punchlist" / "attempts" / str(outcome["attempt"]) / "io"
    return (folder / name).read_text(encoding="utf-8")
