"""Ids that are paths or of something else, and texts that hurt, given to every tool that takes one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import Client, client, talked
from tests.installed import Workspace

PROSE: dict[str, Any] = {"title": "Write", "criteria": ["It reads well."]}
EVIL = "\x1b]0;title\x07 ```\n# heading <script>\u202e|\x00 ${{ x }}"
PATHS = ("../../etc/passwd", "/etc/passwd", "T1/../T2", "T1.1/..", "T01", "T1.1.1", "t1", "T1\n", "")
NOUNS = ("project", "task", "step", "run", "attempt", "gate")
FILLED: dict[str, Any] = {
    "title": "x",
    "spec": "x",
    "criteria": ["It reads well."],
    "steps": ["T1.1"],
    "status": "skip",
    "reason": "x",
    "ids": ["T1"],
    "name": "x",
    "choice": "approve",
}
"""What else a tool demands."""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with the projects `p` and `q`, and a draft of two steps in each."""
    made = Workspace(tmp_path / "ws", tmp_path / "home")
    made.home.mkdir()
    made.write("punchlist.toml", "")
    made.ok("init")
    for project in ("p", "q"):
        made.ok("project", "create", project)
        made.ok("task", "create", project, "--file", str(made.write("t.yaml", _task())))
    yield made
    made.stop()


def test_an_id_that_is_a_path_is_refused_by_every_tool_that_takes_one(workspace: Workspace) -> None:
    async def talk() -> set[str]:
        async with client(workspace, "--role", "human") as chat:
            return {
                f"{tool.name} {noun}"
                for tool in await chat.tools()
                for noun in NOUNS
                if noun in tool.input_schema["properties"]
                for path in PATHS
                if not await _refused(chat, tool.name, {**_demanded(tool.input_schema), noun: path}, where=path)
            }

    before = workspace.ok("events")["last"]

    assert talked(talk) == set()
    assert workspace.ok("events")["last"] == before


def test_what_is_of_another_task_is_no_part_of_this_one(workspace: Workspace) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("reorder_steps", {"task": "T1", "steps": ["T2.2", "T2.1"]}),
        ("create_step", {"task": "T1", **PROSE, "needs": ["T2.1"]}),
        ("update_step", {"step": "T1.2", "needs": ["T2.1"]}),
        ("create_task", {"project": "q", "title": "x", "steps": [{**PROSE, "needs": ["T1.1"]}]}),
    ]

    async def talk() -> list[str]:
        async with client(workspace) as chat:
            return [(await chat.refused(tool, **given))["code"] for tool, given in calls]

    before = workspace.ok("events")["last"]

    assert talked(talk) == ["definition"] * len(calls)
    assert workspace.ok("events")["last"] == before


def test_texts_that_hurt_are_kept_or_refused_and_break_no_page(workspace: Workspace) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("update_project", {"project": "p", "spec": EVIL}),
        ("update_task", {"task": "T1", "spec": EVIL}),
        ("update_task", {"task": "T1", "acceptance": [{"text": EVIL, "check": "true"}]}),
        ("update_step", {"step": "T1.1", "goal": EVIL, "criteria": [EVIL]}),
        ("update_step", {"step": "T1.1", "context": [EVIL]}),
        ("update_task", {"task": "T1", "labels": [EVIL], "source": EVIL}),
        ("set_step_status", {"step": "T1.2", "status": "skip", "reason": EVIL}),
        ("propose_approval", {"task": "T1", "message": EVIL}),
        ("cancel", {"task": "T1", "reason": EVIL}),
        ("create_project", {"name": EVIL, "spec": "x"}),
    ]

    async def talk() -> list[str]:
        async with client(workspace) as chat:
            results = [await chat.session.call_tool(tool, given) for tool, given in calls]
            return [result.structured_content["error"]["code"] for result in results if result.is_error]

    assert set(talked(talk)) <= {"definition", "refused", "not_found"}
    assert workspace.ok("files", "check")["drift"] == []
    assert workspace.ok("log", "verify")["problems"] == []
    assert not list((workspace.root / ".punchlist").glob("crash/*"))
    for page in workspace.root.glob("projects/**/*.md"):
        assert not set("\x1b\x07\x00\u202e") & set(page.read_text(encoding="utf-8")), page


async def _refused(chat: Client, tool: str, given: dict[str, Any], *, where: str) -> bool:
    result = await chat.session.call_tool(tool, given)
    answer = result.structured_content
    assert answer is not None, (tool, where)
    return result.is_error and answer["error"]["code"] in {"definition", "not_found"}


def _demanded(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: FILLED[name] for name in schema.get("required", ()) if name in FILLED}


def _task() -> str:
    step = "  - title: Write\n    criteria: [It reads well.]\n"
    return f"title: Write\nsteps:\n{step}{step}"
