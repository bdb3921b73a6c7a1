"""`punchlist step`: add, edit, remove, reorder, show, list, skip, cancel, reopen."""

from functools import partial
from pathlib import Path

import click

from punchlist.cli import ids
from punchlist.cli.agreeing import YES, agreed
from punchlist.cli.commands import Nouns, examples
from punchlist.cli.options import EXPECTED, FILE, KEY, REASON, fields
from punchlist.cli.session import Session
from punchlist.cli.views import tasks as views


@click.group(
    cls=Nouns,
    epilog=examples("punchlist step list T1", "punchlist step show T1.2", "punchlist step skip T1.2 -m 'done by hand'"),
)
def step() -> None:
    """A step is one bounded part of a task: a goal, criteria, a scope."""


@step.command(
    epilog=examples(
        "punchlist step add T1 --file step.yaml",
        "punchlist step add T1 --title 'Say it in the README' --criterion 'The README shows allow_unicode.'",
    )
)
@click.argument("task", metavar="T", shell_complete=ids.TASKS)
@FILE
@click.option("--title", help="One line.")
@click.option("--goal", help="What is true when it is done.")
@click.option("--criterion", multiple=True, metavar="TEXT", help="A criterion that a reviewer judges; repeatable.")
@click.option(
    "--at", "position", type=click.IntRange(min=1), metavar="N", help="Its place among the steps; the last one."
)
@EXPECTED
@KEY
@click.pass_obj
def add(
    session: Session,
    *,
    task: str,
    file: Path | None,
    title: str | None,
    goal: str | None,
    criterion: tuple[str, ...],
    position: int | None,
    expected_version: int | None,
    key: str | None,
) -> None:
    """Add a step to a draft."""
    from punchlist.service import steps

    given = fields(session, file, given={"title": title, "goal": goal, "criteria": list(criterion) or None})
    answer = steps.add(
        session.service, task, document=given, position=position, expected_version=expected_version, key=key
    )
    session.show(answer, views.created_task)


@step.command(
    epilog=examples("punchlist step edit T1.2 --file step.yaml", "punchlist step edit T1.2 --goal 'Keep letters'")
)
@click.argument("name", metavar="STEP", shell_complete=ids.STEPS)
@FILE
@click.option("--title", help="One line.")
@click.option("--goal", help="What is true when it is done.")
@click.option("--builder", metavar="WORKER", help="Who builds it.")
@click.option("--qa", metavar="WORKER", help="Who reviews it.")
@EXPECTED
@KEY
@click.pass_obj
def edit(
    session: Session,
    *,
    name: str,
    file: Path | None,
    title: str | None,
    goal: str | None,
    builder: str | None,
    qa: str | None,
    expected_version: int | None,
    key: str | None,
) -> None:
    """Change a step of a draft: what is given replaces, the rest stays. The version is the task's."""
    from punchlist.service import steps

    changes = fields(session, file, given={"title": title, "goal": goal, "builder": builder, "qa": qa})
    answer = steps.edit(session.service, name, changes=changes, expected_version=expected_version, key=key)
    session.show(answer, views.created_task)


@step.command(epilog=examples("punchlist step remove T1.2"))
@click.argument("name", metavar="STEP", shell_complete=ids.STEPS)
@EXPECTED
@click.pass_obj
def remove(session: Session, *, name: str, expected_version: int | None) -> None:
    """Remove a step from a draft."""
    from punchlist.service import steps

    session.show(steps.remove(session.service, name, expected_version=expected_version), views.created_task)


@step.command(epilog=examples("punchlist step reorder T1 T1.2 T1.1 T1.3"))
@click.argument("task", metavar="T", shell_complete=ids.TASKS)
@click.argument("order", metavar="STEP...", nargs=-1, required=True, shell_complete=ids.STEPS)
@EXPECTED
@click.pass_obj
def reorder(session: Session, *, task: str, order: tuple[str, ...], expected_version: int | None) -> None:
    """Put all steps of a draft into the order given."""
    from punchlist.service import steps

    answer = steps.reorder(session.service, task, order=order, expected_version=expected_version)
    session.show(answer, views.created_task)


@step.command(epilog=examples("punchlist step show T1.2", "punchlist step show T1.2 --json"))
@click.argument("name", metavar="STEP", shell_complete=ids.STEPS)
@click.pass_obj
def show(session: Session, name: str) -> None:
    """Show a step: its attempts, verdicts and findings."""
    from punchlist.service import steps

    session.show(steps.show(session.service, name), views.step)


@step.command("list", epilog=examples("punchlist step list T1"))
@click.argument("task", metavar="T", shell_complete=ids.TASKS)
@click.pass_obj
def listing(session: Session, task: str) -> None:
    """List the steps of a task."""
    from punchlist.service import steps

    session.show(steps.listing(session.service, task), views.steps)


@step.command(epilog=examples("punchlist step skip T1.2 -m 'done by hand'"))
@click.argument("name", metavar="STEP", shell_complete=ids.STEPS)
@REASON
@click.pass_obj
def skip(session: Session, *, name: str, reason: str) -> None:
    """Pass over a step; those that need it go on. To stop them too, cancel it."""
    from punchlist.service import steps

    session.show(steps.skip(session.service, name, reason=reason), views.moved_task)


@step.command(epilog=examples("punchlist step cancel T1.2 -m 'the idea was wrong'"))
@click.argument("name", metavar="STEP", shell_complete=ids.STEPS)
@REASON
@click.pass_obj
def cancel(session: Session, *, name: str, reason: str) -> None:
    """End a step; those that need it are cancelled too."""
    from punchlist.service import steps

    session.show(steps.cancel(session.service, name, reason=reason), views.moved_task)


@step.command(epilog=examples("punchlist step reopen T1.2 -m 'one more case'", "punchlist step reopen T1.1 --yes"))
@click.argument("name", metavar="STEP", shell_complete=ids.STEPS)
@REASON
@YES
@click.pass_obj
def reopen(session: Session, *, name: str, reason: str, yes: bool) -> None:
    """Open a step again; what was built on it is invalidated, and listed before."""
    from punchlist.service import steps

    verb = partial(steps.reopen, session.service, name, reason=reason)
    session.show(agreed(session, verb, yes=yes), views.moved_task)
