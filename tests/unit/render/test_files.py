"""The generated files as a whole: their layout, what each says of itself, and that nothing else changes them."""

import re

import msgspec
import pytest
from immutables import Map

from punchlist.model.ids import Digest
from punchlist.model.json import Json
from punchlist.model.records import Project, Task
from punchlist.model.scores import score
from punchlist.model.state import Mark, TaskState
from punchlist.model.states import TaskStatus
from punchlist.render.files import project_files, task_files
from punchlist.render.paths import task_folder
from punchlist.render.trends import samples
from tests.golden.render.story import ATTEMPTS, EVENTS, PROJECT, PROJECT_MARK, STATE, TASK

FOLDER = "slugger/tasks/T12-let-slugify-keep-b-unicode-b-letters-x"
EMPTY = Project(id="p", title="P", spec=" ", repo=".", base="main")
SOURCES = {"project.json": "7" * 64, "steps/01": "1" * 64, "steps/02": "2" * 64}
"""The events that files name which do not show all of the task."""
BARE = TaskState(task=Task(id="T1", project="p", title="T", spec="", acceptance=(), steps=()), steps=Map())


def test_a_task_has_these_files_and_no_others() -> None:
    files = task_files(PROJECT, STATE, attempts=ATTEMPTS, events=EVENTS)

    assert sorted(name.removeprefix(f"{FOLDER}/") for name in files) == [
        "events.jsonl",
        "log.md",
        "steps/01-transliterate-by-default.json",
        "steps/01-transliterate-by-default.md",
        "steps/02-keep-unicode-on-request.json",
        "steps/02-keep-unicode-on-request.md",
        "task.json",
        "task.md",
    ]


def test_a_project_has_these_files_and_no_others() -> None:
    assert sorted(project_files(PROJECT, [score(STATE)], mark=PROJECT_MARK)) == [
        "slugger/progress/scoreboard.json",
        "slugger/progress/summary.md",
        "slugger/progress/trends.json",
        "slugger/project.json",
        "slugger/project.md",
    ]


def test_every_file_says_what_it_was_made_from() -> None:
    files = project_files(PROJECT, [score(STATE)], mark=PROJECT_MARK)
    files |= task_files(PROJECT, STATE, attempts=ATTEMPTS, events=EVENTS)

    for name, content in files.items():
        source = next((each for part, each in SOURCES.items() if part in name), STATE.mark.event)
        if name.endswith(".json"):
            shape = msgspec.json.decode(content)
            assert set(shape) >= {"schema", "version", "generated_from"}
            assert (shape["generated_from"], list(shape)) == (source, sorted(shape))
        elif name.endswith(".md"):
            last = content.decode().splitlines()[-1]
            assert last.startswith("<!-- schema: punchlist/")
            assert f"generated_from: {source} -->" in last
        assert content.endswith(b"\n")


def test_files_of_a_project_say_that_a_task_moved_on() -> None:
    bare = msgspec.structs.replace(score(BARE), version=2)
    before = msgspec.structs.replace(bare, mark=Mark("2026-11-22", Digest("5" * 64)))
    after = msgspec.structs.replace(before, version=3, mark=Mark("2026-11-23", Digest("6" * 64)))

    first, second = (project_files(EMPTY, [score(BARE), each], mark=PROJECT_MARK) for each in (before, after))

    told = {name: stamp_of(content) for name, content in first.items()}
    assert {name: stamp_of(content) for name, content in second.items()} == {
        name: ("1", "7" * 64) if name == "p/project.json" else ("5", "6" * 64) for name in told
    }
    assert set(told.values()) == {("1", "7" * 64), ("4", "5" * 64)}


def stamp_of(content: bytes) -> tuple[str, str]:
    """Return the version and the event that a file names."""
    found = re.search(r'version"?: (\d+).*', content.decode(), re.DOTALL)
    source = re.search(r'generated_from"?: "?([0-9a-f]{64})', content.decode())
    assert found is not None
    assert source is not None
    return found[1], source[1]


def test_the_log_file_holds_the_chain_without_the_stores_own_order() -> None:
    stored = [msgspec.structs.replace(event, seq=100 + event.n) for event in EVENTS]

    here = task_files(PROJECT, STATE, attempts=ATTEMPTS, events=EVENTS)
    elsewhere = task_files(PROJECT, STATE, attempts=ATTEMPTS, events=stored)

    lines = [msgspec.json.decode(line) for line in here[f"{FOLDER}/events.jsonl"].splitlines()]
    assert here == elsewhere
    assert [line["hash"] for line in lines] == [event.hash for event in EVENTS]
    assert [line["prev"] for line in lines[1:]] == [event.hash for event in EVENTS[:-1]]


def test_what_is_empty_has_pages_too() -> None:
    files = project_files(EMPTY, [], mark=PROJECT_MARK) | task_files(EMPTY, BARE, attempts=[], events=[])

    assert files["p/project.md"].decode().splitlines()[0] == "# P"
    assert "## Spec" not in files["p/project.md"].decode()
    assert "0 tasks." in files["p/progress/summary.md"].decode()
    assert "Nothing has happened yet." in files["p/tasks/T1-t/log.md"].decode()
    assert files["p/tasks/T1-t/events.jsonl"] == b""


def test_a_title_with_nothing_to_keep_has_a_folder_all_the_same() -> None:
    assert task_folder(msgspec.structs.replace(TASK, title="../../…")) == "slugger/tasks/T12-x"


def test_a_task_of_another_project_is_refused() -> None:
    with pytest.raises(ValueError, match="slugger"):
        task_files(EMPTY, STATE, attempts=[], events=[])


def moved(created: str, changed: str, status: TaskStatus) -> TaskState:
    task = msgspec.structs.replace(BARE.task, status=status)
    return msgspec.structs.replace(
        BARE, task=task, created_at=f"{created}T10:00:00Z", changed_at=f"{changed}T10:00:00Z"
    )


def day(name: str, created: int, still_open: int, **reached: int) -> Json:
    every: dict[str, Json] = {status.value: reached.get(status.value, 0) for status in TaskStatus}
    return {"day": name, "created": created, "open": still_open, "reached": every}


def test_trends_have_a_sample_for_each_day_on_which_something_moved() -> None:
    tasks = [
        moved("2026-11-19", "2026-11-21", TaskStatus.ACCEPTED),
        moved("2026-11-19", "2026-11-19", TaskStatus.DRAFT),
        moved("2026-11-20", "2026-11-21", TaskStatus.FAILED),
    ]

    assert samples([score(each) for each in tasks]) == [
        day("2026-11-19", 2, 1, draft=1),
        day("2026-11-20", 3, 2, draft=1),
        day("2026-11-21", 3, 0, draft=1, accepted=1, failed=1),
    ]
    assert samples([]) == []
