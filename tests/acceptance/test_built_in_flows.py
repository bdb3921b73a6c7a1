"""The built-in flows `design` and `review-only`, run as they ship, with programs in the place of agents."""

import json
from typing import Any

from tests.installed import Workspace

WORKERS = """
[workers.writer]
type = "command"
argv = ["sh", "-c", 'if grep -q "too short" "$PUNCHLIST_PROMPT"; then echo long; else echo short; fi > design.md']
[workers.judge]
type = "command"
argv = ["./judge"]
[engine]
idle_exit = "1s"
"""
JUDGE = """\
#!/usr/bin/env python3
import json, os
pack = json.load(open(os.environ["PUNCHLIST_PACK"])) if os.environ["PUNCHLIST_ROLE"] == "qa" else {}
fine = "long" in open(os.environ["PUNCHLIST_PROMPT"]).read()
answer = {"verdict": "approve" if fine else "revise", "findings": "" if fine else "It is too short."}
if pack:
    rows = [{"id": each["id"], "verdict": "pass", "evidence": ["README.md:1"]} for each in pack["criteria"]]
    answer = {"schema": "punchlist/review/1", "criteria": rows}
json.dump(answer, open(os.environ["PUNCHLIST_RESULT"], "w"))
"""


def test_a_design_is_redrafted_until_it_is_approved(workspace: Workspace) -> None:
    furnish(workspace)

    asked = ("-i", "brief=A clock.", "-i", "author=writer", "-i", "reviewer=judge")
    run = workspace.ok("run", "design", *asked, "--wait")["run"]

    assert (run["status"], run["outputs"]["design"]["verdict"]) == ("succeeded", "approve")
    assert (run["outputs"]["design"]["path"], run["outputs"]["design"]["text"]) == ("design.md", "long\n")
    assert [each["path"] for each in run["nodes"] if each["kind"] == "round"] == ["design[0]", "design[1]"]


def test_criteria_are_judged_on_a_tree_that_is_there(workspace: Workspace) -> None:
    furnish(workspace)
    read: dict[str, Any] = {"id": "AC-2", "text": "It reads well.", "review": True}
    there = [{"id": "AC-1", "text": "It is there.", "check": "test -f README.md"}, read]
    gone = [{"id": "AC-1", "text": "It is there.", "check": "test -f LICENSE"}]

    passed = judged(workspace, there)
    failed = judged(workspace, gone)
    refused = judged(workspace, gone, "-i", "must_pass=true")

    assert [each["verdict"] for each in passed["outputs"]["verdict"]["criteria"]] == ["pass", "pass"]
    assert (failed["status"], failed["outputs"]["verdict"]["result"]) == ("succeeded", "fail")
    assert (refused["status"], refused["error"]) == ("failed", "passed: the verdict is: fail")


def furnish(workspace: Workspace) -> None:
    settings = workspace.root / "punchlist.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + WORKERS, encoding="utf-8")
    workspace.write("judge", JUDGE).chmod(0o755)


def judged(workspace: Workspace, criteria: list[dict[str, Any]], *more: str) -> dict[str, Any]:
    project = workspace.ok("project", "list")["projects"][0]["id"]
    asked = ("-i", f"criteria={json.dumps(criteria)}", "-i", "reviewer=judge", *more)
    call = workspace.punchlist("run", "review-only", "--project", project, *asked, "--wait", "--json")
    assert call.code in {0, 1}, call
    run = call.json["run"]
    assert isinstance(run, dict)
    return run
