"""A disk that is full, read-only or unreadable: an error that says so, and nothing half-written."""

import os
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.disturbed import Disturbed, as_if_nothing_had_been
from tests.installed import Call, until
from tests.stored import is_whole

STORE = 5
LARGEST = 40_000
"""No file may grow beyond this many bytes; the store is larger already, its index is just smaller."""
POWERS = "--bounding-set=-dac_override,-dac_read_search,-fowner"
WRITES = [
    ["task", "create", "--file", "task.yaml"],
    ["task", "revise", "T1"],
    ["task", "start", "T1"],
]


def full() -> None:
    """Make the disk full for this process and all that it starts."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))


def refused(call: Call, *says: str) -> None:
    assert call.code == STORE, call
    assert call.out == ""
    assert "Traceback" not in call.err
    for sentence in says:
        assert sentence in call.err, call


@pytest.mark.parametrize("argv", WRITES, ids=" ".join)
def test_what_cannot_be_written_to_a_full_disk_is_not_written_at_all(
    argv: list[str], disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    with open_store(disturbed):  # its write-ahead log would begin anew, and have room for some writes
        disturbed.ok("engine", "stop")
        before = disturbed.ok("events")["events"]

        call = disturbed.punchlist(*argv, preexec_fn=full)

    refused(call, "state.db", "Nothing was written")
    assert disturbed.ok("events")["events"] == before
    assert disturbed.ok("files", "check")["drift"] == []
    assert disturbed.punchlist("task", "start", "T1", "--wait").code == 0
    as_if_nothing_had_been(disturbed, undisturbed)


def test_an_engine_on_a_full_disk_ends_and_says_so_and_another_goes_on(
    disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")
    disturbed.kill_engine()

    engine = disturbed.begun("engine", "run", preexec_fn=full)
    disturbed.let_go("build")
    call = disturbed.over(engine)
    again = disturbed.punchlist("resume", "T1", "--wait")

    refused(call, "state.db")
    assert again.code == 0, again
    as_if_nothing_had_been(disturbed, undisturbed)


def test_an_engine_that_ends_by_an_error_leaves_what_runs_to_the_next_one(
    disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")
    disturbed.kill_engine()
    engine = disturbed.begun("engine", "run", preexec_fn=full)
    disturbed.until_taken_up()
    held = disturbed.held()

    pause = disturbed.begun("pause", "T1")
    call = disturbed.over(engine)
    survivors = disturbed.held()
    disturbed.ok("engine", "start")
    paused = disturbed.over(pause)
    disturbed.let_go("build")
    disturbed.ok("resume", "T1")

    refused(call, "state.db")
    assert held == survivors != set()
    assert paused.code == 0, paused
    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.starts() == undisturbed.starts()


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_a_read_only_workspace_can_be_read_and_refuses_to_be_changed(
    end: str, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    if end == "killed":  # what it wrote last stands beside the store
        disturbed.kill_engine()
    else:
        disturbed.ok("engine", "stop")
        until(lambda: is_whole(store_of(disturbed)), what="all of the store is in its file")
    reads = [["task", "list"], ["status"], ["task", "show", "T1"], ["events"], ["log", "verify"], ["files", "check"]]

    with read_only(disturbed.root):
        seen = [powerless(disturbed, *argv) for argv in reads]
        told = [powerless(disturbed, *argv) for argv in [*WRITES, ["engine", "start"]]]

    assert [call.code for call in seen] == [0] * len(reads), seen
    for call in told:
        refused(call)
    assert all("read-only" in call.err or "Permission denied" in call.err for call in told), told
    assert disturbed.punchlist("task", "start", "T1", "--wait").code == 0
    as_if_nothing_had_been(disturbed, undisturbed)


def test_a_store_that_may_not_be_read_is_an_error_and_never_an_empty_one(disturbed: Disturbed) -> None:
    disturbed.ok("engine", "stop")
    store = store_of(disturbed)

    store.chmod(0)
    calls = [powerless(disturbed, *argv) for argv in [["task", "list"], *WRITES]]
    store.chmod(0o644)

    for call in calls:
        refused(call, "state.db", "cannot be opened")
    assert disturbed.status() == "ready"


def store_of(workspace: Disturbed) -> Path:
    return workspace.root / ".punchlist" / "state.db"


@contextmanager
def open_store(workspace: Disturbed) -> Iterator[None]:
    """Have the store open, as other processes may."""
    with closing(sqlite3.connect(store_of(workspace))) as connection:
        connection.execute("select count(*) from events").fetchone()
        yield


def powerless(workspace: Disturbed, *argv: str) -> Call:
    """Call the program as one whom file modes bind, as they bind everybody but root."""
    setpriv = shutil.which("setpriv") if os.geteuid() == 0 else None
    assert setpriv or os.geteuid() != 0, "setpriv (of util-linux) is not there"
    return workspace.punchlist(*argv, through=(setpriv, POWERS, "--") if setpriv else ())


@contextmanager
def read_only(root: Path) -> Iterator[None]:
    """Take the right to write from everything below a folder."""
    modes = {path: path.stat().st_mode for path in [root, *root.rglob("*")] if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield
    for path, mode in modes.items():
        path.chmod(mode)
