"""The inbox file: commands of other programs, one a line, each taken once and answered in the outbox file."""

import hashlib
import json
import os
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from punchlist.errors import DefinitionError, PunchlistError
from punchlist.model.json import Json, convert, plain
from punchlist.model.outside import INBOX, InboxCursor, OpenLine
from punchlist.ports import Clock, Store
from punchlist.render.failures import failure

LONGEST = 4_000_000
"""Bytes of a line, its end not counted; a longer one is refused and never held as a whole."""
_PIECE = 256 * 1024
_TAIL = 4096

Answer = dict[str, Json]


class _Taken(NamedTuple):
    """What the file has next: a line, or a refusal in place of one (of neither there is none), and how far that is."""

    cursor: InboxCursor
    line: bytes | None = None
    refusal: Answer | None = None


class Lines:
    """Takes the lines of the file at `path`, one after the other; one process at a time.

    `answer` makes the answer to a line, acts at most once for one `id`, and raises StoreError when it could not be
    done now: the line is then taken again the next time. An answer and the place of its line are kept in one
    transaction, so none is given twice. A last line without its end waits for it. A line that waits is kept in that
    transaction instead, and answered by `settle` in one that forgets it.
    """

    def __init__(
        self,
        store: Store,
        path: Path,
        *,
        answer: Callable[[bytes, str], Answer | OpenLine],
        settle: Callable[[OpenLine], Answer | None],
        clock: Clock,
    ) -> None:
        self._store = store
        self._path = path
        self._answer = answer
        self._settle = settle
        self._clock = clock
        self._seen: object = None
        self.waits = False
        """Whether a line may wait for its answer."""
        self._until: str | None = None

    @property
    def due(self) -> float | None:
        """In how many seconds a line that waits is answered at the latest; None when there is no such time."""
        if self._until is None:
            return None
        return max((datetime.fromisoformat(self._until) - self._clock.now()).total_seconds(), 0.0)

    def has_news(self) -> bool:
        """Say, cheaply, whether the file is not as it was when it was last taken from."""
        return _facts(self._path) != self._seen

    def take(self) -> None:
        """Take all lines that are there. Raises StoreError for the store, and as `answer` does."""
        seen = _facts(self._path)
        while self._take_one():
            pass
        self._seen = seen

    def settle(self) -> bool:
        """Answer the lines that wait for what has come about; say whether there were such. Raises as `take` does."""
        with self._store.read() as reader:
            lines = reader.open_lines()
        before = len(lines)
        for number, line in [*lines.items()]:
            answer = self._settle(line)
            if answer is not None:
                with self._store.write() as writer:
                    writer.close_line(number)
                    writer.reply(json.dumps(answer, ensure_ascii=True))
                del lines[number]
        self.waits = bool(lines)
        self._until = min((line.until for line in lines.values() if line.until is not None), default=None)
        return len(lines) < before

    def _take_one(self) -> bool:
        with self._store.read() as reader:
            kept = reader.cursor(INBOX)
        cursor = InboxCursor() if kept is None else convert(kept, InboxCursor)
        try:
            taken = _next(self._path, cursor)
        except OSError as error:
            problem = f"{self._path.name} cannot be read: {error.strerror or error}"
            taken = _Taken(msgspec.structs.replace(cursor, problem=problem))
        answer: Answer | OpenLine | None = taken.refusal
        if taken.line is not None and taken.line.strip():
            answer = self._answer(taken.line, f"{self._path.name}, byte {cursor.offset}")
        if taken.cursor == cursor:
            return False
        with self._store.write() as writer:
            if isinstance(answer, OpenLine):
                writer.open_line(answer)
            elif answer is not None:
                writer.reply(json.dumps(answer, ensure_ascii=True))
            writer.move_cursor(INBOX, plain(taken.cursor), was=kept)
        return not taken.cursor.problem


def refused(error: PunchlistError, *, name: Json = None) -> Answer:
    """Return the answer to a line that was refused; `name` is its id, None when it has none that can be read."""
    return {"id": name, "ok": False, "error": failure(error)}


def _next(path: Path, cursor: InboxCursor) -> _Taken:
    """Return what the file has behind the cursor; the same cursor when nothing is there, or no whole line."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return _Taken(msgspec.structs.replace(cursor, problem=""))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is not a plain file")
        cursor = msgspec.structs.replace(cursor, problem="")
        if not _is_same(descriptor, found.st_size, cursor=cursor):
            return _Taken(InboxCursor(), refusal=_replaced(path, found.st_size, cursor=cursor))
        return _line(descriptor, path, cursor=cursor)
    finally:
        os.close(descriptor)


def _is_same(descriptor: int, size: int, *, cursor: InboxCursor) -> bool:
    """Say whether what was taken last still stands where it stood."""
    if size < cursor.offset:
        return False
    return _digest(os.pread(descriptor, cursor.tail, cursor.offset - cursor.tail)) == cursor.digest


def _line(descriptor: int, path: Path, *, cursor: InboxCursor) -> _Taken:
    held, at = b"", cursor.offset
    while piece := os.pread(descriptor, _PIECE, at):
        end = piece.find(b"\n") + 1
        held += piece[: end or None]
        at += end or len(piece)
        if end and cursor.skipping:
            return _Taken(_moved(held, to=at))
        if cursor.skipping:
            held = held[-_TAIL:]
        elif len(held) > LONGEST + 1 or (not end and len(held) > LONGEST):
            return _Taken(_moved(held, to=at, skipping=not end), refusal=_too_long(path, cursor.offset))
        elif end:
            return _Taken(_moved(held, to=at), line=held)
    return _Taken(_moved(held, to=at, skipping=True) if cursor.skipping and held else cursor)


def _moved(taken: bytes, *, to: int, skipping: bool = False) -> InboxCursor:
    tail = taken[-_TAIL:]
    return InboxCursor(offset=to, tail=len(tail), digest=_digest(tail), skipping=skipping)


def _digest(tail: bytes) -> str:
    return hashlib.sha256(tail).hexdigest() if tail else ""


def _too_long(path: Path, offset: int) -> Answer:
    error = DefinitionError(
        f"the line is longer than {LONGEST:,} bytes, and was passed over",
        where=f"{path.name}, byte {offset}",
        hint="Send less at once.",
    )
    return refused(error)


def _replaced(path: Path, size: int, *, cursor: InboxCursor) -> Answer:
    error = DefinitionError(
        f"the file is not the one that was taken up to byte {cursor.offset:,}: it has {size:,} bytes by now, or others",
        where=path.name,
        hint="It is taken from its beginning; what was done for an id that comes again is not done again.",
    )
    return refused(error)


def _facts(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
