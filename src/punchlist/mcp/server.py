"""The server: the official SDK's machinery around the desks of its clients, on standard input and output."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server

from punchlist import __version__
from punchlist.mcp.desk import Desk, Serving
from punchlist.mcp.wire import standard_streams

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    Context = ServerRequestContext[Any, Any]


def serve(serving: Serving) -> None:
    """Serve a client until it closes its end; a change that is under way then is finished first."""
    anyio.run(_serve, serving)


async def _serve(serving: Serving) -> None:
    desk = Desk(serving)
    server = machinery(serving, desk_of=lambda _context: desk)
    async with standard_streams(serving.refused) as (received, sent):
        await server.run(received, sent, server.create_initialization_options())


def machinery(serving: Serving, *, desk_of: "Callable[[Context], Desk]") -> Server[Any]:
    """Return the protocol's side of a server whose requests are answered at the desks that `desk_of` names.

    Of `serving` it takes what all its clients are told alike.
    """

    async def list_tools(context: "Context", params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return await desk_of(context).list_tools(context, params)

    async def call_tool(
        context: "Context", params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        return await desk_of(context).call_tool(context, params)

    async def list_resources(
        context: "Context", params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        return await desk_of(context).list_resources(context, params)

    async def read_resource(context: "Context", params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        return await desk_of(context).read_resource(context, params)

    return Server(
        "punchlist",
        version=__version__,
        instructions=serving.instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources if serving.resources else None,
        on_read_resource=read_resource if serving.resources else None,
    )
