"""A task whose worker and checks stop where a test wants them to, so that it can kill what runs at that point."""

import contextlib
import json
import os
import shutil
import signal
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tests.installed import Workspace, until

DATA = Path(__file__).parent / "crash" / "data"
PROJECT = "here"
FINAL = {"accepted", "failed", "cancelled", "waiting"}
COUNTER = {"counter.txt": "0\n", "README.md": "# counter\n"}


@dataclass(frozen=True)
class Disturbed(Workspace):
    """A workspace in which an attempt can be held at a named point: `build`, `check` or `review`."""

    def hold(self, *points: str) -> None:
        """Let the next process that comes to each point stay there until it is let go, or killed."""
        for point in points:
            os.mkfifo(self.root / "hold" / point)

    def until_at(self, point: str) -> None:
        """Wait until a process has come to a point, and reads there."""

        def is_read() -> bool:
            with contextlib.suppress(OSError), self._told(point):
                return True
            return False

        until(is_read, what=f"something is at {point!r}")

    def let_go(self, point: str) -> None:
        """Let what is held at a point go on."""
        with self._told(point) as go:
            go.write(b"\n")

    def _told(self, point: str) -> BinaryIO:
        """Return what a process that is at a point reads; raises OSError while none is there."""
        return os.fdopen(os.open(self.root / "at" / point, os.O_WRONLY | os.O_NONBLOCK), "wb")

    def held(self) -> set[int]:
        """Return the processes of attempts that live."""
        return {*self.processes()}

    def starts(self) -> Counter[str]:
        """Count the processes that were started, by what they were."""
        return Counter(line.split()[0] for line in self.started())

    def started(self) -> list[str]:
        """Return a line for every process that was started: what it was, and its attempt."""
        return (self.root / "started").read_text().splitlines()

    def killed(self, who: str) -> None:
        """Kill the engine and, of the attempt that is held, the `wrapper`, the `worker` (all else), or `all` of it."""
        parts = self.parts()
        assert len(parts["wrapper"]) == 1, self.processes()
        self.kill_engine()
        blow(parts[who])

    def parts(self, attempt: str = "") -> dict[str, set[int]]:
        """Return what lives of one attempt, or of all, by its name; of the `engine` that is nothing."""
        held = {*self.processes(attempt)}
        files = self.root.glob(f".punchlist/attempts/{attempt or '*'}/pid")
        wrappers = {int(path.read_text().split()[0]) for path in files} & held
        return {"engine": set(), "wrapper": wrappers, "worker": held - wrappers, "all": held}

    def until_taken_up(self) -> None:
        """Wait until the engine that runs has taken up the attempt that is held."""

        def is_taken_up() -> bool:
            engine = str(json.loads((self.root / ".punchlist" / "engine.lock").read_bytes())["pid"])
            notes = self.root.glob(".punchlist/attempts/*/adopted")
            return any(note.read_text().split()[-1:] == [engine] for note in notes)

        until(is_taken_up, what="the attempt is taken up")

    def endings(self) -> Counter[tuple[str, str]]:
        """Count the attempts on steps by role and status."""
        return Counter((attempt["role"], attempt["status"]) for attempt in self.attempts())

    def status(self) -> str:
        """Return the task's status."""
        return str(self.ok("task", "show", "T1")["task"]["status"])

    def trees(self) -> list[str]:
        """Return the trees of the commits that were accepted, the first one first."""
        branch = self.ok("task", "show", "T1")["task"]["branch"]
        return self.git("log", "--reverse", "--format=%T", f"main..{branch}").split()

    def attempts(self) -> list[dict[str, str]]:
        """Return all attempts on the task's steps."""
        shown = [self.ok("step", "show", step)["step"] for step in ("T1.1", "T1.2")]
        return [attempt for step in shown for attempt in step["attempts"]]


def blow(pids: Collection[int]) -> None:
    """Kill processes at one blow: none of them sees another one end."""
    for sign in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)


def begun(root: Path, home: Path) -> Disturbed:
    """Return a workspace with an approved task of two steps."""
    root.mkdir(parents=True)
    home.mkdir()
    made = Disturbed(root, home)
    shutil.copytree(DATA, root, dirs_exist_ok=True)
    for folder in ("hold", "at"):
        (root / folder).mkdir()
    made.write(".gitignore", "hold/\nat/\nstarted\n*.yaml\n*.toml\nbuilder\nreviewer\nstop\n")
    made.repository(COUNTER)
    made.ok("init")
    task = (DATA / "task.yaml").read_text(encoding="utf-8").replace("ROOT", os.fspath(root))
    made.write("task.yaml", task)
    made.ok("task", "create", "--file", "task.yaml")
    made.ok("approve", "T1")
    (root / "started").write_text("")
    return made


def as_if_nothing_had_been(disturbed: Disturbed, undisturbed: Disturbed) -> None:
    """See that a task is accepted, once, with the trees of the undisturbed run, and that nothing lives on."""
    until(lambda: disturbed.status() in FINAL, what="the task is over")
    assert disturbed.status() == "accepted", disturbed.punchlist("why", "T1")
    assert disturbed.trees() == undisturbed.trees()
    assert accepted(disturbed) == ["T1.1", "T1.2"]
    ran = Counter(line.split()[1] for line in disturbed.started())
    assert set(ran.values()) == {1}, disturbed.started()
    assert disturbed.ok("log", "verify")["problems"] == []
    until(lambda: disturbed.punchlist("files", "check").code == 0, what="the generated files are as the record says")
    until(lambda: not disturbed.processes(), what="no process of an attempt lives on")


def accepted(workspace: Workspace) -> list[str]:
    """Return the steps in the order of their acceptances, as the log has them."""
    events = json.loads(workspace.punchlist("events", "--json").out)["events"]
    moves = [event["data"] for event in events if event["kind"] == "StepMoved"]
    return [move["step"] for move in moves if move["status"] == "accepted"]


def outcomes(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    """Return what came of the attempts of each node, in their order, as the log has it."""
    nodes: dict[str, str] = {}
    made: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in json.loads(workspace.punchlist("events", "--json").out)["events"]:
        if event["kind"] == "AttemptQueued":
            nodes[event["data"]["attempt"]] = event["data"]["node"]
        if event["kind"] == "AttemptEnded":
            outcome = event["data"]["outcome"]
            made[nodes[outcome["attempt"]]].append(outcome)
    return made
