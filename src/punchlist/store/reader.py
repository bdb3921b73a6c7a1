"""Reading one snapshot of the store: rows as model values."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from punchlist.model import json
from punchlist.model.events import Event, Head, StreamKind
from punchlist.model.ids import AttemptId, Digest, GateId, ProjectId, RunId, StepId, StreamId, TaskId
from punchlist.model.json import Json
from punchlist.model.outside import Delivery, OpenLine, Reply
from punchlist.model.records import Project
from punchlist.model.rows import GateRow, InboxRow, LogFault, NodeRow, Row, RunRow, StreamRow, TaskSummary
from punchlist.model.scores import TaskScore
from punchlist.model.state import AttemptState, TaskState
from punchlist.model.states import TaskStatus
from punchlist.store import log
from punchlist.store.chain import RawEvent, RawStream, fact_from
from punchlist.store.comparison import differences
from punchlist.store.failures import damaged
from punchlist.store.session import Session, SqlRow

if TYPE_CHECKING:
    from punchlist.ports import Compare

T = TypeVar("T")

_STATUSES = {status.value: status for status in TaskStatus}


class SqliteReader:
    """`ports.Reader` on a session; usable until the block that gave it ends."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # -- streams and events

    def head(self, kind: StreamKind, local: str = "") -> Head | None:
        """Return the head of a stream by what it is of, or None."""
        row = self._session.one("head_of", kind=kind, local=local)
        return None if row is None else Head(*row)

    def streams(self) -> list[StreamRow]:
        """Return every stream, the workspace's first."""
        return [_stream(row) for row in self._session.all("list_streams")]

    def events(self, *, after: int = 0, stream: StreamId | None = None, limit: int | None = None) -> Iterator[Event]:
        """Yield events in the order of `seq`, read as they are asked for; raises StoreError at one that is damaged."""
        most = -1 if limit is None else limit
        if stream is None:
            rows = self._session.stream("events_after", after=after, most=most)
        else:
            rows = self._session.stream("events_of_stream", stream=stream, after=after, most=most)
        return self._events(rows)

    def _events(self, rows: Iterable[SqlRow]) -> Iterator[Event]:
        """Yield events of rows; those of one moment share its text: a million of them would not be small."""
        at = ""
        for row in rows:
            event = self._event(row, at=at)
            at = event.at
            yield event

    def _event(self, row: SqlRow, *, at: str = "") -> Event:
        seq, stream, n, said, kind, actor, data, prev, hashed = row
        try:
            fact = fact_from(kind, data)
        except ValueError as error:
            raise damaged(self._session.path, f"event {seq} cannot be read: {error}") from error
        at = at if said == at else said
        return Event(stream=stream, n=n, at=at, actor=actor, fact=fact, prev=prev, hash=hashed, seq=seq)

    def verify(self, *, stream: StreamId | None = None, compare: "Compare | None" = None) -> list[LogFault]:
        """Recompute every chain (or one, with the workspace's) and return the first fault of each stream, if any."""

        def compared(raw: RawStream) -> Iterable[str]:
            uuid, kind, local, n, hashed = raw
            row = _stream((uuid.decode(), kind.decode(), local.decode(), n, hashed.decode()))
            return () if compare is None else compare(row, self.events(stream=row.stream))

        return log.verify(self, stream=stream, compare=compared)

    def differences(self, rows: Iterable[Row], *, stream: StreamRow) -> Iterator[str]:
        """Yield where the tables differ from `rows`, which are all of a stream: see `comparison.differences`."""
        return differences(self._session, rows, stream=stream)

    def numbered(self) -> dict[str, int]:
        """Return the number that each kind of id has next; a kind without any yet is left out."""
        return dict(self._session.all("list_counters"))

    def raw_streams(self) -> list[RawStream]:
        """Return every stream, its texts as bytes, the workspace's first."""
        return [RawStream(*row) for row in self._session.all("raw_streams")]

    def raw_events(self, stream: bytes) -> Iterator[RawEvent]:
        """Yield a stream's events in the order of `n`, their texts as bytes."""
        return (RawEvent(*row) for row in self._session.stream("raw_events", stream=stream))

    def hash_at(self, stream: str, n: int) -> tuple[int, bytes] | None:
        """Return `seq` and hash of a stream's event, or None."""
        row = self._session.one("event_at", stream=stream, n=n)
        return None if row is None else (row[0], row[1])

    def orphans(self) -> list[tuple[bytes, int, int]]:
        """Return each stream that has events but no row, with the first one's `n` and `seq`."""
        return [(stream, n, seq) for stream, n, seq in self._session.all("raw_orphans")]

    def first_gap(self) -> int | None:
        """Return the least `seq` that no event has though a later one does, or None."""
        row = self._session.one("first_gap")
        return None if row is None else int(row[0])

    # -- state rows

    def project(self, project: ProjectId) -> Project | None:
        """Return a project, or None."""
        return self._document(Project, project, by="get_project")

    def projects(self) -> list[Project]:
        """Return all projects by id."""
        return self._documents(Project, self._session.all("list_projects"))

    def project_ids(self, *, after: str, limit: int) -> list[ProjectId]:
        """Return at most so many projects behind `after` in the order of their ids; nothing of them is read."""
        return [ProjectId(row[0]) for row in self._session.all("project_ids_after", after=after, most=limit)]

    def task(self, task: TaskId) -> TaskState | None:
        """Return a task, or None."""
        return self._document(TaskState, task, by="get_task_state")

    def tasks(self, project: ProjectId | None = None, *, statuses: Sequence[TaskStatus] = ()) -> list[TaskSummary]:
        """Return lines of tasks in the order of their ids; no statuses means all.

        `waits_for` names the task's open gates, oldest first: `rework G4, blocked G7`.
        """
        named = json.encode([status.value for status in statuses]).decode()
        if project is not None:
            rows = self._session.all("list_tasks_of", project=project, statuses=named)
        elif statuses:
            rows = self._session.all("list_tasks_in", statuses=named)
        else:
            rows = self._session.all("list_tasks")
        return self._summaries(rows)

    def tasks_standing(self, status: TaskStatus, *, since: str = "", most: int | None = None) -> list[TaskSummary]:
        """Return lines of the first tasks in a status that changed at `since` or later, in the order of their ids."""
        limit = -1 if most is None else most
        return self._summaries(self._session.all("list_tasks_standing", status=status.value, since=since, most=limit))

    def tasks_counted(self, *, since: str = "") -> dict[TaskStatus, int]:
        """Return how many tasks that changed at `since` or later stand in each status; none where there are none."""
        rows = self._session.all("count_tasks_since", since=since) if since else self._session.all("count_tasks")
        return {_STATUSES[status]: count for status, count in rows}

    def paused_tasks(self) -> list[TaskSummary]:
        """Return lines of the tasks that are paused, in the order of their ids."""
        return self._summaries(self._session.all("list_paused_tasks"))

    def task_ids(self, *, after: int, limit: int) -> list[TaskId]:
        """Return at most so many tasks behind the number `after` in the order of their ids; nothing of them is read."""
        return [TaskId(row[0]) for row in self._session.all("task_ids_after", after=after, most=limit)]

    def tasks_of_last(self, events: int) -> list[TaskId]:
        """Return the tasks that the last so many events of the log are of, the last one first."""
        return list(dict.fromkeys(TaskId(row[0]) for row in self._session.all("tasks_of_last", most=events)))

    def scores(self, project: ProjectId) -> list[TaskScore]:
        """Return what a project's own files say of its tasks, in the order of their ids."""
        return self._documents(TaskScore, self._session.all("list_task_scores", project=project))

    def _summaries(self, rows: Sequence[SqlRow]) -> list[TaskSummary]:
        waits = self._waits() if rows else {}
        return [_summary(row, waits) for row in rows]

    def _waits(self) -> dict[str, str]:
        waits: dict[str, str] = {}
        for task, gate, kind in self._session.all("open_gates_of_tasks"):
            waits[task] = f"{waits[task]}, {kind} {gate}" if task in waits else f"{kind} {gate}"
        return waits

    def run(self, run: RunId) -> RunRow | None:
        """Return a run, or None."""
        return self._document(RunRow, run, by="get_run")

    def runs(self, *, task: TaskId | None = None, live: bool = False) -> list[RunRow]:
        """Return runs, newest first; `live` leaves out those that are over."""
        if task is not None:
            return self._documents(RunRow, self._session.all("list_runs_of", task=task, live=live))
        return self._documents(RunRow, self._session.all("list_live_runs" if live else "list_runs"))

    def nodes(self, run: RunId) -> list[NodeRow]:
        """Return a run's nodes in the order in which they were first written."""
        return self._documents(NodeRow, self._session.all("list_nodes", run=run))

    def attempt(self, attempt: AttemptId) -> AttemptState | None:
        """Return an attempt, or None."""
        return self._document(AttemptState, attempt, by="get_attempt")

    def attempts_of_exam(self, exam: Digest) -> list[AttemptState]:
        """Return the attempts whose outcome names this exam, in the order of their ids."""
        return self._documents(AttemptState, self._session.all("list_attempts_of_exam", exam=exam))

    def parked(self) -> list[AttemptState]:
        """Return the queued attempts that must not start before some time, the first of them first."""
        return self._documents(AttemptState, self._session.all("list_parked_attempts"))

    def workers_at_work(self) -> list[str | None]:
        """Return the worker of each attempt that is at work; None for what no worker does."""
        return [row[0] for row in self._session.all("workers_at_work")]

    def queued(self, most: int) -> list[AttemptState]:
        """Return so many of the queued attempts of live runs, parked ones too."""
        return self._documents(AttemptState, self._session.all("list_queued_attempts", most=most))

    def attempts(self, *, run: RunId | None = None, step: StepId | None = None) -> list[AttemptState]:
        """Return attempts in the order of their ids."""
        if step is not None:
            return self._documents(AttemptState, self._session.all("list_attempts_of_step", step=step, run=run))
        if run is not None:
            return self._documents(AttemptState, self._session.all("list_attempts_of_run", run=run))
        return self._documents(AttemptState, self._session.all("list_attempts"))

    def gate(self, gate: GateId) -> GateRow | None:
        """Return a gate, or None."""
        return self._document(GateRow, gate, by="get_gate")

    def gates(self, *, task: TaskId | None = None, run: RunId | None = None, everything: bool = False) -> list[GateRow]:
        """Return the open gates (all of them with `everything`), oldest first."""
        if task is not None:
            rows = self._session.all("list_gates_of_task", task=task, run=run, everything=everything)
        elif run is not None:
            rows = self._session.all("list_gates_of_run", run=run, everything=everything)
        else:
            rows = self._session.all("list_gates" if everything else "list_open_gates")
        return self._documents(GateRow, rows)

    # -- commands

    def inbox(self, *, pending: bool = True) -> list[InboxRow]:
        """Return commands in the order of arrival."""
        return [self._command(row) for row in self._session.all("pending_commands" if pending else "all_commands")]

    def command(self, number: int) -> InboxRow | None:
        """Return one command with its answer, or None."""
        row = self._session.one("get_command", number=number)
        return None if row is None else self._command(row)

    def remembered(self, key: str) -> Json | None:
        """Return the answer kept under an idempotency key, or None."""
        row = self._session.one("recall", key=key)
        return None if row is None else self._json(row[0])

    # -- other programs

    def cursor(self, name: str) -> Json:
        """Return how far a file was read or written, None when it was never."""
        row = self._session.one("get_cursor", cursor=name)
        return None if row is None else self._json(row[0])

    def last_event(self) -> int:
        """Return the number of the last event."""
        row = self._session.one("last_event")
        return 0 if row is None else int(row[0] or 0)

    def event_lines(self, *, after: int, limit: int) -> list[tuple[int, str]]:
        """Return events in the order of `seq`, each with its number and as one line of JSON."""
        return [(seq, line) for seq, line in self._session.all("event_lines", after=after, most=limit)]

    def events_of_kinds(self, kinds: Sequence[str], *, after: int, limit: int) -> list[tuple[str, Event]]:
        """Return events of some kinds in the order of `seq`, each with the local id of what its stream is of."""
        rows = self._session.all("events_of_kinds", kinds=json.encode(list(kinds)).decode(), after=after, most=limit)
        return [(row[-1], self._event(row[:-1])) for row in rows]

    def replies(self, *, after: int, limit: int) -> list[Reply]:
        """Return answers to lines of the inbox file, those behind number `after`, in the order in which they came."""
        rows = self._session.all("replies_after", after=after, most=limit)
        return [Reply(number=number, after=seq, line=line) for number, seq, line in rows]

    def open_lines(self) -> dict[int, OpenLine]:
        """Return the lines of the inbox file that are answered later, by number, in the order of their taking."""
        rows = self._session.all("list_open_lines")
        return {number: self._decoded(OpenLine, doc) for number, doc in rows}

    def deliveries(self, *, given_up: bool = False) -> list[Delivery]:
        """Return what callbacks are still to be told, or what they were told in vain."""
        state = "given_up" if given_up else "due"
        return self._documents(Delivery, self._session.all("list_deliveries", state=state))

    def _command(self, row: SqlRow) -> InboxRow:
        number, at, actor, command, key, state, answer = row
        return InboxRow(
            id=number,
            at=at,
            actor=actor,
            command=self._json(command),
            key=key,
            state=state,
            answer=self._json(answer),
        )

    # -- documents

    def _document(self, kind: type[T], name: str, *, by: str) -> T | None:
        row = self._session.one(by, id=name)
        return None if row is None else self._decoded(kind, row[0])

    def _documents(self, kind: type[T], rows: Iterable[SqlRow]) -> list[T]:
        return [self._decoded(kind, row[0]) for row in rows]

    def _json(self, text: str) -> Json:
        try:
            value: Json = msgspec.json.decode(text)
        except ValueError as error:
            raise damaged(self._session.path, f"JSON in it cannot be read: {error}") from error
        return value

    def _decoded(self, kind: type[T], text: str) -> T:
        try:
            return json.decode(text, kind)
        except ValueError as error:
            raise damaged(self._session.path, f"a {kind.__name__} in it cannot be read: {error}") from error


def _stream(row: SqlRow) -> StreamRow:
    stream, kind, local, n, hashed = row
    return StreamRow(stream=stream, kind=kind, local=local, n=n, hash=hashed)


def _summary(row: SqlRow, waits: dict[str, str]) -> TaskSummary:
    name, project, title, status, paused, steps_accepted, steps_total, changed_at, steps_skipped = row
    return TaskSummary(
        id=name,
        project=project,
        title=title,
        status=_STATUSES[status],
        paused=paused == 1,
        steps_accepted=steps_accepted,
        steps_total=steps_total,
        steps_skipped=steps_skipped,
        waits_for=waits.get(name, ""),
        changed_at=changed_at,
    )
