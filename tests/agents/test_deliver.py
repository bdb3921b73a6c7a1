"""A task that Claude Code builds and reviews: two tries fail, each for another reason, and the third is accepted."""

import json
from pathlib import Path
from typing import Any

from tests.agents.conftest import Delivering, Make

GREETER = {
    "greeter.py": 'def greet(name):\n    return f"Hello, {name}!"\n',
    "README.md": "# greeter\n",
    ".gitignore": "__pycache__/\n",
}
TASK = """\
title: Greet in French
spec: Callers want French.
steps:
  - title: Take a language
    goal: greet(name, "fr") greets in French.
    criteria:
      - text: '"Ada" becomes "Bonjour, Ada!".'
        check: python3 -c "from greeter import greet; assert greet('Ada', 'fr') == 'Bonjour, Ada!'"
        review: true
      - The README shows it.
"""
PATIENCE = 120


def test_claude_builds_and_reviews_until_it_is_accepted(delivering: Make) -> None:
    workspace, server = delivering("greeter", GREETER)
    workspace.write("../task.yaml", TASK)
    workspace.ok("task", "create", "--file", "../task.yaml")
    workspace.ok("approve", "T1")

    done = workspace.punchlist("task", "start", "T1", "--wait", "--json", timeout=PATIENCE)

    step = workspace.ok("step", "show", "T1.1")["step"]
    assert done.code == 0, (done, step["attempts"])
    assert done.json["task"]["status"] == "accepted"
    assert [rejected(each) for each in step["verdicts"]] == [{"AC-1", "AC-2"}, {"AC-2"}, set()]
    assert "Bonjour" in workspace.git("show", f"{done.json['task']['branch']}:greeter.py")
    builders, reviewers = by_role(step, "builder"), by_role(step, "qa")
    the_record_tells_of_each_attempt(workspace, builders, reviewers)
    what_the_tools_refused_was_mended(workspace, builders[0])
    assert workspace.processes() == {}
    assert all(each["headers"]["x-api-key"] == "a-key" for each in server.requests)


def rejected(verdict: dict[str, Any]) -> set[str]:
    return {each["id"] for each in verdict["criteria"] if each["verdict"] == "fail"}


def by_role(step: dict[str, Any], role: str) -> list[dict[str, Any]]:
    return [each for each in step["attempts"] if each["role"] == role]


def the_record_tells_of_each_attempt(
    workspace: Delivering, builders: list[dict[str, Any]], reviewers: list[dict[str, Any]]
) -> None:
    """The builder goes on in one session, each reviewer has its own; each attempt has its own cost and prompt."""
    assert [each["s"] for each in builders] == [0, 1, 2]
    assert len({each["session"] for each in builders}) == 1
    assert len({each["session"] for each in (*builders, *reviewers)}) == 1 + len(reviewers) == 3
    assert [each["usage"]["input_tokens"] for each in builders] == [2300, 500, 600]
    assert [each["usage"]["cached_tokens"] for each in builders] == [0, 2000, 3000]
    assert all(each["usage"]["microdollars"] > 0 for each in (*builders, *reviewers))
    prompts = [prompt(workspace, each) for each in builders]
    assert "Your last try was judged" not in prompts[0]
    assert "The README does not show the French greeting" in prompts[2]
    assert not any("Salut" in prompt(workspace, each) for each in reviewers)


def what_the_tools_refused_was_mended(workspace: Delivering, builder: dict[str, Any]) -> None:
    """A call that is no answer is refused with what is allowed, and the answer after it counts."""
    refused = json.loads((io(workspace, builder) / "refused.jsonl").read_bytes())
    answer = json.loads((io(workspace, builder) / "result.json").read_bytes())
    assert (refused["tool"], refused["code"]) == ("record_builder_result", "definition")
    assert answer["outcome"] == "done"


def prompt(workspace: Delivering, attempt: dict[str, Any]) -> str:
    return (io(workspace, attempt) / "prompt.md").read_text(encoding="utf-8")


def io(workspace: Delivering, attempt: dict[str, Any]) -> Path:
    return workspace.root / ".punchlist" / "attempts" / str(attempt["id"]) / "io"
