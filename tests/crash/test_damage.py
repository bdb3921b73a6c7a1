"""What is damaged of some attempts while no engine lives costs these one more try each, is named, and nothing else."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installed import Workspace, until

WORK = "echo {0} >>begun; while test ! -e go; do sleep 0.05; done; echo {0} >>done"
DAMAGED = {
    "gone": "its folder is not there",
    "replaced": "its folder is not there",
    "unrecorded": "it left no exit record",
    "taken": "which it was, is another program now, and it left no exit record",
    "half": "its exit record is not whole",
    "forged": "its exit record is not its wrapper's: something else wrote it",
}
"""What is done to the attempt of each node, and why it is lost then."""
LIVING = ("unlocked", "garbled", "untouched")
"""Nodes of which the processes live on."""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "here", tmp_path / "home")
    made.root.mkdir()
    made.home.mkdir()
    made.ok("init")
    nodes = "".join(f"  {name}: {{needs: [], run: '{WORK.format(name)}'}}\n" for name in (*DAMAGED, *LIVING))
    made.write("flow.yaml", f"punchlist: 1\nflow: f\nnodes:\n{nodes}")
    yield made
    made.write("go", "")
    made.stop()


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A program that has nothing to do with it."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as other:
        yield other
        other.kill()


def lines(workspace: Workspace, name: str) -> list[str]:
    path = workspace.root / name
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def events(workspace: Workspace, kind: str) -> list[dict[str, Any]]:
    return [each["data"] for each in workspace.ok("events")["events"] if each["kind"] == kind]


def damage(folder: Path, name: str, *, other: int) -> None:
    if name in {"gone", "replaced"}:
        shutil.rmtree(folder)
    write: dict[str, Callable[[], object]] = {
        "replaced": lambda: folder.write_text("not a folder"),
        "taken": lambda: (folder / "pid").write_text(f"{other} 1\n"),
        "half": lambda: (folder / "exit").write_text("exit 0\n"),
        "forged": lambda: (folder / "exit").write_text("exit 0\nend\n"),
        "unlocked": (folder / "lock").unlink,
        "garbled": lambda: (folder / "request.json").write_bytes(os.urandom(64)),
    }
    write.get(name, lambda: None)()


def test_each_damaged_attempt_is_made_again_by_name_and_the_others_go_on(
    workspace: Workspace, bystander: subprocess.Popen[bytes]
) -> None:
    names = (*DAMAGED, *LIVING)
    workspace.ok("run", "flow.yaml", "--max-parallel", str(len(names)))
    until(lambda: set(lines(workspace, "begun")) == set(names), what="all have begun")
    attempts = {each["node"]: each["attempt"] for each in events(workspace, "AttemptQueued")}

    workspace.kill_engine()
    (workspace.root / ".punchlist" / "engine.lock").unlink()
    for name in names:
        for pid in workspace.processes(attempts[name]) if name in DAMAGED else ():
            os.kill(pid, signal.SIGKILL)
        damage(workspace.root / ".punchlist" / "attempts" / attempts[name], name, other=bystander.pid)
    workspace.write("go", "")
    workspace.ok("engine", "start")
    until(lambda: workspace.ok("report", "R1")["run"]["status"] != "running", what="the run is over")

    assert workspace.ok("report", "R1")["run"]["status"] == "succeeded"
    assert sorted(lines(workspace, "done")) == sorted(names)
    assert sorted(lines(workspace, "begun")) == sorted((*names, *DAMAGED))
    ended = {each["outcome"]["attempt"]: each["outcome"] for each in events(workspace, "AttemptEnded")}
    told = {name: ended[attempts[name]] for name in names}
    assert {name: told[name]["status"] for name in names} == {
        **dict.fromkeys(DAMAGED, "lost"),
        **dict.fromkeys(LIVING, "succeeded"),
    }
    assert [name for name, reason in DAMAGED.items() if reason not in told[name]["reason"]] == [], told
    assert bystander.poll() is None
    assert workspace.ok("log", "verify")["problems"] == []
