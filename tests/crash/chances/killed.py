"""A run under engines that are killed at moments that chance draws, alone or with what they had started."""

import contextlib
import ctypes
import math
import os
import select
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from punchlist.cli.main import main
from punchlist.runtime.lock import EngineLock
from punchlist.workers.tree import read_process
from tests.crash.chances.flow import Drawn
from tests.installed import MARK, Workspace, until

SETTINGS = '[engine]\nidle_exit = "1ms"\n'  # so that an engine that ends by itself says that nothing is left to do
PAUSES = 0.05
"""How often all that runs is stopped, and goes on, after an engine was killed."""
SOONEST, LATEST = 0.0005, 0.3
"""Seconds after which an engine that has begun is killed: as likely within 1 and 10 ms as within 10 and 100."""
WHO = {
    "the engine": 25,
    "the engine and a wrapper": 15,
    "the engine and a worker": 15,
    "the engine and an attempt": 15,
    "a wrapper": 15,
    "a worker": 15,
    "everything": 15,
}
PATIENCE = 120.0
MOST_LEFT = 5
FINAL = {"succeeded", "failed", "cancelled"}
_LOOK = 0.0005
_SET_CHILD_SUBREAPER = 36  # prctl(2)


class StuckError(AssertionError):
    """What should have come about did not."""


@dataclass
class Living:
    """An attempt that lives: its wrapper, the command itself, and all of its processes."""

    wrapper: set[int] = field(default_factory=set[int])
    worker: set[int] = field(default_factory=set[int])
    everything: set[int] = field(default_factory=set[int])


class Killed:
    """A workspace with one run, and an account of what was killed in it.

    Its engines are forks of this process, which has loaded the program already: as the installed command they would
    begin a third of a second later. This process is given whatever loses its parent.
    """

    def __init__(self, folder: Path, flow: Drawn) -> None:
        self.workspace = Workspace(folder / "here", folder / "home")
        self.workspace.root.mkdir(parents=True)
        self.workspace.home.mkdir()
        self.kills: Counter[str] = Counter()
        self.victims: set[str] = set()
        self.asked = 0  # how often a person was asked whether to go on
        self.paused = 0  # how often all that ran was stopped by the first word that a new engine heard
        self.left = 0  # how often an engine ended by itself though the run was not over
        self._lock = EngineLock(self.workspace.root / ".punchlist" / "engine.lock")
        self._engine: int | None = None
        become_reaper()
        self.workspace.write("punchlist.toml", SETTINGS)
        flow.write(self.workspace.root)
        self.workspace.ok("init")
        self.workspace.ok("run", "flow.yaml")
        until(lambda: self._lock.status().pid is not None, what="the engine that was started has its lock")
        self._engine = self._lock.status().pid

    def finish(self) -> None:
        """Let engines work undisturbed until nothing is left to do; raises StuckError when that does not come."""
        over = False
        while not over:
            if self._begun_engine() and not self._has_ended(PATIENCE):
                raise StuckError(f"an engine that nobody disturbs is not done after {PATIENCE:g} s")
            over = not self._goes_on()

    def disturb(self, chance: Random, *, kills: int) -> int:
        """Kill, and begin again, until nothing is left to do or `kills` are made; return how many were."""
        made = 0
        while made < kills:
            delay = math.exp(chance.uniform(math.log(SOONEST), math.log(LATEST)))
            (who,) = chance.choices(list(WHO), list(WHO.values()))
            if self._begun_engine() and not self._has_ended(delay):
                self._kill(who, chance)
                made += 1
                if self._engine is None and chance.random() < PAUSES:
                    self._stop_and_go_on()
            elif not self._goes_on():
                break
        return made

    def _goes_on(self) -> bool:
        """Say whether the run is not over, though an engine has ended by itself; answer what a person is asked."""
        gates = self.workspace.ok("gates")["gates"]
        for gate in gates:
            if gate["kind"] != "limit" or "retry" not in {choice["name"] for choice in gate["choices"]}:
                raise StuckError(f"a gate that nobody expects: {gate}")
            self.workspace.ok("decide", gate["id"], "retry")
            self.asked += 1
            self._engine = self._lock.status().pid
        if gates:
            return True
        if self.workspace.ok("report", "R1")["run"]["status"] in FINAL:
            return False
        self.left += 1
        if self.left > MOST_LEFT:
            raise StuckError("engines end, one after the other, though the run goes on")
        return True

    def _stop_and_go_on(self) -> None:
        """Stop all that runs by what a new engine hears first, and go on; raises StuckError for what lives."""
        if self.workspace.punchlist("pause", "R1", "--now").code == 0:
            self.paused += 1
            if living := self.living():
                raise StuckError(f"attempts {sorted(living)} live on after all was stopped")
            self.workspace.ok("resume", "R1")
        self._engine = self._lock.status().pid
        reap()

    def living(self) -> dict[str, Living]:
        """Return the attempts that live, by id."""
        mark = MARK + os.fsencode(self.workspace.root / ".punchlist" / "attempts") + b"/"
        found: dict[str, Living] = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (environ := (process / "environ").read_bytes()):
                    attempt = environ.partition(mark)[2].partition(b"/")[0].decode()
                    found.setdefault(attempt, Living()).everything.add(int(process.name))
        for attempt, living in found.items():
            self._tell_apart(attempt, living)
        return found

    def _soon_living(self) -> dict[str, Living]:
        """Return the attempts that live, when there are any; an engine that has just begun gets a little time."""
        deadline = time.monotonic() + LATEST
        while not (living := self.living()) and time.monotonic() < deadline:
            time.sleep(_LOOK)
        return living

    def _tell_apart(self, attempt: str, living: Living) -> None:
        with contextlib.suppress(FileNotFoundError):
            said = (self.workspace.root / ".punchlist" / "attempts" / attempt / "pid").read_text().split()
            living.wrapper = {int(said[0])} & living.everything if said else set()
        processes = (read_process(pid) for pid in living.everything)
        living.worker = {each.pid for each in processes if each is not None and each.parent in living.wrapper}

    def _kill(self, who: str, chance: Random) -> None:
        """Kill at one blow: of an attempt that lives, and the engine where none does."""
        engine = self._engine
        assert engine is not None
        living = self._soon_living() if who != "the engine" else {}
        pids: set[int] = set()
        struck = sorted(living) if who == "everything" else [chance.choice(sorted(living))] if living else []
        for attempt in struck:
            each = living[attempt]
            pids |= each.wrapper if "wrapper" in who else each.worker if "worker" in who else each.everything
            self.victims.add(attempt)
        if "engine" in who or who == "everything" or not pids:
            pids = {*pids, engine}
        for sign in (signal.SIGSTOP, signal.SIGKILL):  # none of them sees another one end
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
        if engine in pids:
            self._has_ended(PATIENCE)
        self.kills[who if pids - {engine} else "the engine"] += 1

    # -- engines ------------------------------------------------------------------------------------------------------

    def _begun_engine(self) -> bool:
        """See to it that an engine is at work; False when it found nothing to do and has ended."""
        if self._engine is None:
            self._engine = self._forked()
            deadline = time.monotonic() + PATIENCE
            while self._lock.is_free():
                if self._has_ended(_LOOK):
                    return False
                if time.monotonic() > deadline:
                    raise StuckError(f"an engine has not taken its lock within {PATIENCE:g} s")
        return True

    def _forked(self) -> int:
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            return pid
        code = 70
        try:
            os.setsid()
            os.chdir(self.workspace.root)
            os.environ.clear()
            os.environ.update(self.workspace.environment)
            nothing = os.open(os.devnull, os.O_RDWR)
            errors = os.open(self.workspace.root / "engines.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for here, there in ((nothing, 0), (nothing, 1), (errors, 2)):
                os.dup2(here, there)
            code = main(["engine", "run", "--until-idle"])
        finally:
            os._exit(code)

    def _has_ended(self, seconds: float) -> bool:
        """Wait for the engine, for so long; whether it has ended. Raises StuckError for one that has failed."""
        assert self._engine is not None
        pidfd = os.pidfd_open(self._engine)
        try:
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            if not poll.poll(seconds * 1000):
                return False
        finally:
            os.close(pidfd)
        _, status = os.waitpid(self._engine, 0)
        code = os.waitstatus_to_exitcode(status)
        self._engine = None
        if code not in {0, -signal.SIGKILL}:
            raise StuckError(f"an engine ended with {code}")
        reap()
        return True

    def end(self) -> None:
        """End whatever lives here."""
        pids = {pid for each in self.living().values() for pid in each.everything}
        for pid in pids if self._engine is None else {*pids, self._engine}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._engine is not None:
            self._has_ended(PATIENCE)


def become_reaper() -> None:
    """Let this process be given whatever loses its parent, so that it can be taken out of the process table."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap() -> None:
    """Take what has ended out of the process table."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
