"""Attempts for tests: launches on a real `LocalProcesses`, and a look into /proc for what survived."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Limits, Outcome, Role
from punchlist.model.json import Json
from punchlist.ports import Exit, Invocation, Launch, WorkerRequest
from punchlist.workers import Host, make_worker
from punchlist.workers.killing import Grace
from punchlist.workers.process import LocalProcesses

QUICK = Grace(interrupt=0.1, terminate=0.1)
ENOUGH = Limits(timeout=20)


class Attempts:
    """One workspace's attempts; `environ` is what the engine would have read."""

    def __init__(self, folder: Path, *, reaper: bool = True) -> None:
        self.workspace = folder / "workspace"
        self.root = self.workspace / ".punchlist" / "attempts"
        self.work = folder / "work"
        self.home = folder / "home"
        for each in (self.workspace, self.work, self.home):
            each.mkdir(parents=True, exist_ok=True)
        self.environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        self.processes = LocalProcesses(self.root, self.environ, grace=QUICK, reaper=reaper)

    def launch(self, *argv: str, name: str = "A1", **said: Any) -> Launch:
        """Make a launch; `env`, `pass_env` and `stdin` go to the invocation, the rest to the launch itself."""
        invocation = {key: said.pop(key) for key in ("pass_env", "stdin") if key in said}
        defaults: dict[str, Any] = {"role": Role.CHECK, "limits": ENOUGH}
        return Launch(
            attempt=AttemptId(name),
            invocation=Invocation(argv=argv, **invocation),
            cwd=self.work,
            home=self.home,
            **(defaults | said),
        )

    def run(self, *argv: str, **said: Any) -> Exit:
        """Run a command to its end."""
        return self.run_launch(self.launch(*argv, **said))

    def run_launch(self, launch: Launch) -> Exit:
        """Run what was launched to its end."""
        return asyncio.run(self.processes.run(launch))

    def sh(self, script: str, **said: Any) -> Exit:
        """Run a shell script to its end."""
        return self.run("sh", "-c", script, **said)

    def settle(self, name: str = "A1") -> Exit | None:
        """Settle an attempt as an engine does that has just started."""
        return asyncio.run(self.processes.settle(AttemptId(name)))

    def directory(self, name: str = "A1") -> Path:
        return self.root / name

    def perform(self, worker: str, settings: dict[str, Json], **said: Any) -> Outcome:
        """Do what the runtime does for a worker: command line, process, outcome."""
        role: Role = said.pop("role", Role.BUILDER)
        files: dict[str, bytes] = said.pop("files", {})
        attempt = AttemptId(said.pop("name", "A1"))
        performer = make_worker(worker, settings, host=host())
        request = WorkerRequest(
            attempt=attempt,
            role=role,
            work=self.work,
            io=self.processes.io(attempt),
            workspace=self.workspace,
            settings=settings,
        )
        launch = Launch(
            attempt=attempt,
            role=role,
            invocation=performer.invocation(request),
            cwd=self.work,
            home=self.home,
            limits=said.pop("limits", ENOUGH),
            files={"prompt.md": b"Do it.\n", **files},
            **said,
        )
        return performer.outcome(request, asyncio.run(self.processes.run(launch)))


def host() -> Host:
    return Host(python=sys.executable, path=os.environ["PATH"])


def alive(argument: str) -> list[int]:
    """Return the pids of living processes that have `argument` on their command line."""
    found: list[int] = []
    for name in (path.name for path in Path("/proc").iterdir()):
        if name.isdigit():
            try:
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
                state = (
                    Path("/proc", name, "stat")
                    .read_text(encoding="utf-8", errors="replace")
                    .rpartition(")")[2]
                    .split()[0]
                )
            except OSError:
                continue
            if argument.encode() in words and state != "Z":
                found.append(int(name))
    return found


def see_alive(argument: str, *, count: int) -> None:
    """Return when `count` processes live that have `argument`: a shell that says it is ready may not be quite."""
    end = time.monotonic() + 20
    while len(alive(argument)) < count:
        assert time.monotonic() < end, alive(argument)
