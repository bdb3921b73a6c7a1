"""The tools of an attempt over the real SDK: started as its `mcp.json` says, where there is no workspace at all."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from punchlist.model.jobs import Role
from tests.clients import Client, client, talked, typed
from tests.installed import Workspace
from tests.tooled import Tooled

STEP: dict[str, Any] = {"title": "Greet", "criteria": [{"text": "It greets.", "check": "make test"}]}
TOOLS = {
    Role.BUILDER: ["get_step_pack", "record_builder_result", "report_progress", "ask"],
    Role.QA: ["get_review_pack", "record_qa_result"],
    Role.PLANNER: ["get_request", "create_task", "create_step", "update_step"],
}


@pytest.fixture
def bare(tmp_path: Path) -> Workspace:
    """A folder in which nothing is but a home; it is no workspace."""
    for name in ("here", "home"):
        (tmp_path / name).mkdir()
    return Workspace(tmp_path / "here", tmp_path / "home")


def server(tooled: Tooled) -> Any:
    return msgspec.json.decode((tooled.io / "mcp.json").read_bytes())["mcpServers"]["punchlist"]


@asynccontextmanager
async def served(bare: Workspace, tooled: Tooled) -> AsyncIterator[Client]:
    said = server(tooled)
    async with client(bare, env=said["env"], program=[said["command"], *said["args"]]) as found:
        yield found


@pytest.mark.parametrize("role", TOOLS)
def test_a_role_has_its_own_tools_and_those_of_others_are_refused_and_recorded(
    bare: Workspace, tmp_path: Path, role: Role
) -> None:
    tooled = Tooled(tmp_path, role)
    others = [name for other, names in TOOLS.items() if other is not role for name in names]
    foreign = ["approve_task", "decide", "start_task", *others]

    async def talk() -> tuple[list[str], list[str]]:
        async with served(bare, tooled) as agent:
            refused = [(await agent.refused(name))["code"] for name in foreign]
            return [tool.name for tool in await agent.tools()], refused

    names, refused = talked(talk)

    assert names == TOOLS[role]
    assert set(refused) == {"not_found"}
    assert [line.partition(":")[0] for line in tooled.outcome().refused] == foreign


def test_a_builder_reads_reports_and_answers_once(bare: Workspace, tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.BUILDER)

    async def talk() -> dict[str, Any]:
        async with served(bare, tooled) as agent:
            assert (await agent.ok("get_step_pack"))["pack"]["schema"] == "punchlist/step-pack/1"
            await agent.ok("report_progress", text="Reading.")
            problems = await agent.refused("record_builder_result", outcome="blocked", when=1)
            assert {each["where"] for each in problems["problems"]} == {"when"}
            await agent.ok("record_builder_result", outcome="done", summary="It greets.")
            return await agent.refused("record_builder_result", outcome="done")

    assert talked(talk)["code"] == "refused"
    assert tooled.outcome().result == {"schema": "punchlist/result/1", "outcome": "done", "summary": "It greets."}


def test_a_reviewer_mends_its_review_in_one_go(bare: Workspace, tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.QA)
    passes = {"id": "AC-1", "verdict": "pass", "evidence": ["AC-1"]}

    async def talk() -> list[str]:
        async with served(bare, tooled) as agent:
            refused = await agent.refused("record_qa_result", criteria=[{"id": "AC-1", "verdict": "pass"}])
            fails = {"id": "AC-2", "verdict": "fail", "finding": "Say Hello."}
            await agent.ok("record_qa_result", criteria=[passes, fails])
            return [each["where"] for each in refused["problems"]]

    assert talked(talk) == ["criteria[0].evidence", "criteria"]
    assert tooled.outcome().status == "succeeded"


def test_a_planner_makes_a_plan_call_by_call(bare: Workspace, tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.PLANNER)

    async def talk() -> dict[str, Any]:
        async with served(bare, tooled) as agent:
            await agent.ok("create_task", title="One", steps=[STEP], expected_version=0)
            deep = await agent.refused("create_task", title="Two", steps=[{"title": "S", "criteria": [{"text": 7}]}])
            assert [each["where"] for each in deep["problems"]] == ["steps[0].criteria[0].text"]
            await agent.ok("create_task", title="Two", needs=["T1"])
            await agent.ok("create_step", task="T2", **STEP)
            return await agent.ok("update_step", step="T2.1", goal="It greets.")

    assert talked(talk)["version"] == 4
    assert tooled.outcome().status == "succeeded"


def test_of_two_servers_of_one_attempt_that_answer_at_once_one_wins(bare: Workspace, tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.BUILDER)
    won: list[bool] = []

    async def answer(agent: Client, *, summary: str) -> None:
        arguments = {"outcome": "done", "summary": summary}
        won.append(not (await agent.session.call_tool("record_builder_result", arguments)).is_error)

    async def talk() -> None:
        async with served(bare, tooled) as one, served(bare, tooled) as other, anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: answer(one, summary="one"))
            tasks.start_soon(lambda: answer(other, summary="other"))

    talked(talk)

    assert sorted(won) == [False, True]
    assert len(tooled.outcome().refused) == 1


def test_a_result_that_says_two_things_is_refused_and_recorded(bare: Workspace, tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.BUILDER)
    said = server(tooled)
    line = (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"record_builder_result",'
        '"arguments":{"outcome":"failed","summary":"No.","outcome":"done"}}}'
    )

    (refused,) = typed(bare, line, env=said["env"], program=[said["command"], *said["args"]])

    problems = refused["result"]["structuredContent"]["error"]["problems"]
    assert [each["where"] for each in problems] == ["outcome"]
    assert tooled.outcome().refused[0].startswith("record_builder_result: ")
    assert not (tooled.io / "result.json").exists()


@pytest.mark.parametrize(
    ("name", "value"), [("PUNCHLIST_TOKEN", "stolen"), ("PUNCHLIST_ATTEMPT", "A2"), ("PUNCHLIST_ROLE", "qa")]
)
def test_a_server_of_another_attempt_does_not_start(bare: Workspace, tmp_path: Path, name: str, value: str) -> None:
    tooled = Tooled(tmp_path, Role.BUILDER)
    said = server(tooled)

    done = subprocess.run(
        [said["command"], *said["args"]],
        cwd=bare.root,
        env={**bare.environment, **said["env"], name: value},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert "error: access.json: this folder is of attempt A1, role builder" in done.stderr
    assert tooled.outcome().refused[0].startswith("(start): this folder is of attempt A1")
