"""The first verbs in a new place: `init`, `doctor`, `config`."""

from pathlib import Path

import click

from punchlist.cli.commands import Verb, examples
from punchlist.cli.session import Session
from punchlist.cli.views import places as views

FAILED = 1
MISSING = 4


@click.command(
    cls=Verb,
    epilog=examples("punchlist init", "punchlist init my-workspace", "cd my-library && punchlist init"),
)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def init(session: Session, folder: Path | None) -> None:
    """Make a workspace in DIR (here, by default): settings in punchlist.toml, state in .punchlist/.

    A git repository becomes the first project: its set-up and test commands are looked for and tried. Elsewhere the
    workspace is empty; `punchlist project create` adds to it.
    """
    from punchlist import wiring

    with session.progress as say:
        answer = wiring.create_workspace(session.directory / folder if folder else session.directory, say=say)
    session.show(answer, views.workspace)


@click.command(cls=Verb, epilog=examples("punchlist doctor", "punchlist doctor --json"))
@click.pass_obj
def doctor(session: Session) -> int:
    """Look at what this machine has: git, sandbox, limits, disk, store, and each configured worker.

    Exit code 4 when a worker that is needed is not there, 1 when something else that is needed fails.
    """
    from punchlist import wiring

    answer = wiring.examine(session.directory)
    session.show(answer, views.checks)
    if answer.get("missing"):
        return MISSING
    return FAILED if any(check.status == "fail" for check in views.checks_of(answer)) else 0


@click.command(cls=Verb, epilog=examples("punchlist config", "punchlist config --json"))
@click.pass_obj
def config(session: Session) -> None:
    """Print each setting with its resolved value, where it came from, and whether it is in force."""
    from punchlist.service import settings

    session.show(settings.config(session.service), views.settings)
