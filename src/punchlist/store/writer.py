"""Writing in one transaction: ids, events that follow their streams' heads, state rows, the inbox."""

import itertools
import operator
from collections.abc import Sequence
from typing import Literal

import msgspec

from punchlist.errors import ConflictError, RefusedError
from punchlist.model import json
from punchlist.model.events import ZERO, Event, Head, HeadsMoved, StreamKind, head_after, seal, text_of
from punchlist.model.ids import StreamId
from punchlist.model.json import Json
from punchlist.model.outside import Delivery, OpenLine
from punchlist.model.rows import Row
from punchlist.model.sealing import chain_hash
from punchlist.store.reader import SqliteReader
from punchlist.store.session import Session, Value
from punchlist.store.stored import stored

ENGINE = "engine"
_PUT = {
    "projects": "put_project",
    "tasks": "put_task",
    "task_states": "put_task_state",
    "task_scores": "put_task_score",
    "runs": "put_run",
    "nodes": "put_node",
    "attempts": "put_attempt",
    "gates": "put_gate",
}


class SqliteWriter(SqliteReader):
    """`ports.Writer` on a session that holds the write lock.

    Rows carry no guard of their own: what a row says is a function of its stream's events, and `append` refuses events
    that do not follow the stream's head. So a caller reads the state, decides, appends, and only then puts the rows.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._moved: dict[StreamId, Head] = {}
        self._last_at = ""

    def allocate(self, kind: Literal["task", "run", "attempt", "gate", "finding", "checkpoint"]) -> int:
        """Return the next number of a kind of id; it is never given again once the transaction is kept."""
        (number,) = self._session.one("allocate", kind=kind) or (0,)
        return int(number)

    def open_stream(self, stream: StreamId, *, kind: StreamKind, local: str) -> Head:
        """Add an empty stream; raises RefusedError when there is one of that kind and local id."""
        if self._session.run("open_stream", stream=stream, kind=kind, local=local, zero=ZERO) == 0:
            raise RefusedError(f"there is a {kind} {local} already", where=local or kind)
        return Head(stream)

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Add sealed events, which must follow their streams' heads; return them with their `seq`.

        Raises ConflictError when a stream has moved, ValueError for an event that `seal` did not make; then none of
        them is added.
        """
        rows = [_row(event) for event in events]
        if not rows:
            return []
        self._move_heads(events)
        self._session.many("append_event", rows)
        (last,) = self._session.one("last_row") or (0,)
        self._last_at = events[-1].at
        return [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(events, last - len(rows) + 1)]

    def put(self, rows: Sequence[Row]) -> None:
        """Write state rows, replacing those with the same key; see the class for what guards them."""
        for table, alike in itertools.groupby(itertools.chain.from_iterable(map(stored, rows)), key=_table):
            self._session.many(_PUT[table], [each.values() for each in alike])

    def enqueue(self, command: Json, *, at: str, actor: str, key: str | None = None) -> int:
        """Put a command into the inbox and return its number; the same `key` again returns the first one's.

        Raises RefusedError when the key was given to another command.
        """
        text = _text(command)
        known = None if key is None else self._session.one("command_with_key", key=key)
        if known is None:
            known = self._session.one("enqueue", command=text, at=at, actor=actor, key=key) or (0, text)
        elif known[1] != text:
            raise RefusedError(
                f"the key {key!r} was given to another command: {known[0]}",
                where="key",
                hint="Give each command a key of its own; the same key is for the very same command again.",
            )
        return int(known[0])

    def answer(self, number: int, *, refused: bool, answer: Json) -> None:
        """Mark a command as applied (or refused), once; raises RefusedError when it is not pending."""
        state = "refused" if refused else "done"
        if self._session.run("answer_command", number=number, state=state, answer=_text(answer)) == 0:
            command = self.command(number)
            seen = "is not in the inbox" if command is None else f"is {command.state} already"
            raise RefusedError(f"command {number} {seen}", where=f"inbox {number}")

    def remember(self, key: str, answer: Json, *, instead: Json = None) -> None:
        """Keep an answer under an idempotency key; the first one stays, unless it is the one to put this `instead` of.

        An answer of None is none.
        """
        self._session.run("remember", key=key, answer=_text(answer), instead=_text(instead))

    def move_cursor(self, name: str, doc: Json, *, was: Json) -> None:
        """Say how far a file was read or written; raises RefusedError unless it was said to be at `was` (None: never).

        With `doc` None nothing is known of it any more.
        """
        if doc is None:
            self._session.run("drop_cursor", cursor=name)
        elif was is None and self._session.run("begin_cursor", cursor=name, doc=_text(doc)):
            return
        elif was is None or not self._session.run("move_cursor", cursor=name, doc=_text(doc), was=_text(was)):
            raise ConflictError(f"another process has moved the cursor {name}", hint="Two engines cannot share a file.")

    def reply(self, line: str) -> None:
        """Keep an answer to a line of the inbox file, for the outbox file."""
        self._session.run("add_reply", line=line)

    def open_line(self, line: OpenLine) -> None:
        """Keep a line of the inbox file that is answered later."""
        self._session.run("add_open_line", doc=_text(line))

    def close_line(self, number: int) -> None:
        """Forget a line that is answered in this transaction; raises ConflictError when it was answered before."""
        if self._session.run("close_line", number=number) != 1:
            raise ConflictError(f"line {number} was answered before", hint="Two engines cannot share a file.")

    def forget_replies(self, last: int) -> None:
        """Forget the answers up to this number: they stand in the outbox file."""
        self._session.run("forget_replies", last=last)

    def put_delivery(self, delivery: Delivery) -> None:
        """Keep what a callback is to be told, in place of what is kept under its id."""
        state = "given_up" if delivery.given_up else "due"
        self._session.run("put_delivery", id=delivery.id, state=state, doc=_text(delivery))

    def remove_delivery(self, delivery: str) -> None:
        """Forget what a callback was told."""
        self._session.run("remove_delivery", id=delivery)

    def record_heads(self) -> None:
        """Record in the workspace's stream where this transaction left the others; called before it is committed."""
        head = self.head("workspace")
        if head is None:
            raise ValueError("events were appended before the workspace's stream began")
        moved = {each.stream: (each.n, each.hash) for each in self._moved.values() if each.stream != head.stream}
        if moved:
            self.append([seal(head, HeadsMoved(heads=moved), at=self._last_at, actor=ENGINE)])

    @property
    def appended(self) -> bool:
        """Whether this transaction added events."""
        return bool(self._moved)

    def _move_heads(self, events: Sequence[Event]) -> None:
        """Put each stream's head behind its last event, or none of them: raises ConflictError when one has moved."""
        ways: dict[StreamId, tuple[Head, Head]] = {}
        for event in events:
            before = Head(event.stream, event.n - 1, event.prev)
            was, now = ways.get(event.stream) or (before, before)
            if before != now:
                raise self._conflict(event, at=now.n)
            ways[event.stream] = was, head_after(event)
        for number, (was, now) in enumerate(ways.values()):
            if not self._move(was, now):
                for first, last in list(ways.values())[:number]:
                    self._move(last, first)
                raise self._conflict(next(event for event in events if event.stream == was.stream))
        self._moved.update({stream: now for stream, (_, now) in ways.items()})

    def _move(self, was: Head, now: Head) -> bool:
        return self._session.run("move_head", stream=was.stream, n=now.n, hash=now.hash, was=was.n, prev=was.hash) == 1

    def _conflict(self, event: Event, *, at: int | None = None) -> ConflictError:
        row = self._session.one("stream_of", stream=event.stream)
        if row is None:
            return ConflictError(f"there is no stream {event.stream}", hint="Read again, then try again.")
        _, kind, local, n, _ = row
        name, seen = f"{kind} {local}".strip(), f"it is at event {n if at is None else at}"
        message = f"{name} has changed meanwhile: {seen}, and this change was made for event {event.n - 1}"
        return ConflictError(message, where=local or kind, hint="Read again, then try again.")


_table = operator.attrgetter("table")


def _row(event: Event) -> dict[str, Value]:
    """Return what is stored of an event; raises ValueError when it does not carry the hash of what it says."""
    data = text_of(event.fact)
    prev, stream, n, at, kind, actor = event.prev, event.stream, event.n, event.at, event.kind, event.actor
    if chain_hash(prev.encode(), stream=stream, n=n, at=at, kind=kind, actor=actor, data=data) != event.hash:
        raise ValueError(f"event {n} of stream {stream} ({kind}) does not carry the hash of what it says")
    return {
        "stream": stream,
        "n": n,
        "at": at,
        "kind": kind,
        "actor": actor,
        "data": data.decode(),
        "prev": prev,
        "hash": event.hash,
    }


def _text(value: object) -> str:
    return json.encode(value).decode()
