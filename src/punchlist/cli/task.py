"""`punchlist task`: create, list, show, edit, revise, start, cancel, retry, reopen, approve, propose."""

from pathlib import Path

import click

from punchlist.cli import decide, ids
from punchlist.cli.attach import attach
from punchlist.cli.commands import Nouns, examples
from punchlist.cli.options import EXPECTED, FILE, FOLLOW, KEY, MESSAGE, REASON, WAIT, document, fields
from punchlist.cli.session import Session
from punchlist.cli.views import tasks as views
from punchlist.errors import DefinitionError

STATUSES = ("draft", "ready", "running", "waiting", "accepted", "failed", "cancelled")


@click.group(
    cls=Nouns,
    epilog=examples(
        "punchlist task create --file task.yaml", "punchlist approve T1", "punchlist task start T1 --follow"
    ),
)
def task() -> None:
    """A task is a piece of work with steps and criteria; it is frozen when approved."""


@task.command(
    epilog=examples(
        "punchlist task create --file task.yaml",
        "punchlist task create acme-api --file task.yaml --json",
        "cat task.json | punchlist task create --file -",
    )
)
@click.argument("project", metavar="[PROJECT]", required=False, shell_complete=ids.PROJECTS)
@click.option(
    "--file", "-F", "file", metavar="FILE", required=True, type=click.Path(path_type=Path, allow_dash=True),
    help="The task in YAML or JSON; - is stdin.",
)  # fmt: skip
@KEY
@click.pass_obj
def create(session: Session, *, project: str | None, file: Path, key: str | None) -> None:
    """Make a draft from a file; its checks then run on the base, to show what is still to do."""
    from punchlist.service import tasks

    answer = tasks.create(session.service, project, document=document(session, file), key=key)
    session.show(answer, views.created_task)


@task.command("list", epilog=examples("punchlist task list", "punchlist task list acme-api --status waiting"))
@click.argument("project", metavar="[PROJECT]", required=False, shell_complete=ids.PROJECTS)
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="Only tasks in this state; repeatable.")
@click.pass_obj
def listing(session: Session, *, project: str | None, status: tuple[str, ...]) -> None:
    """List tasks with how far they are and what they wait for."""
    from punchlist.service import tasks

    session.show(tasks.listing(session.service, project, statuses=status), views.tasks)


@task.command(epilog=examples("punchlist task show T1", "punchlist task show T1 --json"))
@click.argument("name", metavar="T", shell_complete=ids.TASKS)
@click.pass_obj
def show(session: Session, name: str) -> None:
    """Show a task: its steps, their criteria, and what each check shows on the base."""
    from punchlist.service import tasks

    session.show(tasks.show(session.service, name), views.task)


@task.command(
    epilog=examples("punchlist task edit T1 --file task.yaml", "punchlist task edit T1 --title 'Keep Unicode letters'")
)
@click.argument("name", metavar="T", shell_complete=ids.TASKS)
@FILE
@click.option("--title", help="One line.")
@EXPECTED
@KEY
@click.pass_obj
def edit(
    session: Session,
    *,
    name: str,
    file: Path | None,
    title: str | None,
    expected_version: int | None,
    key: str | None,
) -> None:
    """Change a draft: the fields of the file replace those of the task, the others stay."""
    from punchlist.service import tasks

    changes = fields(session, file, given={"title": title})
    answer = tasks.edit(session.service, name, changes=changes, expected_version=expected_version, key=key)
    session.show(answer, views.created_task)


@task.command(epilog=examples("punchlist task revise T1 -m 'the spec left out empty input'"))
@click.argument("name", metavar="T", shell_complete=ids.TASKS)
@REASON
@EXPECTED
@click.pass_obj
def revise(session: Session, *, name: str, reason: str, expected_version: int | None) -> None:
    """Take an approved task back to draft, as a new revision; what runs is stopped, what is accepted stays."""
    from punchlist.service import tasks

    answer = tasks.revise(session.service, name, reason=reason, expected_version=expected_version)
    session.show(answer, views.moved_task)


@task.command(
    epilog=examples(
        "punchlist task start T1",
        "punchlist task start T1 T2 --follow",
        "punchlist task start --all-ready --wait --json",
    )
)
@click.argument("names", metavar="T...", nargs=-1, shell_complete=ids.TASKS)
@click.option("--all-ready", is_flag=True, help="Every task that is approved and not started.")
@click.option(
    "--project", metavar="PROJECT", shell_complete=ids.PROJECTS, help="With --all-ready: of this project only."
)
@FOLLOW
@WAIT
@click.pass_obj
def start(
    session: Session, *, names: tuple[str, ...], all_ready: bool, project: str | None, follow: bool, wait: bool
) -> int:
    """Start approved tasks and return at once; the engine works on by itself."""
    if bool(names) == all_ready:
        raise DefinitionError("say which tasks", hint="Either punchlist task start T1 T2, or --all-ready.")
    if project and not all_ready:
        raise DefinitionError("--project goes with --all-ready only")
    from punchlist.service import starts

    with session.progress as say:
        answer = starts.start(session.service, names, project=project, all_ready=all_ready, say=say)
    return attach(session, answer, follow=follow, wait=wait)


@task.command(epilog=examples("punchlist task cancel T1 -m 'not needed any more'"))
@click.argument("name", metavar="T", shell_complete=ids.TASKS)
@REASON
@click.pass_obj
def cancel(session: Session, *, name: str, reason: str) -> None:
    """End a task; what runs of it is stopped. `task reopen` takes it up again."""
    from punchlist.service import tasks

    session.show(tasks.cancel(session.service, name, reason=reason), views.moved_task)


@task.command(epilog=examples("punchlist task retry T1 --follow"))
@click.argument("name", metavar="T", shell_complete=ids.TASKS)
@FOLLOW
@WAIT
@click.pass_obj
def retry(session: Session, *, name: str, follow: bool, wait: bool) -> int:
    """Take up a failed or cancelled task and start it; what is accepted is kept."""
    from punchlist.service import runs

    return attach(session, runs.retry(session.service, name), follow=follow, wait=wait)


@task.command(epilog=examples("punchlist task reopen T1 -m 'one more case was found'"))
@click.argument("name", metavar="T", shell_complete=ids.TASKS)
@REASON
@click.pass_obj
def reopen(session: Session, *, name: str, reason: str) -> None:
    """Make an accepted, failed or cancelled task ready again."""
    from punchlist.service import tasks

    session.show(tasks.reopen(session.service, name, reason=reason), views.moved_task)


@task.command(epilog=examples("punchlist task propose T1 -m 'ready for your eyes'"))
@click.argument("name", metavar="T", shell_complete=ids.TASKS)
@MESSAGE
@EXPECTED
@click.pass_obj
def propose(session: Session, *, name: str, message: str, expected_version: int | None) -> None:
    """Ask a person to approve a draft: opens a gate that `punchlist gates` lists."""
    from punchlist.service import approvals

    answer = approvals.propose(session.service, name, message=message, expected_version=expected_version)
    session.show(answer, views.moved_task)


task.add_command(decide.approve)
task.add_command(decide.reject)
