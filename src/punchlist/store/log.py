"""Verification of the log: the first thing in each stream that does not hold."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from punchlist.model.events import HeadsMoved
from punchlist.model.ids import StreamId
from punchlist.model.rows import LogFault
from punchlist.store.chain import BrokenChain, RawEvent, RawStream, text_of, walk

CompareFold = Callable[[RawStream], Iterable[str]]
"""Yields one text for each state row of a stream that differs from the fold of its events."""

_WORKSPACE = b"workspace"


class RawLog(Protocol):
    """The log as bytes, so that a damaged text can be named instead of ending the reading."""

    def raw_streams(self) -> list[RawStream]:
        """Return every stream, the workspace's first."""
        ...

    def raw_events(self, stream: bytes) -> Iterator[RawEvent]:
        """Yield a stream's events in the order of `n`."""
        ...

    def hash_at(self, stream: str, n: int) -> tuple[int, bytes] | None:
        """Return `seq` and hash of a stream's event, or None."""
        ...

    def orphans(self) -> list[tuple[bytes, int, int]]:
        """Return each stream that has events but no row, with its first event's `n` and `seq`."""
        ...

    def first_gap(self) -> int | None:
        """Return the least `seq` that no event has though a later one does, or None."""
        ...


def verify(log: RawLog, *, stream: StreamId | None = None, compare: CompareFold | None = None) -> list[LogFault]:
    """Return the first fault of each stream: its chain, its head, and what the workspace's stream recorded of it.

    With `stream` only that stream's and the workspace's. A gap in the order of all events has a fault without a stream.
    """
    verification = _Verification(log, compare)
    verification.check_streams(only=None if stream is None else stream.encode())
    verification.check_rows()
    return verification.faults(stream)


class _Verification:
    """What was found so far: the earliest fault of each stream, and the last head that was recorded of each."""

    def __init__(self, log: RawLog, compare: CompareFold | None) -> None:
        self._log = log
        self._compare = compare
        self._streams = {each.uuid: each for each in log.raw_streams()}
        self._found: dict[bytes, LogFault] = {}
        self._recorded: dict[bytes, int] = {}

    def faults(self, stream: str | None) -> list[LogFault]:
        """Return what was found, of all streams or of one and the workspace's."""
        found = self._found.values()
        return [each for each in found if stream is None or each.stream == stream or each.kind == _WORKSPACE.decode()]

    def check_streams(self, *, only: bytes | None) -> None:
        """Check the workspace's stream, which records the others' heads; then each against itself and that record."""
        if not any(each.kind == _WORKSPACE for each in self._streams.values()):
            self._add(_rowless(b"", kind=_WORKSPACE), BrokenChain(1, "the workspace's own stream is gone"))
        for row in list(self._streams.values()):
            if only is None or row.uuid == only or row.kind == _WORKSPACE:
                self._check_stream(row)
        for row in [
            each for each in self._streams.values() if each.kind == _WORKSPACE and each.uuid not in self._found
        ]:
            self._check_fold(row)

    def check_rows(self) -> None:
        """Find streams that have no row any more, and events that are gone with theirs."""
        for uuid, n, seq in self._log.orphans():
            self._add(_rowless(uuid), BrokenChain(n, "the stream's row is gone", seq=seq))
        for uuid in self._recorded.keys() - self._streams.keys():
            self._add(_rowless(uuid), BrokenChain(1, "the stream is gone: the workspace's stream recorded it"))
        gap = self._log.first_gap()
        if gap is not None:
            self._add(_rowless(b""), BrokenChain(0, f"event seq {gap} is gone, and later ones are here", seq=gap))

    def _check_stream(self, row: RawStream) -> None:
        try:
            for event, fact in walk(row, self._log.raw_events(row.uuid)):
                if isinstance(fact, HeadsMoved):
                    self._check_heads(fact, seq=event.seq)
            self._check_recorded(row)
        except BrokenChain as broken:
            self._add(row, broken)
        else:
            if row.kind != _WORKSPACE:  # what belongs to no stream, and numbers given, are known when all were read
                self._check_fold(row)

    def _check_heads(self, fact: HeadsMoved, *, seq: int) -> None:
        """Compare heads that a commit recorded with the events that stand there now."""
        for stream, (n, recorded) in fact.heads.items():
            uuid = stream.encode()
            self._recorded[uuid] = n
            stands = self._log.hash_at(stream, n)
            row = self._streams.get(uuid, _rowless(uuid))
            if stands is None:
                self._add(row, BrokenChain(n, f"it is gone: the workspace's stream recorded it at seq {seq}"))
            elif stands[1] != recorded.encode():
                message = f"it is not the one that the workspace's stream recorded at seq {seq}"
                self._add(row, BrokenChain(n, message, seq=stands[0]))

    def _check_recorded(self, row: RawStream) -> None:
        """Refuse events after the last head that was recorded: no commit of this program wrote them."""
        recorded = self._recorded.get(row.uuid, 0)
        if row.kind != _WORKSPACE and row.n > recorded:
            seq, _ = self._log.hash_at(text_of(row.uuid), recorded + 1) or (0, b"")
            raise BrokenChain(recorded + 1, "the workspace's stream did not record it", seq=seq)

    def _check_fold(self, row: RawStream) -> None:
        difference = next(iter(self._compare(row)), None) if self._compare is not None else None
        if difference is not None:
            self._add(row, BrokenChain(row.n, difference))

    def _add(self, row: RawStream, broken: BrokenChain) -> None:
        earlier = self._found.get(row.uuid)
        if earlier is None or broken.n < earlier.n:
            self._found[row.uuid] = LogFault(
                stream=text_of(row.uuid),
                kind=text_of(row.kind),
                local=text_of(row.local),
                n=broken.n,
                seq=broken.seq,
                message=broken.message,
            )


def _rowless(uuid: bytes, *, kind: bytes = b"") -> RawStream:
    return RawStream(uuid, kind, b"", 0, b"")
