"""The engine dies while it runs the checks of a first plan; the plan ends as ever, and nothing is paid for twice."""

import json
import os
import signal
from collections import Counter
from typing import Any

import pytest

from tests.disturbed import Disturbed
from tests.installed import PATIENCE, until

PLANNER = """\
#!/bin/sh
# Plans with a fault; without it when it is told so.
here=$(dirname "$0")
"$here/stop" plan
grep -q 'was refused' "$PUNCHLIST_PROMPT" && plan=mended || plan=faulty
cat "$here/$plan.json" >"$PUNCHLIST_RESULT"
"""
SETTINGS = '\n[workers.thinker]\ntype = "command"\nargv = ["./planner"]\n'


def test_a_killed_engine_finds_what_the_plans_check_has_said_meanwhile(planning: Disturbed) -> None:
    planning.hold("check")
    view = planning.begun("plan", "count to three", "--planner", "thinker", "--json")
    planning.until_at("check")

    planning.kill_engine()
    planning.let_go("check")
    until(lambda: not planning.processes(), what="the check is over, and no engine saw it end")
    planning.ok("engine", "start")

    planned(planning, view)
    assert planning.starts() == Counter({"plan": 2, "first": 1, "check": 1})


def test_a_check_of_a_plan_that_was_lost_is_the_only_one_to_run_again(planning: Disturbed) -> None:
    planning.hold("check")
    view = planning.begun("plan", "count to three", "--planner", "thinker", "--json")
    planning.until_at("check")

    planning.kill_engine()
    for pid in planning.processes():
        os.kill(pid, signal.SIGKILL)
    planning.ok("engine", "start")

    planned(planning, view)
    assert planning.starts() == Counter({"plan": 2, "first": 1, "check": 2})


def planned(planning: Disturbed, view: Any) -> None:
    """See that the plan was mended and made into one task, and that its proof runs none of its checks again."""
    told, said = view.communicate(timeout=PATIENCE)
    assert view.returncode == 0, said
    answer = json.loads(told)
    assert (answer["critique"], [each["id"] for each in answer["tasks"]]) == ([], ["T2"])
    before = planning.starts()
    assert planning.ok("approve", "T2")["task"]["status"] == "ready"
    assert planning.starts() == before
    rows = planning.ok("task", "show", "T2")["task"]["proof"]["rows"]
    assert [each["shows"] for each in rows] == ["goal", "goal"]
    assert planning.ok("log", "verify")["problems"] == []
    assert planning.processes() == {}


@pytest.fixture
def planning(disturbed: Disturbed) -> Disturbed:
    """A workspace whose planner says of one criterion too little, until it is told so."""
    root = disturbed.root
    first = {"text": "The counter is at three.", "check": f"{root}/stop first && grep -qx 3 counter.txt"}
    second = {"text": "The step has left its file.", "check": f"{root}/stop check && test -f step-3.txt"}
    for name, last in (("faulty", {"text": "It reads well."}), ("mended", {"text": "It reads well.", "review": True})):
        step = {"title": "Count to three", "goal": "It counts.", "criteria": [first, second, last]}
        plan = {"schema": "punchlist/plan/1", "tasks": [{"title": "Count on", "steps": [step]}]}
        disturbed.write(f"{name}.json", json.dumps(plan))
    disturbed.write("planner", PLANNER).chmod(0o755)
    settings = root / "punchlist.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
    return disturbed
