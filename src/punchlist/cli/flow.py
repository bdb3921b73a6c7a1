"""`punchlist flow`: list, show, graph."""

from typing import TYPE_CHECKING

import click

from punchlist.cli import ids
from punchlist.cli.commands import Nouns, examples
from punchlist.cli.session import Session
from punchlist.cli.views import flows as views

if TYPE_CHECKING:
    from punchlist.service.flows import Flows


@click.group(
    cls=Nouns,
    epilog=examples(
        "punchlist flow list",
        "punchlist flow show deliver > flows/deliver.yaml      # a copy of your own takes its place",
        "punchlist flow graph build.yaml --format svg > build.svg",
    ),
)
def flow() -> None:
    """A flow says which nodes run, in which order. Built-in ones are named; a file in `flows/` is named by its stem."""


@flow.command("list", epilog=examples("punchlist flow list", "punchlist flow list --json"))
@click.pass_obj
def listing(session: Session) -> None:
    """List the flows that can be named: built-in ones, and those in the workspace's folder `flows`."""
    from punchlist.service import library

    session.show(library.listing(_flows(session)), views.listed)


@flow.command(
    epilog=examples(
        "punchlist flow show deliver",
        "punchlist flow show deliver > flows/deliver.yaml",
        "punchlist flow show ./f.yaml --json",
    )
)
@click.argument("name", metavar="FLOW", shell_complete=ids.flows)
@click.pass_obj
def show(session: Session, name: str) -> None:
    """Print a flow as it is written; with --json also its inputs, its outputs and where it is."""
    from punchlist.service import library

    session.show(library.show(_flows(session), name), views.text)


@flow.command(
    epilog=examples(
        "punchlist flow graph deliver",
        "punchlist flow graph build.yaml --format svg > build.svg",
        "punchlist flow graph deliver --depth 1",
    )
)
@click.argument("name", metavar="FLOW", shell_complete=ids.flows)
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "svg"]),
    default="mermaid",
    help="By default mermaid, which many places that show markdown draw; svg is a picture for itself.",
)
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="Open groups N levels deep; by default all.")
@click.pass_obj
def graph(session: Session, *, name: str, form: str, depth: int | None) -> None:
    """Draw a flow: its nodes as boxes, its groups around them, its order as arrows; dashed is what may be skipped."""
    from punchlist.service import library

    answer = library.graph(_flows(session), name, form="svg" if form == "svg" else "mermaid", depth=depth)
    session.show(answer, lambda shown: str(shown["text"]).rstrip("\n"))


def _flows(session: Session) -> "Flows":
    from punchlist import wiring

    return wiring.known_flows(session.directory)
