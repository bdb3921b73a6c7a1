"""`log verify` holds every column of every table against the log: the first that was changed by hand is named."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from punchlist.service import approvals, logs, projects, runs, starts, tasks
from punchlist.service.context import Service
from punchlist.store.migration import make_tables
from tests.services import BUILDER, opened, stopped, task, unchecked, workspace

pytestmark = [
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*subprocess .* is still running"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HOPELESS = BUILDER.replace("echo made > made.txt", "echo wrong > other.txt").replace(
    "[roles]", "[policy]\nrework = 0\n[roles]"
)
# What no event tells of: the log itself, held against its own hashes, and what comes from outside or goes there.
BESIDE_THE_LOG = {"events", "streams", "inbox", "remembered", "cursors", "replies", "open_lines", "deliveries"}
ONE_ROW = {"nodes": "position = (select min(position) from nodes)", "counters": "kind = 'gate'"}
PLANTED = {
    "doc": "json_insert(doc, '$.planted', 1)",
    "position": "position + 1000",
    "next": "1",
}


def columns() -> list[tuple[str, str, str]]:
    """Return each column of the schema with its type, but for tables that no event tells of."""
    with closing(sqlite3.connect(":memory:")) as connection:
        make_tables(connection)
        names = [row[1] for row in connection.execute("pragma table_list") if not row[1].startswith("sqlite_")]
        return [
            (name, column[1], column[2])
            for name in sorted(set(names) - BESIDE_THE_LOG)
            for column in connection.execute(f"pragma table_info({name})")
        ]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a row in every table: one task stands at a gate, another is proposed for approval."""
    made = workspace(tmp_path_factory.mktemp("history") / "ws", settings=HOPELESS, engine=True)
    with stopped(made):
        projects.create(made, "p", spec="# Files\n")
        tasks.create(made, None, document=task())
        approvals.approve(made, "T1")
        started: Any = starts.start(made, ["T1"])
        runs.wait(made, [started["run"]["id"]])
        tasks.create(made, None, document=unchecked())
        approvals.propose(made, "T2")
        (made.root / "flow.yaml").write_text("punchlist: 1\nflow: f\nnodes:\n  a: {run: 'true'}\n", encoding="utf-8")
        ran: Any = runs.run(made, str(made.root / "flow.yaml"))
        runs.wait(made, [ran["run"]["id"]])
    return made.root


@pytest.fixture
def service(history: Path, tmp_path: Path) -> Iterator[Service]:
    """The same workspace, its state put back afterwards."""
    state, kept = history / ".punchlist/state.db", tmp_path / "kept.db"
    with closing(sqlite3.connect(state)) as connection, closing(sqlite3.connect(kept)) as copy:
        connection.backup(copy)
    made = opened(history)
    yield made
    made.store.close()
    for suffix in ("-wal", "-shm"):
        state.with_name(state.name + suffix).unlink(missing_ok=True)
    kept.replace(state)


def change(service: Service, statement: str) -> int:
    """Change the tables as another program would, and return how many rows it was."""
    service.store.close()
    with closing(sqlite3.connect(service.root / ".punchlist/state.db")) as connection, connection:
        return connection.execute(statement).rowcount


def said(service: Service, stream: str | None = None) -> list[str]:
    problems: Any = logs.verify(service, stream)["problems"]
    return [each["message"] for each in problems]


def test_what_was_not_changed_holds(service: Service) -> None:
    assert said(service) == []


def test_marks_of_attempts_that_an_older_program_kept_are_taken_out(service: Service) -> None:
    mark = """json('{"at":"2026-11-21T08:00:00.000000Z","event":"ab"}')"""
    of_no_task = "run in (select id from runs where task is null)"

    assert change(service, f"update attempts set doc = json_set(doc, '$.mark', {mark}) where {of_no_task}") >= 1
    assert any("mark" in each for each in said(service))
    change(service, "pragma user_version = 7")

    assert said(service) == []


@pytest.mark.parametrize(("table", "column", "kind"), columns())
def test_a_changed_column_is_named(service: Service, table: str, column: str, kind: str) -> None:
    planted = PLANTED.get(column, f"{column} + 1000" if kind == "INTEGER" else f"coalesce({column}, '') || 'x'")
    where = ONE_ROW.get(table, f"{column} is (select min({column}) from {table})")
    if table not in ONE_ROW and column != "id":
        where = f"rowid = (select min(rowid) from {table})" if table not in {"projects", "task_states"} else "true"

    assert change(service, f"update {table} set {column} = {planted} where {where}") >= 1

    found = said(service)
    assert any(f"in {table}" in each and (column in each or "gone" in each) for each in found), found


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "update gates set status = 'decided' where id = 'G1'",
            "the row of G1 in gates: status is 'decided', and the log says 'open'",
        ),
        (
            "update task_states set doc = json_set(doc, '$.task.title', 'Another') where id = 'T1'",
            "the row of T1 in task_states: doc.task.title is 'Another', and the log says 'Make a file'",
        ),
        (
            "update gates set doc = json_set(doc, '$.gate.choices[0]', 'bribe') where id = 'G2'",
            "the row of G2 in gates: doc.gate.choices[0] is 'bribe', and the log says 'approve'",
        ),
        ("update tasks set paused = 1 where id = 'T2'", "the row of T2 in tasks: paused is 1, and the log says 0"),
        ("delete from gates where id = 'G1'", "the row of G1 in gates is gone"),
        (
            "insert into gates select 7, 'G7', kind, status, project, 'T8', null, doc from gates where id = 'G2'",
            "there is a row of G7 in gates, which the log does not tell of",
        ),
        (
            "insert into gates select 7, 'G7', kind, status, project, 'T2', null, doc from gates where id = 'G2'",
            "there is a row of G7 in gates, which the log does not tell of",
        ),
        (
            "update counters set next = 2 where kind = 'gate'",
            "the row of gate in counters: next is 2, and the log says that 2 was given",
        ),
    ],
)
def test_the_row_the_column_and_both_values_are_told(service: Service, statement: str, message: str) -> None:
    assert change(service, statement) == 1

    assert said(service) == [message]


def test_a_document_that_is_no_record_is_a_fault_and_no_crash(service: Service) -> None:
    change(service, "update runs set doc = '{' where id = 'R2'")

    (message,) = said(service, "R2")

    assert message.startswith("the row of R2 in runs: doc cannot be read: ")


def test_a_column_that_nothing_in_the_log_explains_is_named(service: Service) -> None:
    change(service, "alter table projects add column mood text")

    assert said(service) == ["the row of p in projects: nothing in the log says what its column mood must be"]
