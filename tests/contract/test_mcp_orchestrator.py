"""An orchestrator plans and steers by typed tools alone, and decides nothing."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest

from tests.clients import client, talked
from tests.installed import Workspace
from tests.services import BUILDER, JUDGE

CHECKED: dict[str, Any] = {"title": "Make it", "criteria": [{"text": "It is there.", "check": "test -f made.txt"}]}
PROSE: dict[str, Any] = {"title": "Write", "criteria": ["It reads well."]}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with the empty project `p`, a builder that makes the file and a reviewer that passes it."""
    home = tmp_path / "home"
    home.mkdir()
    root = tmp_path / "ws"
    judge = root / "tools" / "judge"
    judge.parent.mkdir(parents=True)
    judge.write_text(JUDGE, encoding="utf-8")
    judge.chmod(0o755)
    made = Workspace(root, home)
    made.write("punchlist.toml", BUILDER)
    made.ok("init")
    made.ok("project", "create", "p")
    yield made
    made.stop()


def test_a_task_goes_from_a_spec_to_accepted_with_one_person_in_between(workspace: Workspace) -> None:
    async def talk() -> dict[str, Any]:
        async with client(workspace, name="Some Chat") as chat:
            await chat.ok("create_project", name="x", spec="# A file\n\nIt must be there.")
            made = await chat.ok("create_task", project="x", title="Make a file")
            await chat.ok("create_step", task="T1", expected_version=made["task"]["version"], **CHECKED)
            proposed = await chat.ok("propose_approval", task="T1", message="as we said")
            assert proposed["command"] == "punchlist approve G1"
            early = await chat.refused("start_task", task="T1")
            assert (early["code"], early["hint"]) == ("refused", "A person types: punchlist approve T1")

            workspace.ok("approve", "G1")

            await chat.ok("start_task", task="T1", idempotency_key="go")
            done = await chat.ok("wait_for", ids=["T1"], states=["accepted", "failed", "waiting"], timeout=120)
            assert done["changed"] == ["T1"]
            assert "made.txt" in (await chat.ok("get_diff", task="T1"))["diff"]
            assert (await chat.ok("read_log", attempt="A1"))["attempt"]["id"] == "A1"
            return await chat.ok("get_task", task="T1")

    task = talked(talk)["task"]

    assert (task["status"], task["approved_by"].partition(":")[0]) == ("accepted", "human")
    actors = {event["actor"] for event in workspace.ok("events", "T1")["events"]}
    assert "orchestrator:some-chat" in actors


def test_every_problem_of_a_call_is_in_one_answer_with_its_path(workspace: Workspace) -> None:
    async def talk() -> dict[str, Any]:
        async with client(workspace) as chat:
            return await chat.refused(
                "create_task",
                project="p",
                titel="x",
                steps=[{"title": "a\nb", "criteria": [{"text": "t", "chek": "true"}], "policy": {"rework": "x"}}],
                expected_version="1",
            )

    error = talked(talk)

    assert error["code"] == "definition"
    assert [(each["where"], each["message"]) for each in error["problems"]] == [
        ("titel", "there is no such argument"),
        ("steps[0].title", "saw 'a\\nb'"),
        ("steps[0].criteria[0].chek", "unknown field 'chek'"),
        ("steps[0].policy.rework", "saw 'x'"),
        ("expected_version", "saw '1'"),
        ("title", "the field 'title' is missing"),
    ]  # fmt: skip
    assert "Did you mean 'title'?" in error["problems"][0]["hint"]


def test_shape_and_meaning_of_a_task_are_refused_in_one_answer(workspace: Workspace) -> None:
    async def talk() -> dict[str, Any]:
        async with client(workspace) as chat:
            return await chat.refused(
                "create_task", project="p", title=5, needs=["T9"], steps=[{**PROSE, "needs": [7]}]
            )

    places = [each["where"] for each in talked(talk)["problems"]]

    assert sorted(places) == ["needs[0]", "steps[0].needs[0]", "title"]


MEANINGLESS: list[tuple[str, dict[str, Any], str]] = [
    ("get_task", {}, "task"),
    ("get_task", {"task": 5}, "task"),
    ("get_task", {"task": "T1", "loud": True}, "loud"),
    ("get_task", {"task": "p"}, "task"),
    ("get_step", {"step": "../../etc/passwd"}, "step"),
    ("get_step", {"step": "T1"}, "step"),
    ("why", {}, "why"),
    ("why", {"task": "T1", "step": "T1.1"}, "why"),
    ("why", {"task": "T1.1"}, "task"),
    ("cancel", {"step": "T1.1", "node": "build"}, "node"),
    ("cancel", {"run": "R1", "expected_version": 1}, "expected_version"),
    ("set_step_status", {"step": "T1.1", "status": "accepted", "reason": "I say so"}, "status"),
    ("set_step_status", {"step": "T1.1", "status": "skip", "reason": ""}, "reason"),
    ("set_step_status", {"step": "T1.1", "status": "skip", "reason": "x", "invalidate": True}, "invalidate"),
    ("update_task", {"task": "T1"}, ""),
    ("update_project", {"project": "p", "policy": {"auto_approve": True}}, "policy"),
    ("update_project", {"project": "p", "setup_allow": ["/"]}, "setup_allow"),
    ("update_project", {"project": "p", "repo": "/"}, "repo"),
    ("update_project", {"project": "p", "base": "other"}, "base"),
    ("start_task", {"task": "T1", "expected_version": True}, "expected_version"),
    ("start_task", {"task": "T1", "expected_version": 0}, "expected_version"),
    ("start_task", {"task": "T1", "idempotency_key": ""}, "idempotency_key"),
    ("wait_for", {"ids": []}, "ids"),
    ("wait_for", {"ids": ["T1"], "timeout": 1e9}, "timeout"),
    ("read_log", {"attempt": "A1", "after": 5}, "after"),
    ("list_tasks", {"after": "G1"}, "after"),
    ("list_tasks", {"limit": 0}, "limit"),
]
ELSEWHERE: list[tuple[str, dict[str, Any]]] = [
    ("get_task", {"task": "T99"}),
    ("get_step", {"step": "T1.99"}),
    ("get_project", {"project": "other"}),
    ("why", {"run": "R99"}),
    ("wait_for", {"ids": ["T1", "T99"]}),
    ("list_gates", {"ask": "G99"}),
    ("create_task", {"project": "other", "title": "x"}),
    ("approve_task", {"task": "T1"}),
    ("decide", {"gate": "G1", "choice": "approve"}),
    ("record_builder_result", {"outcome": "done"}),
]


def test_an_argument_that_means_nothing_is_refused_with_its_place(workspace: Workspace) -> None:
    async def talk() -> list[dict[str, Any]]:
        async with client(workspace) as chat:
            await chat.ok("create_task", project="p", title="x", steps=[PROSE])
            return [await chat.refused(tool, **arguments) for tool, arguments, _ in MEANINGLESS]

    for case, error in zip(MEANINGLESS, talked(talk), strict=True):
        assert error["code"] == "definition", case
        assert case[2] in {error["where"], *(each["where"] for each in error["problems"])}, case


def test_what_is_not_there_or_for_another_role_is_refused_as_such(workspace: Workspace) -> None:
    async def talk() -> list[str]:
        async with client(workspace) as chat:
            await chat.ok("create_task", project="p", title="x", steps=[PROSE])
            await chat.ok("propose_approval", task="T1")
            return [(await chat.refused(tool, **arguments))["code"] for tool, arguments in ELSEWHERE]

    assert dict(zip(map(str, ELSEWHERE), talked(talk), strict=True)) == dict.fromkeys(map(str, ELSEWHERE), "not_found")
    assert workspace.ok("task", "show", "T1")["task"]["status"] == "draft"


def test_a_version_that_has_passed_is_a_conflict_for_every_change_of_a_task(workspace: Workspace) -> None:
    changes: list[tuple[str, dict[str, Any]]] = [
        ("update_task", {"task": "T1", "title": "y"}),
        ("create_step", {"task": "T1", **PROSE}),
        ("update_step", {"step": "T1.1", "title": "y"}),
        ("remove_step", {"step": "T1.1"}),
        ("reorder_steps", {"task": "T1", "steps": ["T1.2", "T1.1"]}),
        ("propose_approval", {"task": "T1"}),
        ("start_task", {"task": "T1"}),
        ("pause_task", {"task": "T1"}),
        ("resume", {"task": "T1"}),
        ("retry", {"task": "T1"}),
        ("cancel", {"task": "T1"}),
        ("set_step_status", {"step": "T1.1", "status": "skip", "reason": "x"}),
        ("update_project", {"project": "p", "title": "y"}),
        ("create_task", {"project": "p", "title": "y"}),
        ("plan_project", {"project": "p"}),
    ]

    async def talk() -> list[str]:
        async with client(workspace) as chat:
            await chat.ok("create_task", project="p", title="x", steps=[PROSE, PROSE])
            return [(await chat.refused(tool, **{**given, "expected_version": 7}))["code"] for tool, given in changes]

    assert talked(talk) == ["conflict"] * len(changes)


def test_a_key_makes_a_change_once_and_is_good_for_that_one_only(workspace: Workspace) -> None:
    async def talk() -> None:
        async with client(workspace) as chat, client(workspace, name="other") as other:
            first = await chat.ok("create_task", project="p", title="x", steps=[PROSE, PROSE], idempotency_key="a")
            again = await other.ok("create_task", project="p", title="x", steps=[PROSE, PROSE], idempotency_key="a")
            assert again == first
            await chat.refused("create_task", project="p", title="y", idempotency_key="a")
            removed = await chat.ok("remove_step", step="T1.2", idempotency_key="b")
            assert await chat.ok("remove_step", step="T1.2", idempotency_key="b") == removed
            proposed = await chat.ok("propose_approval", task="T1", idempotency_key="c")
            assert await chat.ok("propose_approval", task="T1", idempotency_key="c") == proposed
            await chat.refused("cancel", task="T1", idempotency_key="c")

    talked(talk)

    assert len(workspace.ok("task", "list")["tasks"]) == 1
    assert len(workspace.ok("gates")["gates"]) == 1


def test_steps_are_moved_by_tools_and_named_by_their_answers(workspace: Workspace) -> None:
    async def talk() -> dict[str, Any]:
        async with client(workspace) as chat:
            await chat.ok("create_task", project="p", title="x", steps=[PROSE])
            made = await chat.ok("create_step", task="T1", **{**CHECKED, "needs": []})
            assert made["step"]["id"] == "T1.2"
            changed = await chat.ok("update_step", step="T1.2", goal="More.")
            assert (changed["step"]["id"], changed["step"]["goal"]) == ("T1.2", "More.")
            await chat.ok("reorder_steps", task="T1", steps=["T1.2", "T1.1"])
            return await chat.ok("set_step_status", step="T1.1", status="cancel", reason="one is enough")

    steps = talked(talk)["task"]["steps"]

    assert [(step["id"], step["status"]) for step in steps] == [("T1.2", "pending"), ("T1.1", "cancelled")]


def test_a_draft_cannot_say_that_nobody_need_approve_it(workspace: Workspace) -> None:
    async def talk() -> dict[str, Any]:
        async with client(workspace) as chat:
            await chat.ok("create_task", project="p", title="x", steps=[CHECKED], policy={"auto_approve": True})
            return await chat.refused("start_task", task="T1")

    error = talked(talk)

    assert (error["where"], error["hint"]) == ("T1.policy.auto_approve", "A person types: punchlist approve T1")
    assert workspace.ok("task", "show", "T1")["task"]["status"] == "draft"


def test_a_long_list_comes_a_page_at_a_time(workspace: Workspace) -> None:
    async def talk() -> tuple[dict[str, Any], dict[str, Any]]:
        async with client(workspace) as chat:
            for at in range(3):
                await chat.ok("create_task", project="p", title=f"task {at}")
            first = await chat.ok("list_tasks", limit=2)
            return first, await chat.ok("list_tasks", limit=2, after=first["next"])

    first, rest = talked(talk)

    assert ([task["id"] for task in first["tasks"]], first["total"], first["next"]) == (["T1", "T2"], 3, "T2")
    assert ([task["id"] for task in rest["tasks"]], rest["total"], rest["next"]) == (["T3"], 3, None)


def test_markdown_is_kept_in_texts_and_no_control_character_is(workspace: Workspace) -> None:
    evil = "]0;title ```\n# heading <script>\u202e|"
    worse = f"\x1b{evil}\x00"

    async def talk() -> tuple[dict[str, Any], dict[str, Any]]:
        async with client(workspace) as chat:
            refused = await chat.refused(
                "create_task", project="p", title="x\u200b", spec=worse, steps=[{**PROSE, "goal": worse}]
            )
            return refused, await chat.ok(
                "create_task", project="p", title="x", spec=evil, steps=[{**PROSE, "goal": evil}]
            )

    refused, made = talked(talk)

    assert [each["where"] for each in refused["problems"]] == ["title", "spec", "steps[0].goal"]
    assert (made["task"]["spec"], made["task"]["steps"][0]["goal"]) == (evil, evil)
    assert workspace.ok("files", "check")["drift"] == []


def test_generated_files_are_resources(workspace: Workspace) -> None:
    async def talk() -> dict[str, str]:
        async with client(workspace) as chat:
            await chat.ok("create_task", project="p", title="Größe", spec="What is wanted.")
            found = (await chat.session.list_resources()).resources
            return {each.uri: await text(chat.session, each.uri) for each in found}

    async def text(session: Any, uri: str) -> str:
        (content,) = (await session.read_resource(uri)).contents
        assert isinstance(content, types.TextResourceContents)
        return content.text

    files = talked(talk)

    (page,) = (text for uri, text in files.items() if uri.endswith("/task.md"))
    assert "What is wanted." in page
    assert "punchlist://files/p/project.json" in files


def test_tool_texts_leave_a_model_room_to_work(workspace: Workspace) -> None:
    """Under 5,000 tokens, taken as one of 3.5 bytes: three tokenizers in use make one of 4.1 bytes of these texts."""

    async def talk() -> tuple[str, str]:
        async with client(workspace) as chat:
            listed = types.ListToolsResult(tools=[*await chat.tools()])
            return listed.model_dump_json(by_alias=True, exclude_none=True), chat.hello.instructions or ""

    tools, instructions = talked(talk)

    told = math.ceil(len(tools.encode()) / 3.5)
    sys.stdout.write(f"the default role's tools: {len(tools.encode()):,} bytes, at most {told:,} tokens\n")
    assert told < 5_000
    assert 100 < math.ceil(len(instructions.encode()) / 3) < 1_000


@pytest.mark.parametrize("role", ["orchestrator", "human"])
def test_every_schema_is_closed_at_every_level(workspace: Workspace, role: str) -> None:
    async def talk() -> list[types.Tool]:
        async with client(workspace, "--role", role) as chat:
            return [*await chat.tools()]

    for tool in talked(talk):
        open_ones = [path for path in _open(tool.input_schema, tool.name) if path != "decide.data"]
        assert open_ones == [], "the data of a choice is the gate's to check"


def _open(schema: Any, path: str) -> Iterator[str]:
    if isinstance(schema, dict):
        kinds = schema.get("type", [])
        if (
            "object" in ([kinds] if isinstance(kinds, str) else kinds)
            and schema.get("additionalProperties") is not False
        ):
            yield path
        for name, each in {**schema.get("properties", {}), **schema.get("$defs", {})}.items():
            yield from _open(each, f"{path}.{name}")
        yield from _open(schema.get("items"), f"{path}[]")
