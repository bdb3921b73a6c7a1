"""What a dry run says of each built-in flow; run as a module it writes the golden files anew.

Usage: python -m tests.golden.plans.plans
"""

from importlib.resources import files
from pathlib import Path
from typing import Any

from punchlist.cli.views.runs import dry_run
from punchlist.flow.parse import parse_flow
from punchlist.model.json import plain
from punchlist.model.policy import Policy
from punchlist.service.plan_shapes import planned
from tests.runs import PROJECT, checked, reviewed, step, task_of

EXPECTED = Path(__file__).parent / "expected"
TASK: Any = plain(task_of(step(1, checked(), reviewed(2)), step(2, needs=(1,)), acceptance=(checked(9),)))
CRITERIA: Any = [plain(checked()), plain(reviewed(2))]
INPUTS: dict[str, dict[str, Any]] = {
    "deliver": {"task": TASK},
    "design": {"brief": "A clock.", "author": "claude", "reviewer": "codex", "rounds": 3},
    "plan": {"request": "Add a clock.", "planner": "claude", "critique": True},
    "prove": {"task": TASK},
    "review-only": {"criteria": CRITERIA, "tree": "base", "reviewer": "codex", "must_pass": True},
}


def names() -> list[str]:
    """Return the names of all built-in flows."""
    return sorted(each.name.removesuffix(".yaml") for each in files("punchlist").joinpath("data", "flows").iterdir())


def said(name: str) -> str:
    """Return what a dry run of a built-in flow prints."""
    text = files("punchlist").joinpath("data", "flows", f"{name}.yaml").read_text(encoding="utf-8")
    flow = parse_flow(text, source=f"{name}.yaml")
    return dry_run({"plan": planned(flow, inputs=INPUTS[name], policy=Policy(), project=PROJECT)}) + "\n"


if __name__ == "__main__":
    for each in names():
        (EXPECTED / f"{each}.txt").write_text(said(each), encoding="utf-8")
