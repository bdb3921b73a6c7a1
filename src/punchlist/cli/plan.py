"""From words to tasks: `plan`, and the one-liner `do`."""

import sys
from typing import TYPE_CHECKING

import click

from punchlist.cli import ids
from punchlist.cli.attach import attach_all
from punchlist.cli.commands import Verb, examples
from punchlist.cli.session import Session
from punchlist.cli.views import tasks as views
from punchlist.errors import DefinitionError, PunchlistError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from punchlist.model.json import Json
    from punchlist.service.approvals import Look

PLANNER = click.option("--planner", metavar="WORKER", help="Who plans; by default the planner of the settings.")


@click.command(
    cls=Verb,
    epilog=examples(
        "punchlist plan                                    # from the project's spec",
        "punchlist plan 'Let slugify keep Unicode letters'",
        "punchlist plan acme-api 'Add CSV export' --planner claude --approve",
    ),
)
@click.argument("words", metavar='[PROJECT] ["REQUEST"]', nargs=-1, shell_complete=ids.PROJECTS)
@PLANNER
@click.option("--approve", is_flag=True, help="Approve what was planned, unless something of it is unproven.")
@click.pass_obj
def plan(session: Session, *, words: tuple[str, ...], planner: str | None, approve: bool) -> None:
    """Have a planner write draft tasks with steps, criteria and checks.

    Without a request it plans the project's spec. The planner `heuristic` needs no agent: headings become steps,
    bullets and fenced commands become criteria and checks.
    """
    project, request = _project_and_request(session, words)
    answer = _planned(session, project, request=request, planner=planner, approve=approve)
    session.show(answer, views.planned)


@click.command(
    cls=Verb,
    epilog=examples(
        "punchlist do 'Let slugify keep Unicode letters'", "punchlist do 'Add CSV export' --project acme-api --yes"
    ),
)
@click.argument("request")
@click.option(
    "--project", metavar="PROJECT", shell_complete=ids.PROJECTS, help="Of which project; may be left out if one."
)
@PLANNER
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def do(session: Session, *, request: str, project: str | None, planner: str | None, yes: bool) -> int:
    """Plan a request, show the plan, ask, approve, start, and follow until it is accepted.

    A task that needs others is started once they are accepted; ^C leaves what runs alone, and says what is left.
    """
    if not yes and (session.json or not sys.stdin.isatty()):
        raise DefinitionError(
            "no terminal to ask on whether to start what will be planned",
            hint="Type: punchlist do --yes … or punchlist plan …, then approve and start what you have read.",
        )
    from punchlist.service import approvals, plans

    plans.check_staff(session.service, planner)
    answer = _planned(session, project, request=request, planner=planner, approve=False)
    names = views.ids_of(answer, "tasks")
    looks = {name: approvals.look(session.service, name) for name in names}
    session.say(views.planned({**answer, "tasks": [look.task for look in looks.values()]}))
    if not yes and not click.confirm(f"Approve and start {', '.join(names)}?", default=False, err=True):
        left = "\n".join(f"  punchlist approve {name} && punchlist task start {name} --follow" for name in names)
        session.say(f"Left as draft. To start later:\n{left}")
        return 0
    _approve(session, looks)
    return attach_all(session, names)


def _approve(session: Session, looks: "Mapping[str, Look]") -> None:
    """Approve what was shown; where one is refused, those before it are told: they are approved, and not started."""
    from punchlist.service import approvals

    for count, (name, look) in enumerate(looks.items()):
        try:
            with session.progress as say:
                approvals.approve(session.service, name, shown=look.digest, say=say)
        except PunchlistError as error:
            if count:
                start = f"Approved already, and not started: punchlist task start {' '.join([*looks][:count])}"
                error.hint = f"{error.hint}\n{start}" if error.hint else start
            raise


def _planned(
    session: Session, project: str | None, *, request: str, planner: str | None, approve: bool
) -> "dict[str, Json]":
    from punchlist.service import plans

    with session.progress as say:
        return plans.plan(session.service, project, request=request, planner=planner, approve=approve, say=say)


def _project_and_request(session: Session, words: tuple[str, ...]) -> tuple[str | None, str]:
    """Tell a project from a request: one word alone is a project if there is one of that name."""
    match words:
        case ():
            return None, ""
        case (word,):
            from punchlist.service import projects

            known = views.ids_of(projects.listing(session.service), "projects")
            return (word, "") if word in known else (None, word)
        case (project, request):
            return project, request
        case _:
            raise DefinitionError(f"saw {len(words)} words", hint='Quote the request: punchlist plan "several words"')
