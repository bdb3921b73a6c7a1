"""A builder's evidence is looked up in the tree that it left, by an engine at work."""

import json
from pathlib import Path
from typing import Any

from punchlist.service import approvals, projects, runs, starts, tasks
from tests.services import BUILDER, at, shown, stopped, task, workspace

RESULT = {
    "schema": "punchlist/result/1",
    "outcome": "done",
    "criteria": [{"id": "AC-1", "met": True, "evidence": "made.txt:1; src/nowhere.txt:7"}],
}


def test_evidence_that_is_not_there_is_a_finding_on_a_tree_whose_checks_pass(tmp_path: Path) -> None:
    said = json.dumps(json.dumps(f"echo made > made.txt; printf '%s' '{json.dumps(RESULT)}' > $PUNCHLIST_RESULT"))
    settings = BUILDER.replace('"echo made > made.txt"', json.loads(said))
    with stopped(workspace(tmp_path / "ws", settings=settings, engine=True)) as service:
        projects.create(service, "p", spec="# What is wanted\n")
        tasks.create(service, None, document=task(policy={"rework": 0}))
        approvals.approve(service, "T1")
        started: Any = starts.start(service, ["T1"])

        runs.wait(service, [str(started["run"]["id"])])

        verdict = at(shown(service, "T1"), "steps", 0, "verdict")
        assert [each["text"] for each in verdict["findings"]] == [
            "the builder says it is met on evidence that is not in its tree: src/nowhere.txt:7"
        ]
        assert verdict["reason_code"] == "claim_false"
