"""Verbs that read: status, generated files, events, verification, and input by file."""

import multiprocessing
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import DefinitionError, PunchlistError
from punchlist.service import approvals, files, inputs, logs, starts, status, tasks
from punchlist.service.context import Service
from tests.services import (
    created,
    is_clean,
    opened,
    project_workspace,
    ready,
    unchecked,
)

Verb = Callable[[Service], object]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with the empty project `p`; no engine ever runs."""
    return project_workspace(tmp_path / "ws")


def test_status_says_first_what_needs_a_person(service: Service) -> None:
    created(service)
    approvals.propose(service, "T1")
    ready(service)

    answer: Any = status.status(service)

    assert [each["command"] for each in answer["waiting"]] == ["punchlist approve T1"]
    assert answer["commands"] == ["punchlist approve T1", "punchlist approve T1", "punchlist task start T2"]
    assert answer["engine"]["running"] is False


def test_status_tells_of_commands_that_no_engine_takes(service: Service) -> None:
    starts.start(service, [ready(service)])

    answer: Any = status.status(service)

    assert [each["command"] for each in answer["problems"]] == ["punchlist engine start"]


def test_status_since_a_time_leaves_out_what_was_before(service: Service) -> None:
    assert status.status(service, since="2026-01-01")["failed"] == []
    with pytest.raises(DefinitionError, match="is not a time"):
        status.status(service, since="yesterday")


def test_any_changed_byte_of_a_generated_file_is_drift(service: Service) -> None:
    created(service)
    folder = service.root / "projects/p"
    task_file, step_file = folder / "tasks/T1-write-prose/task.md", folder / "tasks/T1-write-prose/steps/01-write.json"
    before = task_file.read_bytes()
    task_file.write_bytes(before.replace(b"prose", b"verse"))
    step_file.unlink()
    (folder / "tasks/T9-gone").mkdir()
    (folder / "tasks/T9-gone/task.md").write_bytes(b"left behind")
    (folder / "notes.md").write_bytes(b"somebody's own")

    drift: Any = files.check(service)["drift"]
    patch = files.diff(service)["diff"]
    written: Any = files.write(service)

    assert [(each["path"], each["kind"]) for each in drift] == [
        ("p/tasks/T1-write-prose/steps/01-write.json", "missing"),
        ("p/tasks/T1-write-prose/task.md", "changed"),
        ("p/tasks/T9-gone/task.md", "extra"),
    ]
    assert "-# T1 Write verse" in str(patch)
    assert task_file.read_bytes() == before
    assert (len(written["written"]), written["removed"]) == (2, ["p/tasks/T9-gone/task.md"])
    assert (folder / "notes.md").exists()
    assert is_clean(service)


def test_a_project_with_many_tasks_has_its_own_files_written_before_they_are_read(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("punchlist.service.publishing.MANY", 1)
    for _ in range(3):
        created(service)

    assert (service.root / ".punchlist/pending/p.due").exists()
    assert is_clean(service)
    assert not (service.root / ".punchlist/pending/p.due").exists()


def test_what_a_process_had_begun_to_write_when_it_died_is_written_by_the_next(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("punchlist.service.publishing.MANY", 0)
    created(service)
    due = service.root / ".punchlist/pending/p.due"
    due.rename(due.with_suffix(".begun"))

    assert is_clean(service)
    assert not due.with_suffix(".begun").exists()


def test_events_are_read_by_cursor_and_by_what_they_are_of(service: Service) -> None:
    created(service)
    created(service)

    first: Any = logs.events(service, limit=2)
    rest: Any = logs.events(service, after=first["last"])
    of_task: Any = logs.events(service, about="T2")

    assert [each["seq"] for each in (*first["events"], *rest["events"])] == list(
        range(1, first["last"] + len(rest["events"]) + 1)
    )
    assert [each["kind"] for each in of_task["events"]] == ["TaskCreated"]
    assert logs.events(service, after=10_000) == {"events": [], "last": 10_000}


def test_a_changed_row_is_found_by_verification(service: Service) -> None:
    created(service)
    with service.store.write() as writer:
        state = writer.task("T1")  # type: ignore[arg-type]
        assert state is not None
        writer.put([type(state)(task=state.task, steps=state.steps, reason="nobody said so")])

    problems: Any = logs.verify(service, "T1")["problems"]

    assert [each["message"].partition(" is ")[0] for each in problems] == ["the row of T1 in tasks: changed_at"]


def test_a_changed_line_of_the_list_of_tasks_is_found_by_verification(service: Service) -> None:
    created(service)
    with closing(sqlite3.connect(service.root / ".punchlist/state.db")) as connection, connection:
        connection.execute("update tasks set status = 'accepted' where id = 'T1'")

    problems: Any = logs.verify(service, "T1")["problems"]

    assert [each["message"] for each in problems] == [
        "the row of T1 in tasks: status is 'accepted', and the log says 'draft'"
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"title: a\ntitle: b\n", "stands here twice"),
        (b"title: \xff\n", "is not UTF-8"),
        (b"a: [\n", "not YAML"),
        (b"", "empty"),
        (b"x" * 4_000_001, "larger than 4000 kB"),
    ],
)
def test_a_file_that_cannot_be_read_strictly_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "task.yaml"
    path.write_bytes(content)

    with pytest.raises(DefinitionError, match=why):
        inputs.document(path)


def test_a_missing_or_too_large_spec_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "big.md").write_bytes(b"x" * 200_001)

    with pytest.raises(DefinitionError, match="--spec: there is no file"):
        inputs.text_file(tmp_path / "never.md")
    with pytest.raises(DefinitionError, match="larger than 200 kB"):
        inputs.text_file(tmp_path / "big.md")
    with pytest.raises(DefinitionError, match="cannot be read"):
        inputs.text_file(tmp_path)


def create_one(root: str) -> str:
    service = opened(Path(root))
    answer: Any = tasks.create(service, "p", document=unchecked())
    service.store.close()
    return str(answer["task"]["id"])


def test_many_tasks_made_at_once_are_all_kept(service: Service) -> None:
    service.store.close()
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        made = pool.map(create_one, [str(service.root)] * 20)

    assert sorted(made, key=lambda name: int(name[1:])) == [f"T{number}" for number in range(1, 21)]
    assert is_clean(service)


def test_a_store_that_cannot_be_read_is_an_error_and_never_an_empty_one(service: Service) -> None:
    service.store.close()
    (service.root / ".punchlist/state.db").unlink()

    with pytest.raises(PunchlistError) as refused:
        tasks.listing(opened(service.root))

    assert refused.value.exit_code == 5
