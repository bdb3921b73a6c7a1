"""Things by their ids; one that is not there is refused with the command that lists what is."""

import re
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, RefusedError, with_article
from punchlist.model.ids import AttemptId, FindingId, GateId, ProjectId, RunId, StepId, TaskId, step_task
from punchlist.model.json import convert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from punchlist.model.commands import StartRun
    from punchlist.model.ids import Digest
    from punchlist.model.json import Json
    from punchlist.model.records import Project, Step
    from punchlist.model.rows import GateRow, InboxRow, RunRow
    from punchlist.model.state import AttemptState, TaskState
    from punchlist.ports import Reader
    from punchlist.service.context import Service

SHAPES = {"task": "T1", "step": "T1.2", "run": "R1", "gate": "G1", "attempt": "A1", "finding": "F1"}
_SHOWN = 80
"""How much of a name that is none is told."""


class SeveralProjectsError(DefinitionError):
    """No project was named, and there are several."""

    code = "several_projects"

    def __init__(self, names: "Sequence[str]") -> None:
        self.names = tuple(names)
        super().__init__(f"there are several projects: {', '.join(names)}", where="project", hint="Say which one.")


def kind_of(name: str) -> str:
    """Return what an id is of: task, step, run, gate, attempt, finding; `project` for any other text."""
    found = re.fullmatch(r"([TRGAF])[1-9][0-9]{0,8}(\.[1-9][0-9]{0,4})?", name)
    if found is None or (found[2] and found[1] != "T"):
        return "project"
    if found[2]:
        return "step"
    return {"T": "task", "R": "run", "G": "gate", "A": "attempt", "F": "finding"}[found[1]]


def _told(kind: str) -> str:
    return f"{with_article(kind)} ({SHAPES[kind]})" if kind in SHAPES else with_article(kind)


def check_kind(name: str, *kinds: str) -> str:
    """Return what an id is of; raises DefinitionError unless it is one of `kinds`."""
    kind = kind_of(name)
    if kind not in kinds:
        allowed = ", ".join(_told(each) for each in kinds)
        seen = name[:_SHOWN]
        raise DefinitionError(f"{seen!r} is not the id of {' or '.join(kinds)}; allowed: {allowed}", where=seen)
    return kind


def project(reader: "Reader", name: str | None) -> "Project":
    """Return a project; without a name the only one there is."""
    if name is not None:
        found = reader.project(ProjectId(name))
        if found is None:
            known = ", ".join(each.id for each in reader.projects()) or "none"
            raise _missing("project", name, hint=f"There are: {known}. To make one: punchlist project create NAME")
        return found
    projects = reader.projects()
    if not projects:
        raise RefusedError("there is no project here", hint="To make one: punchlist project create NAME --spec FILE")
    if len(projects) > 1:
        raise SeveralProjectsError([each.id for each in projects])
    return projects[0]


def task(reader: "Reader", name: str) -> "TaskState":
    """Return a task."""
    check_kind(name, "task")
    found = reader.task(TaskId(name))
    if found is None:
        raise _missing("task", name, hint="To see what there is: punchlist task list")
    return found


def step(reader: "Reader", name: str) -> "tuple[TaskState, Step]":
    """Return a step with its task."""
    check_kind(name, "step")
    state = task(reader, step_task(StepId(name)))
    for each in state.task.steps:
        if each.id == name:
            return state, each
    known = ", ".join(each.id for each in state.task.steps) or "none"
    raise _missing("step", name, hint=f"Task {state.task.id} has: {known}")


def run(reader: "Reader", name: str) -> "RunRow":
    """Return a run; one that was asked for, and that no engine has begun yet, is pending."""
    check_kind(name, "run")
    found = reader.run(RunId(name)) or _asked_for(reader, name)
    if found is None:
        raise _missing("run", name, hint="To see what there is: punchlist status")
    return found


def _asked_for(reader: "Reader", name: str) -> "RunRow | None":
    for row, said in starts(reader):
        if said["run"] == name:
            from punchlist.model.commands import StartRun

            return pending(convert(said, StartRun), at=row.at)
    return None


def starts(reader: "Reader", *, pending: bool = True) -> "Iterator[tuple[InboxRow, dict[str, Json]]]":
    """Yield the commands that start a run, each with what it says; those that no engine has taken, or all."""
    for row in reader.inbox(pending=pending):
        if isinstance(row.command, dict) and row.command.get("command") == "StartRun":
            yield row, row.command


def pending(start: "StartRun", *, at: str) -> "RunRow":
    """Return a run as it is from when it is asked for until an engine begins it."""
    from punchlist.model.rows import RunRow
    from punchlist.model.states import NodeStatus

    return RunRow(
        id=start.run,
        flow=start.definition.flow,
        purpose=start.purpose,
        status=NodeStatus.PENDING,
        project=start.project,
        task=start.task,
        created_at=at,
    )


def gate(reader: "Reader", name: str) -> "GateRow":
    """Return a gate."""
    check_kind(name, "gate")
    found = reader.gate(GateId(name))
    if found is None:
        raise _missing("gate", name, hint="To see what waits: punchlist gates")
    return found


def attempt(reader: "Reader", name: str) -> "AttemptState":
    """Return an attempt."""
    check_kind(name, "attempt")
    found = reader.attempt(AttemptId(name))
    if found is None:
        raise _missing("attempt", name, hint="A step's attempts are in: punchlist step show T1.1")
    return found


def at_exam(service: "Service", exam: "Digest") -> "list[AttemptState]":
    """Return the attempts at an exam, in the order of their ids: the same check, tree and set-up."""
    with service.store.read() as reader:
        return reader.attempts_of_exam(exam)


def finding(reader: "Reader", name: str) -> "TaskState":
    """Return the task that a finding is of; tasks that changed last are looked at first."""
    check_kind(name, "finding")
    lines = sorted(reader.tasks(), key=lambda line: line.changed_at, reverse=True)
    for line in lines:
        state = reader.task(TaskId(line.id))
        if state is not None and FindingId(name) in state.findings:
            return state
    raise _missing("finding", name, hint="A step's findings are in: punchlist why T1.1")


def live_run(reader: "Reader", task_id: str) -> "RunRow | None":
    """Return the run that has hold of a task, or None."""
    runs = [each for each in reader.runs(task=TaskId(task_id), live=True) if each.purpose == "deliver"]
    return runs[0] if runs else None


def _missing(kind: str, name: str, *, hint: str) -> RefusedError:
    told = name if name.isprintable() and len(name) <= _SHOWN else repr(name[:_SHOWN])
    found = RefusedError(f"there is no {kind} {told}", where=name[:_SHOWN], hint=hint)
    found.code = "not_found"
    return found
