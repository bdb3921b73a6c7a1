"""Events as they are stored: their facts, their hash, and the chain that they make."""

import functools
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from punchlist.errors import with_article
from punchlist.model.events import (
    ZERO,
    AnyFact,
    Fact,
    ProjectCreated,
    ProjectFact,
    RunCreated,
    RunFact,
    StreamKind,
    TaskCreated,
    TaskFact,
    WorkspaceCreated,
    WorkspaceFact,
)
from punchlist.model.json import prepare
from punchlist.model.sealing import chain_hash

# Which facts belong into which kind of stream.
BELONGS: Mapping[str, frozenset[type[Fact]]] = {
    "workspace": frozenset(typing.get_args(WorkspaceFact)),
    "project": frozenset(typing.get_args(ProjectFact)),
    "task": frozenset(typing.get_args(TaskFact)),
    "run": frozenset(typing.get_args(RunFact)),
}
_FACTS: Mapping[str, type[Fact]] = {fact.__name__: fact for facts in BELONGS.values() for fact in facts}


class RawStream(NamedTuple):
    """A row of `streams`, its texts as bytes."""

    uuid: bytes
    kind: bytes
    local: bytes
    n: int
    hash: bytes


class RawEvent(NamedTuple):
    """A row of `events`, its texts as bytes; the stream is known from the query."""

    seq: int
    n: int
    at: bytes
    kind: bytes
    actor: bytes
    data: bytes
    prev: bytes
    hash: bytes


def fact_from(kind: str, data: bytes | str) -> AnyFact:
    """Return the fact of a stored event; raises ValueError for what this program cannot read."""
    return _reading(kind).decode(data)


@functools.cache
def _reading(kind: str) -> "msgspec.json.Decoder[AnyFact]":
    known = _FACTS.get(kind)
    if known is None:
        raise ValueError(f"the kind {kind!r} is unknown")
    prepare(known)
    return msgspec.json.Decoder(typing.cast("type[AnyFact]", known))


def text_of(raw: bytes) -> str:
    """Return stored bytes as text to show; what is not UTF-8 stands escaped."""
    return raw.decode(errors="backslashreplace")


class BrokenChain(Exception):  # noqa: N818 - it ends the reading of a stream; what people see is the fault in it
    """Where a stream stops to hold: at its event `n`, which has this `seq` (0: there is no such event)."""

    def __init__(self, n: int, message: str, *, seq: int = 0) -> None:
        super().__init__(message)
        self.n = n
        self.seq = seq
        self.message = message


def walk(row: RawStream, events: Iterable[RawEvent]) -> Iterator[tuple[RawEvent, AnyFact]]:
    """Yield a stream's events with their facts as long as its chain holds; raises BrokenChain where it does not."""
    if text_of(row.kind) not in BELONGS:
        raise BrokenChain(1, f"its kind is {text_of(row.kind)!r}, and there are only {', '.join(BELONGS)}")
    n, head, seq = 0, ZERO.encode(), 0
    for event in events:
        _check_link(event, after=n, head=head)
        if event.seq <= seq:
            raise BrokenChain(event.n, "it stands before the event that it follows", seq=event.seq)
        fact = _checked_fact(event, row.uuid)
        _check_place(event, row, fact=fact)
        yield event, fact
        n, head, seq = event.n, event.hash, event.seq
    if n < row.n:
        raise BrokenChain(n + 1, f"it is gone: the stream's row says that there are {row.n}")
    if (n, head) != (row.n, row.hash):
        raise BrokenChain(max(n, 1), f"the stream's row says that it ends at event {row.n}, with another hash", seq=seq)


def _check_link(event: RawEvent, *, after: int, head: bytes) -> None:
    if event.n != after + 1:
        raise BrokenChain(after + 1, f"it is gone: after event {after} comes {event.n}", seq=event.seq)
    if event.prev != head:
        raise BrokenChain(event.n, "its `prev` is not the hash of the event before it", seq=event.seq)


def _checked_fact(event: RawEvent, stream: bytes) -> AnyFact:
    """Return an event's fact when its hash is that of its bytes."""
    try:
        at, kind, actor, name = event.at.decode(), event.kind.decode(), event.actor.decode(), stream.decode()
        found = chain_hash(event.prev, stream=name, n=event.n, at=at, kind=kind, actor=actor, data=event.data)
        fact = fact_from(kind, event.data) if found.encode() == event.hash else None
    except ValueError as error:  # text that is not UTF-8, data that is not the kind's
        raise BrokenChain(event.n, f"it cannot be read: {error}", seq=event.seq) from None
    if fact is None:
        raise BrokenChain(event.n, "its hash is not that of what it says", seq=event.seq)
    return fact


def _check_place(event: RawEvent, row: RawStream, *, fact: AnyFact) -> None:
    kind, local = text_of(row.kind), text_of(row.local)
    if type(fact) not in BELONGS[kind]:
        raise BrokenChain(
            event.n, f"{with_article(type(fact).__name__)} does not belong into a {kind}'s stream", seq=event.seq
        )
    if event.n == 1 and _origin(fact) != (kind, local):
        message = f"it does not begin what the stream's row says: {kind} {local}".rstrip()
        raise BrokenChain(event.n, message, seq=event.seq)


def _origin(fact: AnyFact) -> tuple[StreamKind, str] | None:
    """Return the kind and local id of the stream that begins with `fact`, or None when none does."""
    match fact:
        case WorkspaceCreated():
            return "workspace", ""
        case ProjectCreated():
            return "project", fact.project.id
        case TaskCreated():
            return "task", fact.task.id
        case RunCreated():
            return "run", fact.run
        case _:
            return None
