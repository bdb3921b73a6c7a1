"""Generated files after a change: what state says now, and nothing of what it said before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from punchlist.errors import StoreError
from punchlist.model.ids import ProjectId, TaskId

if TYPE_CHECKING:
    from punchlist.model.events import Event
    from punchlist.model.records import Task
    from punchlist.model.state import AttemptState, TaskState
    from punchlist.ports import Files, Reader, Store
    from punchlist.service.context import Service


def refresh(service: "Service", tasks: "Sequence[TaskState]", *, before: "TaskState | None" = None) -> None:
    """Write the files of tasks that have changed, and of their projects; `before` is a task as it was."""
    publish(service.store, service.files, tasks=[each.task.id for each in tasks], projects=())
    stale = () if before is None else sorted(paths(before.task) - paths(tasks[0].task))
    if stale:
        service.files.remove(stale)


def refresh_project(service: "Service", project: str) -> None:
    """Write the files of a project that has changed."""
    publish(service.store, service.files, tasks=(), projects=[project])


def publish(store: "Store", files: "Files", *, tasks: Iterable[str], projects: Iterable[str]) -> None:
    """Write the files of tasks, of the projects that they are in, and of further projects, as the log has them now.

    Several processes may do this at once, each with a snapshot of its own: whoever wrote looks again whether the log
    has moved meanwhile, and then writes anew, so that the last word is the log's.
    """
    wanted = _Wanted(tuple(tasks), tuple(projects))
    while True:
        with store.read() as reader:
            heads = wanted.heads(reader)
            rendered = wanted.files(reader)
        _write(files, rendered)
        with store.read() as reader:
            if wanted.heads(reader) == heads:
                return


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


@dataclass(frozen=True)
class _Wanted:
    """What is to be written anew."""

    tasks: tuple[str, ...]
    projects: tuple[str, ...]

    def heads(self, reader: "Reader") -> list[object]:
        """Return where the log stands on all that is wanted."""
        of_tasks = [reader.head("task", each) for each in self.tasks]
        return [*of_tasks, *(reader.head("project", each) for each in self.projects)]

    def files(self, reader: "Reader") -> dict[str, bytes]:
        """Return the files of all that is wanted."""
        from punchlist.render.files import task_files

        states = [state for each in self.tasks if (state := reader.task(TaskId(each))) is not None]
        files: dict[str, bytes] = {}
        for name in dict.fromkeys([*self.projects, *(state.task.project for state in states)]):
            files |= _project_files(reader, name)
        for state in states:
            project = reader.project(ProjectId(state.task.project))
            if project is not None:
                events = events_of(reader, state.task.id)
                files |= task_files(project, state, attempts=attempts_of(reader, state), events=events)
        return files


def _project_files(reader: "Reader", project: str) -> dict[str, bytes]:
    from punchlist.render.files import project_files

    found, head = reader.project(ProjectId(project)), reader.head("project", project)
    if found is None or head is None:
        return {}
    tasks = [reader.task(TaskId(line.id)) for line in reader.tasks(ProjectId(project))]
    return project_files(found, [each for each in tasks if each is not None], head_hash=head.hash)


def _write(files: "Files", rendered: dict[str, bytes]) -> None:
    try:
        files.write(rendered)
    except StoreError as error:
        error.hint = f"{error.hint} What was asked for is recorded; afterwards type: punchlist files write".strip()
        raise
