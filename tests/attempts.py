"""Attempts for tests: launches on a real `LocalProcesses`, and a look into /proc for what survived."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from punchlist.model.ids import AttemptId, RunId
from punchlist.model.jobs import Folder, Limits, Outcome, ProcessJob, Role
from punchlist.model.json import Json
from punchlist.ports import Exit, Invocation, Launch, Lost, WorkerRequest
from punchlist.workers import Host, make_worker
from punchlist.workers.clocks import Clocks, clocks_now
from punchlist.workers.killing import Grace
from punchlist.workers.process import LocalProcesses
from tests.installed import until

QUICK = Grace(interrupt=0.1, terminate=0.1)
ENOUGH = Limits(timeout=20)
KEY = b"what only an engine knows, of these tests each one"


class Attempts:
    """One workspace's attempts; `environ` is what the engine would have read."""

    def __init__(self, folder: Path, *, reaper: bool = True, clocks: Callable[[], Clocks] = clocks_now) -> None:
        self.workspace = folder / "workspace"
        self.root = self.workspace / ".punchlist" / "attempts"
        self.work = folder / "work"
        self.home = folder / "home"
        for each in (self.workspace, self.work, self.home):
            each.mkdir(parents=True, exist_ok=True)
        self.environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        self.processes = LocalProcesses(self.root, self.environ, key=KEY, grace=QUICK, reaper=reaper, clocks=clocks)

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

    def job(self, name: str = "A1", **said: Any) -> ProcessJob:
        """Make the job of an attempt as the record has it after a restart."""
        defaults: dict[str, Any] = {"role": Role.CHECK, "limits": ENOUGH, "folder": Folder(place="run")}
        defaults["nonce_digest"] = self.processes.nonce_digest(AttemptId(name))
        return ProcessJob(attempt=AttemptId(name), run=RunId("R1"), **(defaults | said))

    def adopt(self, name: str = "A1", **said: Any) -> Exit | Lost:
        """Take up an attempt as an engine does that has just started."""
        return asyncio.run(self.processes.adopt(self.job(name, **said)))

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


class Orphaned:
    """An attempt whose engine was killed while it was at READY; `go_on` lets it pass HELD."""

    def __init__(self, attempts: Attempts, *, hold: Path) -> None:
        self.attempts = attempts
        self._hold = hold

    def wrapper(self) -> int:
        """Return the pid of its wrapper."""
        return int((self.attempts.directory() / "pid").read_text().split()[0])

    def go_on(self) -> None:
        """Let it go on."""
        with self._hold.open("w") as hold:
            hold.write("go on\n")

    def adopted(self, then: Callable[[], object] = lambda: None, *, cancel: bool = False, **said: Any) -> Exit | Lost:
        """Take it up, do something as soon as that has noted it, and return how it ended."""

        async def taken_up() -> Exit | Lost:
            noted = self.attempts.directory() / "adopted"
            task = asyncio.create_task(self.attempts.processes.adopt(self.attempts.job(**said)))
            await asyncio.to_thread(until, lambda: task.done() or noted.exists(), what="it is taken up")
            await asyncio.to_thread(then)
            if cancel:
                task.cancel()
            return await task

        return asyncio.run(taken_up())


ENGINE = """
import asyncio, sys
from pathlib import Path
from tests.attempts import Attempts
attempts = Attempts(Path(sys.argv[1]))
asyncio.run(attempts.processes.run(attempts.launch("sh", "-c", sys.argv[2])))
"""


@contextmanager
def orphaned(attempts: Attempts, script: str, *, kill_wrapper: bool = False) -> Iterator[Orphaned]:
    """Start an attempt in an engine of its own, and SIGKILL that (and the wrapper) when `script` comes to READY."""
    folder = attempts.work.parent
    ready, hold = folder / "ready", folder / "hold"
    os.mkfifo(ready)
    os.mkfifo(hold)
    command = script.replace("READY", f"echo >{ready}").replace("HELD", f"read -r _ <{hold}")
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(folder), command], cwd=Path(__file__).parents[1])
    ready.read_text()
    left = Orphaned(attempts, hold=hold)
    if kill_wrapper:
        os.kill(engine.pid, signal.SIGSTOP)
        os.kill(left.wrapper(), signal.SIGKILL)
    engine.kill()
    engine.wait()
    try:
        yield left
    finally:
        asyncio.run(attempts.processes.settle(AttemptId("A1")))
