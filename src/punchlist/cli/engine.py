"""`punchlist engine`: run, start, stop, status, install."""

import sys
from typing import TYPE_CHECKING

import click

from punchlist.cli.commands import Nouns, examples
from punchlist.cli.session import Session
from punchlist.cli.views import places as views
from punchlist.errors import DefinitionError, RefusedError

if TYPE_CHECKING:
    from punchlist.serving.unit import Unit


@click.group(
    cls=Nouns,
    epilog=examples(
        "punchlist engine status", "punchlist engine run    # for a service manager", "punchlist engine install"
    ),
)
def engine() -> None:
    """The engine is the one process that runs flows; verbs start it when it is needed."""


@engine.command(epilog=examples("punchlist engine run", "punchlist -C my-workspace engine run"))
@click.option("--until-idle", is_flag=True, help="End after engine.idle_exit with nothing to do.")
@click.pass_obj
def run(session: Session, *, until_idle: bool) -> int:
    """Run the engine in this process until it is told to end: for a service manager, or a container."""
    from punchlist.serving.engine import run_engine

    return run_engine(session.directory, until_idle=until_idle)


@engine.command(epilog=examples("punchlist engine start"))
@click.pass_obj
def start(session: Session) -> None:
    """Start the engine, detached; nothing happens when one runs."""
    from punchlist.service import engines

    session.show(engines.start(session.service), views.engine)


@engine.command(epilog=examples("punchlist engine stop"))
@click.pass_obj
def stop(session: Session) -> None:
    """End the engine between two transitions; what it ran is stopped, and goes on with the next start."""
    from punchlist.service import engines

    session.show(engines.stop(session.service), views.stopped)


@engine.command(epilog=examples("punchlist engine status --json"))
@click.pass_obj
def status(session: Session) -> None:
    """Say whether the engine runs, and since when."""
    from punchlist.service import engines

    session.show(engines.status(session.service), views.engine)


@engine.command(
    epilog=examples(
        "punchlist engine install           # show the service, ask, write and start it",
        "punchlist engine install --print > punchlist.service",
        "punchlist engine install --remove",
    )
)
@click.option("--print", "only_print", is_flag=True, help="Only print the unit.")
@click.option("--remove", is_flag=True, help="Stop the service, and remove its unit.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def install(session: Session, *, only_print: bool, remove: bool, yes: bool) -> None:
    """Make the engine a service of your own systemd, so that timers outlive a reboot; shows it, and asks first."""
    from punchlist import wiring
    from punchlist.serving import unit as units

    if only_print and remove:
        raise DefinitionError("--print and --remove do not go together", hint="Leave one out.")
    unit = units.unit_of(session.service, wiring.environment())
    if only_print:
        session.show({"unit": {"name": unit.name, "path": str(unit.file), "text": unit.text}}, views.unit_text)
    elif remove:
        session.show(units.remove(session.service, unit), views.removed_unit)
    elif unit.is_there or _agreed(session, unit, yes=yes):
        session.show(units.install(session.service, unit), views.installed_unit)
    else:
        raise RefusedError("not agreed to: nothing was written", hint="Type: punchlist engine install --yes")


def _agreed(session: Session, unit: "Unit", *, yes: bool) -> bool:
    """Show what is going to be written, and say whether a person agrees; without a terminal only --yes does."""
    if yes:
        return True
    session.say(f"{unit.file}:\n\n{unit.text}")
    return not session.json and sys.stdin.isatty() and click.confirm("Write it, and start the service?", default=False)
