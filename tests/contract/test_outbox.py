"""The outbox file: each event once, in order, whatever becomes of the engine, of the file, and of the disk."""

import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from punchlist.model.events import TaskPaused, seal
from punchlist.model.json import plain
from punchlist.model.outside import OUTBOX, OutboxCursor
from punchlist.runtime.outbox import Outbox
from punchlist.store import SqliteStore
from tests.installed import Workspace, until
from tests.stored import made, tell_story

FLOW = "punchlist: 1\nflow: f\nnodes:\n  a: {run: 'true'}\n  b: {run: 'true', needs: [a]}\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    found = Workspace(tmp_path / "here", tmp_path / "home")
    found.root.mkdir()
    found.home.mkdir()
    found.ok("init")
    found.write("flow.yaml", FLOW)
    yield found
    found.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    found = made(tmp_path)
    tell_story(found)
    yield found
    found.close()


def path_of(workspace: Workspace) -> Path:
    return workspace.root / ".punchlist" / OUTBOX


def told(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines() if line.strip()]


def catches_up(workspace: Workspace) -> list[dict[str, Any]]:
    """Wait until the file holds the last event, and return its lines."""
    events = workspace.ok("events")["events"]
    until(lambda: told(path_of(workspace))[-1:] == events[-1:], what="the outbox has caught up", patience=20)
    return told(path_of(workspace))


def test_events_stand_there_as_the_command_line_tells_them(workspace: Workspace) -> None:
    workspace.ok("run", "flow.yaml", "--wait")

    assert catches_up(workspace) == workspace.ok("events")["events"]


def test_a_run_in_the_foreground_tells_all_before_it_ends(workspace: Workspace) -> None:
    workspace.ok("run", "flow.yaml", "--foreground")

    assert told(path_of(workspace)) == workspace.ok("events")["events"]


def test_killed_engines_leave_no_event_out_and_tell_none_twice(workspace: Workspace) -> None:
    for _ in range(4):
        workspace.ok("run", "flow.yaml")
        until(workspace.engine, what="an engine")
        workspace.kill_engine()
    workspace.ok("run", "flow.yaml", "--wait")

    assert catches_up(workspace) == workspace.ok("events")["events"]
    assert workspace.ok("log", "verify")["problems"] == []


def test_a_folder_in_its_place_is_named_and_it_catches_up_when_that_is_gone(workspace: Workspace) -> None:
    path_of(workspace).mkdir()

    run = workspace.ok("run", "flow.yaml", "--wait")["run"]
    until(lambda: workspace.ok("status")["problems"], what="the problem is told")
    (problem,) = workspace.ok("status")["problems"]
    checks = {each["name"]: each for each in workspace.ok("doctor")["checks"]}
    path_of(workspace).rmdir()
    workspace.ok("run", "flow.yaml", "--wait")

    assert run["status"] == "succeeded"
    assert (problem["where"], problem["message"]) == (OUTBOX, f"{OUTBOX} cannot be written: Is a directory")
    assert (checks[OUTBOX]["status"], "catches up" in checks[OUTBOX]["hint"]) == ("warn", True)
    assert catches_up(workspace) == workspace.ok("events")["events"]
    assert workspace.ok("status")["problems"] == []


def test_a_pipe_in_its_place_holds_nobody_up(store: SqliteStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out")
    outbox = Outbox(store, tmp_path / "out")

    outbox.write()

    assert outbox.problem == "out cannot be written: it is not a plain file"


def test_a_full_disk_is_named_and_what_was_written_of_a_line_is_gone_on_with(
    store: SqliteStore, tmp_path: Path
) -> None:
    path, padding = tmp_path / "out", b" " * 3_000_000 + b"\n"
    path.write_bytes(padding)
    with store.write() as writer:
        writer.move_cursor(OUTBOX, plain(OutboxCursor(size=len(padding))), was=None)
    outbox = Outbox(store, path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (len(padding) + 100, hard))
    try:
        outbox.write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    held, problem = path.stat().st_size, outbox.problem
    outbox.write()

    assert (held, problem) == (len(padding) + 100, "out cannot be written: File too large")
    assert outbox.problem == ""
    with store.read() as reader:
        assert [each["seq"] for each in told(path)] == [*range(1, reader.last_event() + 1)]


def test_what_a_crash_left_before_the_cursor_was_moved_is_not_written_again(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "out"
    Outbox(store, path).write()
    whole = path.read_bytes()
    for size in (0, 1, len(whole) // 2, len(whole) - 1, len(whole)):
        path.write_bytes(whole[:size])
        with store.write() as writer:
            writer.move_cursor(OUTBOX, None, was=None)

        Outbox(store, path).write()

        assert path.read_bytes() == whole


def test_answers_stand_behind_what_was_committed_before_them(store: SqliteStore, tmp_path: Path) -> None:
    with store.write() as writer:
        writer.reply('{"id": 1}')
        last = writer.last_event()
    with store.write() as writer:
        writer.reply('{"id": 2}')
    tell_more(store)

    Outbox(store, tmp_path / "out").write()

    order = [each.get("seq", f"answer {each.get('id')}") for each in told(tmp_path / "out")]
    assert order == [*range(1, last + 1), "answer 1", "answer 2", *range(last + 1, order[-1] + 1)]
    with store.read() as reader:
        assert reader.replies(after=0, limit=9) == []


def test_a_file_that_its_reader_took_away_goes_on_with_what_comes_next(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "out"
    outbox = Outbox(store, path)
    outbox.write()
    last = told(path)[-1]["seq"]
    path.rename(tmp_path / "taken")
    tell_more(store)

    outbox.write()

    assert told(path)[0]["seq"] == last + 1


def test_one_that_has_grown_is_moved_away_and_each_line_stands_in_one_file(store: SqliteStore, tmp_path: Path) -> None:
    path, old = tmp_path / "out", tmp_path / "out.1"
    outbox = Outbox(store, path, largest=200)

    outbox.write()
    first = told(path)
    outbox.write()
    assert (told(path), old.exists()) == (first, False), "nothing new, nothing moved"
    tell_more(store)
    outbox.write()
    second = told(path)
    tell_more(store)
    outbox.write()

    assert [each["seq"] for each in (*first, *second, *told(path))] == [*range(1, last_event(store) + 1)]
    assert told(old) == second


@pytest.mark.parametrize("renamed", [False, True])
def test_a_crash_while_it_is_moved_away_leaves_no_line_out_and_repeats_none(
    store: SqliteStore, tmp_path: Path, renamed: bool
) -> None:
    path, old = tmp_path / "out", tmp_path / "out.1"
    Outbox(store, path, largest=200).write()
    first = told(path)
    with store.write() as writer:
        kept = cursor_of(store)
        writer.move_cursor(OUTBOX, {**kept, "size": 0}, was=kept)
    if renamed:
        path.rename(old)
    tell_more(store)
    Outbox(store, path, largest=200).write()

    begins = first[-1]["seq"] if renamed else 0
    assert [each["seq"] for each in told(path)] == [*range(begins + 1, last_event(store) + 1)]
    tell_more(store)
    Outbox(store, path, largest=200).write()
    assert told(path)[-1]["seq"] == last_event(store)


def test_what_another_program_wrote_into_it_stays_and_is_no_part_of_a_line(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "out"
    outbox = Outbox(store, path)
    outbox.write()
    with path.open("a") as file:
        file.write('"not ours"')
    tell_more(store)

    outbox.write()

    found: list[object] = [*told(path)]
    assert [each for each in found if isinstance(each, str)] == ["not ours"]
    with store.read() as reader:
        count = reader.last_event()
    assert [each["seq"] for each in found if isinstance(each, dict)] == [*range(1, count + 1)]
    assert plain(OutboxCursor(seq=count, size=path.stat().st_size)) == cursor_of(store)


def cursor_of(store: SqliteStore) -> Any:
    with store.read() as reader:
        return reader.cursor(OUTBOX)


def last_event(store: SqliteStore) -> int:
    with store.read() as reader:
        return reader.last_event()


def tell_more(store: SqliteStore) -> None:
    """Add an event."""
    with store.write() as writer:
        head = writer.head("task", "T1")
        assert head is not None
        writer.append([seal(head, TaskPaused(paused=True), at="2026-11-21T09:00:00.000000Z", actor="human:ann")])
