"""How a verb becomes the call of a tool: with the client's own context, and what it was given."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from punchlist.errors import PunchlistError
from punchlist.mcp.given import Given
from punchlist.mcp.refusals import locate

if TYPE_CHECKING:
    from punchlist.mcp.tool import Arguments
    from punchlist.service.context import Answer, Service

Verb = Callable[["Service", Given], "Answer"]


class Bind(Protocol):
    """Gives a tool's name and its verb, returns the tool's `call`."""

    def __call__(self, tool: str, verb: "Verb") -> "Callable[[Arguments], Answer]":
        """Return the call."""
        ...


def binding(service: "Callable[[], Service]") -> Bind:
    """Return the way to calls in the context that `service` returns at the time of each."""

    def bind(tool: str, verb: Verb) -> "Callable[[Arguments], Answer]":
        def call(arguments: "Arguments") -> "Answer":
            try:
                return verb(service(), Given(arguments, tool=tool))
            except PunchlistError as error:
                locate(error, arguments)
                raise

        return call

    return bind
