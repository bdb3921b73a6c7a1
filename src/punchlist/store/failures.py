"""What SQLite and the file system say, as the store's one error: what happened to which file, and what to do."""

import sqlite3
from pathlib import Path

from punchlist.errors import StoreError

_RESTORE = (
    "Restore it from a backup copy (your own, or state.db.before-N beside it). To begin anew instead, move it away, "
    "with state.db-wal and state.db-shm: `punchlist init` then makes a new workspace."
)
DAMAGED = f"Nothing was changed. {_RESTORE}"
MISSING = _RESTORE
_MEANINGS = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Nothing was written. Free some space and type the command again."),
    sqlite3.SQLITE_READONLY: (
        "it cannot be written: the file, its folder or the disk is read-only",
        "Nothing was written. Make file and folder writable for you and type the command again.",
    ),
    sqlite3.SQLITE_BUSY: (
        "another process holds it and did not let go in time",
        "Nothing was written. `punchlist engine status` shows the engine; wait for, or end, what uses the file.",
    ),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", DAMAGED),
    sqlite3.SQLITE_NOTADB: ("the file is damaged: it is no SQLite database", DAMAGED),
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened",
        "It must be a file that you may read and write, in a folder that you may write in.",
    ),
    sqlite3.SQLITE_PERM: ("access was denied", "It must be a file that you may read and write."),
    sqlite3.SQLITE_AUTH: ("access was denied", "It must be a file that you may read and write."),
    sqlite3.SQLITE_IOERR: (
        "the disk could not be read or written",
        "Nothing was written. Look at the disk, its quota and `ulimit -f`, and type the command again.",
    ),
    sqlite3.SQLITE_PROTOCOL: ("its lock cannot be had", "Is it on a network disk? Keep the workspace on a local one."),
    sqlite3.SQLITE_NOLFS: ("the file is too large for this disk", "Move the workspace to another disk."),
    sqlite3.SQLITE_NOMEM: (
        "there is no memory left",
        "Nothing was written. Free some and type the command again.",
    ),
}


UNSURE = (
    "Whether the last change is kept is not sure: the disk took it, and did not confirm it. Look at the disk, then "
    "at what is there (punchlist status), before you type the command again."
)
"""Hint for a commit whose last flush failed: the write-ahead log may hold it whole, and then it counts."""


def explain(error: object, path: Path) -> StoreError | None:
    """Return what an error of SQLite or the system means for the store, or None when it is a fault of this program."""
    if isinstance(error, OSError):
        return StoreError(f"{error.strerror or error}", where=str(path), hint=_MEANINGS[sqlite3.SQLITE_CANTOPEN][1])
    if not isinstance(error, sqlite3.Error):
        return None
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Of its own errors, Python's module raises OperationalError only for text that is not UTF-8.
        return damaged(path, str(error)) if isinstance(error, sqlite3.OperationalError) else None
    meaning = _MEANINGS.get(code & 0xFF)
    if meaning is None:
        return None
    message, hint = meaning
    if code == sqlite3.SQLITE_IOERR_FSYNC:
        hint = UNSURE
    return StoreError(f"{message} ({error.sqlite_errorname}: {error})", where=str(path), hint=hint)


def damaged(path: Path, detail: str) -> StoreError:
    """Return the error for content that cannot be what this program wrote."""
    return StoreError(f"the file is damaged: {detail}", where=str(path), hint=DAMAGED)


class Translated:
    """A block in which the errors that `explain` knows become StoreErrors; reusable, and cheap enough for each call."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, *raised: object) -> None:
        error = raised[1]
        if error is None:
            return
        found = explain(error, self._path)
        if found is not None and isinstance(error, Exception):
            raise found from error
