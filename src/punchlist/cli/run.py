"""Flows and what steers a run: `run`, `validate`, `pause`, `resume`, `retry`, `cancel`, `add`."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from punchlist.cli import ids
from punchlist.cli.agreeing import YES, agreed
from punchlist.cli.attach import attach
from punchlist.cli.commands import Verb, examples
from punchlist.cli.options import FOLLOW, REASON, WAIT, document
from punchlist.cli.session import Session
from punchlist.cli.views import runs as views
from punchlist.errors import DefinitionError

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.service.context import Service

WRONG = 2


@click.command(
    cls=Verb,
    epilog=examples(
        "punchlist run build.yaml -i targets='[core, docs]' --follow",
        "punchlist run build.yaml --input-file inputs.yaml --wait --json",
        "punchlist run build.yaml --dry-run",
        "punchlist run build.yaml --set policy.timeout=10m --max-parallel 4",
    ),
)
@click.argument("flow", shell_complete=ids.flows)
@click.option(
    "-i", "--input", "inputs", multiple=True, metavar="KEY=VALUE", help="An input, its value in YAML; repeatable."
)
@click.option(
    "--input-file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True), help="Inputs, YAML or JSON."
)
@click.option("--set", "settings", multiple=True, metavar="policy.KEY=VALUE", help="A rule for this run; repeatable.")
@click.option(
    "--max-parallel", type=click.IntRange(min=1), metavar="N", help="The same as --set policy.max_parallel=N."
)
@click.option("--project", metavar="PROJECT", shell_complete=ids.PROJECTS, help="What the flow's checks are about.")
@click.option("--dry-run", is_flag=True, help="Print every resolved prompt and command; nothing is started or written.")
@click.option("--foreground", is_flag=True, help="Run the engine in this process until the run is over.")
@FOLLOW
@WAIT
@click.pass_obj
def run(
    session: Session,
    *,
    flow: str,
    inputs: tuple[str, ...],
    input_file: Path | None,
    settings: tuple[str, ...],
    max_parallel: int | None,
    project: str | None,
    dry_run: bool,
    foreground: bool,
    follow: bool,
    wait: bool,
) -> int:
    """Run a flow, by its file or the name of a built-in one, and return at once with the run's id."""
    from punchlist.service import runs

    given = _inputs(session, inputs, file=input_file)
    policy = _policy(settings, max_parallel)
    if dry_run:
        planned = runs.dry_run(session.service, _flow(session, flow), inputs=given, policy=policy, project=project)
        session.show(planned, views.dry_run)
        return 0

    def start(service: "Service") -> "dict[str, Json]":
        return runs.run(service, _flow(session, flow), inputs=given, policy=policy, project=project)

    if foreground:
        from punchlist.cli.foreground import run_here

        return run_here(session, start, follow=follow)
    return attach(session, start(session.service), follow=follow, wait=wait)


@click.command(
    cls=Verb,
    epilog=examples(
        "punchlist validate build.yaml", "punchlist validate flows/*.yaml --json", "punchlist validate deliver"
    ),
)
@click.argument(
    "paths", metavar="FLOW...", nargs=-1, required=True, type=click.Path(path_type=Path), shell_complete=ids.flows
)
@click.pass_obj
def validate(session: Session, paths: tuple[Path, ...]) -> int:
    """Check flows, files or built-in ones by their names, without running anything.

    Every error is told with its line and column. Exit code 2 when there is one.
    """
    from punchlist import wiring

    answer = wiring.validate([session.directory / path for path in paths])
    wrong = any(flow.errors for flow in views.flows_of(answer))
    session.show(answer, views.validated, holds=not wrong)
    return WRONG if wrong else 0


@click.command(cls=Verb, epilog=examples("punchlist pause T1", "punchlist pause R7 --now"))
@click.argument("target", metavar="ID", shell_complete=ids.TASKS_OR_RUNS)
@click.option("--now", is_flag=True, help="Stop what runs, too.")
@click.pass_obj
def pause(session: Session, *, target: str, now: bool) -> None:
    """Start nothing new in a run or task; what runs may finish. `resume` goes on."""
    from punchlist.service import runs

    session.show(runs.pause(session.service, target, now=now), views.steered)


@click.command(
    cls=Verb,
    epilog=examples(
        "punchlist resume R7",
        "punchlist resume T1 --follow",
        "punchlist resume R7 --from tests --yes",
        "punchlist resume R7 --rebase",
    ),
)
@click.argument("target", metavar="ID", shell_complete=ids.TASKS_OR_RUNS)
@click.option("--from", "start_from", metavar="NODE", help="Go back to this node; what that invalidates is listed.")
@click.option("--rebase", is_flag=True, help="Go on by the flow as it is now, where what was done stands as it was.")
@YES
@FOLLOW
@WAIT
@click.pass_obj
def resume(
    session: Session, *, target: str, start_from: str | None, rebase: bool, yes: bool, follow: bool, wait: bool
) -> int:
    """Go on with what was paused or interrupted.

    With --from a run of a flow goes back to a node, even when it is over: the node and all that was built on it begin
    again. With --rebase the flow is read again where it was read, and what is not done is done by that. A task goes
    back by its steps: `punchlist step reopen`.
    """
    from punchlist.service import runs

    verb = partial(runs.resume, session.service, target, start_from=start_from, rebase=rebase)
    return attach(session, agreed(session, verb, yes=yes), follow=follow, wait=wait)


@click.command(cls=Verb, epilog=examples("punchlist retry T1", "punchlist retry R7 --follow"))
@click.argument("target", metavar="ID", shell_complete=ids.TASKS_OR_RUNS)
@FOLLOW
@WAIT
@click.pass_obj
def retry(session: Session, *, target: str, follow: bool, wait: bool) -> int:
    """Do what failed in a task or run again, was cancelled or not reached; what succeeded is kept."""
    from punchlist.service import runs

    return attach(session, runs.retry(session.service, target), follow=follow, wait=wait)


@click.command(
    cls=Verb, epilog=examples("punchlist cancel R7", "punchlist cancel T1 -m 'wrong idea'", "punchlist cancel R7 lint")
)
@click.argument("target", metavar="ID", shell_complete=ids.TASKS_RUNS_OR_STEPS)
@click.argument("node", required=False)
@REASON
@click.pass_obj
def cancel(session: Session, *, target: str, node: str | None, reason: str) -> None:
    """End a run, one node of it, a task or a step; what runs of it is stopped, tree and all."""
    from punchlist.service import runs

    session.show(runs.cancel(session.service, target, node=node, reason=reason), views.steered)


@click.command(
    cls=Verb,
    epilog=examples("punchlist add R7 --file nodes.yaml", "punchlist add R7 --file nodes.yaml --replace"),
)
@click.argument("target", metavar="RUN", shell_complete=ids.RUNS)
@click.option(
    "--file",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    help="A map with nodes, as in a flow; - for standard input.",
)
@click.option("--replace", is_flag=True, help="Put them in the place of nodes of the same name.")
@click.pass_obj
def add(session: Session, *, target: str, file: Path, replace: bool) -> None:
    """Give a run more nodes.

    They stand behind the nodes of its flow, on the first level, and may need any of them. With --replace a node that
    did not succeed is replaced by the one of its name: one that is at work is ended by that, and one that had begun
    begins again at once, with what needs it. So a run that failed or was cancelled goes on. All is checked as a whole
    before anything changes.
    """
    from punchlist import wiring
    from punchlist.service import inputs, runs

    piped = str(file) == "-"
    path = session.directory if piped else session.directory / file
    source = "standard input" if piped else str(file)
    text = inputs.decoded(sys.stdin.buffer.read(), source=source) if piped else inputs.text_file(path, what="--file")
    read = wiring.reader(path if piped else path.parent)
    session.show(runs.add(session.service, target, text, source=source, read=read, replace=replace), views.steered)


def _flow(session: Session, flow: str) -> str:
    from punchlist.service.flows import named_from

    return named_from(session.directory, flow)


def _inputs(session: Session, pairs: tuple[str, ...], *, file: Path | None) -> "dict[str, Json]":
    given: dict[str, Json] = {}
    if file is not None:
        loaded = document(session, file)
        if not isinstance(loaded, dict):
            raise DefinitionError("inputs are a map of names and values", where=str(file))
        given.update(loaded)
    from punchlist.service import inputs

    for name, text in (_pair(each, option="-i") for each in pairs):
        given[name] = inputs.document_bytes(text.encode("utf-8", "surrogateescape"), source=f"-i {name}")
    return given


def _policy(pairs: tuple[str, ...], max_parallel: int | None) -> "dict[str, Json]":
    from punchlist.service import inputs

    rules: dict[str, Json] = {}
    for key, text in (_pair(each, option="--set") for each in pairs):
        scope, _, name = key.partition(".")
        if scope != "policy" or not name:
            raise DefinitionError(
                f"--set {key}: only rules of policy can be set", hint="Type: --set policy.timeout=10m"
            )
        rules[name] = inputs.document_bytes(text.encode("utf-8", "surrogateescape"), source=f"--set {key}")
    if max_parallel is not None:
        rules["max_parallel"] = max_parallel
    return rules


def _pair(text: str, *, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise DefinitionError(f"{option} {text}: a name and a value are needed", hint=f"Type: {option} NAME=VALUE")
    return name, value
