"""The SQL of the store: the schema, the road to it, and how the statements that matter are carried out."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import punchlist.store
from punchlist.store.migration import make_tables, present_format
from punchlist.store.statements import migrations, named_statements

SOURCE = Path(punchlist.store.__path__[0])
CODE = "".join(path.read_text(encoding="utf-8") for path in SOURCE.glob("*.py"))
# These read a whole table because that is what they are for.
WHOLE = {
    "all_commands", "count_tasks", "count_tasks_since", "first_gap", "list_attempts", "list_counters", "list_gates",
    "list_open_lines", "list_projects", "list_runs", "list_streams", "list_tasks", "raw_orphans", "raw_streams",
    "rows_of_no_stream",
}  # fmt: skip
# A sort is of few rows in these: of tasks of one status, of live runs, of streams.
SORTED = {
    "first_gap", "list_live_runs", "list_streams", "list_tasks_in", "raw_orphans", "raw_streams",
}  # fmt: skip


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        make_tables(connection)
        yield connection


def objects(connection: sqlite3.Connection) -> set[tuple[str, str, str, str]]:
    rows = connection.execute("select type, name, tbl_name, coalesce(sql, '') from sqlite_master").fetchall()
    return {(kind, name, table, re.sub(r"\s*([\s,()])\s*", r"\1", sql)) for kind, name, table, sql in rows}


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    values = dict.fromkeys(re.findall(r":(\w+)", statement), "1")
    return [row[3] for row in connection.execute(f"explain query plan {statement}", values)]


def test_all_migrations_from_nothing_give_the_schema(connection: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as migrated:
        for statements in migrations():
            for statement in statements:
                migrated.execute(statement)

        assert objects(migrated) == objects(connection)


def test_the_format_is_the_number_of_migrations_and_their_files_are_numbered_so() -> None:
    files = sorted(path.name for path in (SOURCE / "sql" / "migrations").iterdir())

    assert [int(name[:4]) for name in files] == list(range(1, present_format() + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", name) for name in files)


def test_every_table_is_strict(connection: sqlite3.Connection) -> None:
    tables = connection.execute("pragma table_list").fetchall()

    assert [name for schema, name, _, _, _, strict in tables if not strict and not name.startswith("sqlite_")] == []


def test_every_statement_is_used_and_every_used_statement_exists() -> None:
    used = set(re.findall(r'"([a-z]+(?:_[a-z]+)+|enqueue|remember|recall|allocate)"', CODE))

    assert set(named_statements()) - used == set()


@pytest.mark.parametrize("name", sorted(named_statements()))
def test_a_statement_goes_by_an_index(connection: sqlite3.Connection, name: str) -> None:
    steps = plan(connection, named_statements()[name])

    scans = [step for step in steps if re.match(r"SCAN (?!CONSTANT ROW|json_each)", step)]
    sorts = [step for step in steps if "TEMP B-TREE" in step]
    assert name in WHOLE or scans == []
    assert name in SORTED or sorts == []


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("list_tasks", ["SCAN tasks"]),
        ("events_after", ["SEARCH events USING INTEGER PRIMARY KEY (rowid>?)"]),
        ("events_of_stream", ["SEARCH events USING INDEX sqlite_autoindex_events_1 (stream=?)"]),
        ("move_head", ["SEARCH streams USING PRIMARY KEY (uuid=?)"]),
        ("head_of", ["SEARCH streams USING INDEX sqlite_autoindex_streams_2 (kind=? AND local=?)"]),
        ("list_nodes", ["SEARCH nodes USING INDEX nodes_in_order (run=?)"]),
        ("list_attempts_of_run", ["SEARCH attempts USING INDEX attempts_by_run (run=?)"]),
        ("list_attempts_of_exam", ["SEARCH attempts USING INDEX attempts_by_exam (<expr>=?)"]),
        ("list_parked_attempts", ["SEARCH attempts USING INDEX attempts_parked (<expr>>?)"]),
        (
            "workers_at_work",
            [
                "SEARCH attempts USING INDEX attempts_live (<expr>=?)",
                "SEARCH runs USING INDEX sqlite_autoindex_runs_1 (id=?)",
            ],
        ),
        (
            "list_queued_attempts",
            [
                "SEARCH attempts USING INDEX attempts_live (<expr>=?)",
                "SEARCH runs USING INDEX sqlite_autoindex_runs_1 (id=?)",
            ],
        ),
        ("list_task_scores", ["SEARCH task_scores USING INDEX task_scores_by_project (project=?)"]),
        ("project_ids_after", ["SEARCH projects USING PRIMARY KEY (id>?)"]),
        ("task_ids_after", ["SEARCH tasks USING INTEGER PRIMARY KEY (rowid>?)"]),
        ("get_task_state", ["SEARCH task_states USING PRIMARY KEY (id=?)"]),
        ("pending_commands", ["SEARCH inbox USING INDEX inbox_pending (state=?)"]),
        ("command_with_key", ["SEARCH inbox USING INDEX sqlite_autoindex_inbox_1 (key=?)"]),
    ],
)
def test_the_plan_of_a_hot_statement_stays_what_it_is(
    connection: sqlite3.Connection, name: str, steps: list[str]
) -> None:
    assert plan(connection, named_statements()[name]) == steps
