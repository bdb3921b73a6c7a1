"""The outbox file: every event and every answer, once, in the order of the commits, for programs that tail a file."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from punchlist.model.json import Json, convert, plain
from punchlist.model.outside import OUTBOX, OutboxCursor
from punchlist.ports import Reader, Store
from punchlist.runtime.logfile import keep_small
from punchlist.sharing import file_mode

LARGEST = 64 << 20
"""Bytes of the file at which the next one begins: some twenty thousand nodes."""
_MANY = 1000
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC


class Outbox:
    """Writes the file at `path` behind the store; one process at a time.

    What stands in the file and is not in the cursor yet, as a crash between the two leaves it, is not written again:
    the lines follow from the record alone, so they are the same lines. A file that was emptied, replaced or removed
    goes on with what comes next. One that has grown to `largest` bytes becomes the one old file, and a new one begins.
    """

    def __init__(self, store: Store, path: Path, *, largest: int = LARGEST) -> None:
        self._store = store
        self._path = path
        self._largest = largest
        self.problem = ""
        """Why the file could not be written the last time; empty when it could."""

    def write(self) -> bool:
        """Write the next lines; return whether there were as many as are written at once, so that more may wait.

        A file that cannot be written is noted in the store, and is no error. Raises StoreError for the store itself.
        """
        with self._store.read() as reader:
            kept = reader.cursor(OUTBOX)
            cursor = OutboxCursor() if kept is None else convert(kept, OutboxCursor)
            lines = list(_lines(reader, cursor))
        if not lines and not cursor.problem:
            return False
        if cursor.size >= self._largest:
            kept, cursor = self._begin_anew(kept, cursor)
        data = b"".join(line for _, _, line in lines)
        try:
            size, problem = _append(self._path, data, at=cursor.size), ""
        except OSError as error:
            size, problem = cursor.size, f"{self._path.name} cannot be written: {error.strerror or error}"
        self.problem = problem
        if problem:
            after = msgspec.structs.replace(cursor, problem=problem)
        else:
            seq, reply = max((each[0] for each in lines), default=0), max((each[1] for each in lines), default=0)
            after = OutboxCursor(seq=max(cursor.seq, seq), reply=max(cursor.reply, reply), size=size)
        if after != cursor:
            with self._store.write() as writer:
                writer.move_cursor(OUTBOX, plain(after), was=kept)
                writer.forget_replies(after.reply)
        return not problem and len(lines) >= _MANY

    def _begin_anew(self, kept: Json, cursor: OutboxCursor) -> tuple[Json, OutboxCursor]:
        """Move the file away; the store says before that the next one begins, so that a crash repeats no line in it."""
        after = msgspec.structs.replace(cursor, size=0)
        with self._store.write() as writer:
            writer.move_cursor(OUTBOX, plain(after), was=kept)
        keep_small(self._path, largest=self._largest)
        return plain(after), after


def _lines(reader: Reader, cursor: OutboxCursor) -> Iterator[tuple[int, int, bytes]]:
    """Yield the lines that follow, each with the number of its event or of its answer, the other one 0.

    Each answer stands behind the last event that was committed before it: this order is the same whenever it is asked.
    """
    events = reader.event_lines(after=cursor.seq, limit=_MANY)
    replies = reader.replies(after=cursor.reply, limit=_MANY)
    whole = len(events) < _MANY
    merged = [(seq, 0, 0, line) for seq, line in events]
    merged += [(each.after, 1, each.number, each.line) for each in replies if whole or each.after <= events[-1][0]]
    for after, is_reply, number, line in sorted(merged)[:_MANY]:
        yield (0 if is_reply else after), number, f"{line}\n".encode()


def _append(path: Path, data: bytes, *, at: int) -> int:
    """Add `data` behind byte `at` of a file, but for what stands there of it; return the file's size afterwards."""
    descriptor = os.open(path, _FLAGS, file_mode(path.parent))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is not a plain file")
        there = os.pread(descriptor, len(data) + 1, at) if found.st_size > at else b""
        if data.startswith(there):
            data = data[len(there) :]
        elif os.pread(descriptor, 1, found.st_size - 1) != b"\n":
            data = b"\n" + data  # someone else wrote there, and did not end the line
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
