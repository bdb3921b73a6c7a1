"""`do` with a plan of several tasks: each is started once what it needs is accepted, and what is left is told."""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.installed import Workspace

FAILED, REFUSED, WAITS, INTERRUPTED = 1, 3, 6, 130
SETTINGS = f"""\
[workers.agent]
type = "command"
argv = ["{sys.executable}", "{Path(__file__).parents[1] / "tool_agent.py"}"]

[workers.scripted]
type = "scripted"
script = "script.json"

[roles]
planner = "scripted"
builder = "scripted"
qa = "scripted"

[policy]
rework = 0
retries = 0
"""
JUDGE = {"when": {"role": "qa"}, "review": {"pass": "all", "evidence": ["m.py:1"]}}


def planned(**needs: list[int]) -> dict[str, Any]:
    """Return a planner's turn: a task of one step for each name, which needs those at these places of the plan."""
    tasks = [
        {"title": name, "needs": needed, "steps": [{"title": name, "criteria": ["It is so."]}]}
        for name, needed in needs.items()
    ]
    return {"when": {"role": "planner"}, "plan": {"tasks": tasks}}


@pytest.fixture
def library(folder: Workspace) -> Workspace:
    folder.repository({"m.py": "x = 1\n"})
    folder.write("punchlist.toml", SETTINGS)
    folder.ok("init")
    return folder


def scripted(library: Workspace, *turns: dict[str, Any]) -> None:
    library.write("script.json", json.dumps({"turns": [*turns, JUDGE]}))


def status(library: Workspace) -> dict[str, str]:
    return {each["id"]: each["status"] for each in library.ok("task", "list")["tasks"]}


def test_an_agents_tasks_are_delivered_one_on_top_of_the_other(library: Workspace) -> None:
    word = {"when": {"role": "builder", "step": "A word"}, "append": {"m.py": "word = 'Hello'\n"}}
    part = {"when": {"role": "builder", "step": "Part"}, "run": "grep -q Hello m.py", "append": {"m.py": "# Bye\n"}}
    scripted(library, word, part)

    call = library.punchlist("do", "Say how to greet people, and part from them.", "--planner", "agent", "--yes")

    assert call.code == 0, call
    assert "draft · project here · version 1 · needs T1" in call.out.splitlines()
    told = [line.split()[:2] for line in call.out.splitlines()]
    assert told.index(["T1", "accepted:"]) < told.index(["T2", "running"])
    assert "was not started" not in call.out
    first, second = (library.ok("task", "show", each)["task"] for each in ("T1", "T2"))
    assert (first["status"], second["status"]) == ("accepted", "accepted")
    library.git("merge-base", "--is-ancestor", first["branch"], second["branch"])


def test_a_task_whose_need_failed_is_left_and_told_with_what_to_type(library: Workspace) -> None:
    scripted(library, planned(one=[], two=[1], three=[2]), {"when": {"role": "builder"}, "exit": 1})

    call = library.punchlist("do", "Do it", "--yes")

    assert call.code == FAILED, call
    assert call.out.endswith(
        "T2 was not started: T1 is failed, and T2 needs it accepted\n"
        "  Type: punchlist retry T1 --wait; once T1 is accepted: punchlist task start T2 --follow\n"
        "T3 was not started: T2 is ready, and T3 needs it accepted\n"
        "  Once T2 is accepted, type: punchlist task start T3 --follow\n"
    )
    assert status(library) == {"T1": "failed", "T2": "ready", "T3": "ready"}


def test_what_waits_for_a_person_is_one_object_that_says_what_was_not_started(library: Workspace) -> None:
    ask = {"when": {"role": "builder"}, "result": {"outcome": "blocked", "question": "Which?"}}
    scripted(library, planned(one=[], two=[1]), ask)

    call = library.punchlist("do", "Do it", "--yes", "--json")

    assert call.code == WAITS, call
    assert [each["status"] for each in call.json["tasks"]] == ["waiting", "ready"]
    assert [(each["task"], each["status"]) for each in call.json["runs"]] == [("T1", "waiting")]
    assert call.json["not_started"] == [
        {
            "id": "T2",
            "why": "T1 is waiting, and T2 needs it accepted",
            "hint": "Type: punchlist gates; once T1 is accepted: punchlist task start T2 --follow",
        }
    ]
    assert "building by scripted" in call.err


def test_a_task_that_is_refused_when_its_turn_comes_is_told_with_the_exit_code_of_that(library: Workspace) -> None:
    more = {"when": {"role": "builder"}, "run": "echo more >> m.py"}
    scripted(library, planned(one=[], two=[], both=[1, 2]), more)

    call = library.punchlist("do", "Do it", "--yes")

    assert call.code == REFUSED, call
    assert "T3 was not started: task T3 needs T1, T2, which are on branches of their own" in call.out
    assert status(library) == {"T1": "accepted", "T2": "accepted", "T3": "ready"}


def test_interrupted_it_leaves_what_runs_alone_and_says_what_nobody_will_start(library: Workspace) -> None:
    scripted(library, planned(one=[], two=[1]), {"when": {"role": "builder"}, "run": "sleep 60"})
    view = library.begun("do", "Do it", "--yes")
    assert view.stdout is not None
    while "building" not in (line := view.stdout.readline()):
        assert line, view.communicate()

    view.send_signal(signal.SIGINT)
    _, err = view.communicate(timeout=20)

    assert view.returncode == INTERRUPTED
    assert err.splitlines()[-3:] == [
        "detached: the run goes on; see it with: punchlist status",
        "T2 was not started: T1 is running, and T2 needs it accepted",
        "  Once T1 is accepted, type: punchlist task start T2 --follow",
    ]
    assert status(library) == {"T1": "running", "T2": "ready"}
