"""Generated files after a change: what state says now, and nothing of what it said before."""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from punchlist.errors import StoreError
from punchlist.model.ids import ProjectId, TaskId
from punchlist.model.state import Mark
from punchlist.service.context import STATE

if TYPE_CHECKING:
    from punchlist.model.events import Event
    from punchlist.model.records import Task
    from punchlist.model.state import AttemptState, TaskState
    from punchlist.ports import Files, Reader, Store
    from punchlist.service.context import Service

MANY = 200
"""How many tasks of a project are few enough to write its own files at each change."""


def refresh(service: "Service", tasks: "Sequence[TaskState]", *, before: "TaskState | None" = None) -> None:
    """Write the files of tasks that have changed, and of their projects; `before` is a task as it was."""
    published(service).publish([each.task.id for each in tasks], ())
    stale = () if before is None else sorted(paths(before.task) - paths(tasks[0].task))
    if stale:
        service.files.remove(stale)


def refresh_project(service: "Service", project: str) -> None:
    """Write the files of a project that has changed."""
    published(service).publish((), [project])


def published(service: "Service") -> "Publisher":
    """Return what writes the generated files of the workspace."""
    return Publisher(service.store, service.files, pending=service.root / STATE / "pending")


class Publisher:
    """Writes generated files as the log has them.

    Several processes may do this at once, each with a snapshot of its own: whoever wrote looks again whether the log
    has moved meanwhile, and then writes anew, so that the last word is the log's.

    A project's own files tell of all its tasks. Where these are many, writing them at each change would cost more than
    the change: they are noted in the folder `pending`, and written by `flush`, which readers of the files call first.
    """

    def __init__(self, store: "Store", files: "Files", *, pending: Path) -> None:
        self._store = store
        self._files = files
        self._pending = pending

    def publish(self, tasks: Iterable[str], projects: Iterable[str]) -> bool:
        """Write the files of tasks, and note or write those of the projects that they are in and of further ones.

        Return whether any were only noted.
        """
        names = tuple(tasks)
        with self._store.read() as reader:
            found = [reader.task(TaskId(each)) for each in names]
        self._settle(names, ())
        owners = dict.fromkeys([*projects, *(state.task.project for state in found if state is not None)])
        at_once = [each for each in owners if not self._put_off(each)]
        self._settle((), at_once)
        return len(at_once) < len(owners)

    def flush(self) -> None:
        """Write what was put off, also what another process had begun to write when it died."""
        for due in self._pending.glob("*.due"):
            with contextlib.suppress(FileNotFoundError):  # another process took it
                due.replace(due.with_suffix(".begun"))
        for begun in sorted(self._pending.glob("*.begun")):
            self._settle((), [begun.stem])
            begun.unlink(missing_ok=True)

    def restore(self, *, project: str, task: str | None = None) -> None:
        """Write the files of a task, or without one a project's own, as the log has them; nothing when it has none."""
        with self._store.read() as reader:
            there = reader.project(ProjectId(project)) if task is None else reader.task(TaskId(task))
        if there is not None:
            self._settle(() if task is None else (task,), () if task is not None else (project,))

    def _put_off(self, project: str) -> bool:
        """Note a project with many tasks for later, and say whether that was done: many once is many for good."""
        many, due = self._pending / f"{project}.many", self._pending / f"{project}.due"
        if not many.exists():
            with self._store.read() as reader:
                if len(reader.tasks(ProjectId(project))) <= MANY:
                    return False
        try:
            due.parent.mkdir(exist_ok=True)
            many.touch()
            due.touch()
        except OSError as error:
            raise StoreError(f"it cannot be written: {error.strerror}", where=str(due)) from error
        return True

    def _settle(self, tasks: Sequence[str], projects: Sequence[str]) -> None:
        wanted = _Wanted(tuple(tasks), tuple(projects))
        while tasks or projects:
            with self._store.read() as reader:
                heads = wanted.heads(reader)
                rendered = wanted.files(reader)
            self.write(rendered)
            with self._store.read() as reader:
                if wanted.heads(reader) == heads:
                    return

    def write(self, rendered: dict[str, bytes]) -> None:
        """Write rendered files; raises StoreError with what to type when the disk is mended."""
        try:
            self._files.write(rendered)
        except StoreError as error:
            error.hint = f"{error.hint} What was asked for is recorded; afterwards type: punchlist files write".strip()
            raise


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
    from punchlist.render.paths import step_file, task_folder

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


class _Wanted(msgspec.Struct, frozen=True):
    """What is to be written anew: files of tasks, and of projects, which tell of all their tasks."""

    tasks: tuple[str, ...]
    projects: tuple[str, ...]

    def heads(self, reader: "Reader") -> list[object]:
        """Return where the log stands on all that is wanted."""
        of_tasks: list[object] = [reader.head("task", each) for each in self.tasks]
        of_runs = [reader.head("run", run.id) for each in self.tasks for run in reader.runs(task=TaskId(each))]
        lines = [(line.id, line.changed_at) for each in self.projects for line in reader.tasks(ProjectId(each))]
        return [*of_tasks, *of_runs, *lines, *(reader.head("project", each) for each in self.projects)]

    def files(self, reader: "Reader") -> dict[str, bytes]:
        """Return the files of all that is wanted."""
        from punchlist.render.files import task_files

        files: dict[str, bytes] = {}
        for name in self.projects:
            files |= _project_files(reader, name)
        for each in self.tasks:
            state = reader.task(TaskId(each))
            project = reader.project(ProjectId(state.task.project)) if state is not None else None
            if state is not None and project is not None:
                files |= task_files(project, state, attempts=attempts_of(reader, state), events=events_of(reader, each))
        return files


def _project_files(reader: "Reader", project: str) -> dict[str, bytes]:
    from punchlist.render.files import project_files

    found, head = reader.project(ProjectId(project)), reader.head("project", project)
    if found is None or head is None:
        return {}
    *_, last = reader.events(stream=head.stream)  # a few: a project is seldom edited
    return project_files(found, reader.scores(ProjectId(project)), mark=Mark(last.at, last.hash))
