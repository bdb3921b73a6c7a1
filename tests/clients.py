"""Clients of the typed tools: the real SDK's, over standard input and output of the installed program."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import mcp_types as types
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from punchlist.mcp.hints import call_for
from tests.installed import PROGRAM, Workspace

T = TypeVar("T")
Asked = Callable[[types.ElicitRequestFormParams], types.ElicitResult]


class Client:
    """One session; what it returns are the JSON objects of answers."""

    def __init__(self, session: ClientSession, hello: types.InitializeResult) -> None:
        self.session = session
        self.hello = hello

    async def ok(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool, see that it holds, and return its answer."""
        result = await self.session.call_tool(tool, arguments)
        answer = _object(result)
        assert not result.is_error, answer
        assert answer["ok"] is True
        return answer

    async def refused(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool, see that it is refused, and return the error; its hints name no command that has a tool here."""
        result = await self.session.call_tool(tool, arguments)
        answer = _object(result)
        assert result.is_error, answer
        assert answer["ok"] is False
        error = answer["error"]
        assert isinstance(error, dict)
        mine = {each.name for each in await self.tools()}
        hints = [error["hint"], *(each["hint"] for each in error["problems"])]
        calls = [call_for(command) for hint in hints for command in hint.split("punchlist ")[1:]]
        assert [tool for _, tool, _ in filter(None, calls) if tool in mine] == [], error
        return error

    async def tools(self) -> Sequence[types.Tool]:
        return (await self.session.list_tools()).tools


def _object(result: types.CallToolResult) -> dict[str, Any]:
    """The structured answer, which the text repeats."""
    (block,) = result.content
    assert isinstance(block, types.TextContent)
    assert json.loads(block.text) == result.structured_content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


@asynccontextmanager
async def client(
    workspace: Workspace,
    *argv: str,
    name: str = "tester",
    env: Mapping[str, str] | None = None,
    asked: Asked | None = None,
    program: Sequence[str] = (str(PROGRAM), "mcp"),
) -> AsyncIterator[Client]:
    """Start the server and connect to it; with `asked` the client offers to ask the person in front of it."""

    async def elicited(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        assert asked is not None
        assert isinstance(params, types.ElicitRequestFormParams)
        return asked(params)

    server = StdioServerParameters(
        command=program[0], args=[*program[1:], *argv], cwd=workspace.root, env={**workspace.environment, **(env or {})}
    )
    log = workspace.home / "stderr.txt"
    with log.open("a", encoding="utf-8") as errors:
        async with stdio_client(server, errlog=errors) as (reading, writing):
            info = types.Implementation(name=name, version="1")
            callback = elicited if asked is not None else None
            async with ClientSession(reading, writing, client_info=info, elicitation_callback=callback) as session:
                yield Client(session, await session.initialize())
    assert "Traceback" not in log.read_text(encoding="utf-8")


def talked(talk: Callable[[], Awaitable[T]]) -> T:
    """Return what a conversation returns."""

    async def main() -> T:
        return await talk()

    return asyncio.run(main())


def typed(
    workspace: Workspace,
    *messages: Mapping[str, Any] | str,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = (str(PROGRAM), "mcp"),
) -> list[dict[str, Any]]:
    """Send lines as they stand, after a handshake, and return the answers to those with an id, by their order."""
    lines = [json.dumps(each) if not isinstance(each, str) else each for each in (HELLO, READY, *messages)]
    with subprocess.Popen(
        program,
        cwd=workspace.root,
        env={**workspace.environment, **(env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        answers: list[dict[str, Any]] = []
        for line in lines:
            server.stdin.write(f"{line}\n")
            server.stdin.flush()
            if '"id"' in line:
                answers.append(json.loads(server.stdout.readline()))
        server.stdin.close()
        assert server.stdout.read() == ""
        assert "Traceback" not in server.stderr.read()
    return answers[1:]


HELLO = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "typed", "version": "1"}},
}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def called(tool: str, arguments: object, *, number: int = 1) -> dict[str, Any]:
    """The message that calls a tool."""
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


def fresh(root: Path, home: Path) -> Workspace:
    """A workspace of its own, with the empty project `p`."""
    root.mkdir(parents=True)
    workspace = Workspace(root, home)
    workspace.ok("init")
    workspace.ok("project", "create", "p")
    return workspace
