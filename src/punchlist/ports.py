"""What the service and the runtime ask of the outside, as Protocols over model values."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import msgspec

from punchlist.model.events import Event, Head, StreamKind
from punchlist.model.ids import AttemptId, Commit, GateId, ProjectId, RunId, StepId, StreamId, TaskId, Tree
from punchlist.model.jobs import (
    Folder,
    IntegrateJob,
    Limits,
    MergeJob,
    Outcome,
    PublishJob,
    Role,
    Snapshot,
)
from punchlist.model.json import Json
from punchlist.model.records import Project
from punchlist.model.rows import GateRow, InboxRow, LogFault, NodeRow, Row, RunRow, StreamRow, TaskSummary
from punchlist.model.scores import TaskScore
from punchlist.model.state import AttemptState, TaskState
from punchlist.model.states import TaskStatus


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        ...


class Ids(Protocol):
    """The only source of fresh identities."""

    def uuid(self) -> str:
        """Return a new UUID."""
        ...


# -- workers ----------------------------------------------------------------------------------------------------------


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

    `limit` names the limit that the engine killed it for. `stdout` and `stderr` are their last 64 KiB, for an agent's
    role 4 MiB; `output_digest` is over both whole files. `result` is the result file's content, None when there is
    none, cut at 4 MiB + 1 byte; `refused` what its typed tools noted that they refused.
    """

    code: int | None
    signal: int | None = None
    limit: str | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    output_digest: str = ""
    result: bytes | None = None
    usage: bytes | None = None
    refused: bytes | None = None
    unenforced: tuple[str, ...] = ()


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


class Listed(Protocol):
    """Values of the names that workers list, by run; private to the user, and no part of the record."""

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

    async def run(self, launch: Launch) -> Exit:
        """Start the process in its own session, wait for it, enforce its limits; nothing of its tree survives.

        Cancelling the task kills the tree, waits until it is gone, and then raises CancelledError.
        Raises WorkerError when the program cannot be started.
        """
        ...

    def alive(self) -> frozenset[AttemptId]:
        """Return the attempts that processes of this machine say they belong to, whoever started them."""
        ...

    async def settle(self, attempt: AttemptId) -> Exit | None:
        """Settle an attempt found at restart: its exit record, or None once its tree is killed and its lock is free."""
        ...

    def record(self, outcome: Outcome) -> None:
        """Write `outcome.json`: what the engine made of an attempt; raises StoreError."""
        ...

    def tail(self, attempt: AttemptId, *, stream: str = "stdout", start: int = 0) -> bytes:
        """Return the output from byte `start` on (b"" when there is none)."""
        ...


# -- work folders and git ---------------------------------------------------------------------------------------------


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """A merge without a checkout: the tree, or the paths in conflict."""

    tree: Tree | None
    conflicts: tuple[str, ...] = ()


class SetupNeed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a folder must be set up before use; `stamp` is what `setup_done` takes afterwards."""

    needed: bool
    stamp: str


class Workspace(Protocol):
    """The engine's git and the work folders. Blocking: the runtime calls it beside its loop.

    Never touches the user's checkout, index, config or hooks; of their branches only the task's own.
    Raises DefinitionError or RefusedError for what a person can mend (no commits, no base branch, submodules).
    """

    def create_repository(self, path: Path) -> None:
        """Make a repository with one empty commit on `main` where there is none."""
        ...

    def base(self, project: Project) -> Commit:
        """Return the tip of the project's base branch in the user's repository."""
        ...

    def uncommitted(self, project: Project) -> int:
        """Return how many paths of the user's checkout differ from its HEAD (they are not in the base)."""
        ...

    def tree_of(self, project: Project, commit: Commit | Tree) -> Tree:
        """Return a commit's tree; a tree is its own."""
        ...

    def prepare(self, project: Project, folder: Folder) -> Path:
        """Make the folder ready and return it: a builder's clone as it was left, or an exam clean at its tree."""
        ...

    def path(self, folder: Folder) -> Path:
        """Return where a folder is, without making it ready."""
        ...

    def setup_need(self, project: Project, folder: Folder) -> SetupNeed:
        """Say whether the project's set-up must run in this folder now (once per folder and hash of what it names)."""
        ...

    def setup_done(self, project: Project, folder: Folder, stamp: str) -> None:  # noqa: PLR0917 - in the order in which one says it
        """Record that set-up ran, and which ignored paths it made, so that cleaning leaves them."""
        ...

    def snapshot(self, project: Project, folder: Folder, attempt: AttemptId, base: Commit) -> Snapshot:  # noqa: PLR0917 - in the order in which one says it
        """Record everything in the builder's clone as `refs/attempts/<attempt>`; same content, same tree."""
        ...

    def exam_changes(self, project: Project, folder: Folder) -> tuple[str, ...]:
        """Return the paths of an exam folder that differ from its tree, those aside that the base's rules ignore."""
        ...

    def resolve(self, project: Project, tree: Tree, references: Sequence[str]) -> dict[str, bool]:  # noqa: PLR0917 - in the order in which one says it
        """Say of each `path:line` (or `path`) whether it exists in the tree; anything that leaves the tree is False."""
        ...

    def diff(self, project: Project, old: str, new: str) -> str:  # noqa: PLR0917 - in the order in which one says it
        """Return the patch between two commits or trees."""
        ...

    def merge(self, project: Project, job: MergeJob) -> Merged:
        """Merge without a checkout."""
        ...

    def integrate(self, project: Project, job: IntegrateJob) -> Commit:
        """Make the planned commit, move the task's branch by compare-and-swap, push it; redoing it is no change.

        Raises RefusedError when the branch is at another commit than the parent or the planned one.
        """
        ...

    def publish(self, project: Project, job: PublishJob) -> bool:
        """Push the branch; for `merge` bring it into the base branch. Return whether it was merged."""
        ...

    def home(self, project: ProjectId) -> Path:
        """Return the project's private HOME, made when missing."""
        ...


# -- the store --------------------------------------------------------------------------------------------------------


Compare = Callable[[StreamRow, Iterator[Event]], Iterable[str]]


class Reader(Protocol):
    """One consistent snapshot of the store."""

    def head(self, kind: StreamKind, local: str = "") -> Head | None:
        """Return the head of a stream by what it is of, or None."""
        ...

    def streams(self) -> list[StreamRow]:
        """Return every stream."""
        ...

    def events(self, *, after: int = 0, stream: StreamId | None = None, limit: int | None = None) -> Iterator[Event]:
        """Yield events in the order of `seq`, those after `after` only."""
        ...

    def project(self, project: ProjectId) -> Project | None:
        """Return a project, or None."""
        ...

    def projects(self) -> list[Project]:
        """Return all projects by id."""
        ...

    def task(self, task: TaskId) -> TaskState | None:
        """Return a task, or None."""
        ...

    def tasks(self, project: ProjectId | None = None, *, statuses: Sequence[TaskStatus] = ()) -> list[TaskSummary]:
        """Return lines of tasks in the order of their ids; no statuses means all."""
        ...

    def scores(self, project: ProjectId) -> list[TaskScore]:
        """Return what a project's own files say of its tasks, in the order of their ids."""
        ...

    def run(self, run: RunId) -> RunRow | None:
        """Return a run, or None."""
        ...

    def runs(self, *, task: TaskId | None = None, live: bool = False) -> list[RunRow]:
        """Return runs, newest first; `live` leaves out those that are over."""
        ...

    def nodes(self, run: RunId) -> list[NodeRow]:
        """Return a run's nodes in the order in which they were first written."""
        ...

    def attempt(self, attempt: AttemptId) -> AttemptState | None:
        """Return an attempt, or None."""
        ...

    def attempts(self, *, run: RunId | None = None, step: StepId | None = None) -> list[AttemptState]:
        """Return attempts in the order of their ids."""
        ...

    def gate(self, gate: GateId) -> GateRow | None:
        """Return a gate, or None."""
        ...

    def gates(self, *, task: TaskId | None = None, run: RunId | None = None, everything: bool = False) -> list[GateRow]:
        """Return the open gates (all of them with `everything`), oldest first."""
        ...

    def inbox(self, *, pending: bool = True) -> list[InboxRow]:
        """Return commands in the order of arrival."""
        ...

    def command(self, number: int) -> InboxRow | None:
        """Return one command with its answer, or None."""
        ...

    def remembered(self, key: str) -> Json | None:
        """Return the answer kept under an idempotency key, or None."""
        ...

    def verify(self, *, stream: StreamId | None = None, compare: Compare | None = None) -> list[LogFault]:
        """Recompute every chain (or one, with the workspace's) and return the first fault of each stream, if any.

        `compare` is called for each stream whose chain holds, the workspace's last, and yields what of its state rows
        differs from the fold.
        """
        ...

    def differences(self, rows: Iterable[Row], *, stream: StreamRow) -> Iterator[str]:
        """Yield where what is kept differs from `rows`: all those of a stream, nodes in the order of their beginning.

        Then what is kept for the stream and is not among them; for the workspace's stream what belongs to none.
        """
        ...

    def numbered(self) -> Mapping[str, int]:
        """Return the number that each kind of id has next; a kind without any yet is left out."""
        ...


class Writer(Reader, Protocol):
    """One write transaction; everything is kept or nothing. Reads see its own writes."""

    def allocate(self, kind: Literal["task", "run", "attempt", "gate", "finding", "checkpoint"]) -> int:
        """Return the next number of a kind of id; it is never given again once the transaction is kept."""
        ...

    def open_stream(self, stream: StreamId, *, kind: StreamKind, local: str) -> Head:
        """Add an empty stream; raises RefusedError when there is one of that kind and local id."""
        ...

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Add sealed events, which must follow their streams' heads; return them with their `seq`.

        Raises RefusedError (code `conflict`) when a stream has moved. The workspace's stream records the new heads.
        """
        ...

    def put(self, rows: Sequence[Row]) -> None:
        """Write state rows, replacing those with the same key."""
        ...

    def enqueue(self, command: Json, *, at: str, actor: str, key: str | None = None) -> int:
        """Put a command into the inbox and return its number; the same `key` again returns the first one's.

        Raises RefusedError when the key was given to another command.
        """
        ...

    def answer(self, number: int, *, refused: bool, answer: Json) -> None:
        """Mark a command as applied (or refused), once, in the transaction of its events."""
        ...

    def remember(self, key: str, answer: Json) -> None:
        """Keep an answer under an idempotency key."""
        ...


class Store(Protocol):
    """The workspace's state. Every method may raise StoreError; none leaves anything half-written."""

    def read(self) -> AbstractContextManager[Reader]:
        """Return a snapshot to read from."""
        ...

    def write(self) -> AbstractContextManager[Writer]:
        """Return a write transaction: committed at the end of the block, rolled back when the block raises."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...


# -- the engine, as seen by those who send it commands ----------------------------------------------------------------


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an engine holds the workspace's lock, and which process it is."""

    running: bool
    pid: int | None = None
    since: str = ""
    version: str = ""


class Watch(Protocol):
    """A subscription to "something was committed"."""

    def wait(self, timeout: float | None) -> bool:
        """Return True after the next commit since the last call, False when `timeout` seconds have passed."""
        ...


class Engine(Protocol):
    """The workspace's engine process, from outside."""

    def wake(self) -> None:
        """Make sure that an engine looks at the inbox: poke the one that runs, start one (detached) when none does."""
        ...

    def status(self) -> EngineStatus:
        """Say whether an engine runs."""
        ...

    def stop(self) -> bool:
        """Ask the engine to end between two transitions and wait for it; False when none ran. Attempts are stopped."""
        ...

    def watch(self) -> AbstractContextManager[Watch]:
        """Subscribe to commits of the engine and of other commands."""
        ...

    def announce(self) -> None:
        """Tell subscribers that this process has committed something."""
        ...


class Files(Protocol):
    """The generated files' folder. Paths are relative to it, with `/`."""

    def write(self, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Write each file whose content differs, atomically (temporary file, rename); return the paths written."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None when it is not there."""
        ...

    def listing(self) -> tuple[str, ...]:
        """Return all files below the folder, sorted."""
        ...

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files and the folders that this leaves empty."""
        ...
