"""Verbs that read the record: an attempt's output, events, and the proof that the log holds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.ids import AttemptId, StreamId
from punchlist.model.json import plain
from punchlist.model.states import FINAL_ATTEMPT
from punchlist.render import shapes
from punchlist.service import lookup, verification

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Service

_PATIENCE = 1.0
"""Seconds between two looks at a file that grows: output is not announced."""
_STREAMS = ("stdout", "stderr")
_FARTHEST = 2**53 - 1
"""The last number that the store and every reader of JSON hold exactly."""


def logs(service: "Service", attempt: str, *, stream: str = "stdout", start: int = 0) -> "Answer":
    """Return the output of an attempt from byte `start` on; `next` is where to go on."""
    _check_stream(stream)
    _check_number(start, where="start")
    with service.store.read() as reader:
        found = lookup.attempt(reader, attempt)
    ran = found.outcome.cached_from if found.outcome is not None else None
    data = service.processes.tail(ran or AttemptId(attempt), stream=stream, start=start)
    return {
        "attempt": shapes.attempt(found),
        "stream": stream,
        "text": data.decode(errors="replace"),
        "next": start + len(data),
    }


def follow_output(service: "Service", attempt: str, *, stream: str = "stdout") -> Iterator[str]:
    """Yield the output of an attempt as it comes, until the attempt is over."""
    _check_stream(stream)
    position = 0
    rest = b""
    with service.engine.watch() as watch:
        while True:
            with service.store.read() as reader:
                over = lookup.attempt(reader, attempt).status in FINAL_ATTEMPT
            data = service.processes.tail(AttemptId(attempt), stream=stream, start=position)
            position += len(data)
            text, rest = _whole(rest + data, last=over)
            if text:
                yield text
            if over:
                return
            watch.wait(_PATIENCE)


def events(service: "Service", *, after: int = 0, limit: int | None = None, about: str | None = None) -> "Answer":
    """Return events after the one numbered `after`, of all streams or of a project's, task's or run's alone."""
    _check_number(after, where="after")
    with service.store.read() as reader:
        stream = None if about is None else _stream(reader, about)
        found = list(reader.events(after=after, stream=stream, limit=limit))
    return {"events": [shapes.event(each) for each in found], "last": found[-1].seq if found else after}


def follow_events(service: "Service", *, after: int = 0, about: str | None = None) -> "Iterator[dict[str, Json]]":
    """Yield events as they come; never ends by itself."""
    _check_number(after, where="after")
    with service.engine.watch() as watch:
        while True:
            with service.store.read() as reader:
                stream = None if about is None else _stream(reader, about)
                found = list(reader.events(after=after, stream=stream, limit=1000))
            for each in found:
                yield shapes.event(each)
            after = found[-1].seq if found else after
            if not found:
                watch.wait(None)


def verify(service: "Service", stream: str | None = None) -> "Answer":
    """Recompute the chains of all streams (or of one: an id, or its UUID), and check what is made of them.

    State rows are compared with a fold of the log, accepted commits with their trailers. `problems` names the first
    thing of each stream that does not hold.
    """
    with service.store.read() as reader:
        wanted = None if stream is None else _stream(reader, stream)
        rows = [row for row in reader.streams() if wanted in {None, row.stream}]
        faults = reader.verify(stream=wanted, compare=verification.comparison(service, reader))
    problems: list[Json] = [plain(each) for each in faults]
    return {"streams": len(rows), "events": sum(row.n for row in rows), "problems": problems}


def _stream(reader: "Reader", name: str) -> StreamId:
    kind = lookup.kind_of(name)
    if kind in {"task", "run"}:
        head = reader.head("task" if kind == "task" else "run", name)
    else:
        known = next((row for row in reader.streams() if row.stream == name), None)
        if known is not None:
            return known.stream
        head = reader.head("workspace") if name == "workspace" else reader.head("project", name)
    if head is None:
        refused = RefusedError(
            f"there is no stream of {name}", where=name[:80], hint="Allowed: a project, T1, R1, workspace"
        )
        refused.code = "not_found"
        raise refused
    return head.stream


def _check_stream(stream: str) -> None:
    if stream not in _STREAMS:
        raise DefinitionError(f"{stream!r} is no stream of output; allowed: {', '.join(_STREAMS)}", where="--stream")


def _check_number(number: int, *, where: str) -> None:
    if not 0 <= number <= _FARTHEST:
        raise DefinitionError(f"saw {number}; allowed: 0 to {_FARTHEST}", where=where)


def _whole(data: bytes, *, last: bool) -> tuple[str, bytes]:
    """Return the text in `data`, and the bytes of a character that is not whole yet."""
    if last:
        return data.decode(errors="replace"), b""
    for cut in range(min(4, len(data)) + 1):
        try:
            return data[: len(data) - cut].decode(), data[len(data) - cut :]
        except UnicodeDecodeError:
            continue
    return data.decode(errors="replace"), b""
