"""What performs attempts: workers, and the only thing that starts their processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from punchlist.model.ids import AttemptId, RunId
from punchlist.model.jobs import (
    Answer,
    Limits,
    ListJob,
    Outcome,
    ProcessJob,
    Role,
)
from punchlist.model.json import Json


class WorkerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker needs to make its command line. Paths are absolute; `io` is the agent's half of the attempt."""

    attempt: AttemptId
    role: Role
    work: Path
    io: Path
    workspace: Path
    settings: Mapping[str, Json]
    search: str = ""
    session: str | None = None

    @property
    def prompt_file(self) -> Path:
        """The prompt, written before the start."""
        return self.io / "prompt.md"

    @property
    def pack_file(self) -> Path:
        """The pack, written before the start."""
        return self.io / "pack.json"

    @property
    def result_file(self) -> Path:
        """Where the worker leaves its typed answer."""
        return self.io / "result.json"


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """A command line: `env` is set, `pass_env` names let through, `stdin` a file to read (else it is closed)."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    pass_env: tuple[str, ...] = ()
    stdin: Path | None = None


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended, in facts: exactly one of `code` and `signal` is set; both are None without a record.

    `limit` names the limit that the engine killed it for, `bound` its value with the unit. `stdout` and `stderr` are
    their last 64 KiB, for an agent's role 4 MiB, as is `stdout` where it is an answer; `written` is how many bytes of
    standard output there are; `output_digest` is over both whole files. `result` is the result
    file's content, None when there is none, cut at 4 MiB + 1 byte; `refused` what its typed tools noted that they
    refused. `gone` says that its files are no longer there, and with them all of this but how it ended.
    """

    code: int | None
    signal: int | None = None
    limit: str | None = None
    bound: str = ""
    stdout: bytes = b""
    stderr: bytes = b""
    output_digest: str = ""
    written: int = 0
    result: bytes | None = None
    usage: bytes | None = None
    refused: bytes | None = None
    unenforced: tuple[str, ...] = ()
    gone: str = ""


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody knows how an attempt ended that another engine had started; `reason` says what is missing of it."""

    reason: str


class Worker(Protocol):
    """A kind of worker: two pure functions around `Processes.run`. It never retries and never writes state."""

    def invocation(self, request: WorkerRequest) -> Invocation:
        """Return the command line of an attempt; raises WorkerError when the program cannot be found."""
        ...

    def outcome(self, request: WorkerRequest, ended: Exit) -> Outcome:
        """Return what came of it: status, failure class, typed result (validated for the role), session, usage."""
        ...


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker's program says of itself: with a `problem` it cannot work, with a `warning` it perhaps can."""

    version: str
    problem: str = ""
    warning: str = ""
    hint: str = ""


@runtime_checkable
class Examinable(Protocol):
    """A worker whose program can be asked about itself before it is needed: two more pure functions."""

    def questions(self, request: WorkerRequest) -> tuple[Invocation, ...]:
        """Return the command lines to ask by; raises WorkerError when the program cannot be found."""
        ...

    def examined(self, answers: Sequence[str | None]) -> Examined:
        """Return what follows from what they print; None is a command that did not start or did not end."""
        ...


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A process to start. `files` are written into `io/` first; `cwd` exists.

    `home` is the project's private HOME; None keeps the user's own, for commands that the user wrote. `search` is
    PATH where the run was started (empty: the engine's), `listed` what listed names were there; `path` goes before it.
    `answer` says where a command answers. `secrets` are values that it is given, `masked` those that nothing may show.
    """

    attempt: AttemptId
    role: Role
    invocation: Invocation
    cwd: Path
    home: Path | None
    limits: Limits
    search: str = ""
    path: tuple[str, ...] = ()
    listed: Mapping[str, str] = {}
    env: Mapping[str, str] = {}
    files: Mapping[str, bytes] = {}
    network: bool = True
    sandbox: str = "auto"
    answer: Answer | None = None
    run: RunId | None = None
    secrets: Mapping[str, str] = {}
    masked: Mapping[str, str] = {}


class Listed(Protocol):
    """Values of the names that workers list, and of secrets, by run; private to the user, and no part of the record."""

    def keep(self, run: RunId, values: Mapping[str, str]) -> None:
        """Keep the values for a run that is about to be asked for; raises StoreError."""

    def of(self, run: RunId) -> Mapping[str, str]:
        """Return what was kept for a run."""
        ...

    def runs(self) -> list[RunId]:
        """Return the runs for which something is kept."""
        ...

    def forget(self, run: RunId) -> None:
        """Remove what was kept for a run that is over."""


class Processes(Protocol):
    """The only thing that starts processes for attempts; everything goes through files in the attempt's directory."""

    @property
    def listed(self) -> Listed:
        """The values of listed names."""
        ...

    def io(self, attempt: AttemptId) -> Path:
        """Return the agent's half of the attempt directory (it may not exist yet)."""
        ...

    def nonce_digest(self, attempt: AttemptId) -> str:
        """Return what is to be recorded before an attempt starts: by it another engine knows how it ended."""
        ...

    async def run(self, launch: Launch) -> Exit:
        """Start the process in its own session, wait for it, enforce its limits; nothing of its tree survives.

        Cancelling the task kills the tree, waits until it is gone, and then raises CancelledError.
        Raises WorkerError when the program cannot be started.
        """
        ...

    async def adopt(self, job: ProcessJob) -> Exit | Lost:
        """Do as `run` does for an attempt that another engine started: wait if it lives, else read what it left."""
        ...

    async def settle(self, attempt: AttemptId) -> None:
        """Kill what is left of an attempt that is over, whoever started it."""
        ...

    def alive(self) -> frozenset[AttemptId]:
        """Return the attempts of which processes of this machine live, whoever started them."""
        ...

    def let_go(self) -> None:
        """Leave alone what runs, also when waiting for it is cancelled: another engine will take it up."""
        ...

    def covered(self, job: ProcessJob | ListJob, data: bytes) -> bytes:
        """Return what a job's process left elsewhere, with the values of secrets made unreadable."""
        ...

    def gives_away(self, job: ProcessJob, path: Path) -> bool:
        """Say whether a file shows the value of a secret; blocking."""
        ...

    def mask(self, run: RunId, attempts: Sequence[AttemptId]) -> None:
        """Make the values of a run's secrets unreadable in what its attempts left; blocking."""
        ...

    def record(self, outcome: Outcome) -> None:
        """Write `outcome.json`: what the engine made of an attempt; raises StoreError."""
        ...

    def tail(self, attempt: AttemptId, *, stream: str = "stdout", start: int = 0) -> bytes:
        """Return the output from byte `start` on (b"" when there is none), without the values of secrets."""
        ...
