"""Which foreign errors are the store's, and which are faults of this program."""

import errno
import sqlite3
from pathlib import Path

import pytest

from punchlist.store.failures import Translated, explain

PATH = Path("state.db")


def sqlite_error(code: int, name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        (sqlite3.SQLITE_FULL, "SQLITE_FULL", "the disk is full"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED", "it cannot be written"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "SQLITE_BUSY_SNAPSHOT", "another process holds it"),
        (sqlite3.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE", "the disk could not be read or written"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "SQLITE_CORRUPT_INDEX", "the file is damaged"),
        (sqlite3.SQLITE_CANTOPEN, "SQLITE_CANTOPEN", "it cannot be opened"),
    ],
)
def test_what_the_disk_or_another_process_does_is_an_error_of_the_store(code: int, name: str, message: str) -> None:
    found = explain(sqlite_error(code, name), PATH)

    assert found is not None
    assert str(found).startswith(f"state.db: {message}")
    assert f"({name}: as SQLite says it)" in str(found)
    assert found.hint


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_ERROR, "SQLITE_ERROR"),
        sqlite_error(sqlite3.SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT"),
        sqlite3.ProgrammingError("Cannot operate on a closed cursor."),
        ValueError("something else"),
        None,
    ],
)
def test_what_this_program_did_wrong_is_not(error: Exception | None) -> None:
    assert explain(error, PATH) is None


def test_an_error_of_the_system_says_what_the_system_said() -> None:
    found = explain(PermissionError(errno.EACCES, "Permission denied"), PATH)

    assert str(found) == (
        "state.db: Permission denied\nIt must be a file that you may read and write, in a folder that you may write in."
    )


def test_the_translated_error_keeps_its_cause() -> None:
    cause = sqlite_error(sqlite3.SQLITE_FULL, "SQLITE_FULL")

    with pytest.raises(Exception, match="the disk is full") as caught, Translated(PATH):
        raise cause

    assert caught.value.__cause__ is cause


def test_where_the_disk_does_not_confirm_a_commit_it_is_not_said_that_nothing_was_written() -> None:
    lost = explain(sqlite_error(sqlite3.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"), PATH)
    unsure = explain(sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"), PATH)

    assert lost is not None
    assert unsure is not None
    assert "Nothing was written" in lost.hint
    assert unsure.hint.startswith("Whether the last change is kept is not sure")
