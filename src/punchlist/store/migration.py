"""The format of a `state.db`: telling it, refusing what is newer, and bringing an older one up to date."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from punchlist.errors import StoreError
from punchlist.store.failures import MISSING, Translated
from punchlist.store.statements import migrations, schema

APPLICATION = 0x50554E43
"""What tells our files from other SQLite databases: `PUNC`."""

Steps = Sequence[Sequence[str]]


def present_format() -> int:
    """Return the format that this program reads and writes: the number of its migrations."""
    return len(migrations())


def make_tables(connection: sqlite3.Connection) -> None:
    """Make an empty database one of the present format."""
    connection.execute("begin immediate")
    for statement in schema():
        connection.execute(statement)
    connection.execute(f"pragma application_id = {APPLICATION}")
    connection.execute(f"pragma user_version = {present_format()}")
    connection.execute("commit")


def check_format(connection: sqlite3.Connection, path: Path) -> int:
    """Return the database's format; raises StoreError when it is not ours, empty, or newer than this program."""
    (application,) = connection.execute("pragma application_id").fetchone()
    (found,) = connection.execute("pragma user_version").fetchone()
    if application != APPLICATION:
        raise StoreError("this SQLite database is not one of Punchlist", where=str(path), hint=MISSING)
    known = present_format()
    if found > known:
        message = f"{path.name} has format {found}, this program knows {known}; upgrade punchlist"
        raise StoreError(message, where=str(path))
    return int(found)


def migrate(connection: sqlite3.Connection, path: Path, *, steps: Steps) -> None:
    """Bring the database to the format that `steps` lead to, in one transaction, after a backup copy beside it.

    Another process may do the same at the same time: the second one finds nothing left to do. Raises StoreError; then
    nothing was changed.
    """
    target = len(steps)
    with Translated(path):
        connection.execute("pragma foreign_keys = off")  # not possible within; tables may be remade
        connection.execute("begin immediate")
        try:
            (found,) = connection.execute("pragma user_version").fetchone()
            if found < target:
                from punchlist.dying import reach

                _back_up(path, path.with_name(f"{path.name}.before-{target}"))
                _apply(connection, steps[found:])
                connection.execute(f"pragma user_version = {target}")
                reach("inside-migration")
            connection.execute("commit")
        finally:
            if connection.in_transaction:
                connection.rollback()
            connection.execute("pragma foreign_keys = on")


def _apply(connection: sqlite3.Connection, steps: Steps) -> None:
    for statements in steps:
        for statement in statements:
            connection.execute(statement)
    broken = connection.execute("pragma foreign_key_check").fetchall()
    if broken:
        raise ValueError(f"a migration leaves {len(broken)} references without what they name")


def _back_up(path: Path, copy: Path) -> None:
    """Copy the database as it is, by a second connection: the first one holds the write lock."""
    unfinished = copy.with_name(f"{copy.name}.part")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as target:
        source.backup(target)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(copy)
