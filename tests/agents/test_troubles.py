"""Troubles in a run with the real program: what is lost begins anew, what must wait is parked, no process is left."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.agents.conftest import SUBSCRIPTION, Delivering, Make
from tests.installed import until

GREETER = {"greeter.py": 'def greet(name):\n    return f"Hello, {name}!"\n', ".gitignore": "__pycache__/\n"}
# The check runs in the home that the agent has, and takes its sessions away.
TASK = """\
title: Greet in French
steps:
  - title: Say Bonjour
    goal: {goal}
    criteria:
      - text: It says Bonjour.
        check: rm -rf ~/.claude/projects; python3 -c "from greeter import greet; assert greet('Ada') == 'Bonjour, Ada!'"
"""
PATIENCE = 120
RESET = "2100-01-01T00:00:00.000000Z"


@pytest.fixture
def started(delivering: Make) -> Callable[..., Delivering]:
    """Start a task with this goal, and perhaps wait for its end."""

    def start(goal: str, *more: str) -> Delivering:
        workspace, _ = delivering("troubles", GREETER, more='[policy]\nreview = "uncovered"\n', login=SUBSCRIPTION)
        workspace.write("task.yaml", TASK.format(goal=goal))
        workspace.ok("task", "create", "--file", "task.yaml")
        workspace.ok("approve", "T1")
        call = workspace.punchlist("task", "start", "T1", *more, timeout=PATIENCE)
        assert call.code == 0, call
        return workspace

    return start


def test_a_session_that_is_gone_is_begun_anew(started: Callable[..., Delivering]) -> None:
    workspace = started("Lose your session.", "--wait")

    first, lost, fresh = builders(workspace)
    assert workspace.ok("task", "show", "T1")["task"]["status"] == "accepted"
    assert (lost["status"], lost["failure_class"]) == ("failed", "worker")
    assert lost["session"] == first["session"]
    assert fresh["session"] not in {first["session"], None}


def test_a_quota_that_is_used_up_parks_the_attempt_until_its_reset(started: Callable[..., Delivering]) -> None:
    workspace = started("Use it up.")

    until(lambda: len(builders(workspace)) == 2, what="the attempt is queued again")

    first, parked = builders(workspace)
    assert (first["status"], first["failure_class"]) == ("failed", "quota")
    assert (parked["status"], parked["not_before"]) == ("queued", RESET)
    assert workspace.processes() == {}


@pytest.mark.parametrize("how", ["cancel", "kill the agent", "kill the engine"])
def test_an_end_in_mid_turn_leaves_no_process(started: Callable[..., Delivering], how: str) -> None:
    workspace = started("Go on for ever.")
    begun = workspace.root / ".punchlist" / "work" / "T1.1" / "build" / "begun"
    until(begun.exists, what="the agent's shell runs")
    agents = workspace.processes()

    if how == "kill the engine":
        workspace.kill_engine()
    elif how == "kill the agent":
        for pid in (each for each in agents if "claude" in agents[each]):
            os.kill(pid, signal.SIGKILL)
    workspace.ok("cancel", "T1")

    assert len(agents) > 2
    until(lambda: workspace.processes() == {}, what="nothing of the attempt lives")


def builders(workspace: Delivering) -> list[dict[str, Any]]:
    attempts = workspace.ok("step", "show", "T1.1")["step"]["attempts"]
    return [each for each in attempts if each["role"] == "builder"]
