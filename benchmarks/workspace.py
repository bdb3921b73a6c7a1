"""A filled workspace and the installed command in it; what was started there is stopped with it."""

import contextlib
import json
import os
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.filled import fill
from punchlist.model.parse import parse
from punchlist.model.records import Project

_SETTINGS = """
[workers.nobody]
type = "command"
argv = ["sleep", "1000"]
[workers.maker]
type = "command"
argv = ["sh", "-c", "touch part-$(($(find . -maxdepth 1 -name 'part-*' | wc -l) + 1))"]
[roles]
builder = "nobody"
qa = "nobody"
"""
_PATIENCE = 60.0
_AGAIN = 0.05


class Row(NamedTuple):
    """One thing that was measured: its median in milliseconds, and the limit that it must not pass."""

    name: str
    median: float
    slowest: float
    limit: float | None


class Bench:
    """A workspace in `folder`, and the installed command with an environment of its own."""

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

    def call(self, *arguments: str, stdin: str | None = None, ends: int = 0) -> str:
        """Run the command to its end and return what it printed; raises when its exit code is not `ends`."""
        done = subprocess.run(
            [str(self.program), *arguments],
            cwd=self.root,
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != ends:
            raise RuntimeError(f"{arguments}: exit {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    def begun(self, *arguments: str, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start the command, perhaps with more in its environment, and return at once; input and output are pipes."""
        return subprocess.Popen(
            [str(self.program), *arguments],
            cwd=self.root,
            env={**self._environment, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def answer(self, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
        """Run the command with --json and return its object."""
        found: dict[str, Any] = json.loads(self.call("--json", *arguments, stdin=stdin))
        return found

    def engine_cpu(self) -> float:
        """Return the milliseconds that the engine has worked so far; what it started is not counted."""
        pid = self.answer("engine", "status")["engine"]["pid"]
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def wait_quiet(self) -> None:
        """Return when no run is under way and no command waits for the engine."""
        until = time.monotonic() + _PATIENCE
        while busy := self._busy():
            if time.monotonic() > until:
                log = (self.root / ".punchlist" / "engine.log").read_text(encoding="utf-8")
                raise RuntimeError(f"the engine does not come to rest: {busy}; its log ends: {log[-2000:]}")
            time.sleep(_AGAIN)

    def stop_engine(self) -> None:
        """Stop the engine, and wait until its process is gone."""
        pid = self.answer("engine", "status")["engine"]["pid"]
        self.call("engine", "stop")
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                descriptor = os.pidfd_open(pid)
                select.select([descriptor], [], [], _PATIENCE)
                os.close(descriptor)

    def _busy(self) -> list[dict[str, Any]]:
        status = self.answer("status")
        runs = [run for run in status["runs"] if run["status"] in {"pending", "running"}]
        return [*runs, *(problem for problem in status["problems"] if problem["where"] == "engine")]


@contextlib.contextmanager
def workspace(folder: Path, *, tasks: int) -> Iterator[Bench]:
    """Make a workspace below `folder` that holds so many tasks; whatever engine is at work at the end is stopped."""
    bench = Bench(folder)
    bench.root.mkdir(parents=True)
    bench.call("init")
    created = bench.answer("project", "create", "bench")
    (bench.root / "punchlist.toml").write_text(_SETTINGS, encoding="utf-8")
    project = parse(Project, created["project"], what="the project")
    fill(bench.root / ".punchlist" / "state.db", project=project, count=tasks)
    try:
        yield bench
    finally:
        bench.stop_engine()


def times(work: Callable[[], object], *, rounds: int) -> list[float]:
    """Return the milliseconds that each of some rounds takes, after one that is not counted."""
    work()
    return [timed(work) for _ in range(rounds)]


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds that `work` takes."""
    before = time.perf_counter()
    work()
    return (time.perf_counter() - before) * 1000


def row(name: str, measured: Sequence[float], *, limit: float | None = None) -> Row:
    """Return the row of the table for what was measured."""
    return Row(name, statistics.median(measured), max(measured), limit)
