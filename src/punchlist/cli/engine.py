"""`punchlist engine`: run, start, stop, status."""

import click

from punchlist.cli.commands import Nouns, examples
from punchlist.cli.session import Session
from punchlist.cli.views import places as views


@click.group(cls=Nouns, epilog=examples("punchlist engine status", "punchlist engine run    # for a service manager"))
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
