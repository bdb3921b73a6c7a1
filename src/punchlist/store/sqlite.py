"""The store of a workspace: one SQLite file, made, opened, read in snapshots and written in transactions."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from punchlist.errors import RefusedError, StoreError
from punchlist.model.events import WorkspaceCreated, seal
from punchlist.model.ids import StreamId
from punchlist.sharing import share_as
from punchlist.store.failures import MISSING, Translated
from punchlist.store.migration import check_format, make_tables, migrate, present_format
from punchlist.store.reader import SqliteReader
from punchlist.store.session import Session
from punchlist.store.statements import migrations
from punchlist.store.writer import SqliteWriter

if TYPE_CHECKING:
    from punchlist.ports import Reader, Writer

PATIENCE = timedelta(seconds=10)
"""How long a transaction waits for another process to let go of the file."""


_SMALLEST = 512
"""Bytes of the smallest SQLite database; a shorter file would count as an empty one."""


def open_store(path: Path, *, patience: timedelta = PATIENCE) -> "SqliteStore":
    """Return the store in `path`; the file is opened by the first transaction, which raises what is wrong with it."""
    return SqliteStore(path, patience=patience)


def create_store(path: Path, *, workspace_stream: StreamId, at: str, actor: str) -> "SqliteStore":
    """Make the store of a new workspace: its stream, with its first event. Return it.

    Whole or not at all: it is made beside `path` and then linked there. Raises RefusedError when there is one already,
    and when a lost one has left its `-wal` file: SQLite would replay that into the new database.
    """
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        if path.with_name(name).exists():
            raise RefusedError("there is a store already", where=str(path.with_name(name)), hint=MISSING)
    unfinished = path.with_name(f"{path.name}.new-{os.getpid()}")
    with Translated(path):
        _remove(unfinished)
        _make(unfinished, workspace_stream=workspace_stream, at=at, actor=actor)
        share_as(path.parent, unfinished)
        try:
            path.hardlink_to(unfinished)
        except FileExistsError:
            raise RefusedError("there is a store already", where=str(path), hint=MISSING) from None
        finally:
            _remove(unfinished)
        _sync_folder(path.parent)
    return SqliteStore(path)


class SqliteStore:
    """`ports.Store` on a file.

    A connection serves one transaction after the other; a snapshot that is read while another transaction is open gets
    a connection of its own. Usable from several threads. Not to be carried over a fork: open it anew in the child.
    Raises StoreError for what the disk, the file or another process does; an error of this program's own goes through.
    """

    def __init__(self, path: Path, *, patience: timedelta = PATIENCE) -> None:
        self._path = path.absolute()
        self._patience = patience
        self._idle: list[_Opened] = []

    @contextmanager
    def read(self) -> "Generator[Reader]":
        """Return a snapshot to read from; it must not be used after the block."""
        with self._transaction(writing=False) as session:
            yield SqliteReader(session)

    @contextmanager
    def write(self) -> "Generator[Writer]":
        """Return a write transaction: committed at the end of the block, rolled back when the block raises.

        It waits for another one to end while the store's patience lasts: in vain for one around it in the same process.
        """
        with self._transaction(writing=True) as session:
            writer = SqliteWriter(session)
            yield writer
            if writer.appended:
                writer.record_heads()

    def close(self) -> None:
        """Close what is open; a later transaction opens the file again."""
        while self._idle:
            self._idle.pop().connection.close()

    @contextmanager
    def _transaction(self, *, writing: bool) -> Generator[Session]:
        opened = self._take()
        session = Session(opened.connection, self._path)
        kept = False
        try:
            session.begin(writing=writing)
            with Translated(self._path):
                check_format(opened.connection, self._path)
            yield session
            session.finish()
            kept = True
        finally:
            if (kept or session.abandon()) and not opened.frozen:
                self._idle.append(opened)
            else:
                opened.connection.close()

    def _take(self) -> "_Opened":
        """Return an idle connection, or a new one; never one to a file that was moved away or replaced meanwhile."""
        with Translated(self._path):
            file = _present_file(self._path)
            while self._idle:
                opened = self._idle.pop()
                if opened.file == file:
                    return opened
                opened.connection.close()
            return _connect(self._path, self._patience, file=file)


class _Opened(NamedTuple):
    """A connection, and the file that it is to: device and inode. A frozen one sees nothing that is written later."""

    connection: sqlite3.Connection
    file: tuple[int, int]
    frozen: bool = False


def _connect(path: Path, patience: timedelta, *, file: tuple[int, int]) -> _Opened:
    """Return a connection to a store of the present format; an older one is migrated first."""
    with ExitStack() as on_failure:
        connection = _open(path, mode="rw", patience=patience)
        on_failure.callback(connection.close)
        try:
            _set_up(connection)
            found = check_format(connection, path)
        except sqlite3.OperationalError as error:
            if not _rests(path, error):
                raise
            on_failure.callback((frozen := _open(path, mode="ro&immutable=1", patience=patience)).close)
            if check_format(frozen, path) < present_format():
                raise
            connection.close()
            on_failure.pop_all()
            return _Opened(frozen, file, frozen=True)
        if found < present_format():
            migrate(connection, path, steps=migrations())
        on_failure.pop_all()
        return _Opened(connection, file)


def _rests(path: Path, error: sqlite3.Error) -> bool:
    """Say whether the store can be read as it lies there, on a disk where SQLite cannot make the files to share it by.

    It can, when nobody who has it open has written to it: what was written last would stand in the file beside it.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    cannot = code == sqlite3.SQLITE_READONLY_DIRECTORY or code & 0xFF == sqlite3.SQLITE_CANTOPEN
    return cannot and os.access(path, os.R_OK) and not os.path.lexists(f"{path}-wal")


def _open(path: Path, *, mode: str, patience: timedelta = PATIENCE) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=patience.total_seconds(),
        check_same_thread=False,
    )


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")


def _present_file(path: Path) -> tuple[int, int]:
    """Return which file is there; refuse one that SQLite would take for an empty database."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise StoreError(f"{path.name} is not there, though its workspace is", where=str(path), hint=MISSING) from None
    if found.st_size < _SMALLEST:
        raise StoreError(
            f"{path.name} has only {found.st_size} bytes: what it held is lost", where=str(path), hint=MISSING
        )
    return found.st_dev, found.st_ino


def _make(path: Path, *, workspace_stream: StreamId, at: str, actor: str) -> None:
    with closing(_open(path, mode="rwc")) as connection:
        _set_up(connection)
        make_tables(connection)
        connection.execute("pragma journal_mode = wal")
        session = Session(connection, path)
        session.begin(writing=True)
        writer = SqliteWriter(session)
        head = writer.open_stream(workspace_stream, kind="workspace", local="")
        writer.append([seal(head, WorkspaceCreated(format=present_format()), at=at, actor=actor)])
        session.finish()


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
