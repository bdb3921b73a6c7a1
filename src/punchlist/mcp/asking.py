"""Questions to the person in front of a client: asked while the call is held, or in between two halves of it.

Up to protocol 2025-11-25 a server asks the client during a call (elicitation); from 2026-07-28 on it answers the call
with what it needs, and the client makes the call again with the person's reply.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import mcp_types as types
import msgspec
from mcp.shared.exceptions import MCPError

from punchlist import wiring
from punchlist.errors import RefusedError
from punchlist.mcp.tool import Arguments, Question, Tool

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from punchlist.model.json import Json
    from punchlist.service.context import Answer

_KEY = "decision"
_MOST = 100


class Put(NamedTuple):
    """A question that was put to the person, and the answer of the call that led to it."""

    tool: Tool
    answer: "Answer"
    question: Question


class Asking:
    """The questions that one client still owes a reply to."""

    def __init__(self) -> None:
        self._open: dict[str, Put] = {}

    def hold(self, put: Put) -> types.InputRequiredResult:
        """Return what makes the client ask, and call again; the oldest question is dropped when there are too many."""
        state = wiring.RandomIds().uuid()
        self._open[state] = put
        while len(self._open) > _MOST:
            self._open.pop(next(iter(self._open)))
        wanted = types.ElicitRequest(
            params=types.ElicitRequestFormParams(message=put.question.text, requested_schema=dict(put.question.form))
        )
        return types.InputRequiredResult(input_requests={_KEY: wanted}, request_state=state)

    def take(self, state: str, *, tool: str) -> Put:
        """Return the question that the client calls again for, once; raises RefusedError for any other."""
        put = self._open.pop(state, None)
        if put is None or put.tool.name != tool:
            raise RefusedError(
                "the question of that call is not open any more", where="requestState", hint="Make the call anew."
            )
        return put


def can_ask(context: "ServerRequestContext[Any, Any]") -> bool:
    """Say whether the client offers forms."""
    capabilities = context.session.client_capabilities
    offered = capabilities.elicitation if capabilities is not None else None
    return offered is not None and (offered.form is not None or offered.url is None)


async def ask(context: "ServerRequestContext[Any, Any]", question: Question) -> types.ElicitResult | str:
    """Ask while the call is held; return the reply, or why there is none."""
    try:
        return await context.session.elicit_form(
            question.text, dict(question.form), related_request_id=context.request_id
        )
    except (MCPError, ValueError) as error:
        return str(error)


def reply_in(params: types.CallToolRequestParams) -> types.ElicitResult | str:
    """Return the person's reply that a client calls again with, or why there is none."""
    reply = (params.input_responses or {}).get(_KEY)
    return reply if isinstance(reply, types.ElicitResult) else "the call came back without a reply"


def content_of(reply: types.ElicitResult) -> Arguments:
    """Return what the person filled in."""
    content: dict[str, Json] = msgspec.to_builtins(reply.content or {})
    return content
