"""Which tools a role has: one entry for each."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from punchlist import wiring
from punchlist.errors import DefinitionError, WorkerError

if TYPE_CHECKING:
    from punchlist.mcp.desk import Serving

INSTALL = "pip install 'punchlist[mcp]'"
_PACKAGES = {"anyio", "mcp", "mcp_types", "pydantic", "uvicorn"}


class Role(NamedTuple):
    """One role: what it is for, how its client is served from a folder, and whether that may be over HTTP."""

    help: str
    served: "Callable[[Path], Serving]"
    over_http: bool = False


class Place(NamedTuple):
    """Where a server is reached over HTTP, and where the token is kept that it asks for."""

    url: str
    token_file: Path


def serve(role: str, *, folder: Path) -> None:
    """Serve a client on standard input and output until it closes its end.

    Raises WorkerError when the SDK is not installed, RefusedError where the role has nothing to serve.
    """
    with _sdk():
        from punchlist.mcp import server
    server.serve(ROLES[role].served(folder))


def serve_http(role: str, *, folder: Path, port: int, told: Callable[[Place], None]) -> None:
    """Serve clients on the loopback interface until SIGINT or SIGTERM; `told` learns the place before the first comes.

    Raises DefinitionError for a role that is one attempt's, RefusedError for a taken port, and as `serve`.
    """
    if not ROLES[role].over_http:
        allowed = " and ".join(name for name, each in ROLES.items() if each.over_http)
        raise DefinitionError(
            f"the tools of role {role} are an attempt's own, and nobody else may reach them; over HTTP there are: "
            f"{allowed}",
            where="--http",
            hint="Leave --http out.",
        )
    with _sdk():
        from punchlist.mcp import http
    from punchlist.mcp.token import kept_token, token_file
    from punchlist.service.context import STATE

    served = partial(ROLES[role].served, folder)
    served()  # what is refused is refused before anybody is told of a place
    kept = token_file(wiring.find_workspace(folder) / STATE, role)
    token = kept_token(kept)
    with http.listening(port) as found:
        place = Place(http.url_of(found), kept)
        http.serve(served, found, token=token, ready=lambda: told(place))


@contextmanager
def _sdk() -> Generator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in _PACKAGES:
            raise
        raise WorkerError(
            "typed tools need the SDK of the Model Context Protocol, which is not installed", hint=f"Type: {INSTALL}"
        ) from None


def _orchestrator(folder: Path) -> "Serving":
    return _workspace(folder, person=False)


def _human(folder: Path) -> "Serving":
    return _workspace(folder, person=True)


def _attempt(folder: Path, *, role: str) -> "Serving":
    from punchlist.mcp.attempts import INSTRUCTIONS, attempt_tools
    from punchlist.mcp.desk import Serving

    attempt, tools = attempt_tools(wiring.environment(), role)
    return Serving(tools=tools, instructions=INSTRUCTIONS[attempt.role], folder=folder, refused=attempt.note_refusal)


def _workspace(folder: Path, *, person: bool) -> "Serving":
    from punchlist.mcp import human, orchestrator
    from punchlist.mcp.caller import Caller
    from punchlist.mcp.desk import Serving
    from punchlist.mcp.resources import Resources

    caller = Caller(folder, person=person)
    return Serving(
        tools=human.tools(caller) if person else orchestrator.tools(caller),
        instructions=(wiring.DATA / "prompts" / "orchestrator.md").read_text(encoding="utf-8"),
        folder=folder,
        resources=Resources(lambda: caller.service),
        introduced=caller.introduce,
    )


ROLES: Mapping[str, Role] = {
    "orchestrator": Role("plans and steers, decides nothing", _orchestrator, over_http=True),
    "human": Role("all of that, and your own decisions", _human, over_http=True),
    **{
        role: Role("the tools of an attempt's agent", partial(_attempt, role=role))
        for role in ("builder", "qa", "planner")
    },
}
