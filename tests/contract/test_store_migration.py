"""Formats of `state.db`: newer is refused by name, older is copied and then migrated whole or not at all."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from punchlist.errors import StoreError
from punchlist.store import open_store
from punchlist.store.migration import migrate
from punchlist.store.statements import migrations
from tests.stored import made, reading, tell_story

TO_NEXT = ("create table notes (text text not null) strict", "insert into notes select local from streams where n > 2")
TO_LAST = ("alter table notes add column at text",)
NOW = len(migrations())
STEPS = (*migrations(), TO_NEXT, TO_LAST)

MIGRATE = """
import sqlite3, sys
from pathlib import Path
from punchlist.store.migration import migrate
from tests.contract.test_store_migration import STEPS
path = Path(sys.argv[1])
migrate(sqlite3.connect(path, isolation_level=None), path, steps=STEPS)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = made(tmp_path)
    tell_story(store)
    store.close()
    return tmp_path / "state.db"


def opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def format_of(path: Path) -> int:
    with closing(opened(path)) as connection:
        (found,) = connection.execute("pragma user_version").fetchone()
        return int(found)


def set_format(path: Path, number: int) -> None:
    with closing(opened(path)) as connection:
        connection.execute(f"pragma user_version = {number}")


def test_a_newer_store_is_refused_by_name(path: Path) -> None:
    set_format(path, 99)

    with pytest.raises(StoreError) as caught, reading(path):
        pass

    assert str(caught.value) == f"{path}: state.db has format 99, this program knows {NOW}; upgrade punchlist"


def test_a_store_that_becomes_newer_while_it_is_open_is_refused(path: Path) -> None:
    store = open_store(path)
    with store.read():
        pass
    set_format(path, NOW + 1)

    with pytest.raises(StoreError, match=f"has format {NOW + 1}, this program knows {NOW}"), store.write():
        pass
    store.close()


def test_an_older_store_is_migrated_after_a_copy_was_made_beside_it(path: Path) -> None:
    with closing(opened(path)) as connection:
        migrate(connection, path, steps=STEPS)

        assert connection.execute("select text, at from notes order by text").fetchall() == [
            ("", None),
            ("R1", None),
            ("T1", None),
        ]
        assert connection.execute("pragma foreign_keys").fetchone() == (1,)
    assert format_of(path) == len(STEPS)
    copy = path.with_name(f"state.db.before-{len(STEPS)}")
    assert [each.name for each in sorted(path.parent.iterdir())] == ["state.db", copy.name]
    with reading(copy) as reader:
        assert reader.verify() == []
        assert len(list(reader.events())) == 12


def test_an_older_store_is_migrated_when_it_is_opened(path: Path) -> None:
    with closing(opened(path)) as connection:
        for table in ("gates", "attempts", "nodes", "runs", "task_scores", "task_states", "tasks", "projects"):
            connection.execute(f"drop table {table}")
        for table in ("remembered", "inbox", "counters", "events", "streams", "cursors", "replies", "deliveries"):
            connection.execute(f"drop table {table}")
        connection.execute("drop table open_lines")
    set_format(path, 0)

    with reading(path) as reader:
        assert reader.tasks() == []

    assert format_of(path) == NOW
    assert path.with_name(f"state.db.before-{NOW}").exists()


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        ("create table notes (text text)", sqlite3.OperationalError),
        ("delete from tasks", ValueError),
    ],
)
def test_a_migration_that_fails_leaves_everything_as_it_was(path: Path, broken: str, error: type[Exception]) -> None:
    with closing(opened(path)) as connection:
        before = list(connection.iterdump())

        with pytest.raises(error):
            migrate(connection, path, steps=(*STEPS, (broken,)))

        assert list(connection.iterdump()) == before
    assert format_of(path) == NOW


def test_a_store_is_as_it_was_after_its_migration_was_killed_and_is_migrated_by_the_next(path: Path) -> None:
    root = Path(__file__).parents[2]
    dying = f"from punchlist.dying import arm\narm('inside-migration')\n{MIGRATE}"
    with closing(opened(path)) as connection:
        before = list(connection.iterdump())

    killed = subprocess.run([sys.executable, "-c", dying, path], cwd=root, check=False).returncode
    with closing(opened(path)) as connection:
        after = list(connection.iterdump())
    between = format_of(path)
    again = subprocess.run([sys.executable, "-c", MIGRATE, path], cwd=root, check=False).returncode

    assert (killed, between, again) == (-signal.SIGKILL, NOW, 0)
    assert before == after
    assert format_of(path) == len(STEPS)
    with reading(path.with_name(f"state.db.before-{len(STEPS)}")) as reader:
        assert reader.verify() == []


def test_a_store_that_is_up_to_date_is_not_copied(path: Path) -> None:
    with closing(opened(path)) as connection:
        migrate(connection, path, steps=migrations())

    assert [each.name for each in path.parent.iterdir()] == ["state.db"]


def test_two_processes_migrate_once(path: Path) -> None:
    root = Path(__file__).parents[2]

    processes = [subprocess.Popen([sys.executable, "-c", MIGRATE, path], cwd=root) for _ in range(4)]

    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    assert format_of(path) == len(STEPS)
    with closing(opened(path)) as connection:
        assert connection.execute("select count(*) from notes").fetchone() == (3,)
