"""The verb that says how things stand: first what needs a person, each with the command to type."""

from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError
from punchlist.model.json import plain
from punchlist.model.states import TaskStatus
from punchlist.render import shapes
from punchlist.service.placing import waiting as waiting_for_a_place
from punchlist.service.programs import troubles

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.model.rows import GateRow, TaskSummary
    from punchlist.model.state import AttemptState
    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Service

_HELD = frozenset({TaskStatus.RUNNING, TaskStatus.WAITING})


def status(service: "Service", *, since: str | None = None) -> "Answer":
    """Return the engine, what runs, what waits for a person, what went wrong, and what was accepted since a time.

    `since` is an ISO 8601 time; without it all that was accepted or failed is told. `commands` repeats what to type.
    """
    after = _time(since)
    with service.store.read() as reader:
        lines = reader.tasks()
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
    by_status = {each: [line for line in lines if line.status is each] for each in TaskStatus}
    waiting = [_gate(each) for each in gates]
    drafts = _lines(by_status[TaskStatus.DRAFT], "punchlist approve")
    ready = _lines(by_status[TaskStatus.READY], "punchlist task start")
    failed = _lines([line for line in by_status[TaskStatus.FAILED] if line.changed_at >= after], "punchlist why")
    accepted = [line for line in by_status[TaskStatus.ACCEPTED] if line.changed_at >= after]
    engine = service.engine.status()
    live: list[Json] = [{**shapes.run(run, []), "nodes": []} for run in runs]
    commands = [str(each["command"]) for each in (*waiting, *failed, *drafts, *ready) if isinstance(each, dict)]
    return {
        "engine": plain(engine),
        "projects": [*projects],
        "waiting": waiting,
        "accepted": [{**line, "command": ""} for line in shapes.task_summaries(accepted)],
        "failed": failed,
        "running": _lines([line for line in lines if line.status in _HELD], "punchlist why"),
        "runs": live,
        "parked": [*parked],
        "in_line": [_in_line(each, what) for each, what in in_line],
        "ready": ready,
        "drafts": drafts,
        "problems": [
            *_problems(lines, engine_runs=engine.running, live=bool(runs), pending=len(pending)),
            *beside,
        ],
        "commands": [*(commands if projects else [_first_project(service)])],
    }


def _first_project(service: "Service") -> str:
    """Return what makes a project where there is none: in a repository `init` goes on with what it could not do."""
    in_git = (service.root / ".git").exists()
    return "punchlist init" if in_git else "punchlist project create NAME --spec FILE"


def _lines(lines: "list[TaskSummary]", command: str) -> "list[Json]":
    return [{**line, "command": f"{command} {line['id']}"} for line in shapes.task_summaries(lines)]


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


def _problems(lines: "list[TaskSummary]", *, engine_runs: bool, live: bool, pending: int) -> "list[Json]":
    problems: list[Json] = []
    if (live or pending) and not engine_runs and not _only_paused(lines):
        problems.append(
            {
                "where": "engine",
                "message": f"{_held(live=live, pending=pending)}, but no engine is at work",
                "command": "punchlist engine start",
            }
        )
    paused = [line.id for line in lines if line.paused]
    problems += [{"where": each, "message": "is paused", "command": f"punchlist resume {each}"} for each in paused]
    return problems


def _held(*, live: bool, pending: int) -> str:
    waits = "1 command waits" if pending == 1 else f"{pending} commands wait"
    return " and ".join([*(["runs are live"] if live else []), *([waits] if pending else [])])


def _only_paused(lines: "list[TaskSummary]") -> bool:
    held = [line for line in lines if line.status in _HELD]
    return bool(held) and all(line.paused for line in held)


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
