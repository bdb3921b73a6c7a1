"""A person's decisions: `approve`, `reject`, `decide`, `gates`, `waive`, `rework`."""

from functools import partial

import click

from punchlist.cli import ids
from punchlist.cli.agreeing import YES, agreed
from punchlist.cli.commands import Verb, examples
from punchlist.cli.options import EXPECTED, MESSAGE, json_object
from punchlist.cli.session import Session
from punchlist.cli.views import runs, tasks


@click.command(
    cls=Verb,
    epilog=examples(
        "punchlist approve T1",
        "punchlist approve T1 --anyway -m 'the check needs a network that is not here'",
        "punchlist approve G4 go_on",
    ),
)
@click.argument("target", metavar="ID", shell_complete=ids.TASKS_OR_GATES)
@click.argument("choice", required=False)
@click.option("--anyway", is_flag=True, help="Also when something is unproven or a check cannot run; it is recorded.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the checks have run on the base.")
@MESSAGE
@EXPECTED
@click.option("--data", metavar="JSON", help="What the choice of a gate takes, as a JSON object.")
@click.pass_obj
def approve(
    session: Session,
    *,
    target: str,
    choice: str | None,
    anyway: bool,
    no_wait: bool,
    message: str,
    expected_version: int | None,
    data: str | None,
) -> None:
    """Approve a task (T) so that it can start, or decide a gate (G) by a choice.

    Waits until the task's checks have run on the base, and refuses what proves nothing unless --anyway.
    """
    from punchlist.service import approvals

    with session.progress as say:
        answer = approvals.approve(
            session.service,
            target,
            choice=choice,
            anyway=anyway,
            message=message,
            no_wait=no_wait,
            data=json_object(data, option="--data"),
            expected_version=expected_version,
            say=say,
        )
    session.show(answer, tasks.approved)


@click.command(cls=Verb, epilog=examples("punchlist reject T1 -m 'split step 2'", "punchlist reject G4 -m 'not yet'"))
@click.argument("target", metavar="ID", shell_complete=ids.TASKS_OR_GATES)
@MESSAGE
@click.pass_obj
def reject(session: Session, *, target: str, message: str) -> None:
    """Send a proposed task back to draft, with what you want changed."""
    from punchlist.service import approvals

    session.show(approvals.reject(session.service, target, message=message), tasks.approved)


@click.command(
    cls=Verb,
    epilog=examples(
        "punchlist decide G4 more -m 'use the existing helper'",
        "punchlist decide G4 more --data '{\"n\": 2}'",
        "punchlist decide G5 answer -m 'UTF-8 only'",
        "punchlist decide G6 waive -m 'known to fail on this machine'",
    ),
)
@click.argument("gate", metavar="G", shell_complete=ids.GATES)
@click.argument("choice", shell_complete=ids.choices)
@MESSAGE
@click.option("--data", metavar="JSON", help="What the choice takes, as a JSON object.")
@click.option("--shows", metavar="DIGEST", help="Refuse when the gate does not show this any more.")
@click.pass_obj
def decide(session: Session, *, gate: str, choice: str, message: str, data: str | None, shows: str | None) -> None:
    """Decide a gate by one of its choices, once; `punchlist gates` lists them."""
    from punchlist.service import gates as verbs

    decided = verbs.decide(
        session.service,
        gate,
        choice=choice,
        message=message,
        data=json_object(data, option="--data"),
        shows=shows,
    )
    session.show(decided, tasks.approved)


@click.command(cls=Verb, epilog=examples("punchlist gates", "punchlist gates --all --json"))
@click.option("--all", "everything", is_flag=True, help="Those that were decided, too.")
@click.pass_obj
def gates(session: Session, *, everything: bool) -> None:
    """List what waits for a decision, each with its choices and the command to type."""
    from punchlist.service import gates as verbs

    session.show(verbs.listing(session.service, everything=everything), runs.all_gates if everything else runs.gates)


@click.command(cls=Verb, epilog=examples("punchlist waive F9 --reason 'flaky on this machine, tracked elsewhere'"))
@click.argument("finding", metavar="F")
@click.option("--reason", "-m", required=True, metavar="TEXT", help="Why; it is shown wherever the finding is.")
@click.pass_obj
def waive(session: Session, *, finding: str, reason: str) -> None:
    """Pass over a finding. What is waived is never hidden: it is shown as waived, by whom, and why."""
    from punchlist.service import gates as verbs

    session.show(verbs.waive(session.service, finding, reason=reason), tasks.waived)


@click.command(cls=Verb, epilog=examples("punchlist rework T12.3 -m 'use the existing helper in text.py'"))
@click.argument("step", metavar="STEP", shell_complete=ids.STEPS)
@click.option(
    "-m", "--message", required=True, metavar="TEXT", help="Your finding; it stands first in the next prompt."
)
@YES
@click.pass_obj
def rework(session: Session, *, step: str, message: str, yes: bool) -> None:
    """Send a step back to its builder with a finding of your own, also after it was accepted.

    Accepted steps that were built on it are opened again too; they are listed before.
    """
    from punchlist.service import gates as verbs

    verb = partial(verbs.rework, session.service, step, message=message)
    session.show(agreed(session, verb, yes=yes), tasks.moved_task)
