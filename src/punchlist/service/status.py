"""The verb that says how things stand: first what needs a person, each with the command to type."""

from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError
from punchlist.model.json import plain
from punchlist.model.states import TaskStatus
from punchlist.render import shapes
from punchlist.service.placing import waiting as waiting_for_a_place
from punchlist.service.programs import troubles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from punchlist.model.json import Json
    from punchlist.model.rows import GateRow, TaskSummary
    from punchlist.model.state import AttemptState
    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Service

_HELD = (TaskStatus.RUNNING, TaskStatus.WAITING)
_LISTS: "Mapping[str, tuple[tuple[TaskStatus, ...], str]]" = {
    "accepted": ((TaskStatus.ACCEPTED,), ""),
    "failed": ((TaskStatus.FAILED,), "punchlist why"),
    "running": (_HELD, "punchlist why"),
    "ready": ((TaskStatus.READY,), "punchlist task start"),
    "drafts": ((TaskStatus.DRAFT,), "punchlist approve"),
}
"""Lists of tasks, in which status they are, and what moves such a task on."""
_OVER = ("accepted", "failed")
"""Lists that `since` cuts."""
_TO_TYPE = ("waiting", "failed", "drafts", "ready")


def status(service: "Service", *, since: str | None = None, most: int | None = None) -> "Answer":
    """Return the engine, what runs, what waits for a person, what went wrong, and what was accepted since a time.

    `since` is an ISO 8601 time; without it all that was accepted or failed is told. `most` is how many lines of a list
    are wanted, by default all; `totals` says how many there are of each. `commands` repeats what to type.
    """
    after = _time(since)
    with service.store.read() as reader:
        tasks = _tasks(reader, after=after, most=most)
        counted = _counted(reader, after=after)
        paused = reader.paused_tasks()
        gates = reader.gates()
        runs = reader.runs(live=True)
        in_line = waiting_for_a_place(service, reader)
        placeless = {each.id for each, _ in in_line}
        parked = [_parked(reader, each) for each in reader.parked() if each.id not in placeless]
        pending = reader.inbox()
        projects = [each.id for each in reader.projects()]
        beside: list[Json] = [
            {"where": each.where, "message": each.message, "command": "punchlist doctor"} for each in troubles(reader)
        ]
    engine = service.engine.status()
    idle = (runs or pending) and not engine.running and not _only_paused(paused, held=counted["running"])
    lists: dict[str, list[Json]] = {
        "projects": [*projects],
        "waiting": [_gate(each) for each in gates],
        **tasks,
        "runs": [{**shapes.run(run, []), "nodes": []} for run in runs],
        "parked": parked,
        "in_line": [_in_line(each, what) for each, what in in_line],
        "problems": [
            *([_idle(live=bool(runs), pending=len(pending))] if idle else []),
            *(_paused(each.id) for each in paused),
            *beside,
        ],
    }
    commands: list[Json] = [each["command"] for name in _TO_TYPE for each in lists[name] if isinstance(each, dict)]
    lists["commands"] = commands if projects else [_first_project(service)]
    totals: dict[str, Json] = {name: len(each) for name, each in lists.items()}
    totals["commands"] = len(gates) + counted["failed"] + counted["drafts"] + counted["ready"] if projects else 1
    return {"engine": plain(engine), **{name: each[:most] for name, each in lists.items()}, "totals": totals | counted}


def _tasks(reader: "Reader", *, after: str, most: int | None) -> "dict[str, list[Json]]":
    """Return the first lines of each list of tasks."""
    found: dict[str, list[Json]] = {}
    for name, (statuses, command) in _LISTS.items():
        since = after if name in _OVER else ""
        lines = [line for each in statuses for line in reader.tasks_standing(each, since=since, most=most)]
        found[name] = _lines(sorted(lines, key=_number) if len(statuses) > 1 else lines, command)
    return found


def _counted(reader: "Reader", *, after: str) -> dict[str, int]:
    """Return how many tasks there are of each list."""
    of_all = reader.tasks_counted()
    over = reader.tasks_counted(since=after) if after else of_all
    return {
        name: sum((over if name in _OVER else of_all).get(each, 0) for each in statuses)
        for name, (statuses, _) in _LISTS.items()
    }


def _first_project(service: "Service") -> str:
    """Return what makes a project where there is none: in a repository `init` goes on with what it could not do."""
    in_git = (service.root / ".git").exists()
    return "punchlist init" if in_git else "punchlist project create NAME --spec FILE"


def _lines(lines: "list[TaskSummary]", command: str) -> "list[Json]":
    return [{**line, "command": f"{command} {line['id']}" if command else ""} for line in shapes.task_summaries(lines)]


def _number(line: "TaskSummary") -> int:
    return int(line.id[1:])


def _gate(row: "GateRow") -> "Json":
    gate = row.gate
    command = f"punchlist approve {row.task}" if gate.kind == "approval" else f"punchlist decide {gate.id} CHOICE"
    return {**shapes.gate(row), "command": command}


def _parked(reader: "Reader", state: "AttemptState") -> "Json":
    """Return an attempt that waits for its time, and why: what became of the one that it comes after."""
    before = reader.attempt(state.after) if state.after is not None else None
    failed = before.outcome if before is not None else None
    return {
        "attempt": state.id,
        "run": state.run,
        "step": state.step,
        "node": state.node,
        "role": state.role.value,
        "worker": state.worker,
        "failure_class": failed.failure.value if failed is not None and failed.failure else None,
        "reason": failed.reason if failed is not None else "",
        "not_before": state.not_before,
        "command": f"punchlist why {state.step or state.id}",
    }


def _in_line(state: "AttemptState", what: str) -> "Json":
    """Return an attempt that waits for a place, and which limit is in its way."""
    return {
        "attempt": state.id,
        "run": state.run,
        "step": state.step,
        "node": state.node,
        "role": state.role.value,
        "worker": state.worker,
        "waits_for": f"a place: {what}",
        "command": f"punchlist why {state.step or state.id}",
    }


def _idle(*, live: bool, pending: int) -> "Json":
    return {
        "where": "engine",
        "message": f"{_held(live=live, pending=pending)}, but no engine is at work",
        "command": "punchlist engine start",
    }


def _paused(task: str) -> "Json":
    return {"where": task, "message": "is paused", "command": f"punchlist resume {task}"}


def _held(*, live: bool, pending: int) -> str:
    waits = "1 command waits" if pending == 1 else f"{pending} commands wait"
    return " and ".join([*(["runs are live"] if live else []), *([waits] if pending else [])])


def _only_paused(paused: "list[TaskSummary]", *, held: int) -> bool:
    return 0 < held == sum(line.status in _HELD for line in paused)


def _time(since: str | None) -> str:
    from datetime import UTC, datetime

    from punchlist.service.context import stamp

    if since is None:
        return ""
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise DefinitionError(
            f"{since!r} is not a time", where="--since", hint="Allowed: 2026-11-21 or 2026-11-21T08:00"
        ) from None
    return stamp((moment if moment.tzinfo else moment.astimezone()).astimezone(UTC))
