"""`punchlist mcp`: serve typed tools to a client, or set a client up to start the server."""

import sys
from typing import TYPE_CHECKING

import click

from punchlist.cli.commands import Verb, examples
from punchlist.cli.session import Session
from punchlist.errors import DefinitionError

if TYPE_CHECKING:
    from punchlist.model.json import Json

ROLES = ("orchestrator", "human", "builder", "qa", "planner")
CLIENTS = ("claude-code",)


@click.command(
    cls=Verb,
    epilog=examples(
        "punchlist mcp                          # what a client starts; it speaks on standard input and output",
        "punchlist mcp --install claude-code    # show what is written to .mcp.json, ask, write",
        "punchlist mcp --install claude-code --role human --yes",
        "punchlist mcp --http --port 4711       # for clients that connect to a URL; says where the token is",
    ),
)
@click.option(
    "--role", type=click.Choice(ROLES), default="orchestrator", show_default=True,
    help="Whose tools: an orchestrator's, all and your own decisions, or those of an attempt's agent.",
)  # fmt: skip
@click.option(
    "--install", "client", type=click.Choice(CLIENTS), help="Set up this client's project instead of serving."
)
@click.option("--http", is_flag=True, help="Serve over HTTP instead, to programs of this machine that have the token.")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="PORT", default=0, show_default="any free one",
    help="With --http: where.",
)  # fmt: skip
@click.option("--yes", "-y", is_flag=True, help="With --install: do not ask.")
@click.pass_obj
def mcp(session: Session, *, role: str, client: str | None, http: bool, port: int, yes: bool) -> None:
    """Serve typed tools on standard input and output, by the Model Context Protocol.

    An agent in a chat plans and steers by them; its role decides which there are. Needs the extra `punchlist[mcp]`.
    """
    _refuse_together(client=client, http=http, port=port, yes=yes, json=session.json)
    if client is not None:
        _install(session, client, role=role, yes=yes)
    elif http:
        _serve_http(session, role, port=port)
    else:
        _serve(session, role)


def _refuse_together(*, client: str | None, http: bool, port: int, yes: bool, json: bool) -> None:
    """Refuse options that would have no effect."""
    if client is not None and (http or port):
        raise DefinitionError(f"{'--http' if http else '--port'} and --install do not go together")
    if port and not http:
        raise DefinitionError("--port is for --http", hint="Add --http, or leave it out.")
    if client is None and (yes or (json and not http)):
        option = "--yes" if yes else "--json"
        raise DefinitionError(f"{option} and serving do not go together", hint="Leave it out.")


def _serve(session: Session, role: str) -> None:
    if sys.stdin.isatty():
        session.tell(
            "Serving a client on standard input and output; ^C ends it. To set one up: punchlist mcp --install"
        )
    from punchlist.mcp import roles

    roles.serve(role, folder=session.directory)


def _serve_http(session: Session, role: str, *, port: int) -> None:
    from punchlist.mcp import roles

    def told(place: roles.Place) -> None:
        answer: dict[str, Json] = {"url": place.url, "role": role, "token_file": str(place.token_file)}
        session.show(
            answer,
            lambda _: (
                f"Serving {place.url} to programs of this machine that send the token in\n{place.token_file}\n"
                "as `Authorization: Bearer TOKEN`; ^C ends it."
            ),
        )

    roles.serve_http(role, folder=session.directory, port=port, told=told)


def _install(session: Session, client: str, *, role: str, yes: bool) -> None:
    """Show what is to be written, ask, and write it."""
    if not yes and (session.json or not sys.stdin.isatty()):
        raise DefinitionError(
            "no terminal to ask on whether to write a client's configuration", hint="Add --yes, if it is meant."
        )
    from punchlist import wiring
    from punchlist.mcp import install

    wiring.refuse_inside("mcp --install")
    change = install.prepare(client, folder=session.directory, role=role)
    if change.after == change.before:
        session.show({"file": str(change.path), "written": False}, lambda _: f"{change.path} has it already.")
        return
    session.say(f"{change.path} {'gets' if change.before else 'is made with'} this entry:\n\n{change.shown}\n")
    if not yes and not click.confirm("Write it?", default=False, err=True):
        session.say("Nothing was written.")
        return
    install.write(change)
    session.show(
        {"file": str(change.path), "written": True, "servers": change.entry},
        lambda _: f"Written. Start {client} in {change.path.parent}, and allow the server when it asks.",
    )
