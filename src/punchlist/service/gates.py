"""Verbs of gates, and a person's overrides of a verdict: list, decide, waive, rework."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.ids import FindingId, RunId, StepId, step_task
from punchlist.model.states import FINAL_STEP, TaskStatus
from punchlist.render import shapes
from punchlist.service import lookup

if TYPE_CHECKING:
    from punchlist.model.events import TaskFact
    from punchlist.model.json import Json
    from punchlist.model.state import TaskState
    from punchlist.ports import Writer
    from punchlist.service.context import Answer, Service


def listing(service: "Service", *, everything: bool = False) -> "Answer":
    """Return the gates that are open, oldest first; with `everything` those that are decided, too."""
    with service.store.read() as reader:
        return {"gates": [shapes.gate(each) for each in reader.gates(everything=everything)]}


def decide(
    service: "Service",
    gate: str,
    *,
    choice: str,
    message: str = "",
    data: "Mapping[str, Json] | None" = None,
    shows: str | None = None,
) -> "Answer":
    """Decide a gate by one of its choices; waits for the engine's answer.

    `message` fills the choice's own text field. With `shows` the decision holds only for what has that digest.
    Raises DefinitionError for a choice or data that the gate does not have, RefusedError when it is decided.
    """
    from punchlist.model.gates import choice_of
    from punchlist.service import approvals
    from punchlist.service.gate_commands import decide_in_run, refuse_closed

    service.require_person("decide")
    with service.store.read() as reader:
        row = lookup.gate(reader, gate)
    refuse_closed(row)
    if shows is not None and shows != row.gate.shows:
        raise RefusedError(
            f"gate {gate} shows {row.gate.shows} now, not {shows}", where=gate, hint="Look at it again: punchlist gates"
        )
    if row.run is None:
        choice_of(row.gate.kind, choice)
        if choice == "reject":
            return approvals.reject(service, gate, message=message)
        return approvals.approve(service, gate, message=message)
    return decide_in_run(service, row, run=row.run, choice=choice, message=message, data=data or {})


def waive(service: "Service", finding: str, *, reason: str) -> "Answer":
    """Pass over a finding; the waiver is shown wherever its verdict is."""
    from punchlist.engine import document_moves as moves
    from punchlist.model.commands import Waive
    from punchlist.service import inbox
    from punchlist.service.recording import change_task

    service.require_person("waive")
    if not reason.strip():
        raise DefinitionError("a waiver needs a reason", where=finding, hint="Give it with --reason TEXT")
    with service.store.read() as reader:
        state = lookup.finding(reader, finding)
        run = lookup.live_run(reader, state.task.id)
    if run is not None:
        inbox.send(service, Waive(run=RunId(run.id), finding=FindingId(finding), reason=reason))
        with service.store.read() as reader:
            return {"task": shapes.task(lookup.task(reader, state.task.id))}

    def decide_alone(_writer: "Writer", found: "TaskState") -> "list[TaskFact]":
        return moves.waive(found, FindingId(finding), by=service.actor, reason=reason)

    return change_task(service, state.task.id, decide=decide_alone)


def rework(service: "Service", step: str, *, message: str, yes: bool = False) -> "Answer":
    """Send a step back to its builder with a person's finding; one of a task that is over is opened again and started.

    Returns `{task}`, and `run` when one was started for it. Raises RefusedError (`invalidates`) that lists the accepted
    steps that were built on it, unless `yes`: they are opened again, too.
    """
    from punchlist.engine import document_moves as moves
    from punchlist.model.commands import AskRework
    from punchlist.service import inbox, starts, steps
    from punchlist.service.recording import change_task

    service.require_person("rework")
    if not message.strip():
        raise DefinitionError("rework needs a message", where=step, hint="Give it with -m TEXT")
    with service.store.read() as reader:
        lookup.step(reader, step)
        task = step_task(StepId(step))
        run = lookup.live_run(reader, task)
    if run is not None:
        inbox.send(service, AskRework(run=RunId(run.id), step=StepId(step), message=message))
        with service.store.read() as reader:
            return {"task": shapes.task(lookup.task(reader, task))}

    def decide_alone(writer: "Writer", state: "TaskState") -> "list[TaskFact]":
        finding = FindingId(f"F{writer.allocate('finding')}")
        found = moves.ask_rework(state, StepId(step), message=message, finding=finding)
        steps.check_agreed(state, StepId(step), yes=yes, command=f"punchlist rework {step} -m TEXT --yes")
        return found

    with service.store.read() as reader:
        was_over = lookup.step(reader, step)[1].status in FINAL_STEP
    answer = change_task(service, task, decide=decide_alone)
    if was_over and _is_ready(answer):
        return starts.start(service, [task])
    return answer


def _is_ready(answer: "Answer") -> bool:
    task = answer["task"]
    return isinstance(task, dict) and task["status"] == TaskStatus.READY
