"""How many steps of a task were skipped: counted in its line, and in the lines of an older store."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from punchlist.model.ids import ProjectId
from punchlist.model.state import TaskState
from punchlist.model.states import StepStatus
from punchlist.store.migration import migrate
from punchlist.store.statements import migrations
from tests.stored import made, reading, task, task_state, tell_story, writing

replace = msgspec.structs.replace
BEFORE = 2
"""The last format without this count."""


def skipped() -> TaskState:
    one = task(accepted=1)
    return task_state(replace(one, steps=(one.steps[0], replace(one.steps[1], status=StepStatus.SKIPPED))))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = made(tmp_path)
    tell_story(store)
    with store.write() as writer:
        writer.put([skipped()])
    store.close()
    return tmp_path / "state.db"


def test_a_line_counts_the_steps_that_were_skipped(path: Path) -> None:
    with reading(path) as reader:
        one, other = reader.tasks(ProjectId("slugger"))

    assert (one.steps_accepted, one.steps_skipped, one.steps_total) == (1, 1, 2)
    assert other.steps_skipped == 0


def test_a_line_that_is_written_again_has_the_new_count(path: Path) -> None:
    with writing(path) as writer:
        writer.put([task_state(task())])

    with reading(path) as reader:
        assert reader.tasks()[0].steps_skipped == 0


def test_the_lines_of_an_older_store_are_counted_when_it_is_migrated(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("alter table tasks drop column steps_skipped")
        connection.execute(f"pragma user_version = {BEFORE}")

        migrate(connection, path, steps=migrations()[: BEFORE + 1])

        assert connection.execute("select id, steps_skipped from tasks order by number").fetchall() == [
            ("T1", 1),
            ("T2", 0),
        ]
