"""The record and its files: `files`, `log`."""

import click

from punchlist.cli.commands import Nouns, examples
from punchlist.cli.session import Session
from punchlist.cli.views import runs as views

FAILED = 1


@click.group(cls=Nouns, epilog=examples("punchlist files check", "punchlist files diff", "punchlist files write"))
def files() -> None:
    """Generated files are computed from the record, and never read back as truth."""


@files.command(epilog=examples("punchlist files check && echo as recorded"))
@click.pass_obj
def check(session: Session) -> int:
    """Name every generated file that is not as the record says; exit code 1 when there is one."""
    from punchlist.service import files as verbs

    answer = verbs.check(session.service)
    session.show(answer, views.drift)
    return FAILED if answer["drift"] else 0


@files.command(epilog=examples("punchlist files write"))
@click.pass_obj
def write(session: Session) -> None:
    """Bring every generated file back to what the record says, byte for byte."""
    from punchlist.service import files as verbs

    session.show(verbs.write(session.service), views.written)


@files.command("diff", epilog=examples("punchlist files diff"))
@click.pass_obj
def compare(session: Session) -> None:
    """Show how generated files differ from what the record says."""
    from punchlist.service import files as verbs

    session.show(verbs.diff(session.service), lambda answer: str(answer["diff"]).rstrip("\n"))


@click.group(cls=Nouns, epilog=examples("punchlist log verify"))
def log() -> None:
    """The record: events chained by their hashes, one stream a project, task and run."""


@log.command(epilog=examples("punchlist log verify", "punchlist log verify T1", "punchlist log verify --json"))
@click.argument("stream", required=False)
@click.pass_obj
def verify(session: Session, stream: str | None) -> int:
    """Recompute every hash, compare state with a fold of the log, and accepted commits with their trailers.

    Names the first thing that does not hold; exit code 1 when there is one.
    """
    from punchlist.service import logs

    answer = logs.verify(session.service, stream)
    session.show(answer, views.verified)
    return FAILED if answer["problems"] else 0
