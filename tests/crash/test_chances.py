"""Kills at random, for a few seconds: `make soak KILLS=10000` goes on with it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORGETFUL = """
import sys
from punchlist.ports import Lost
from punchlist.workers.process import LocalProcesses
from tests.crash.chances.soak import main

adopt = LocalProcesses.adopt

async def lose(self, job):
    await adopt(self, job)
    return Lost(reason="it is forgotten")

LocalProcesses.adopt = lose
sys.exit(main(sys.argv[1:]))
"""


def soaked(folder: Path, *arguments: str, nodes: int) -> subprocess.CompletedProcess[str]:
    """Kill at random below a folder, in a process of its own: it becomes the parent of whatever is orphaned."""
    argv = [sys.executable, *arguments, f"--nodes={nodes}"]
    env = {**os.environ, "TMPDIR": os.fspath(folder)}
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=240)


def test_nothing_is_lost_or_done_twice_whenever_something_is_killed(tmp_path: Path) -> None:
    done = soaked(tmp_path, "-m", "tests.crash.chances.soak", "--kills=40", "--seed=7", nodes=30)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no difference" in done.stdout


def test_an_engine_that_gives_up_what_it_finds_is_found_out_and_can_be_replayed(tmp_path: Path) -> None:
    done = soaked(tmp_path, "-c", FORGETFUL, "--kills=12", "--seed=7", nodes=12)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "was not killed, and is given up" in done.stdout
    assert "again: python -m tests.crash.chances.soak --seed=7" in done.stdout
