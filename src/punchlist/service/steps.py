"""Verbs of steps: add, edit, remove, reorder, show, list, skip, cancel, reopen."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.ids import StepId, step_task
from punchlist.model.records import Task
from punchlist.model.states import FINAL_STEP, StepStatus
from punchlist.render import shapes
from punchlist.service import lookup
from punchlist.service.tasks import free_number, known_names

if TYPE_CHECKING:
    from punchlist.model.events import TaskFact
    from punchlist.model.json import Json
    from punchlist.model.state import TaskState
    from punchlist.ports import Writer
    from punchlist.service.context import Answer, Service
    from punchlist.service.repeating import Repeatable

Change = Callable[["Writer", Task], Task]


def add(
    service: "Service",
    task: str,
    *,
    document: "Json",
    position: int | None = None,
    expected_version: int | None = None,
    key: str | None = None,
) -> "Answer":
    """Add a step to a draft, by default as its last; raises DefinitionError with every problem of the document."""
    from punchlist.engine import documents
    from punchlist.service.repeating import Repeatable

    def change(writer: "Writer", found: Task) -> Task:
        return documents.added_step(
            found,
            document,
            position=position,
            known=known_names(service, writer, needs=(), project=found.project),
            free=free_number(writer, found),
            what="the step",
        )

    arguments = {"task": task, "document": document, "position": position, "expected_version": expected_version}
    call = Repeatable(key, "step add", arguments)
    what = f"a step was added: {_title(document)}"
    return _edited(service, task, change=change, what=what, expected=expected_version, call=call)


def edit(
    service: "Service", step: str, *, changes: "Json", expected_version: int | None = None, key: str | None = None
) -> "Answer":
    """Change a draft's step by the given fields; `expected_version` is the task's."""
    from punchlist.engine import documents
    from punchlist.service.repeating import Repeatable

    if not isinstance(changes, dict):
        raise DefinitionError(f"the change of {step} is not a map of fields", where=step)
    given = changes
    task = _task_of(service, step)

    def change(writer: "Writer", found: Task) -> Task:
        known = known_names(service, writer, needs=(), project=found.project)
        return documents.changed_step(found, StepId(step), changes=given, known=known, what=f"the change of {step}")

    what = f"step {step}: {', '.join(given)}"
    call = Repeatable(key, "step edit", {"step": step, "changes": given, "expected_version": expected_version})
    return _edited(service, task, change=change, what=what, expected=expected_version, call=call)


def remove(service: "Service", step: str, *, expected_version: int | None = None) -> "Answer":
    """Remove a step from a draft; what needed it then needs what it needed."""
    from punchlist.engine import documents

    def change(_writer: "Writer", found: Task) -> Task:
        return documents.removed_step(found, StepId(step))

    return _edited(
        service, _task_of(service, step), change=change, what=f"step {step} was removed", expected=expected_version
    )


def reorder(service: "Service", task: str, *, order: Sequence[str], expected_version: int | None = None) -> "Answer":
    """Bring a draft's steps into another order, which names each of them once."""
    from punchlist.engine import documents

    def change(_writer: "Writer", found: Task) -> Task:
        return documents.reordered_steps(found, order, what=f"the order of {task}")

    return _edited(service, task, change=change, what="the steps were reordered", expected=expected_version)


def show(service: "Service", step: str) -> "Answer":
    """Return one step with its attempts and verdicts."""
    with service.store.read() as reader:
        state, found = lookup.step(reader, step)
        return {"step": shapes.step(state, StepId(found.id), attempts=reader.attempts(step=StepId(found.id)))}


def outcome(service: "Service", step: str) -> "Answer | None":
    """Return what `show` does of a step that is over, else None."""
    with service.store.read() as reader:
        over = lookup.step(reader, step)[1].status in FINAL_STEP
    return show(service, step) if over else None


def listing(service: "Service", task: str) -> "Answer":
    """Return the steps of a task, without their attempts."""
    with service.store.read() as reader:
        return {"steps": shapes.task(lookup.task(reader, task))["steps"]}


def skip(service: "Service", step: str, *, reason: str = "") -> "Answer":
    """Pass over a step; what needs it goes on."""
    return _closed(service, step, status=StepStatus.SKIPPED, reason=reason)


def cancel(service: "Service", step: str, *, reason: str = "") -> "Answer":
    """End a step, and with it those that need it."""
    return _closed(service, step, status=StepStatus.CANCELLED, reason=reason)


def reopen(service: "Service", step: str, *, reason: str = "", yes: bool = False) -> "Answer":
    """Open a step that is over again, with the accepted ones built on it; a task that is over becomes ready.

    Raises RefusedError that lists those steps, unless `yes`: nothing is invalidated before it was said.
    """
    from punchlist.engine import document_moves as moves
    from punchlist.service.recording import change_task

    def decide(_writer: "Writer", state: "TaskState") -> "list[TaskFact]":
        found = moves.reopen_step(state, StepId(step), reason=reason)
        check_agreed(state, StepId(step), yes=yes, command=f"punchlist step reopen {step} --yes")
        return found

    return change_task(service, _task_of(service, step), decide=decide)


def check_agreed(state: "TaskState", step: StepId, *, yes: bool, command: str) -> None:
    """Refuse to open a step again on which accepted ones were built, and list them, unless `yes`."""
    from punchlist.engine import document_moves as moves

    also = moves.built_on(state.task, step)
    if also and not yes:
        refused = RefusedError(
            f"reopening {step} also invalidates what was built on it: {', '.join(also)}",
            where=step,
            hint=f"If that is meant: {command}",
        )
        refused.code = "invalidates"
        raise refused


def _closed(service: "Service", step: str, *, status: StepStatus, reason: str) -> "Answer":
    from punchlist.engine import document_moves as moves
    from punchlist.model.commands import CloseStep
    from punchlist.service.holding import steer

    return steer(
        service,
        _task_of(service, step),
        command=lambda run: CloseStep(run=run, step=StepId(step), status=status.value, reason=reason),
        alone=lambda _, state: moves.close_step(state, StepId(step), status=status, reason=reason),
    )


def _edited(
    service: "Service",
    task: str,
    *,
    change: Change,
    what: str,
    expected: int | None,
    call: "Repeatable | None" = None,
) -> "Answer":
    from punchlist.engine import document_moves as moves
    from punchlist.service.recording import change_task
    from punchlist.service.repeating import UNREPEATABLE

    def decide(writer: "Writer", state: "TaskState") -> "list[TaskFact]":
        return moves.edit(state, change(writer, state.task), what=what)

    return change_task(service, task, decide=decide, expected=expected, call=call or UNREPEATABLE)


def _title(document: "Json") -> "Json":
    return document.get("title") if isinstance(document, dict) else None


def _task_of(service: "Service", step: str) -> str:
    """Return the task of a step that is there."""
    with service.store.read() as reader:
        lookup.step(reader, step)
    return step_task(StepId(step))
