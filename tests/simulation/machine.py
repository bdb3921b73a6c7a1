"""The machine that engines come and go on: processes outlive the engine that started them, and leave exit records."""

from collections.abc import Iterator
from dataclasses import dataclass

from punchlist.model.ids import AttemptId, RunId
from punchlist.model.jobs import IntegrateJob, Job, Outcome, ProcessJob
from tests.simulation.memory import BrokenLawError

ONCE = "no_finished_attempt_ever_runs_again_and_no_live_one_is_started_twice"


@dataclass
class Process:
    """What performs an attempt. `outcome` is its exit record; one that is `gone` has left none and will leave none."""

    attempt: AttemptId
    run: RunId
    job: Job
    engine: int
    outcome: Outcome | None = None
    gone: bool = False
    hangs: bool = False

    @property
    def lives(self) -> bool:
        """Whether it still runs."""
        return self.outcome is None and not self.gone

    @property
    def is_own(self) -> bool:
        """Whether it is the engine's own work on git, which dies with the engine and may be done again."""
        return not isinstance(self.job, ProcessJob)


class Machine:
    """All processes that ever were, by their attempts."""

    def __init__(self) -> None:
        self.processes: dict[AttemptId, Process] = {}

    def launch(self, run: RunId, job: Job, *, engine: int) -> Process:
        """Start a process. What is running runs once, and what has ended is never started again."""
        before = self.processes.get(job.attempt)
        if before is not None:
            again = before.is_own and before.engine != engine
            what = "is started twice" if before.lives else "had ended, and is started again"
            if not again:
                raise BrokenLawError(ONCE, f"{job.attempt} {what}")
        process = self.processes[job.attempt] = Process(job.attempt, run, job, engine)
        return process

    def kill(self, attempt: AttemptId) -> None:
        """See to it that a process is gone."""
        process = self.processes.get(attempt)
        if process is not None and process.lives:
            if isinstance(process.job, IntegrateJob):
                raise BrokenLawError("what_is_in_git_is_in_the_record", f"{attempt} makes a commit, and is killed")
            process.gone = True

    def lose_engine(self, engine: int) -> None:
        """Let an engine die, and with it what it did itself."""
        for process in self.alive():
            if process.is_own and process.engine == engine:
                process.gone = True

    def alive(self) -> Iterator[Process]:
        """Yield what runs, the oldest first."""
        return (each for each in list(self.processes.values()) if each.lives)
