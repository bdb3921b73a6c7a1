"""A workspace with many tasks, written through the store as the program writes them."""

import uuid
from pathlib import Path

from punchlist.engine.fold_task import fold_task
from punchlist.model import events as ev
from punchlist.model.ids import StreamId, TaskId
from punchlist.model.records import Criterion, Project, Scope, Step, Task
from punchlist.model.state import TaskState
from punchlist.ports import Writer
from punchlist.store.sqlite import open_store

AT = "2026-01-01T00:00:00.000000Z"
_A_COMMIT = 500


def fill(state_file: Path, *, project: Project, count: int) -> None:
    """Add `count` draft tasks with two steps each to the store of a workspace."""
    store = open_store(state_file)
    for numbers in _groups(count):
        with store.write() as writer:
            for _ in numbers:
                writer.put([_add(writer, project)])
    store.close()


def _groups(count: int) -> list[range]:
    return [range(first, min(first + _A_COMMIT, count)) for first in range(0, count, _A_COMMIT)]


def _add(writer: Writer, project: Project) -> TaskState:
    task = TaskId(f"T{writer.allocate('task')}")
    head = writer.open_stream(StreamId(str(uuid.uuid4())), kind="task", local=task)
    created = ev.TaskCreated(task=_task(task, project))
    event = ev.seal(head, created, at=AT, actor="human:bench")
    writer.append([event])
    return fold_task(None, event)


def _task(task: TaskId, project: Project) -> Task:
    steps = tuple(_step(task, index) for index in (1, 2))
    criteria = (Criterion(id="AC-1", text="The whole suite passes.", check="python3 -m unittest -q"),)
    return Task(
        id=task,
        project=project.id,
        title=f"Do the thing number {task}",
        spec="Do the thing, and nothing else. " * 10,
        acceptance=criteria,
        steps=steps,
    )


def _step(task: TaskId, index: int) -> Step:
    return Step(
        id=f"{task}.{index}",
        index=index,
        title=f"Part {index}",
        goal="It does the thing.",
        criteria=(
            Criterion(id="AC-1", text="It holds.", check="true"),
            Criterion(id="AC-2", text="Read.", review=True),
        ),
        scope=Scope(allow=("src/**",)),
        needs=() if index == 1 else (f"{task}.{index - 1}",),
    )
