"""What is wrong with a written task or step, also of a project, a task or a step that is not there: reads only.

A verb ends at the first thing that keeps it from going on. Who is to mend a call wants to know all of it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from punchlist.engine import documents
from punchlist.errors import MOST_SHOWN, DefinitionError, Problem
from punchlist.model.ids import ProjectId, StepId, TaskId, step_task
from punchlist.model.records import Criterion, Scope, Step, Task
from punchlist.service import lookup
from punchlist.service.tasks import free_number, known_names, named_needs

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.ports import Reader
    from punchlist.service.context import Service

_UNKNOWN = "unknown"


def of_new_task(service: "Service", project: str, *, document: "Mapping[str, Json]") -> list[Problem]:
    """Return what is wrong with a task that is to be made in a project."""
    with service.store.read() as reader:
        owner = reader.project(ProjectId(project))
        known = known_names(service, reader, needs=named_needs({**document}), project=project)
        name = TaskId(f"T{reader.numbered().get('task', 1)}")

    def make() -> object:
        return documents.new_task({**document}, task=name, project=ProjectId(_UNKNOWN), known=known, what="the task")

    return _problems(make, is_there=owner is not None)


def of_task_change(service: "Service", task: str, *, changes: "Mapping[str, Json]") -> list[Problem]:
    """Return what is wrong with fields that a task is to have."""
    with service.store.read() as reader:
        found = _found(reader, task)
        into = found or _stand_in(task)
        needs = named_needs({**changes}) if "needs" in changes else into.needs
        known = known_names(service, reader, needs=needs, project=into.project)
        free = free_number(reader, found) if found is not None else 1

    def make() -> object:
        return documents.changed_task(into, changes, known=known, free=free, what="the change")

    return _problems(make, is_there=found is not None)


def of_new_step(
    service: "Service", task: str, *, document: "Mapping[str, Json]", position: int | None
) -> list[Problem]:
    """Return what is wrong with a step that is to be added to a task at a position."""
    with service.store.read() as reader:
        found = _found(reader, task)
        into = found or _stand_in(task)
        known = known_names(service, reader, needs=(), project=into.project)
        free = free_number(reader, found) if found is not None else 1
    place = position if found is not None else None

    def make() -> object:
        return documents.added_step(into, {**document}, position=place, known=known, free=free, what="the step")

    return _problems(make, is_there=found is not None)


def of_step_change(service: "Service", step: str, *, changes: "Mapping[str, Json]") -> list[Problem]:
    """Return what is wrong with fields that a step is to have."""
    with service.store.read() as reader:
        found = _found(reader, step_task(StepId(step)))
        is_there = found is not None and any(each.id == step for each in found.steps)
        into = found if found is not None and is_there else _stand_in(step_task(StepId(step)))
        name = StepId(step) if is_there else StepId(into.steps[0].id)
        known = known_names(service, reader, needs=(), project=into.project)

    def make() -> object:
        return documents.changed_step(into, name, changes=changes, known=known, what="the change")

    return _problems(make, is_there=is_there)


def _problems(make: Callable[[], object], *, is_there: bool) -> list[Problem]:
    """Return why something cannot be made; of what is not there nobody can tell what it may need."""
    try:
        make()
    except DefinitionError as error:
        found = error.problems[:MOST_SHOWN]
        return [each for each in found if is_there or each.where.partition("[")[0] != "needs"]
    return []


def _found(reader: "Reader", name: str) -> Task | None:
    state = reader.task(TaskId(name)) if lookup.kind_of(name) == "task" else None
    return None if state is None else state.task


def _stand_in(name: str) -> Task:
    """Return a task of one step that there is not, for what is written to stand in."""
    own = name if lookup.kind_of(name) == "task" else "T1"
    criterion = Criterion(id="AC-1", text=_UNKNOWN, review=True)
    step = Step(id=f"{own}.1", index=1, title=_UNKNOWN, goal="", criteria=(criterion,), scope=Scope(), needs=())
    return Task(id=own, project=_UNKNOWN, title=_UNKNOWN, spec="", acceptance=(), steps=(step,))
