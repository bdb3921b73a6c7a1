"""A store that this program cannot use, cut short or made by a newer one: named at once, and left as it is."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.installed import Call, Workspace, until
from tests.stored import is_whole

STORE = 5
KEPT = 5000
"""Bytes that are left of a store that was cut short: its first page, and a bit."""


def cut_short(store: Path) -> None:
    os.truncate(store, KEPT)


def emptied(store: Path) -> None:
    os.truncate(store, 0)


def newer(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("pragma user_version = 99")


def scribbled(store: Path) -> None:
    with store.open("r+b") as file:
        file.write(b"This is no database. " * 40)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (newer, "state.db has format 99, this program knows"),
        (cut_short, "damaged"),
        (emptied, "state.db"),
        (scribbled, "state.db"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_store_that_cannot_be_used_is_named_by_engine_and_verbs_and_not_touched(
    damage: Callable[[Path], None], said: str, workspace: Workspace
) -> None:
    workspace.ok("task", "create", "--file", "task.yaml")
    workspace.ok("engine", "stop")
    store = workspace.root / ".punchlist" / "state.db"
    until(lambda: is_whole(store), what="all of the store is in its file")
    damage(store)
    before = files(store.parent)

    verbs = ["engine start", "status", "engine run --until-idle", "task list", "task start T1"]
    calls = [workspace.punchlist(*verb.split()) for verb in verbs]

    for call in calls:
        told(call, store=store, said=said)
    assert files(store.parent) == before
    assert workspace.engine() is None


def told(call: Call, *, store: Path, said: str) -> None:
    """See that a call ends in one error that names the store."""
    assert call.code == STORE, call
    assert call.out == ""
    assert call.err.count("error:") == 1, call
    assert str(store) in call.err, call
    assert said in call.err, call
    assert "Traceback" not in call.err


def files(state: Path) -> dict[str, bytes]:
    """Return what is kept in the state folder, but for whose turn it is to run."""
    kept = (path for path in state.glob("state.db*") if path.name != "state.db-shm")
    return {path.name: path.read_bytes() for path in kept if path.stat().st_size or path.name == "state.db"}
