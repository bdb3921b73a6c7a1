"""Verbs of tasks that no run has hold of: create, list, show, edit, revise, cancel, reopen."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, Problem, invalid
from punchlist.model.allowed import nearest
from punchlist.model.ids import ProjectId, TaskId
from punchlist.model.states import TaskStatus
from punchlist.render import shapes
from punchlist.service import lookup

if TYPE_CHECKING:
    from punchlist.engine.document_checks import Known
    from punchlist.model.events import TaskFact
    from punchlist.model.json import Json
    from punchlist.model.records import Task
    from punchlist.model.state import TaskState
    from punchlist.ports import Reader, Writer
    from punchlist.service.context import Answer, Service


def create(service: "Service", project: str | None, *, document: "Json", key: str | None = None) -> "Answer":
    """Make a draft of a task file's content; its checks are run on the base, which is not waited for.

    Raises DefinitionError with every problem of the document. The same `key` again returns the first answer.
    """
    from punchlist.engine import documents
    from punchlist.service import proofs, publishing
    from punchlist.service.recording import create_task
    from punchlist.service.repeating import Repeatable

    call = Repeatable(key, "task create", {"project": project, "document": document})
    proving = proofs.Proving(service)
    with service.store.write() as writer:
        known = call.answered(writer)
        if isinstance(known, dict):
            return known
        owner = lookup.project(writer, project)
        name = TaskId(f"T{writer.allocate('task')}")
        service.committing(writer, about=name)
        made = documents.new_task(
            document,
            task=name,
            project=ProjectId(owner.id),
            known=known_names(service, writer, needs=named_needs(document), project=owner.id),
            what="the task",
        )
        state = create_task(writer, made, service=service)
        asked = proving.ask(writer, state)
        answer: Answer = {"task": shapes.task(state)}
        call.keep(writer, answer)
    publishing.refresh(service, [state])
    service.engine.announce()
    if asked:
        service.engine.wake()
    return answer


def listing(service: "Service", project: str | None = None, *, statuses: Sequence[str] = ()) -> "Answer":
    """Return a line for each task, of one project or of all."""
    if problems := state_problems(statuses):
        raise invalid(problems, what="the list of tasks")
    wanted = [TaskStatus(each) for each in statuses]
    with service.store.read() as reader:
        owner = None if project is None else ProjectId(lookup.project(reader, project).id)
        return {"tasks": [*shapes.task_summaries(reader.tasks(owner, statuses=wanted))]}


def show(service: "Service", task: str) -> "Answer":
    """Return one task with its steps in full, and the terms on which it is approved."""
    from punchlist.service import on_terms

    with service.store.read() as reader:
        return {"task": on_terms.shown(service, reader, state=lookup.task(reader, task))}


def edit(
    service: "Service",
    task: str,
    *,
    changes: "Json",
    expected_version: int | None = None,
    key: str | None = None,
) -> "Answer":
    """Change a draft by the given fields of its file; all others stay. Raises DefinitionError with every problem."""
    from punchlist.engine import document_moves as moves, documents
    from punchlist.service.recording import change_task
    from punchlist.service.repeating import Repeatable

    if not isinstance(changes, dict):
        raise DefinitionError(f"the change of {task} is not a map of fields", where=task)
    given = changes
    call = Repeatable(key, "task edit", {"task": task, "changes": given, "expected_version": expected_version})

    def decide(writer: "Writer", state: "TaskState") -> "list[TaskFact]":
        wanted = named_needs(given) if "needs" in given else state.task.needs
        edited = documents.changed_task(
            state.task,
            given,
            known=known_names(service, writer, needs=wanted, project=state.task.project),
            free=free_number(writer, state.task),
            what=f"the change of {task}",
        )
        return moves.edit(state, edited, what=", ".join(given))

    return change_task(service, task, decide=decide, expected=expected_version, call=call)


def revise(service: "Service", task: str, *, reason: str = "", expected_version: int | None = None) -> "Answer":
    """Bring an approved task back to draft; what runs of it is stopped first, what is accepted stays.

    A commit that is being made is waited for. Refused, it has changed nothing.
    """
    from punchlist.engine import document_moves as moves
    from punchlist.model.commands import Revise
    from punchlist.service.holding import steer

    return steer(
        service,
        task,
        command=lambda run: Revise(run=run, reason=reason, expected_version=expected_version),
        alone=lambda _, state: moves.revise(state, reason=reason),
        expected=expected_version,
        ends=True,
    )


def cancel(service: "Service", task: str, *, reason: str = "") -> "Answer":
    """End a task; a run that has hold of it is cancelled, and its agents are stopped.

    Nothing of it runs any more by then: a commit that was being made is accepted before, and no other one will be.
    """
    from punchlist.engine import document_moves as moves
    from punchlist.model.commands import Cancel
    from punchlist.service.holding import steer

    return steer(
        service,
        task,
        command=lambda run: Cancel(run=run, reason=reason),
        alone=lambda _, state: moves.cancel(state, reason=reason),
        ends=True,
    )


def reopen(service: "Service", task: str, *, reason: str = "") -> "Answer":
    """Bring a task that is over back to ready, with its failed and cancelled steps to pending."""
    from punchlist.engine import document_moves as moves
    from punchlist.service.recording import change_task

    return change_task(service, task, decide=lambda _, state: moves.reopen(state, reason=reason))


def known_names(
    service: "Service", reader: "Reader", *, needs: Iterable[object], project: str, plan: tuple[TaskId, ...] = ()
) -> "Known":
    """Return what a document of the project may name: all workers, and of tasks those that it names and theirs."""
    from punchlist.engine.document_checks import Known
    from punchlist.model.settings import worker_names

    tasks: dict[TaskId, Sequence[str]] = {}
    waiting = [TaskId(need) for need in needs if isinstance(need, str) and lookup.kind_of(need) == "task"]
    while waiting:
        name = waiting.pop()
        found = reader.task(name) if name not in tasks else None
        if found is not None and found.task.project == project:
            tasks[name] = found.task.needs
            waiting += [TaskId(need) for need in found.task.needs]
    return Known(workers=frozenset(worker_names(service.settings)), tasks=tasks, plan=plan)


def named_needs(document: "Json") -> "Sequence[Json]":
    """Return what a written task says that it needs, ill-shaped as it may be."""
    needs = document.get("needs") if isinstance(document, dict) else None
    return needs if isinstance(needs, list) else ()


def free_number(reader: "Reader", task: "Task") -> int:
    """Return the number of a task's next step: one more than any step ever had, those removed included."""
    from punchlist.model.records import Task
    from punchlist.service import publishing

    highest = max((step.index for step in task.steps), default=0)
    for event in publishing.events_of(reader, task.id):
        edited = getattr(event.fact, "task", None)
        if isinstance(edited, Task):
            highest = max([highest, *(step.index for step in edited.steps)])
    return highest + 1


def state_problems(names: Sequence[str]) -> list[Problem]:
    """Return the problem of each name that is no state of tasks, at its place in `status`."""
    allowed = [each.value for each in TaskStatus]
    return [
        Problem(f"status[{at}]", f"{name[:80]!r} is not a state of tasks", ", ".join(allowed), nearest(name, allowed))
        for at, name in enumerate(names)
        if name not in allowed
    ]
