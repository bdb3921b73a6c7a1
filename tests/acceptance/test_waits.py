"""A verb whose engine is slow to answer says on a terminal what it waits for, and what ^C leaves to be done."""

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.installed import PROGRAM, TIMEOUT, Workspace, until

FLOW = "punchlist: 1\nflow: slow\nnodes:\n  wait: {run: sleep 300}\n"
INTERRUPTED = 130


@pytest.fixture
def place(folder: Workspace) -> Workspace:
    folder.ok("init")
    folder.write("slow.yaml", FLOW)
    folder.ok("run", "slow.yaml")
    until(lambda: [each["status"] for each in live(folder)] == ["running"], what="the run is under way")
    return folder


def live(place: Workspace) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = place.ok("status")["runs"]
    return runs


@contextmanager
def stopped(place: Workspace) -> Iterator[None]:
    """Let the engine stand still."""
    engine = place.engine()
    assert engine is not None
    os.kill(engine, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(engine, signal.SIGCONT)


def shown(terminal: int, *, until_said: str) -> str:
    """Return what stands on a terminal once it says something."""
    text = ""
    while until_said not in text:
        text += os.read(terminal, 4096).decode()
    return text


def test_a_verb_that_waits_for_its_answer_says_so_and_what_breaking_off_leaves(place: Workspace) -> None:
    terminal, end = pty.openpty()
    with stopped(place):
        command = [str(PROGRAM), "pause", "R1"]
        verb = subprocess.Popen(command, cwd=place.root, env=place.environment, stdout=subprocess.PIPE, stderr=end)
        os.close(end)

        said = shown(terminal, until_said="to be done")
        verb.send_signal(signal.SIGINT)
        said_then = shown(terminal, until_said="punchlist status")
        verb.communicate(timeout=TIMEOUT)

    assert "waiting for the engine to pause R1; ^C leaves it to be done" in said
    assert "interrupted: the engine will pause R1 all the same" in said_then
    assert verb.returncode == INTERRUPTED
    until(lambda: live(place)[0]["paused"], what="the run is paused all the same")
    os.close(terminal)


def test_a_verb_that_waits_says_nothing_where_nobody_reads_it(place: Workspace) -> None:
    with stopped(place):
        verb = place.begun("pause", "R1", "--json")
        with pytest.raises(subprocess.TimeoutExpired):
            verb.wait(timeout=2)

    assert place.over(verb).err == ""
