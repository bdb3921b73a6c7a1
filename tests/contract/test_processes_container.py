"""The engine as the first process of a container, which is given every orphan there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attempts import alive, see_alive
from tests.installed import until

ENGINE = """
import asyncio, os, sys
from pathlib import Path
from tests.attempts import Attempts
assert os.getpid() == 1
attempts = Attempts(Path(sys.argv[1]))
asyncio.run(attempts.processes.run(attempts.launch("sh", "-c", sys.argv[2])))
print("over", flush=True)
sys.stdin.readline()
"""
WAYS = (
    (["unshare", "-pf", "--mount-proc"], ["-p", "-m"]),
    (["unshare", "-Urpf", "--mount-proc"], ["-U", "--preserve-credentials", "-p", "-m"]),
)


@pytest.fixture
def mark() -> str:
    return f"{os.getpid()}.0871"


def test_it_ends_what_an_attempt_left_and_nothing_that_came_in_from_outside(tmp_path: Path, mark: str) -> None:
    way = next((each for each in WAYS if subprocess.run([*each[0], "true"], check=False).returncode == 0), None)
    if way is None:  # this machine lets nobody make a container
        return
    made, entered = way
    ready, hold = tmp_path / "ready", tmp_path / "hold"
    for pipe in (ready, hold):
        os.mkfifo(pipe)
    left = f"{mark}9"
    script = f"(env -i setsid sleep {left} &) & echo >{ready}; read -r _ <{hold}"
    command = [*made, sys.executable, "-c", ENGINE, str(tmp_path / "w"), script]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as outer:
        assert outer.stdin is not None
        assert outer.stdout is not None
        ready.read_text()
        see_alive(left, count=1)
        first = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()[0]
        come_in = f"setsid sleep {mark} </dev/null >/dev/null 2>&1 &"
        subprocess.run(["nsenter", "-t", first, *entered, "sh", "-c", come_in], check=True)
        until(lambda: [parent_of(pid) for pid in alive(mark)] == [first], what="it is an orphan there")

        hold.write_text("go on\n")
        said = outer.stdout.readline()
        there = (len(alive(mark)), len(alive(left)))
        outer.stdin.write("end\n")

    assert said == "over\n"
    assert there == (1, 0)


def parent_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
