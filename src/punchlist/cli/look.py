"""What happened and why: `status`, `why`, `logs`, `events`, `report`, `diff`."""

import click

from punchlist.cli import ids
from punchlist.cli.commands import Verb, examples
from punchlist.cli.session import Session, visible, write_json
from punchlist.cli.views import attention, runs
from punchlist.errors import DefinitionError


@click.command(cls=Verb, epilog=examples("punchlist", "punchlist status --json", "punchlist status --since 2026-11-21"))
@click.option(
    "--since",
    metavar="TIME",
    help="Only what was accepted or failed since then: a date, or a time such as 2026-11-21T08:00.",
)
@click.pass_obj
def status(session: Session, since: str | None = None) -> None:
    """Show first what needs you, with the command to type; then what was accepted, failed, runs, is parked."""
    from punchlist.service import status as verbs

    most = None if session.json else attention.MOST
    session.show(verbs.status(session.service, since=since, most=most), attention.status)


@click.command(cls=Verb, epilog=examples("punchlist why T12", "punchlist why T12.3"))
@click.argument("name", metavar="ID", shell_complete=ids.TASKS_RUNS_OR_STEPS)
@click.pass_obj
def why(session: Session, name: str) -> None:
    """Walk from criterion to verdict, evidence, commit and attempt, or say the one thing that is waited for."""
    from punchlist.service import why as verbs

    session.show(verbs.why(session.service, name), attention.why)


@click.command(cls=Verb, epilog=examples("punchlist logs A31", "punchlist logs A31 -f", "punchlist logs A31 --stderr"))
@click.argument("attempt", metavar="A")
@click.option("--stderr", is_flag=True, help="What it wrote to standard error.")
@click.option(
    "-f",
    "--follow",
    is_flag=True,
    help="Go on until the attempt is over; with --json one object a line. ^C only detaches.",
)
@click.pass_obj
def logs(session: Session, *, attempt: str, stderr: bool, follow: bool) -> None:
    """Print the output of an attempt."""
    from punchlist.service import logs as verbs

    stream = "stderr" if stderr else "stdout"
    if not follow:
        session.show(
            verbs.logs(session.service, attempt, stream=stream), lambda answer: str(answer["text"]).rstrip("\n")
        )
        return
    session.attached = True
    for text in verbs.follow_output(session.service, attempt, stream=stream):
        if session.json:
            write_json({"ok": True, "stream": stream, "text": text})
        else:
            click.echo(visible(text), nl=False)


@click.command(
    cls=Verb,
    epilog=examples("punchlist events T1", "punchlist events --after 120 --limit 50 --json", "punchlist events -f"),
)
@click.argument("about", metavar="[ID]", required=False, shell_complete=ids.TASKS_OR_RUNS)
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="N", help="Only those behind number N.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N of them.")
@click.option("-f", "--follow", is_flag=True, help="Go on as they come; with --json one object a line. ^C ends it.")
@click.pass_obj
def events(session: Session, *, about: str | None, after: int, limit: int | None, follow: bool) -> None:
    """Print the facts in the log: of a task, a run, a project, or all."""
    from punchlist.service import logs as verbs

    if not follow:
        answer = verbs.events(session.service, after=after, limit=limit, about=about)
        session.show(answer, runs.events)
        return
    if limit is not None:
        raise DefinitionError("--limit and --follow do not go together")
    for event in verbs.follow_events(session.service, after=after, about=about):
        if session.json:
            write_json({"ok": True, **event})
        else:
            session.say(runs.events({"events": [visible(event)]}))


@click.command(
    cls=Verb,
    epilog=examples("punchlist report T1", "punchlist report T1 --format html > T1.html", "punchlist report R7 --json"),
)
@click.argument("name", metavar="ID", shell_complete=ids.TASKS_OR_RUNS)
@click.option("--format", "form", type=click.Choice(["md", "html", "json"]), help="By default md, markdown.")
@click.pass_obj
def report(session: Session, *, name: str, form: str | None) -> None:
    """Tell the whole story of a task or run: rounds, verdicts, findings, decisions, commits; nodes with their times."""
    from punchlist.service import report as verbs

    if session.json and form not in {None, "json"}:
        raise DefinitionError(f"--json and --format {form} do not go together", hint="Leave one out.")
    session.json = session.json or form == "json"
    answer = verbs.report(session.service, name, form="html" if form == "html" else "md")
    session.show(answer, lambda shown: str(shown["text"]).rstrip("\n"))


@click.command(cls=Verb, epilog=examples("punchlist diff T1", "punchlist diff T1.2 | less", "punchlist diff A31"))
@click.argument("name", metavar="ID", shell_complete=ids.TASKS_OR_STEPS)
@click.pass_obj
def diff(session: Session, name: str) -> None:
    """Print what a task, a step or an attempt changed, as a patch."""
    from punchlist.service import diff as verbs

    session.show(verbs.diff(session.service, name), lambda answer: str(answer["diff"]).rstrip("\n"))
