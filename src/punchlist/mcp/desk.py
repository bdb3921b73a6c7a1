"""What one client is served: its requests for tools and resources, each answered by a call of a verb."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import mcp_types as types
import msgspec
from mcp.shared.exceptions import MCPError

from punchlist.errors import PunchlistError, RefusedError
from punchlist.mcp import answers, asking
from punchlist.mcp.asking import Asking, Put
from punchlist.mcp.calls import called
from punchlist.mcp.refusals import told
from punchlist.mcp.tool import Question, Tool
from punchlist.service import crashes

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from punchlist.mcp.resources import Resources
    from punchlist.model.json import Json
    from punchlist.service.context import Answer

T = TypeVar("T")
_AT_ONCE = 32
"""How many calls are at work at the same time; a wait is none."""


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What one client is served; bugs are reported in `folder`.

    `introduced` is told the client's name before its first call, `refused` of each call that reaches no tool: of one
    that is not there, or with arguments that do not fit.
    """

    tools: Sequence[Tool]
    instructions: str
    folder: Path
    resources: "Resources | None" = None
    introduced: Callable[[str], None] = lambda _client: None
    refused: Callable[[str, PunchlistError], None] = lambda _tool, _error: None


class Desk:
    """Answers the requests of one client."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._tools = {tool.name: tool for tool in serving.tools}
        self._working = anyio.CapacityLimiter(_AT_ONCE)
        self._client: str | None = None
        self._asking = Asking()

    async def list_tools(
        self, context: "ServerRequestContext[Any, Any]", params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """Return all tools, on one page."""
        del context, params
        return types.ListToolsResult(tools=[_shown(tool) for tool in self._serving.tools])

    async def call_tool(
        self, context: "ServerRequestContext[Any, Any]", params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Return the answer of a tool; a refusal, or a bug, is an answer too."""
        self._introduce(context)
        try:
            if params.request_state is not None:
                put = self._asking.take(params.request_state, tool=params.name)
                return await self._told(put, asking.reply_in(params))
            tool = self._tool(params.name)
            arguments: dict[str, Json] = params.arguments or {}
            answer = await self._called(tool, lambda: self._call(tool, arguments))
            question = await self._question(context, tool, answer=answer)
            if question is None:
                return answers.result({"ok": True, **answer})
            put = Put(tool, answer, question)
            if not context.session.can_send_request:
                return self._asking.hold(put)
            return await self._told(put, await asking.ask(context, question))
        except PunchlistError as error:
            return answers.refusal(error, tools=self._tools)
        except Exception as error:  # noqa: BLE001 - the edge: whatever is not expected is a bug, and recorded
            return answers.refusal(self._bug(error, f"tool: {params.name}"), tools=self._tools)

    async def list_resources(
        self, context: "ServerRequestContext[Any, Any]", params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        """Return a page of the generated files."""
        self._introduce(context)
        resources = self._resources()
        after = params.cursor if params is not None else None
        paths, cursor = await self._answered(lambda: resources.page(after), asked="resources/list")
        found = [types.Resource(uri=each.uri, name=each.name, mime_type=each.mime_type) for each in paths]
        return types.ListResourcesResult(resources=found, next_cursor=cursor)

    async def read_resource(
        self, context: "ServerRequestContext[Any, Any]", params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """Return a generated file."""
        self._introduce(context)
        resources = self._resources()
        found, text = await self._answered(lambda: resources.read(str(params.uri)), asked="resources/read")
        contents = types.TextResourceContents(uri=found.uri, mime_type=found.mime_type, text=text)
        return types.ReadResourceResult(contents=[contents])

    def _resources(self) -> "Resources":
        assert self._serving.resources is not None, "without them the request is not offered"
        return self._serving.resources

    def _tool(self, name: str) -> Tool:
        if name not in self._tools:
            refused = RefusedError(
                f"there is no tool {name[:80]!r} for this role",
                where="name",
                hint=f"There are: {', '.join(self._tools)}",
            )
            refused.code = "not_found"
            self._serving.refused(name[:80], refused)
            raise refused
        return self._tools[name]

    def _call(self, tool: Tool, arguments: "dict[str, Json]") -> "Answer":
        return called(tool, arguments, refused=lambda error: self._serving.refused(tool.name, error))

    async def _question(
        self, context: "ServerRequestContext[Any, Any]", tool: Tool, *, answer: "Answer"
    ) -> Question | None:
        """Return what the person can be asked right there; what they are to see may have to be waited for."""
        ask = tool.question
        return await _in_thread(lambda: ask(answer)) if ask is not None and asking.can_ask(context) else None

    def _introduce(self, context: "ServerRequestContext[Any, Any]") -> None:
        if self._client is None:
            self._client = client_of(context)
            self._serving.introduced(self._client)

    async def _called(self, tool: Tool, work: "Callable[[], Answer]", *, finish: bool = False) -> "Answer":
        """Do a call in a thread of its own; one that waits is left behind with its client, a change is finished."""
        if tool.waits:
            return await _in_thread(work)
        async with self._working:
            return await _in_thread(work, finish=finish or tool.changes)

    async def _answered(self, work: Callable[[], T], *, asked: str) -> T:
        """Do what is no call of a tool; its failures are errors of the protocol."""
        try:
            return await _in_thread(work)
        except PunchlistError as error:
            raise MCPError(code=types.INVALID_PARAMS, message=str(error)) from None
        except Exception as error:  # noqa: BLE001 - the edge: whatever is not expected is a bug, and recorded
            raise MCPError(code=types.INTERNAL_ERROR, message=str(self._bug(error, asked))) from None

    async def _told(self, put: Put, reply: types.ElicitResult | str) -> types.CallToolResult:
        """Return the answer with what the person decided; what was called for holds, whatever comes of that."""
        return answers.result({"ok": True, **put.answer, **await self._decided(put, reply)})

    async def _decided(self, put: Put, reply: types.ElicitResult | str) -> "Answer":
        if isinstance(reply, str):
            return {"asked": "failed", "why": reply}
        if reply.action != "accept":
            return {"asked": reply.action}
        try:
            decided = await self._called(put.tool, lambda: put.question.answered(asking.content_of(reply)), finish=True)
        except PunchlistError as error:
            return {"asked": "accept", "refused": told(error, tools=self._tools)}
        return {"asked": "accept", **decided}

    def _bug(self, error: Exception, asked: str) -> PunchlistError:
        return crashes.reported(error, start=self._serving.folder, asked=asked)


def client_of(context: "ServerRequestContext[Any, Any]") -> str:
    """Return the name that a client gives of itself."""
    params = context.session.client_params
    return params.client_info.name if params is not None else "unknown"


def _shown(tool: Tool) -> types.Tool:
    hints = None if tool.changes else types.ToolAnnotations(read_only_hint=True)
    return types.Tool(name=tool.name, description=tool.text, input_schema=dict(tool.schema), annotations=hints)


async def _in_thread(work: Callable[[], T], *, finish: bool = False) -> T:
    """Return what `work` returns, done in a thread that does not outlive the process.

    Who is cancelled leaves it behind, unless it is to `finish` first.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        failed: BaseException | None = None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed on to who waits, who records it
            failed = error
        with suppress(RuntimeError):  # the loop is over: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, daemon=True, name="call").start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        if finish:
            with anyio.CancelScope(shield=True):
                await asyncio.wait([done])
        raise
