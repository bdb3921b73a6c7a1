"""`punchlist demo`: the whole loop on a sample, without any key or network."""

import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from punchlist.cli.attach import finish, show_story
from punchlist.cli.commands import Verb, examples
from punchlist.cli.session import Session
from punchlist.cli.tables import strong
from punchlist.cli.views import tasks as views
from punchlist.errors import RefusedError, WorkerError

DEFAULT = "punchlist-demo"
PROJECT = "greeter"
_AUTHOR = ("-c", "user.name=Punchlist demo", "-c", "user.email=demo@example.invalid", "-c", "commit.gpgSign=false")


@click.command(cls=Verb, epilog=examples("punchlist demo", "punchlist demo my-demo"))
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def demo(session: Session, folder: Path | None) -> int:
    """Deliver a sample in DIR: from spec to plan, build, failing checks, rework, and accepted commits.

    Without DIR the folder is punchlist-demo or, where there is one, punchlist-demo-2, and so on.

    A small library, a spec for it, and two scripted workers that stand in for coding agents: the builder's first tries
    are wrong in different ways, and the engine and the reviewer find out.
    """
    from punchlist import wiring

    wiring.refuse_inside("demo")
    place = _place(session, folder)
    _copy(resources.files("punchlist").joinpath("data", "demo"), place)
    _commit_all(place / PROJECT)
    session.say(f"A library, a spec for it and two scripted workers are in {place}\n")
    with session.progress as say:
        wiring.create_workspace(place, nested=True, say=say)
    session.service = wiring.open_service(place)
    tasks = _plan(session, place)
    return _deliver(session, tasks, place=place)


def _place(session: Session, folder: Path | None) -> Path:
    """Make the folder: empty, and ignored by a repository that it may be in."""
    here = session.directory.absolute()
    place = here / folder if folder else _first_free(here)
    if place.exists() and any(place.iterdir()):
        raise RefusedError(f"{place} is not empty", hint="Name another folder, or none: punchlist demo")
    place.mkdir(parents=True, exist_ok=True)
    (place / ".gitignore").write_text("*\n", encoding="utf-8")
    return place


def _first_free(here: Path) -> Path:
    names = itertools.chain([DEFAULT], (f"{DEFAULT}-{number}" for number in itertools.count(2)))
    return next(place for name in names if not (place := here / name).exists())


def _copy(source: Traversable, target: Path) -> None:
    """Copy the sample; `.in`, which keeps its Python from being taken for the program's own, is left off."""
    for path, data in _files(source, ""):
        file = target / path.removesuffix(".in")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _files(each, f"{prefix}{each.name}/")
        else:
            yield f"{prefix}{each.name}", each.read_bytes()


def _commit_all(repository: Path) -> None:
    """Make the sample a repository as a person would; their own git settings stay out of it."""
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        ("commit", "--quiet", "-m", "Greet"),
    ):
        try:
            subprocess.run(["git", *_AUTHOR, *arguments], cwd=repository, check=True, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise WorkerError(
                "git is not there", hint="Install git 2.38 or newer, for example: apt install git"
            ) from None


def _plan(session: Session, place: Path) -> list[str]:
    from punchlist.service import inputs, plans, projects

    service = session.service
    with session.progress as say:
        spec = inputs.text_file(place / "spec.md")
        projects.create(service, PROJECT, spec=spec, repo=str(place / PROJECT), title="Greets people", say=say)
        session.say(_typed("plan", "headings of spec.md become steps, bullets become criteria, each with its check"))
        answer = plans.plan(service, PROJECT, say=say)
    session.say(views.drafts(answer) + "\n")
    return views.ids_of(answer, "tasks")


def _deliver(session: Session, tasks: list[str], *, place: Path) -> int:
    from punchlist.service import approvals, engines, starts

    for name in tasks:
        session.say(
            _typed(f"approve {name}", "the checks ran on the base: each is red, or a guard that must stay green")
        )
        with session.progress as say:
            session.say(views.proof(approvals.approve(session.service, name, say=say)) + "\n")
    session.say(_typed(f"task start {' '.join(tasks)} --follow", ""))
    answer = starts.start(session.service, tasks)
    session.attached = True
    show_story(session, answer)
    code = finish(session, answer)
    engines.stop(session.service)
    if code == 0:
        session.say(_where_next(session, tasks, place=place))
    return code


def _typed(command: str, remark: str) -> str:
    return strong(f"$ {_program()} {command}") + (f"    # {remark}" if remark else "")


def _program() -> str:
    """Return how this program is called here: a name that is not on PATH is nothing to type."""
    if shutil.which("punchlist") is not None:
        return "punchlist"
    called = Path(sys.argv[0])
    return f"{sys.executable} -m punchlist" if called.name == "__main__.py" else str(called)


def _where_next(session: Session, tasks: list[str], *, place: Path) -> str:
    from punchlist.service import tasks as verbs

    branches = [views.branch_of(verbs.show(session.service, name)) or "main" for name in tasks]
    command, repository = f"{_program()} -C {place}", place / PROJECT
    return "\n".join(
        [
            "",
            strong("Accepted commits, on branches of your repository:"),
            *(_log(repository, branch) for branch in branches),
            "",
            strong("Where to look next:"),
            f"  {command} report {tasks[0]}      # the whole story: rounds, verdicts, findings, commits",
            f"  {command} why {tasks[0]}         # from each criterion to its verdict, evidence and commit",
            f"  {command} log verify     # recompute every hash of the record",
            f"  git -C {repository} log -p {branches[0]}",
        ]
    )


def _log(repository: Path, branch: str) -> str:
    command = ["git", "log", "--format=  %h %s%n%w(0,10,10)%(trailers)", f"main..{branch}"]
    done = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
    return f"  {branch}\n{done.stdout.rstrip()}"
