"""What an engine leaves beside its state when it ends cleanly: nothing that SQLite would have to put together again."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from punchlist.model.outside import INBOX, OUTBOX
from tests.installed import Workspace, until


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    found = Workspace(tmp_path / "here", tmp_path / "home")
    found.root.mkdir()
    found.home.mkdir()
    found.ok("init")
    yield found
    found.stop()


def state_files(workspace: Workspace) -> list[str]:
    return sorted(each.name for each in (workspace.root / ".punchlist").glob("state.db*"))


def test_an_engine_that_was_stopped_leaves_its_store_in_one_file(workspace: Workspace) -> None:
    engine = workspace.ok("engine", "start")["engine"]["pid"]
    assert state_files(workspace) == ["state.db", "state.db-shm", "state.db-wal"]

    os.kill(engine, signal.SIGTERM)

    until(lambda: state_files(workspace) == ["state.db"], what="the engine has closed its store")


def test_so_does_one_that_has_answered_lines(workspace: Workspace) -> None:
    engine = workspace.ok("engine", "start")["engine"]["pid"]
    line = {"id": "1", "verb": "get_status", "args": {}}
    workspace.write(f".punchlist/{INBOX}", json.dumps(line) + "\n")

    def answers() -> list[dict[str, Any]]:
        path = workspace.root / ".punchlist" / OUTBOX
        told = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return [each for each in map(json.loads, told) if each.get("id") == "1"]

    until(answers, what="the line is answered", patience=20)

    os.kill(engine, signal.SIGTERM)

    until(lambda: state_files(workspace) == ["state.db"], what="the engine has closed its store")
