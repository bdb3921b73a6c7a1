"""How long a cold command takes in a workspace that holds many tasks: a new process each time, medians."""

import functools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.filled import fill
from punchlist.model.parse import parse
from punchlist.model.records import Project

TASKS = 10_000
ROUNDS = 15
TASK_FILE = {
    "title": "A new task",
    "spec": "Do one thing more.",
    "acceptance": [{"text": "The suite passes.", "check": "true"}],
    "steps": [{"title": "Do it", "criteria": [{"text": "It is done.", "check": "test -f done"}]}],
}


class Row(NamedTuple):
    """One command: its median in milliseconds over a bare interpreter's in the same run, and the limit."""

    name: str
    median: float
    slowest: float
    ratio: float
    limit: float | None


class Bench:
    """A filled workspace in `folder`, and the installed command."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "workspace"
        self.program = Path(sys.executable).with_name("punchlist")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "USER": "bench",
            "XDG_RUNTIME_DIR": str(folder),
        }

    def call(self, *arguments: str, stdin: str | None = None) -> str:
        """Run the command to its end and return what it printed; raises when it fails."""
        done = subprocess.run(
            [str(self.program), "-C", str(self.root), *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{arguments}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def time(self, work: Callable[[], object]) -> float:
        """Return the milliseconds that `work` takes."""
        before = time.perf_counter()
        work()
        return (time.perf_counter() - before) * 1000


def measure(folder: Path) -> list[Row]:
    """Fill a workspace below `folder` and return the rows of the table, an interpreter that does nothing first."""
    bench = Bench(folder)
    _fill(bench)
    task = json.dumps(TASK_FILE)
    bare = _times(bench, lambda: subprocess.run([sys.executable, "-I", "-c", "pass"], check=True))
    base = statistics.median(bare)
    rows = [_row("python -c pass", bare, base=base, limit=None)]
    for name, arguments, stdin in (
        ("--help", ("--help",), None),
        ("task list", ("task", "list"), None),
        ("status", ("status",), None),
        ("step show", ("step", "show", "T5000.2"), None),
        ("task show", ("task", "show", "T5000"), None),
        ("task create", ("--json", "task", "create", "--file", "-"), task),
    ):
        times = _times(bench, functools.partial(bench.call, *arguments, stdin=stdin))
        rows.append(_row(name, times, base=base, limit=100))
    rows += _starts(bench, task, base=base)
    return rows


def _fill(bench: Bench) -> None:
    bench.root.mkdir()
    bench.call("init")
    created = bench.call("--json", "project", "create", "bench")
    project = parse(Project, json.loads(created)["project"], what="the project")
    (bench.root / "punchlist.toml").write_text(_SETTINGS, encoding="utf-8")
    fill(bench.root / ".punchlist" / "state.db", project=project, count=TASKS)


_SETTINGS = """
[workers.nobody]
type = "command"
argv = ["sleep", "1000"]
[roles]
builder = "nobody"
qa = "nobody"
"""


def _starts(bench: Bench, task: str, *, base: float) -> list[Row]:
    """Measure `task start` with the engine to be started, and with one running."""
    cold, warm = [], []
    for _ in range(5):
        name = _approved(bench, task)
        bench.call("engine", "stop")
        cold.append(bench.time(functools.partial(bench.call, "task", "start", name)))
        name = _approved(bench, task)
        warm.append(bench.time(functools.partial(bench.call, "task", "start", name)))
    bench.call("engine", "stop")
    return [
        _row("task start, engine running", warm, base=base, limit=100),
        _row("task start, engine to be started", cold, base=base, limit=250),
    ]


def _approved(bench: Bench, task: str) -> str:
    name = str(json.loads(bench.call("--json", "task", "create", "--file", "-", stdin=task))["task"]["id"])
    bench.call("approve", name)
    return name


def _times(bench: Bench, work: Callable[[], object]) -> list[float]:
    work()
    return [bench.time(work) for _ in range(ROUNDS)]


def _row(name: str, times: Sequence[float], *, base: float, limit: float | None) -> Row:
    median = statistics.median(times)
    return Row(name, median, max(times), median / base, limit)
