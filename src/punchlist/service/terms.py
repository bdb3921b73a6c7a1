"""What of a project an approval depends on: whose it is to change, and what a change undoes."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from punchlist.engine import document_moves as moves
from punchlist.engine.terms import OF_A_PERSON, OF_CHECKS, OF_PLACE, Terms, changed_terms, terms_of
from punchlist.errors import Problem, RefusedError
from punchlist.model.ids import ProjectId
from punchlist.model.settings import FILE
from punchlist.model.states import TaskStatus
from punchlist.service import lookup, proofs
from punchlist.service.recording import record

if TYPE_CHECKING:
    from punchlist.model.records import Project, Task
    from punchlist.model.state import TaskState
    from punchlist.ports import Reader, Writer
    from punchlist.service.context import Service

_OPTIONS = {"repo": "--repo DIR", "base": "--base BRANCH", "setup": "--setup COMMAND", "path": "--path DIR"}
_APPROVED = (TaskStatus.READY, TaskStatus.RUNNING, TaskStatus.WAITING)


def terms(service: "Service", reader: "Reader", *, task: "Task") -> Terms:
    """Return what an approval of the task would hold for besides the task."""
    project = lookup.project(reader, task.project)
    return terms_of(project, proofs.resolved_policy(service, project, task=task))


def person_changes(project: str, field: str) -> str:
    """Return the hint for a field of a project that is a person's alone."""
    if field in _OPTIONS:
        return f"Type: punchlist project edit {project} {_OPTIONS[field]}"
    return f"A person says {field} under [projects.{project}] in {FILE}; the next edit of the project reads it."


def require_person(service: "Service", project: str, *, fields: Iterable[str]) -> None:
    """Refuse to an agent what only a person may change: approvals are given for it, and it says what is trusted."""
    theirs = [each for each in OF_A_PERSON if each in set(fields)]
    if theirs and not service.person:
        refused = RefusedError(
            f"it is for a person to say where the work of project {project} goes and what runs there: it is refused to "
            f"{service.actor}",
            where=project,
            problems=[
                Problem(each, "only a person may change it", hint=person_changes(project, each)) for each in theirs
            ],
        )
        raise refused


def refuse_displacing(reader: "Reader", before: "Project", *, after: "Project") -> None:
    """Refuse to change where work goes while it is agreed, of tasks that are approved and not over."""
    fields = [each for each in changed_terms(before, after) if each in OF_PLACE]
    if not fields:
        return
    approved = reader.tasks(ProjectId(before.id), statuses=_APPROVED)
    if approved:
        raise RefusedError(
            f"project {before.id} has tasks that were approved for {before.destination}:",
            where=f"{before.id}.{fields[0]}",
            problems=[
                Problem(each.id, f"is {each.status}", hint=f"Type: punchlist task revise {each.id}")
                for each in approved
            ],
            hint="Bring them back to draft, or wait until they are over; then change it, and approve them for it.",
        )


def withdraw(
    service: "Service", writer: "Writer", *, before: "Project", after: "Project"
) -> "tuple[list[TaskState], bool]":
    """Withdraw what is proposed of a project that has changed, and have its drafts' checks run on the new base.

    Return the drafts that this changed, and whether there is work for the engine.
    """
    fields = changed_terms(before, after)
    if not fields:
        return [], False
    told = _told(after.id, [each for each in fields if each in OF_CHECKS])
    proving = proofs.Proving(service)
    drafts: list[TaskState] = []
    asked = False
    for line in writer.tasks(ProjectId(after.id), statuses=[TaskStatus.DRAFT]):
        state = lookup.task(writer, line.id)
        facts = moves.withdraw(state, reproved=told)
        if facts:
            state = record(writer, state, facts=facts, service=service)
            drafts.append(state)
        if told and proving.ask(writer, state):
            asked = True
    return drafts, asked


def _told(project: str, fields: Collection[str]) -> str:
    return f"{', '.join(fields)} of project {project}" if fields else ""
