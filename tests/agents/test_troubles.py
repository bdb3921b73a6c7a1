"""Troubles in a run with the real program: what is lost begins anew, what must wait is parked, no process is left."""

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
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


@pytest.mark.parametrize("how", ["cancel", "kill the engine"])
def test_an_end_in_mid_turn_leaves_no_process(started: Callable[..., Delivering], how: str) -> None:
    workspace = started("Go on for ever.")
    begun = at_work(workspace)

    if how == "kill the engine":
        workspace.kill_engine()
    workspace.ok("cancel", "T1")

    assert len(begun) > 2
    until(lambda: living(workspace) == {}, what="nothing of the attempt lives")


@pytest.mark.parametrize(
    ("sign", "of_what", "end"),
    [
        (signal.SIGTERM, "agent", ("failed", "worker")),
        (signal.SIGKILL, "agent", ("failed", "worker")),
        (signal.SIGTERM, "wrapper", None),  # it waits for its command, whatever comes
        (signal.SIGKILL, "wrapper", ("failed", "worker")),
    ],
)
def test_a_signal_in_mid_turn_leaves_no_process(
    started: Callable[..., Delivering], sign: signal.Signals, of_what: str, end: tuple[str, str] | None
) -> None:
    workspace = started("Go on for ever.")
    begun = at_work(workspace)
    (first,) = builders(workspace)
    wrapper = int((workspace.root / f".punchlist/attempts/{first['id']}/pid").read_text(encoding="ascii").split()[0])
    agents = [each for each in begun if "claude" in begun[each] and each != wrapper]
    assert agents
    assert wrapper in begun

    for pid in [wrapper] if of_what == "wrapper" else agents:
        os.kill(pid, sign)
    if end is not None:
        until(lambda: builders(workspace)[0]["ended_at"], what="the first attempt is over")
        left = {pid: said for pid, said in living(workspace).items() if pid in begun}
        assert left == {}
        first = builders(workspace)[0]
        assert (first["status"], first["failure_class"]) == end
    workspace.ok("cancel", "T1")

    until(lambda: living(workspace) == {}, what="nothing of any attempt lives")
    assert workspace.ok("task", "show", "T1")["task"]["status"] == "cancelled"


def at_work(workspace: Delivering) -> dict[int, str]:
    """Wait until the agent's shell runs, and return the processes of the attempt."""
    begun = workspace.root / ".punchlist" / "work" / "T1.1" / "build" / "begun"
    until(begun.exists, what="the agent's shell runs")
    return living(workspace)


def living(workspace: Delivering) -> dict[int, str]:
    """Return the processes of attempts: by their environment, or by the folder that they are in."""
    found = workspace.processes()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cwd").readlink().is_relative_to(workspace.root / ".punchlist" / "work"):
                found.setdefault(int(folder.name), (folder / "cmdline").read_bytes().decode(errors="replace"))
    return found


def builders(workspace: Delivering) -> list[dict[str, Any]]:
    attempts = workspace.ok("step", "show", "T1.1")["step"]["attempts"]
    return [each for each in attempts if each["role"] == "builder"]
