"""Which tools a role has: one entry for each."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from punchlist import wiring
from punchlist.errors import WorkerError

if TYPE_CHECKING:
    from punchlist.mcp.server import Serving

INSTALL = "pip install 'punchlist[mcp]'"


class Role(NamedTuple):
    """One role: what it is for, and how its client is served from a folder."""

    help: str
    served: "Callable[[Path], Serving]"


def serve(role: str, *, folder: Path) -> None:
    """Serve a client on standard input and output until it closes its end.

    Raises WorkerError when the SDK is not installed, RefusedError where the role has nothing to serve.
    """
    try:
        from punchlist.mcp import server
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in {"mcp", "mcp_types", "anyio", "pydantic"}:
            raise
        raise WorkerError(
            "typed tools need the SDK of the Model Context Protocol, which is not installed", hint=f"Type: {INSTALL}"
        ) from None
    server.serve(ROLES[role].served(folder))


def _orchestrator(folder: Path) -> "Serving":
    return _workspace(folder, person=False)


def _human(folder: Path) -> "Serving":
    return _workspace(folder, person=True)


def _attempt(folder: Path, *, role: str) -> "Serving":
    from punchlist.mcp.attempts import INSTRUCTIONS, attempt_tools
    from punchlist.mcp.server import Serving

    attempt, tools = attempt_tools(wiring.environment(), role)
    return Serving(tools=tools, instructions=INSTRUCTIONS[attempt.role], folder=folder, refused=attempt.note_refusal)


def _workspace(folder: Path, *, person: bool) -> "Serving":
    from punchlist.mcp import human, orchestrator
    from punchlist.mcp.caller import Caller
    from punchlist.mcp.resources import Resources
    from punchlist.mcp.server import Serving

    caller = Caller(folder, person=person)
    return Serving(
        tools=human.tools(caller) if person else orchestrator.tools(caller),
        instructions=(wiring.DATA / "prompts" / "orchestrator.md").read_text(encoding="utf-8"),
        folder=folder,
        resources=Resources(lambda: caller.service),
        introduced=caller.introduce,
    )


ROLES: Mapping[str, Role] = {
    "orchestrator": Role("plans and steers, decides nothing", _orchestrator),
    "human": Role("all of that, and your own decisions", _human),
    **{
        role: Role("the tools of an attempt's agent", partial(_attempt, role=role))
        for role in ("builder", "qa", "planner")
    },
}
