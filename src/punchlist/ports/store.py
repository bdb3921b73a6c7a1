"""The workspace's state: snapshots to read, transactions to write."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from punchlist.model.events import Event, Head, StreamKind
from punchlist.model.ids import AttemptId, Digest, GateId, ProjectId, RunId, StepId, StreamId, TaskId
from punchlist.model.json import Json
from punchlist.model.outside import Delivery, OpenLine, Reply
from punchlist.model.records import Project
from punchlist.model.rows import GateRow, InboxRow, LogFault, NodeRow, Row, RunRow, StreamRow, TaskSummary
from punchlist.model.scores import TaskScore
from punchlist.model.state import AttemptState, TaskState
from punchlist.model.states import TaskStatus

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

    def project_ids(self, *, after: str, limit: int) -> list[ProjectId]:
        """Return at most so many projects behind `after` in the order of their ids."""
        ...

    def task(self, task: TaskId) -> TaskState | None:
        """Return a task, or None."""
        ...

    def tasks(self, project: ProjectId | None = None, *, statuses: Sequence[TaskStatus] = ()) -> list[TaskSummary]:
        """Return lines of tasks in the order of their ids; no statuses means all."""
        ...

    def tasks_standing(self, status: TaskStatus, *, since: str = "", most: int | None = None) -> list[TaskSummary]:
        """Return lines of the first tasks in a status that changed at `since` or later, in the order of their ids."""
        ...

    def tasks_counted(self, *, since: str = "") -> dict[TaskStatus, int]:
        """Return how many tasks that changed at `since` or later stand in each status; none where there are none."""
        ...

    def paused_tasks(self) -> list[TaskSummary]:
        """Return lines of the tasks that are paused, in the order of their ids."""
        ...

    def task_ids(self, *, after: int, limit: int) -> list[TaskId]:
        """Return at most so many tasks behind the number `after` in the order of their ids."""
        ...

    def tasks_of_last(self, events: int) -> list[TaskId]:
        """Return the tasks that the last so many events of the log are of, each once."""
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

    def parked(self) -> list[AttemptState]:
        """Return the queued attempts that must not start before some time, the first of them first."""
        ...

    def workers_at_work(self) -> list[str | None]:
        """Return the worker of each attempt that is at work; None for what no worker does."""
        ...

    def queued(self, most: int) -> list[AttemptState]:
        """Return so many of the queued attempts of live runs, parked ones too."""
        ...

    def attempts_of_exam(self, exam: Digest) -> list[AttemptState]:
        """Return the attempts whose outcome names this exam, in the order of their ids."""
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

    def cursor(self, name: str) -> Json:
        """Return how far a file was read or written, None when it was never."""
        ...

    def last_event(self) -> int:
        """Return the number of the last event."""
        ...

    def event_lines(self, *, after: int, limit: int) -> list[tuple[int, str]]:
        """Return events in the order of `seq`, each with its number and as one line of JSON."""
        ...

    def events_of_kinds(self, kinds: Sequence[str], *, after: int, limit: int) -> list[tuple[str, Event]]:
        """Return events of some kinds in the order of `seq`, each with the local id of what its stream is of."""
        ...

    def replies(self, *, after: int, limit: int) -> list[Reply]:
        """Return answers to lines of the inbox file, those behind number `after`, in the order in which they came."""
        ...

    def open_lines(self) -> dict[int, OpenLine]:
        """Return the lines of the inbox file that are answered later, by number, in the order of their taking."""
        ...

    def deliveries(self, *, given_up: bool = False) -> list[Delivery]:
        """Return what callbacks are still to be told, or what they were told in vain."""
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

    def remember(self, key: str, answer: Json, *, instead: Json = None) -> None:
        """Keep an answer under an idempotency key; the first one stays, unless it is the one to put this `instead` of.

        An answer of None is none.
        """
        ...

    def move_cursor(self, name: str, doc: Json, *, was: Json) -> None:
        """Say how far a file was read or written; raises RefusedError unless it was said to be at `was` (None: never).

        With `doc` None nothing is known of it any more.
        """
        ...

    def reply(self, line: str) -> None:
        """Keep an answer to a line of the inbox file, for the outbox file."""
        ...

    def open_line(self, line: OpenLine) -> None:
        """Keep a line of the inbox file that is answered later."""
        ...

    def close_line(self, number: int) -> None:
        """Forget a line that is answered in this transaction; raises RefusedError when it was answered before."""
        ...

    def forget_replies(self, last: int) -> None:
        """Forget the answers up to this number: they stand in the outbox file."""
        ...

    def put_delivery(self, delivery: Delivery) -> None:
        """Keep what a callback is to be told, in place of what is kept under its id."""
        ...

    def remove_delivery(self, delivery: str) -> None:
        """Forget what a callback was told."""
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
