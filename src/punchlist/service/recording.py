"""The one way in which verbs change documents: facts, sealed, appended, folded, and the rows of what follows."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from punchlist.engine import document_moves as moves
from punchlist.engine.fold_project import fold_project
from punchlist.engine.fold_task import fold_task
from punchlist.errors import RefusedError
from punchlist.model import events as ev
from punchlist.model.gates import GATES
from punchlist.model.ids import NodePath, ProjectId, StreamId, TaskId
from punchlist.model.records import Project, Task
from punchlist.model.rows import GateRow
from punchlist.model.state import GateState, TaskState
from punchlist.model.states import GateStatus
from punchlist.render import shapes
from punchlist.service import lookup, proofs, publishing
from punchlist.service.repeating import UNREPEATABLE, Repeatable

if TYPE_CHECKING:
    from punchlist.ports import Reader, Writer
    from punchlist.service.context import Answer, Service

Decide = Callable[["Writer", TaskState], Sequence[ev.TaskFact]]

_DECIDED = {"withdrawn": GateStatus.WITHDRAWN}
_DRAFT_ONLY = frozenset({"TaskProved", "ApprovalProposed", "ApprovalDecided"})
"""Facts that leave a draft as it was: a change made for the version before them still fits."""


def change_task(
    service: "Service", task: str, *, decide: Decide, expected: int | None = None, call: Repeatable = UNREPEATABLE
) -> "Answer":
    """Change a task by the facts that `decide` returns, in one transaction; no facts change nothing.

    Raises ConflictError when the task is not at version `expected`. The same `call` again returns the first answer.
    What the draft's checks show is asked for anew when their document changed.
    """
    proving = proofs.Proving(service)
    with service.store.write() as writer:
        known = call.answered(writer)
        if isinstance(known, dict):
            return known
        service.committing(writer, about=task)
        before = lookup.task(writer, task)
        check_seen(writer, before.task, expected=expected)
        facts = decide(writer, before)
        state = record(writer, before, facts=facts, service=service)
        asked = any(isinstance(fact, ev.TaskEdited | ev.TaskRevised) for fact in facts) and proving.ask(writer, state)
        answer: Answer = {"task": shapes.task(state)}
        call.keep(writer, answer)
    if facts:
        publishing.refresh(service, [state], before=before)
        service.engine.announce()
    if asked:
        service.engine.wake()
    return answer


def create_task(writer: "Writer", task: Task, *, service: "Service") -> TaskState:
    """Record a new draft, whose stream begins with it."""
    head = writer.open_stream(StreamId(service.ids.uuid()), kind="task", local=task.id)
    event = ev.seal(head, ev.TaskCreated(task=task), at=service.now(), actor=service.actor)
    state = fold_task(None, writer.append([event])[0])
    writer.put([state])
    return state


def record(writer: "Writer", state: TaskState, *, facts: Sequence[ev.TaskFact], service: "Service") -> TaskState:
    """Append `facts` to the task's stream and return the task after them; its row and its proposal's gate are put."""
    for fact in facts:
        head = writer.head("task", state.task.id)
        if head is None:
            raise RefusedError(f"task {state.task.id} has no stream", hint="Type: punchlist log verify")
        (event,) = writer.append([ev.seal(head, fact, at=service.now(), actor=service.actor)])
        state = fold_task(state, event)
        gate = approval_gate(state.task, event, before=_proposal(writer, fact))
        if gate is not None:
            writer.put([gate])
    if facts:
        writer.put([state])
    return state


def record_project(writer: "Writer", project: Project, *, before: Project | None, service: "Service") -> Project:
    """Record a project as created (`before` None) or edited, and return it."""
    if before is None:
        head = writer.open_stream(StreamId(service.ids.uuid()), kind="project", local=project.id)
        fact: ev.ProjectFact = ev.ProjectCreated(project=project)
    else:
        found = writer.head("project", project.id)
        if found is None:
            raise RefusedError(f"project {project.id} has no stream", hint="Type: punchlist log verify")
        head, fact = found, ev.ProjectEdited(project=project)
    (event,) = writer.append([ev.seal(head, fact, at=service.now(), actor=service.actor)])
    folded = fold_project(before, event)
    writer.put([folded])
    return folded


def approval_gate(task: Task, event: ev.Event, *, before: GateRow | None) -> GateRow | None:
    """Return the gate of a proposal as it is after `event`, or None when the event says nothing of one."""
    match event.fact:
        case ev.ApprovalProposed() as fact:
            gate = GateState(
                id=fact.gate,
                kind="approval",
                node=NodePath(""),
                message=fact.message or f"{task.id} {task.title}",
                shows=fact.digest,
                choices=tuple(choice.name for choice in GATES["approval"].choices),
                opened_by=event.actor,
                since=event.at,
            )
            return GateRow(gate=gate, project=ProjectId(task.project), task=TaskId(task.id))
        case ev.ApprovalDecided() as fact if before is not None:
            decided = msgspec.structs.replace(
                before.gate,
                status=_DECIDED.get(fact.choice, GateStatus.DECIDED),
                choice=fact.choice,
                data={"note": fact.message} if fact.message else {},
                by=event.actor,
                decided_at=event.at,
            )
            return msgspec.structs.replace(before, gate=decided)
        case _:
            return None


def _proposal(writer: "Writer", fact: ev.TaskFact) -> GateRow | None:
    return writer.gate(fact.gate) if isinstance(fact, ev.ApprovalDecided) else None


def check_seen(reader: "Reader", task: Task, *, expected: int | None) -> None:
    """Raise ConflictError for a change made for an older version, unless only proofs and proposals came since."""
    if expected is not None and expected < task.version and _unchanged_since(reader, task, version=expected):
        return
    moves.check_version(task, expected)


def _unchanged_since(reader: "Reader", task: Task, *, version: int) -> bool:
    head = reader.head("task", task.id)
    if head is None or version < 1:
        return False
    state: TaskState | None = None
    for event in reader.events(stream=head.stream):
        old = state.task.version if state is not None else 0
        state = fold_task(state, event)
        if old >= version and event.kind not in _DRAFT_ONLY:
            return False
    return True
