"""Verbs of gates, and a person's overrides of a verdict: list, decide, waive, rework."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.ids import FindingId, StepId, step_task
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
    """Pass over a finding; the waiver is shown wherever its verdict is. Returns `{task, left}`: what blocks still.

    A gate on several findings stays open until none is left.
    """
    from punchlist.engine import document_moves as moves
    from punchlist.engine.waiving import left_open
    from punchlist.model.commands import Waive
    from punchlist.service.holding import steer

    service.require_person("waive")
    if not reason.strip():
        raise DefinitionError("a waiver needs a reason", where=finding, hint="Give it with --reason TEXT")
    with service.store.read() as reader:
        state = lookup.finding(reader, finding)
        task, where = state.task.id, state.findings[FindingId(finding)]
    answer = steer(
        service,
        task,
        command=lambda run: Waive(run=run, finding=FindingId(finding), reason=reason),
        alone=lambda _, found: moves.waive(found, FindingId(finding), by=service.actor, reason=reason),
    )
    with service.store.read() as reader:
        return {**answer, "left": [*left_open(lookup.task(reader, task), StepId(where) if where else None)]}


def rework(service: "Service", step: str, *, message: str, yes: bool = False) -> "Answer":
    """Send a step back to its builder with a person's finding; one of a task that is over is opened again and started.

    Returns `{task}`, and `run` when one was started for it. Raises RefusedError (`invalidates`) that lists the accepted
    steps that were built on it, unless `yes`: they are opened again, too.
    """
    from punchlist.engine import document_moves as moves
    from punchlist.model.commands import AskRework
    from punchlist.service import starts, steps
    from punchlist.service.holding import steer, unheld

    service.require_person("rework")
    if not message.strip():
        raise DefinitionError("rework needs a message", where=step, hint="Give it with -m TEXT")
    with service.store.read() as reader:
        state, found = lookup.step(reader, step)
        task = step_task(StepId(step))
        live = lookup.live_run(reader, task) is not None

    starting = not live and found.status in FINAL_STEP and _was_approved(state)
    ask = moves.rework_now if starting else moves.ask_rework

    def alone(writer: "Writer", state: "TaskState") -> "list[TaskFact]":
        finding = FindingId(f"F{writer.allocate('finding')}")
        facts = ask(state, StepId(step), message=message, finding=finding)
        steps.check_agreed(state, StepId(step), yes=yes, command=f"punchlist rework {step} -m TEXT --yes")
        return facts

    if starting:
        return starts.start_after(service, task, decide=unheld(alone))
    return steer(
        service,
        task,
        command=lambda run: AskRework(run=run, step=StepId(step), message=message),
        alone=alone,
    )


def _was_approved(state: "TaskState") -> bool:
    task = state.task
    return task.digest is not None and task.status is not TaskStatus.DRAFT
