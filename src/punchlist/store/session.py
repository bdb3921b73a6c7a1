"""One transaction on one connection: named statements in, rows out, every error of SQLite translated."""

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from punchlist.store.failures import Translated
from punchlist.store.statements import named_statements

Value = str | bytes | int | None
SqlRow = tuple[Any, ...]  # the columns' types are what STRICT tables declare; the readers of rows name them
T = TypeVar("T")

_CHUNK = 256


class Session:
    """A transaction under way; after `finish` or `abandon` every use is an error, and open cursors are closed."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._statements: Mapping[str, str] = named_statements()
        self._translated = Translated(path)
        self._streaming: dict[int, sqlite3.Cursor] = {}
        self._tickets = itertools.count()
        self._over = False

    def begin(self, *, writing: bool) -> None:
        """Start the transaction; a writing one waits for its turn."""
        self._execute("begin immediate" if writing else "begin", {})

    def run(self, name: str, **values: Value) -> int:
        """Run a statement that gives no rows; return how many rows it changed."""
        return self._execute(self._statements[name], values).rowcount

    def many(self, name: str, rows: Iterable[Mapping[str, Value]]) -> None:
        """Run a statement that gives no rows once for each of `rows`."""
        self._check_open()
        with self._translated:
            self._connection.executemany(self._statements[name], rows)

    def one(self, name: str, **values: Value) -> SqlRow | None:
        """Return the first row, or None."""
        self._check_open()
        with self._translated:
            cursor = self._connection.execute(self._statements[name], values)
            row: SqlRow | None = cursor.fetchone()
            cursor.close()
        return row

    def all(self, name: str, **values: Value) -> list[SqlRow]:
        """Return all rows."""
        return self._within(self._execute(self._statements[name], values).fetchall)

    def named(self, name: str, **values: Value) -> list[dict[str, Value]]:
        """Return all rows, each as its columns' names with their values."""
        cursor = self._execute(self._statements[name], values)
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in self._within(cursor.fetchall)]

    def stream(self, name: str, **values: Value) -> Iterator[SqlRow]:
        """Yield rows as they are read, some at a time; the query has begun when this returns."""
        ticket, cursor = next(self._tickets), self._execute(self._statements[name], values)
        self._streaming[ticket] = cursor
        return self._rows(ticket, cursor)

    def finish(self) -> None:
        """Keep everything."""
        self._close_cursors()
        self._execute("commit", {})
        self._over = True

    def abandon(self) -> bool:
        """Keep nothing; return whether the connection can be used again. Raises nothing."""
        self._over = True
        try:
            self._close_cursors()
            self._connection.rollback()
        except sqlite3.Error:
            return False
        return True

    def _rows(self, ticket: int, cursor: sqlite3.Cursor) -> Iterator[SqlRow]:
        while rows := self._within(lambda: cursor.fetchmany(_CHUNK)):
            yield from rows
        self._streaming.pop(ticket, None)

    def _execute(self, statement: str, values: Mapping[str, Value]) -> sqlite3.Cursor:
        self._check_open()
        with self._translated:
            return self._connection.execute(statement, values)

    def _check_open(self) -> None:
        if self._over:
            raise RuntimeError("the transaction is over")

    def _within(self, read: Callable[[], T]) -> T:
        with self._translated:
            return read()

    def _close_cursors(self) -> None:
        for cursor in self._streaming.values():
            cursor.close()
        self._streaming.clear()
