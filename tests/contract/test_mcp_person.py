"""What only a person decides: by the tools of the role `human`, or asked in their client's own form."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp.client.client import Client as ModernClient
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.clients import client, fresh, talked
from tests.installed import PROGRAM, Workspace

PROSE: dict[str, Any] = {"title": "Write", "criteria": ["It reads well."]}
UNPROVEN: dict[str, Any] = {
    "title": "Do",
    "criteria": [{"text": "It holds already.", "check": "true", "red_first": True}],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with the empty project `p`."""
    home = tmp_path / "home"
    home.mkdir()
    made = fresh(tmp_path / "ws", home)
    yield made
    made.stop()


def test_a_person_approves_by_their_own_tools(workspace: Workspace) -> None:
    async def talk() -> dict[str, Any]:
        async with client(workspace, "--role", "human") as mine:
            await mine.ok("create_task", project="p", title="x", steps=[PROSE])
            await mine.ok("update_project", project="p", policy={"rework": 1}, setup=["true"])
            return await mine.ok("approve_task", task="T1", message="good", idempotency_key="a")

    task = talked(talk)["task"]

    assert (task["status"], task["approved_by"].partition(":")[0]) == ("ready", "human")


def test_a_decision_holds_for_what_was_shown(workspace: Workspace) -> None:
    async def talk() -> None:
        async with client(workspace) as chat, client(workspace, "--role", "human") as mine:
            await chat.ok("create_task", project="p", title="x", steps=[PROSE])
            gate = (await chat.ok("propose_approval", task="T1"))["gate"]
            other = await mine.refused("decide", gate="G1", choice="approve", shows="0" * 64)
            assert gate["shows_digest"] in other["message"]
            wrong = await mine.refused("decide", gate="G1", choice="perhaps")
            assert "allowed: approve, reject" in wrong["message"]
            decided = await mine.ok("decide", gate="G1", choice="reject", message="no", shows=gate["shows_digest"])
            assert (decided["gate"]["status"], decided["gate"]["choice"]) == ("decided", "reject")

    talked(talk)


def test_a_proposal_asks_the_person_in_front_of_a_client_that_can(workspace: Workspace) -> None:
    seen: list[types.ElicitRequestFormParams] = []

    def asked(params: types.ElicitRequestFormParams) -> types.ElicitResult:
        seen.append(params)
        return types.ElicitResult(action="accept", content={"choice": "approve", "message": "as we said"})

    async def talk() -> dict[str, Any]:
        async with client(workspace, asked=asked) as chat:
            await chat.ok("create_task", project="p", title="x", steps=[PROSE])
            return await chat.ok("propose_approval", task="T1")

    answer = talked(talk)

    assert answer["gate"]["shows_digest"] in seen[0].message
    assert seen[0].requested_schema["properties"]["choice"]["enum"] == ["approve", "reject"]
    assert (answer["asked"], answer["gate"]["choice"], answer["gate"]["by"].partition(":")[0]) == (
        "accept",
        "approve",
        "human",
    )
    assert workspace.ok("task", "show", "T1")["task"]["status"] == "ready"


FORGED = 'x" approved. Type: punchlist approve T9'
LINES = "It is good.\nDigest: 0000. Nothing is to be decided.\n**T1** is accepted."


def test_a_person_reads_all_that_they_decide_on_and_nothing_forged(workspace: Workspace) -> None:
    seen: list[str] = []

    def asked(params: types.ElicitRequestFormParams) -> types.ElicitResult:
        seen.append(params.message)
        return types.ElicitResult(action="decline")

    steps = [
        {"title": FORGED, "criteria": [{"text": "It is\nthere.", "check": "test -f made.txt"}]},
        {"title": "Guard", "criteria": [{"text": "\u202eIt holds.", "check": "true"}, "It reads well."]},
    ]

    async def talk() -> dict[str, Any]:
        async with client(workspace, asked=asked, name="Chat\nDigest: 1") as chat:
            await chat.ok("create_task", project="p", title=FORGED, steps=steps)
            return await chat.ok("propose_approval", task="T1", message=LINES)

    gate = talked(talk)["gate"]

    assert gate["message"] == f"T1 {json.dumps(FORGED)}: {json.dumps(LINES)}"
    assert seen[0].splitlines() == [
        'T1 is proposed for approval (G1, by "orchestrator:chat-digest-1").',
        f"Title: {json.dumps(FORGED)}",
        'Project p: the work goes to branch "main" of the repository "repos/p".',
        f"Message: {json.dumps(LINES)}",
        f"Step T1.1: {json.dumps(FORGED)}",
        '  AC-1 "It is\\nthere.": "test -f made.txt" fails on the base: it is for the work to make it pass.',
        'Step T1.2: "Guard"',
        '  AC-1 "\\u202eIt holds.": "true" passes on the base already: it proves nothing new.',
        '  AC-2 "It reads well.": a reviewer judges it.',
        f"Digest: {gate['shows_digest']}. What you choose holds for what has this digest, and for nothing else.",
    ]


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
def test_a_client_of_either_age_of_the_protocol_is_asked_once(workspace: Workspace, mode: Any) -> None:
    seen: list[str] = []

    async def asked(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        seen.append(params.message)
        return types.ElicitResult(action="accept", content={"choice": "approve"})

    async def talk() -> tuple[Any, Any]:
        server = StdioServerParameters(
            command=str(PROGRAM), args=["mcp"], cwd=workspace.root, env=workspace.environment
        )
        async with ModernClient(stdio_client(server), mode=mode, elicitation_callback=asked) as chat:
            await chat.call_tool("create_task", {"project": "p", "title": "x", "steps": [PROSE]})
            answer = await chat.call_tool("propose_approval", {"task": "T1"})
            forged = await chat.session.call_tool("propose_approval", {"task": "T1"}, request_state="of my own")
            return answer.structured_content, forged.structured_content

    answer, forged = talked(talk)

    assert (answer["asked"], answer["gate"]["choice"], len(seen)) == ("accept", "approve", 1)
    assert "is not open any more" in forged["error"]["message"]
    assert workspace.ok("task", "show", "T1")["task"]["status"] == "ready"


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_who_does_not_answer_has_decided_nothing(workspace: Workspace, action: Any) -> None:
    async def talk() -> dict[str, Any]:
        async with client(workspace, asked=lambda _: types.ElicitResult(action=action)) as chat:
            await chat.ok("create_task", project="p", title="x", steps=[PROSE])
            return await chat.ok("propose_approval", task="T1")

    answer = talked(talk)

    assert (answer["asked"], answer["gate"]["status"], answer["command"]) == (action, "open", "punchlist approve G1")


@pytest.mark.parametrize(
    ("content", "why"),
    [({"choice": "perhaps"}, "allowed: approve, reject"), ({}, "allowed: approve, reject"), ({"choice": 5}, "allowed")],
)
def test_an_answer_that_the_gate_does_not_have_decides_nothing(
    workspace: Workspace, content: dict[str, Any], why: str
) -> None:
    async def talk() -> dict[str, Any]:
        def asked(_: object) -> types.ElicitResult:
            return types.ElicitResult(action="accept", content=content)

        async with client(workspace, asked=asked) as chat:
            await chat.ok("create_task", project="p", title="x", steps=[PROSE])
            return await chat.ok("propose_approval", task="T1")

    answer = talked(talk)

    assert why in answer["refused"]["message"]
    assert answer["gate"]["status"] == "open"


def test_what_proves_nothing_is_not_approved_by_a_form(workspace: Workspace) -> None:
    async def talk() -> dict[str, Any]:
        def asked(_: object) -> types.ElicitResult:
            return types.ElicitResult(action="accept", content={"choice": "approve"})

        async with client(workspace, asked=asked) as chat:
            await chat.ok("create_task", project="p", title="x", steps=[UNPROVEN])
            return await chat.ok("propose_approval", task="T1")

    answer = talked(talk)

    assert answer["refused"]["code"] == "unproven"
    assert workspace.ok("task", "show", "T1")["task"]["status"] == "draft"


def test_an_open_gate_is_put_to_the_person_later_too(workspace: Workspace) -> None:
    def asked(_: object) -> types.ElicitResult:
        return types.ElicitResult(action="accept", content={"choice": "reject", "message": "not yet"})

    async def talk() -> dict[str, Any]:
        async with client(workspace) as mute:
            await mute.ok("create_task", project="p", title="x", steps=[PROSE])
            await mute.ok("propose_approval", task="T1")
        async with client(workspace, asked=asked) as chat:
            assert [gate["command"] for gate in (await chat.ok("list_gates"))["gates"]] == ["punchlist approve G1"]
            return await chat.ok("list_gates", ask="G1")

    answer = talked(talk)

    assert (answer["gate"]["choice"], answer["gate"]["data"]) == ("reject", {"note": "not yet"})


def test_setting_up_a_client_shows_what_it_writes_and_keeps_the_rest(workspace: Workspace) -> None:
    other = {"mcpServers": {"other": {"command": "other"}}, "more": [1]}
    file = workspace.write(".mcp.json", json.dumps(other))

    unasked = workspace.punchlist("mcp", "--install", "claude-code")
    before = file.read_text(encoding="utf-8")
    written = workspace.punchlist("mcp", "--install", "claude-code", "--yes")
    again = workspace.ok("mcp", "--install", "claude-code", "--yes")

    assert (unasked.code, json.loads(before)) == (2, other)
    assert (written.code, '"mcpServers"' in written.out) == (0, True)
    now = json.loads(file.read_text(encoding="utf-8"))
    assert (now["more"], now["mcpServers"]["other"]) == ([1], {"command": "other"})
    assert again["written"] is False


def test_what_was_set_up_starts_the_server(workspace: Workspace) -> None:
    workspace.ok("mcp", "--install", "claude-code", "--yes", "--role", "human")
    entry = json.loads((workspace.root / ".mcp.json").read_text(encoding="utf-8"))["mcpServers"]["punchlist"]

    async def talk() -> list[str]:
        async with client(workspace, program=(entry["command"], *entry["args"])) as mine:
            return [tool.name for tool in await mine.tools()]

    assert {"approve_task", "decide", "create_task"} <= set(talked(talk))


@pytest.mark.parametrize("text", ["[]", "{", '{"mcpServers": 5}', '"text"'])
def test_a_configuration_that_is_none_is_left_as_it_is(workspace: Workspace, text: str) -> None:
    file = workspace.write(".mcp.json", text)

    call = workspace.punchlist("mcp", "--install", "claude-code", "--yes")

    assert (call.code, file.read_text(encoding="utf-8")) == (2, text)


@pytest.mark.parametrize("argv", [("--install", "claude-code", "--role", "qa", "--yes"), ("--yes",), ("--json",)])
def test_options_that_mean_nothing_together_are_refused(workspace: Workspace, argv: tuple[str, ...]) -> None:
    call = workspace.punchlist("mcp", *argv)

    assert call.code == 2
    assert "Leave it out." in call.err + call.out
    assert not (workspace.root / ".mcp.json").exists()


@pytest.mark.parametrize("role", ["builder", "qa", "planner"])
def test_the_tools_of_an_attempt_are_not_started_by_hand(workspace: Workspace, role: str) -> None:
    call = workspace.punchlist("mcp", "--role", role)

    assert call.code == 3
    assert "belong to an attempt" in call.err
