"""The tools of an orchestrator: it plans and steers, and decides nothing."""

from typing import TYPE_CHECKING

from punchlist.mcp import deciding, looking, planning, steering
from punchlist.mcp.binding import binding
from punchlist.mcp.faults import looked_over

if TYPE_CHECKING:
    from punchlist.mcp.caller import Caller
    from punchlist.mcp.tool import Tool


def tools(caller: "Caller", *, person: bool = False) -> "list[Tool]":
    """Return the tools of one client; with `person` some take what only a person may say."""
    bind = binding(lambda: caller.service)
    found = [
        *planning.tools(bind, person=person),
        *steering.tools(bind),
        *looking.tools(bind),
        *deciding.tools(bind, caller),
    ]
    return looked_over(found, lambda: caller.service)
