"""What disk, file and other processes can do to the store: a clear StoreError each, and nothing half-written."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from punchlist.errors import RefusedError, StoreError
from punchlist.model.ids import TaskId
from punchlist.store import create_store, open_store
from tests.stored import AT, PERSON, SAMPLE, WORKSPACE, made, reading, tell_story, writing

ROOT = Path(__file__).parents[2]
PAGE = 4096
BIG = "x" * 100_000

# Gives up what lets root pass over file modes, then reads or writes and prints the error.
WITHOUT_PRIVILEGES = """
import ctypes, sys
from pathlib import Path
header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert ctypes.CDLL(None, use_errno=True).capset(header, nothing) == 0
from punchlist.errors import StoreError
from punchlist.store import open_store
try:
    with open_store(Path(sys.argv[1])).write() as writer:
        writer.enqueue({}, at="", actor="")
except StoreError as error:
    print(error)
"""
# Lets no file grow beyond 200 kB: what a quota does.
WITH_A_QUOTA = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
from punchlist.errors import StoreError
from punchlist.store import open_store
try:
    with open_store(Path(sys.argv[1])).write() as writer:
        writer.enqueue({"text": "x" * 400_000}, at="", actor="")
except StoreError as error:
    print(error)
"""
HOLD_THE_LOCK = """
import sys
from pathlib import Path
from punchlist.store import open_store
with open_store(Path(sys.argv[1])).write():
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed store with a history: one file."""
    store = made(tmp_path)
    tell_story(store)
    store.close()
    path = tmp_path / "state.db"
    assert [each.name for each in tmp_path.iterdir()] == ["state.db"]
    return path


def read_everything(path: Path) -> int:
    store = open_store(path)
    try:
        with store.read() as reader:
            reader.task(TaskId("T1"))
            return len(list(reader.events())) + len(reader.tasks())
    finally:
        store.close()


def error_of(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        read_everything(path)
    assert caught.value.exit_code == 5
    return str(caught.value)


def run(script: str, path: Path) -> str:
    done = subprocess.run([sys.executable, "-c", script, path], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def test_a_missing_store_is_an_error_and_is_not_made(path: Path) -> None:
    path.unlink()

    error = error_of(path)

    assert error.startswith(f"{path}: state.db is not there, though its workspace is\nRestore it from a backup copy")
    assert "`punchlist init` then makes a new workspace" in error
    assert not path.exists()


@pytest.mark.parametrize("size", [0, 1, 511])
def test_an_empty_file_is_an_error_and_no_empty_store(path: Path, size: int) -> None:
    left = path.read_bytes()[:size]
    path.write_bytes(left)

    error = error_of(path)

    assert error.startswith(
        f"{path}: state.db has only {size} bytes: what it held is lost\nRestore it from a backup copy"
    )
    assert path.read_bytes() == left


@pytest.mark.parametrize("size", [512, PAGE - 1, PAGE, 3 * PAGE + 17])
def test_a_truncated_file_is_an_error(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])

    assert "the file is damaged" in error_of(path)


def test_a_file_that_is_something_else_is_an_error(path: Path) -> None:
    path.write_bytes(b"Dear diary, today I wrote over a database.\n" * 500)

    assert "the file is damaged: it is no SQLite database (SQLITE_NOTADB" in error_of(path)


def test_a_database_of_another_program_is_an_error(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table songs (title text)")

    assert "this SQLite database is not one of Punchlist" in error_of(path)


def test_an_overwritten_page_is_an_error_wherever_it_is_read(path: Path) -> None:
    whole = path.read_bytes()
    errors: list[str] = []
    for page in range(1, len(whole) // PAGE):
        path.write_bytes(whole[: page * PAGE] + b"\xa5" * PAGE + whole[(page + 1) * PAGE :])
        try:
            read_everything(path)
        except StoreError as error:
            errors.append(str(error))

    assert len(errors) >= 5  # events, streams, tasks, their documents, an index; the others are not read here
    assert all("the file is damaged" in error for error in errors)


def test_a_document_that_is_no_record_is_an_error_that_says_which(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("update task_states set doc = '{\"task\": 1}' where id = 'T1'")

    assert "the file is damaged: a TaskState in it cannot be read: Expected `object`, got `int`" in error_of(path)


def test_an_event_that_cannot_be_read_is_an_error_that_says_which(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("update events set data = cast(x'ff' as text) where seq = 7")
    assert "the file is damaged: Could not decode to UTF-8" in error_of(path)

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("update events set data = '{' where seq = 7")
    assert "the file is damaged: event 7 cannot be read" in error_of(path)


def test_a_full_disk_is_an_error_and_nothing_is_half_written(path: Path) -> None:
    store = open_store(path)
    with store.read() as reader:
        before = list(reader.events())
    store._idle[0].connection.execute("pragma max_page_count = 1")  # as many as there are: no page may be added

    def overfill() -> None:
        with store.write() as writer:
            writer.remember("kept", "no")
            writer.enqueue({"text": BIG}, at=AT, actor=PERSON)

    with pytest.raises(StoreError) as caught:
        overfill()

    assert str(caught.value).startswith(f"{path}: the disk is full (SQLITE_FULL: database or disk is full)")
    store.close()
    with store.write() as writer:
        assert writer.remembered("kept") is None
        assert list(writer.events()) == before
        writer.enqueue({"text": BIG}, at=AT, actor=PERSON)
    store.close()


def test_a_disk_that_takes_no_more_is_an_error_and_nothing_is_half_written(path: Path) -> None:
    error = run(WITH_A_QUOTA, path)

    assert re.match(r".*: the disk (could not be read or written \(SQLITE_IOERR|is full)", error)
    with reading(path) as reader:
        assert reader.inbox() == []
        assert reader.verify() == []


@pytest.mark.parametrize(("file", "folder"), [(0o444, 0o755), (0o444, 0o555), (0o644, 0o555), (0o000, 0o755)])
def test_a_store_that_may_not_be_written_is_an_error(path: Path, file: int, folder: int) -> None:
    path.chmod(file)
    path.parent.chmod(folder)

    try:
        error = run(WITHOUT_PRIVILEGES, path)
    finally:
        path.parent.chmod(0o755)
        path.chmod(0o644)

    assert re.match(rf"{re.escape(str(path))}: it cannot be (written|opened)", error)
    assert read_everything(path) == 14


def test_a_store_that_another_process_holds_is_an_error_when_patience_ends(path: Path) -> None:
    holder = [sys.executable, "-c", HOLD_THE_LOCK, str(path)]
    with subprocess.Popen(holder, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        store = open_store(path, patience=timedelta(milliseconds=50))

        with pytest.raises(StoreError) as caught, store.write():
            pass
        with store.read() as reader:  # readers never wait for a writer
            assert reader.projects() == [SAMPLE]
        process.communicate("\n")

    assert str(caught.value).startswith(f"{path}: another process holds it and did not let go in time (SQLITE_BUSY")
    with store.write() as writer:
        writer.remember("now", "free")
    store.close()


def test_a_store_that_was_replaced_under_an_open_one_is_opened_anew(path: Path) -> None:
    backup = path.with_name("backup")
    shutil.copy(path, backup)
    store = open_store(path)
    with store.write() as writer:
        writer.remember("after the backup", "yes")
    backup.replace(path)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()

    with store.read() as reader:
        assert reader.remembered("after the backup") is None

    path.unlink()
    with pytest.raises(StoreError, match="is not there"), store.read():
        pass
    store.close()


def test_an_error_of_the_caller_is_not_taken_for_one_of_the_store(path: Path) -> None:
    with pytest.raises(FileNotFoundError), writing(path):
        (path.parent / "nothing").read_bytes()


@pytest.mark.parametrize("left", ["state.db", "state.db-wal", "state.db-shm"])
def test_nothing_is_made_where_a_store_or_what_it_left_is(tmp_path: Path, left: str) -> None:
    (tmp_path / left).write_bytes(b"something")

    with pytest.raises(RefusedError, match=f"{left}: there is a store already"):
        made(tmp_path)

    assert [each.name for each in tmp_path.iterdir()] == [left]


def test_a_store_is_not_made_where_no_folder_is(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "state.db"

    with pytest.raises(StoreError) as caught:
        create_store(path, workspace_stream=WORKSPACE, at=AT, actor=PERSON)

    assert str(caught.value).startswith(f"{path}: it cannot be opened")


def test_making_a_store_leaves_one_file(tmp_path: Path) -> None:
    made(tmp_path).close()

    assert [each.name for each in tmp_path.iterdir()] == ["state.db"]


def test_what_an_interrupted_making_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f"state.db.new-{os.getpid()}").write_bytes(b"half")

    made(tmp_path).close()

    with reading(tmp_path / "state.db") as reader:
        assert reader.verify() == []
