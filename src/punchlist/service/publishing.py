"""Generated files after a change: what state says now, and nothing of what it said before."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from punchlist.errors import StoreError
from punchlist.model.ids import ProjectId, StepId, TaskId

if TYPE_CHECKING:
    from punchlist.model.events import Event
    from punchlist.model.records import Task
    from punchlist.model.state import AttemptState, TaskState
    from punchlist.ports import Reader
    from punchlist.service.context import Service


def refresh(service: "Service", tasks: "Sequence[TaskState]", *, before: "TaskState | None" = None) -> None:
    """Write the files of tasks that have changed, and of their projects; `before` is a task as it was.

    Two processes may do this at once, each with a snapshot of its own: whoever wrote looks again whether the log has
    moved meanwhile, and then writes anew, so that the last word is the log's.
    """
    for state in tasks:
        _settle(service, project=state.task.project, task=state.task.id)
        stale = () if before is None else sorted(paths(before.task) - paths(state.task))
        if stale:
            service.files.remove(stale)


def refresh_project(service: "Service", project: str) -> None:
    """Write the files of a project that has changed."""
    _settle(service, project=project, task=None)


def everything(reader: "Reader") -> dict[str, bytes]:
    """Return every generated file, by its path, as state says it should be."""
    from punchlist.render.files import task_files

    files: dict[str, bytes] = {}
    for project in reader.projects():
        files |= _project_files(reader, project.id)
        for line in reader.tasks(ProjectId(project.id)):
            state = reader.task(TaskId(line.id))
            if state is not None:
                events = events_of(reader, line.id)
                files |= task_files(project, state, attempts=attempts_of(reader, state), events=events)
    return files


def paths(task: "Task") -> frozenset[str]:
    """Return the paths of a task's files."""
    from punchlist.render.files import step_file, task_folder

    folder = task_folder(task)
    names = ["task.md", "task.json", "log.md", "events.jsonl"]
    names += [f"steps/{step_file(step)}.{kind}" for step in task.steps for kind in ("md", "json")]
    return frozenset(f"{folder}/{name}" for name in names)


def attempts_of(reader: "Reader", state: "TaskState") -> "list[AttemptState]":
    """Return all attempts of a task's runs, in the order of their ids."""
    found = [each for run in reader.runs(task=TaskId(state.task.id)) for each in reader.attempts(run=run.id)]
    return sorted(found, key=lambda each: int(each.id[1:]))


def events_of(reader: "Reader", task: str) -> "list[Event]":
    """Return the whole stream of a task."""
    head = reader.head("task", task)
    return [] if head is None else list(reader.events(stream=head.stream))


def attempts_of_step(reader: "Reader", step: str) -> "list[AttemptState]":
    """Return the attempts of one step."""
    return reader.attempts(step=StepId(step))


def _settle(service: "Service", *, project: str, task: str | None) -> None:
    while True:
        with service.store.read() as reader:
            heads = _heads(reader, project=project, task=task)
            files = _files(reader, project=project, task=task)
        _write(service, files)
        with service.store.read() as reader:
            if _heads(reader, project=project, task=task) == heads:
                return


def _files(reader: "Reader", *, project: str, task: str | None) -> dict[str, bytes]:
    from punchlist.render.files import task_files

    found = reader.project(ProjectId(project))
    files = _project_files(reader, project)
    state = None if task is None else reader.task(TaskId(task))
    if found is None or state is None or task is None:
        return files
    events = events_of(reader, task)
    return files | task_files(found, state, attempts=attempts_of(reader, state), events=events)


def _project_files(reader: "Reader", project: str) -> dict[str, bytes]:
    from punchlist.render.files import project_files

    found, head = reader.project(ProjectId(project)), reader.head("project", project)
    if found is None or head is None:
        return {}
    tasks = [reader.task(TaskId(line.id)) for line in reader.tasks(ProjectId(project))]
    return project_files(found, [each for each in tasks if each is not None], head_hash=head.hash)


def _heads(reader: "Reader", *, project: str, task: str | None) -> tuple[object, ...]:
    return reader.head("project", project), None if task is None else reader.head("task", task)


def _write(service: "Service", files: dict[str, bytes]) -> None:
    try:
        service.files.write(files)
    except StoreError as error:
        error.hint = f"{error.hint} What was asked for is recorded; afterwards type: punchlist files write".strip()
        raise
