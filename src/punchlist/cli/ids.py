"""What the shell may complete: the ids that the workspace holds. A workspace that cannot be read completes nothing."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import click

from punchlist.cli.session import Session
from punchlist.cli.views.seen import GateSeen, RunSeen, seen
from punchlist.errors import PunchlistError
from punchlist.model.json import Json

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
Found = Iterator[tuple[str, str]]


def _completing(*sources: Callable[[Session], Found]) -> Complete:
    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        session = context.ensure_object(Session)
        try:
            found = [pair for source in sources for pair in source(session)]
        except PunchlistError:
            return []
        return [_item(name, text) for name, text in found if name.startswith(incomplete)]

    return complete


def _rows(answer: Mapping[str, Json], noun: str) -> Iterator[dict[str, Json]]:
    yield from seen(list[dict[str, Json]], answer[noun])


def _projects(session: Session) -> Found:
    from punchlist.service import projects

    for row in _rows(projects.listing(session.service), "projects"):
        yield str(row["id"]), str(row["title"])


def _tasks(session: Session) -> Found:
    from punchlist.service import tasks

    for row in _rows(tasks.listing(session.service), "tasks"):
        yield str(row["id"]), f"{row['title']} ({row['status']})"


def _drafts(session: Session) -> Found:
    """Return the tasks that a person can still approve or reject."""
    from punchlist.service import tasks

    for row in _rows(tasks.listing(session.service, statuses=["draft"]), "tasks"):
        yield str(row["id"]), f"{row['title']} (draft)"


def _steps(session: Session) -> Found:
    from punchlist.service import steps

    for task, _ in _tasks(session):
        for row in _rows(steps.listing(session.service, task), "steps"):
            yield str(row["id"]), f"{row['title']} ({row['status']})"


def _gates(session: Session) -> Found:
    from punchlist.service import gates

    for row in _rows(gates.listing(session.service), "gates"):
        yield str(row["id"]), f"{row['kind']}: {row['message']}"


def _runs(session: Session) -> Found:
    from punchlist.service import runs

    for row in seen(list[RunSeen], runs.listing(session.service)["runs"]):
        yield row.id, f"{row.flow} ({row.status})"


def flows(context: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the names of flows, and files."""
    from click.shell_completion import CompletionItem

    from punchlist import wiring

    known = wiring.known_flows(context.ensure_object(Session).directory)
    names = sorted({*known.names(), *known.own()})
    return [
        *(_item(name, None) for name in names if name.startswith(incomplete)),
        CompletionItem(incomplete, type="file"),
    ]


def choices(context: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the choices of the gate that the call names."""
    try:
        names = _choices(context.ensure_object(Session), str(context.params.get("gate")))
    except PunchlistError:
        return []
    return [_item(name, None) for name in names if name.startswith(incomplete)]


def _item(name: str, text: str | None) -> "CompletionItem":
    from click.shell_completion import CompletionItem

    return CompletionItem(name, help=text)


def _choices(session: Session, gate: str) -> list[str]:
    from punchlist.service import gates

    found = seen(list[GateSeen], gates.listing(session.service)["gates"])
    return [choice.name for each in found if each.id == gate for choice in each.choices]


PROJECTS = _completing(_projects)
TASKS = _completing(_tasks)
STEPS = _completing(_steps)
GATES = _completing(_gates)
TASKS_OR_GATES = _completing(_drafts, _gates)
RUNS = _completing(_runs)
TASKS_OR_RUNS = _completing(_tasks, _runs)
TASKS_RUNS_OR_STEPS = _completing(_tasks, _runs, _steps)
TASKS_OR_STEPS = _completing(_tasks, _steps)
