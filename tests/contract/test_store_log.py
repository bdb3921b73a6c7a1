"""Verification of the log: what it finds, where it says that it is, and what it calls it."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from punchlist.model.events import Event, TaskMoved, TaskPaused, head_after, seal
from punchlist.model.ids import TaskId
from punchlist.model.rows import LogFault, StreamRow
from punchlist.model.states import TaskStatus
from punchlist.ports import Reader
from tests.stored import AT, OTHER_TASK, PERSON, PROJECT, RUN, TASK, WORKSPACE, made, reading, tell_story

GONE = "it is gone: the workspace's stream recorded it at seq 12"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store whose events are, by `seq`: 2 project, 4 T1, 5 T2, 7 to 9 R1, 10 and 11 T1; 1, 3, 6, 12 the workspace."""
    store = made(tmp_path)
    tell_story(store)
    store.close()
    return tmp_path / "state.db"


def damage(path: Path, *statements: str) -> None:
    """Change the file behind the store's back, past every rule of the schema."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma foreign_keys = off")
        connection.execute("pragma ignore_check_constraints = on")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0


def faults(path: Path) -> list[tuple[str, str, int, int, str]]:
    with reading(path) as reader:
        found = reader.verify()
    return [(fault.stream, f"{fault.kind} {fault.local}".strip(), fault.n, fault.seq, fault.message) for fault in found]


def test_an_undisturbed_log_has_no_faults(path: Path) -> None:
    assert faults(path) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("set actor = 'human:Eve' where seq = 10", (TASK, "task T1", 2, 10, "its hash is not that of what it says")),
        ("set at = '2020' where seq = 5", (OTHER_TASK, "task T2", 1, 5, "its hash is not that of what it says")),
        ("set kind = 'TaskPaused' where seq = 10", (TASK, "task T1", 2, 10, "its hash is not that of what it says")),
        (
            "set data = replace(data, 'ready', 'draft') where seq = 10",
            (TASK, "task T1", 2, 10, "its hash is not that of what it says"),
        ),
        ("set data = data || ' ' where seq = 10", (TASK, "task T1", 2, 10, "its hash is not that of what it says")),
        (
            "set prev = hash where seq = 11",
            (TASK, "task T1", 3, 11, "its `prev` is not the hash of the event before it"),
        ),
        ("set n = 9 where seq = 8", (RUN, "run R1", 2, 9, "it is gone: after event 1 comes 3")),
        ("set n = 9 where seq = 11", (TASK, "task T1", 3, 0, GONE)),
    ],
)
def test_a_changed_event_is_named(path: Path, change: str, fault: tuple[str, str, int, int, str]) -> None:
    damage(path, f"update events {change}")

    assert faults(path) == [fault]


def test_bytes_that_are_no_text_are_a_fault_and_no_crash(path: Path) -> None:
    damage(path, "update events set actor = cast(x'ff' as text) where seq = 8")

    ((stream, _, n, seq, message),) = faults(path)

    assert (stream, n, seq) == (RUN, 2, 8)
    assert message.startswith("it cannot be read: 'utf-8' codec can't decode byte 0xff")


def test_an_event_that_is_gone_is_named(path: Path) -> None:
    damage(path, "delete from events where seq = 8")

    assert faults(path) == [
        (RUN, "run R1", 2, 9, "it is gone: after event 1 comes 3"),
        ("", "", 0, 8, "event seq 8 is gone, and later ones are here"),
    ]


def test_a_cut_tail_shows_even_when_the_streams_row_was_mended(path: Path) -> None:
    damage(
        path,
        "delete from events where seq = 11",
        f"update streams set n = 2, hash = (select hash from events where seq = 10) where uuid = '{TASK}'",
    )

    assert faults(path)[0] == (TASK, "task T1", 3, 0, GONE)


def test_a_dropped_stream_shows(path: Path) -> None:
    damage(path, f"delete from events where stream = '{RUN}'", f"delete from streams where uuid = '{RUN}'")

    assert (RUN, "", 1, 0, "the stream is gone: the workspace's stream recorded it") in faults(path)


def test_a_lost_row_of_a_stream_shows(path: Path) -> None:
    damage(path, f"delete from streams where uuid = '{PROJECT}'")

    assert faults(path) == [(PROJECT, "", 1, 2, "the stream's row is gone")]


def test_a_past_that_was_rewritten_and_sealed_anew_shows_at_its_first_event(path: Path) -> None:
    with reading(path) as reader:
        first, *_ = reader.events(stream=TASK)
    second = seal(head_after(first), TaskMoved(status=TaskStatus.CANCELLED), at=AT, actor=PERSON)
    damage(
        path,
        f"update events set data = '{{\"status\":\"cancelled\"}}', hash = '{second.hash}' where seq = 10",
        "delete from events where seq = 11",
        f"update streams set n = 2, hash = '{second.hash}' where uuid = '{TASK}'",
    )

    assert faults(path)[0] == (TASK, "task T1", 3, 0, GONE)


def test_an_event_that_no_commit_recorded_shows(path: Path) -> None:
    with reading(path) as reader:
        *_, last = reader.events(stream=TASK)
    forged = seal(head_after(last), TaskPaused(paused=True), at=AT, actor=PERSON)
    columns = (
        f"13, '{TASK}', 4, '{AT}', 'TaskPaused', '{PERSON}', '{{\"paused\":true}}', '{last.hash}', '{forged.hash}'"
    )
    damage(
        path,
        f"insert into events values ({columns})",
        f"update streams set n = 4, hash = '{forged.hash}' where uuid = '{TASK}'",
    )

    assert faults(path) == [(TASK, "task T1", 4, 13, "the workspace's stream did not record it")]


@pytest.mark.parametrize(
    ("change", "where", "fault"),
    [
        ("n = 4", TASK, ("task T1", 4, 0, "it is gone: the stream's row says that there are 4")),
        ("n = 2", TASK, ("task T1", 3, 11, "the stream's row says that it ends at event 2, with another hash")),
        ("hash = prev", RUN, ("run R1", 3, 9, "the stream's row says that it ends at event 3, with another hash")),
        ("local = 'T3'", TASK, ("task T3", 1, 4, "it does not begin what the stream's row says: task T3")),
        ("kind = 'run'", TASK, ("run T1", 1, 4, "a TaskCreated does not belong into a run's stream")),
        (
            "kind = 'tusk'",
            TASK,
            ("tusk T1", 1, 0, "its kind is 'tusk', and there are only workspace, project, task, run"),
        ),
    ],
)
def test_a_changed_row_of_a_stream_is_named(
    path: Path, change: str, where: str, fault: tuple[str, int, int, str]
) -> None:
    value = change.replace("prev", "(select prev from events where seq = 9)")
    damage(path, f"update streams set {value} where uuid = '{where}'")

    assert faults(path) == [(where, *fault)]


def test_a_lost_workspace_stream_shows(path: Path) -> None:
    damage(path, "update streams set kind = 'project' where kind = 'workspace'")

    found = faults(path)

    assert ("", "workspace", 1, 0, "the workspace's own stream is gone") in found
    assert (WORKSPACE, "project", 1, 1, "a WorkspaceCreated does not belong into a project's stream") in found


def test_one_stream_is_checked_with_the_workspaces_alone(path: Path) -> None:
    damage(path, "update events set actor = 'human:Eve' where seq in (8, 10, 12)")

    with reading(path) as reader:
        found = [(fault.stream, fault.seq) for fault in reader.verify(stream=TASK)]

    assert sorted(found) == [(WORKSPACE, 12), (TASK, 10)]


def test_rows_are_compared_with_the_fold_of_their_stream(path: Path) -> None:
    def compare(reader: Reader, row: StreamRow, events: Iterable[Event]) -> Iterator[str]:
        moves = [event.fact.status for event in events if isinstance(event.fact, TaskMoved)]
        task = reader.task(TaskId(row.local)) if row.kind == "task" else None
        if task is not None and moves and task.task.status is not moves[-1]:
            yield f"its row says {task.task.status}, its events {moves[-1]}"

    with reading(path) as reader:
        assert reader.verify(compare=lambda row, events: compare(reader, row, events)) == []
    damage(path, "update task_states set doc = replace(doc, '\"running\"', '\"accepted\"') where id = 'T1'")
    with reading(path) as reader:
        found = reader.verify(compare=lambda row, events: compare(reader, row, events))

    message = "its row says accepted, its events running"
    assert found == [LogFault(stream=TASK, kind="task", local="T1", n=3, seq=0, message=message)]
