"""`punchlist gc`: what finished work left on the disk."""

import click

from punchlist.cli.commands import Verb, examples
from punchlist.cli.session import Session
from punchlist.cli.views import cleaning as views


@click.command(cls=Verb, epilog=examples("punchlist gc --dry-run", "punchlist gc", "punchlist gc --keep-days 7 --json"))
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option(
    "--keep-days",
    type=click.IntRange(0, 36_500),
    metavar="N",
    help="Leave alone what ended since; by default gc.keep_days.",
)
@click.pass_obj
def gc(session: Session, *, dry_run: bool, keep_days: int | None) -> None:
    """Remove what finished work left: output of attempts, work folders, snapshots in the engine's repositories.

    Nothing that a verdict stands on is removed, nothing of a task that is not over, and nothing of the record.
    """
    from punchlist.service import cleaning

    with session.progress as say:
        answer = cleaning.clean(session.service, keep_days=keep_days, dry_run=dry_run, say=say)
    session.show(answer, views.cleaned)
