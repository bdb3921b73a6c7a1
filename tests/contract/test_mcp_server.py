"""`punchlist mcp` on standard input and output: whatever a client sends ends in an answer, and never in a traceback."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import HELLO, READY, called, client, fresh, talked, typed
from tests.installed import PROGRAM, Workspace

STEP: dict[str, Any] = {"title": "Write", "criteria": ["It reads well."]}
TASK: dict[str, Any] = {"title": "Write prose", "steps": [STEP]}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with the empty project `p`."""
    home = tmp_path / "home"
    home.mkdir()
    made = fresh(tmp_path / "ws", home)
    yield made
    made.stop()


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def call_of(arguments: str, *, ends: str = "") -> str:
    """The line of a call whose arguments are any text; with `ends` its id comes last."""
    begins = "" if ends else '"jsonrpc":"2.0","id":1,'
    return f'{{{begins}"method":"tools/call","params":{{"name":"create_task","arguments":{arguments}}}{ends}}}'


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (call_of(f'{{"title":"{"x" * 10_500_000}"}}'), "too_large"),
        (call_of(f'{{"title":"{"x" * 25_000_000}"}}', ends=',"jsonrpc":"2.0","id":1'), "too_large"),
        (call_of(deep(1000)), "unreadable"),
        (call_of(deep(5000), ends=',"jsonrpc":"2.0","id":1'), "unreadable"),
        (call_of('{"task":"\\ud800"}'), "unreadable"),
    ],
    ids=["10 MB", "25 MB, its id last", "1,000 deep", "5,000 deep, its id last", "half a character"],
)
def test_a_call_that_cannot_be_read_is_refused_and_the_next_one_is_answered(
    workspace: Workspace, line: str, code: str
) -> None:
    refused, answered = typed(workspace, line, called("list_tasks", {}, number=2))

    assert refused["id"] == 1
    assert refused["result"]["isError"] is True
    assert refused["result"]["structuredContent"]["error"]["code"] == code
    assert answered["result"]["structuredContent"]["tasks"] == []


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (call_of('{"project":"p","title":"a","title":"b"}'), ["title"]),
        (call_of('{"project":"p","title":"a","\\u0074itle":"a"}'), ["title"]),
        (
            call_of('{"project":"p","title":"a","steps":[{"goal":"","goal":"x"}],"project":"q"}'),
            ["project", "steps[0].goal"],
        ),
        (
            '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_tasks","name":"list_projects"}}',
            ["params.name"],
        ),
    ],
    ids=["the same text", "the same name, escaped", "at several places", "the tool"],
)
def test_a_call_that_says_a_name_twice_is_refused_and_does_nothing(
    workspace: Workspace, line: str, where: list[str]
) -> None:
    refused, answered = typed(workspace, line, called("list_tasks", {}, number=2))

    assert refused["result"]["isError"] is True
    error = refused["result"]["structuredContent"]["error"]
    assert (error["code"], sorted(each["where"] for each in error["problems"])) == ("definition", where)
    assert answered["result"]["structuredContent"]["tasks"] == []


def test_a_request_that_is_no_call_and_says_a_name_twice_is_an_error(workspace: Workspace) -> None:
    (refused,) = typed(workspace, '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{},"params":{}}')

    assert "params: it is said twice" in refused["error"]["message"]


def test_a_record_nested_as_deep_as_the_wire_allows_is_refused_by_its_schema(workspace: Workspace) -> None:
    (refused,) = typed(
        workspace, called("create_task", {"project": "p", "title": "x", "policy": json.loads(deep(150))})
    )

    assert refused["result"]["isError"] is True
    assert refused["result"]["structuredContent"]["error"]["code"] == "definition"


@pytest.mark.parametrize(
    "line",
    [
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call"},
        {"jsonrpc": "2.0", "id": 1, "method": "no/such/method"},
        {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "file:///etc/passwd"}},
        {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "punchlist://files/../state.db"}},
        {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "punchlist://files/%2e%2e/x"}},
    ],
)
def test_what_is_no_call_is_an_error_of_the_protocol(workspace: Workspace, line: dict[str, Any]) -> None:
    (answer,) = typed(workspace, line)

    assert answer["error"]["message"]
    assert "Traceback" not in json.dumps(answer)


@pytest.mark.parametrize(("given", "seen"), [([], "saw []"), ("x", 'saw "x"'), (False, "saw false")])
def test_arguments_that_are_no_object_are_refused_by_their_tool(workspace: Workspace, given: object, seen: str) -> None:
    (answer,) = typed(workspace, {**called("list_tasks", {}), "params": {"name": "list_tasks", "arguments": given}})

    assert answer["result"]["isError"] is True
    (problem,) = answer["result"]["structuredContent"]["error"]["problems"]
    assert (problem["where"], problem["message"], problem["allowed"]) == ("arguments", seen, "an object")


def test_a_call_without_a_tool_says_all_that_it_lacks(workspace: Workspace) -> None:
    (answer,) = typed(
        workspace, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 5, "arguments": []}}
    )

    assert answer["error"]["code"] == -32602
    assert "name: saw 5; allowed: the name of a tool" in answer["error"]["message"]
    assert "arguments: saw []; allowed: an object" in answer["error"]["message"]


def test_lines_that_ask_for_nothing_are_passed_over(workspace: Workspace) -> None:
    (answer,) = typed(workspace, "", " ", "\t", called("list_projects", {}))

    assert [each["id"] for each in answer["result"]["structuredContent"]["projects"]] == ["p"]


def test_a_client_that_leaves_in_mid_wait_leaves_no_server_behind(workspace: Workspace) -> None:
    workspace.ok("task", "create", "--file", "-", stdin=json.dumps(TASK).encode())
    waits = called("wait_for", {"ids": ["T1"], "timeout": 600})

    done = subprocess.run(
        [PROGRAM, "mcp"],
        cwd=workspace.root,
        env=workspace.environment,
        input="".join(f"{json.dumps(each)}\n" for each in (HELLO, READY, waits)),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_change_whose_client_left_is_whole_or_not_there(workspace: Workspace) -> None:
    makes = [called("create_task", {"project": "p", **TASK}, number=at) for at in range(1, 21)]

    done = subprocess.run(
        [PROGRAM, "mcp"],
        cwd=workspace.root,
        env=workspace.environment,
        input="".join(f"{json.dumps(each)}\n" for each in (HELLO, READY, *makes)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    told = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    assert len(workspace.ok("task", "list")["tasks"]) >= len(told) - 1
    assert workspace.ok("log", "verify")["problems"] == []


def test_a_wait_does_not_keep_other_calls_waiting(workspace: Workspace) -> None:
    async def talk() -> dict[str, Any]:
        async with client(workspace) as one:
            await one.ok("create_task", project="p", **TASK)
            waiting = asyncio.create_task(one.ok("wait_for", ids=["T1"], states=["cancelled"], timeout=60))
            await one.ok("list_tasks")
            await one.ok("cancel", task="T1", reason="not needed")
            return await waiting

    assert talked(talk) == {"ok": True, "states": {"T1": "cancelled"}, "changed": ["T1"], "timed_out": False}


def test_two_servers_of_one_workspace_see_each_other_at_once(workspace: Workspace) -> None:
    async def talk() -> dict[str, Any]:
        async with client(workspace, name="one") as one, client(workspace, name="two") as two:
            made = await one.ok("create_task", project="p", **TASK)
            waiting = asyncio.create_task(one.ok("wait_for", ids=["T1"], timeout=60))
            first = await two.ok("update_task", task="T1", title="Two", expected_version=made["task"]["version"])
            late = await one.refused("update_task", task="T1", title="One", expected_version=made["task"]["version"])
            assert (late["code"], first["task"]["version"]) == ("conflict", made["task"]["version"] + 1)
            await two.ok("cancel", task="T1")
            return await waiting

    assert talked(talk)["changed"] == ["T1"]


def test_of_twenty_clients_at_once_no_task_is_lost(workspace: Workspace) -> None:
    async def fill(name: str) -> list[str]:
        async with client(workspace, name=name) as one:
            answers = [
                await one.ok("create_task", project="p", **{**TASK, "title": f"{name} {at}"}) for at in range(20)
            ]
            return [answer["task"]["id"] for answer in answers]

    async def talk() -> list[list[str]]:
        return await asyncio.gather(*(fill(f"client {at}") for at in range(20)))

    told = [name for names in talked(talk) for name in names]

    assert len(set(told)) == 400
    assert {task["id"] for task in workspace.ok("task", "list")["tasks"]} == set(told)
    assert workspace.ok("log", "verify")["problems"] == []


@pytest.mark.parametrize("role", ["orchestrator", "human"])
def test_an_agent_at_work_on_an_attempt_gets_no_tools_of_the_workspace(workspace: Workspace, role: str) -> None:
    call = workspace.punchlist("mcp", "--role", role, env={"PUNCHLIST_ATTEMPT": "A1"})

    assert call.code == 3
    assert "not for agents at work on an attempt" in call.err


def test_outside_of_a_workspace_there_is_nothing_to_serve(tmp_path: Path) -> None:
    call = Workspace(tmp_path, tmp_path).punchlist("mcp")

    assert call.code == 3
    assert "there is no workspace here" in call.err


def test_without_the_sdk_the_way_to_it_is_said(workspace: Workspace) -> None:
    program = "import sys; sys.modules['mcp'] = None; from punchlist.cli.main import main; sys.exit(main(['mcp']))"

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=workspace.root,
        env=workspace.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 4
    assert "pip install 'punchlist[mcp]'" in done.stderr


def test_settings_that_change_are_seen_by_a_server_that_runs(workspace: Workspace) -> None:
    async def talk() -> tuple[dict[str, Any], dict[str, Any]]:
        async with client(workspace) as one:
            steps = [{**STEP, "qa": "judge"}]
            before = await one.refused("create_task", project="p", title="x", steps=steps)
            workspace.write("punchlist.toml", '[workers.judge]\ntype = "command"\nargv = ["true"]\n')
            return before, await one.ok("create_task", project="p", title="x", steps=steps)

    before, after = talked(talk)

    assert before["problems"][0]["where"] == "steps[0].qa"
    assert after["task"]["steps"][0]["qa"] == "judge"
