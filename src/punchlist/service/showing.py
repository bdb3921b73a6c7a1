"""The generated files of tasks that an engine works on: it remembers what it wrote, and writes only what changes."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from punchlist.model.ids import ProjectId, TaskId
from punchlist.service import publishing

if TYPE_CHECKING:
    from punchlist.ports import Store
    from punchlist.render.shown import Change, Shown
    from punchlist.service.publishing import Publisher

REMEMBERED = 32
"""Of how many tasks the engine remembers the files: each as large as its log."""


class Showing:
    """Implements `runtime.changes.Pages`: what one process commits, one commit after the other, shown at once.

    Where another process wrote to a task meanwhile, or the task is not remembered, its files are rendered whole.
    `put_off` is told that some files of projects are to be written later.
    """

    def __init__(self, store: "Store", publisher: "Publisher", *, put_off: Callable[[], None]) -> None:
        self._store = store
        self._publisher = publisher
        self._put_off = put_off
        self._shown: dict[TaskId, Shown] = {}

    def follow(self, changes: "Iterable[Change]") -> None:
        """Write the files that changes make stale."""
        projects: dict[ProjectId, None] = {}
        for change in changes:
            if self._follow(change) or change.events:
                projects[ProjectId(change.task.task.project)] = None
        if self._publisher.publish((), projects):
            self._put_off()

    def mend(self, tasks: Iterable[TaskId]) -> None:
        """Write all files of tasks, and those of their projects."""
        if self._publisher.publish(tasks, ()):
            self._put_off()

    def _follow(self, change: "Change") -> bool:
        """Show a change, and say whether the task was rendered whole: then others may have changed it, too."""
        task = TaskId(change.task.task.id)
        shown = self._shown.pop(task, None)  # remembered again only when all of it is written
        if shown is not None and shown.leads_to(change):
            self._publisher.write(shown.after(change))
        else:
            shown = None
        whole = False
        while shown is None or not self._is_last_word(task, shown):
            shown, whole = self._anew(task), True
        if not change.over:
            self._remember(task, shown)
        return whole

    def _remember(self, task: TaskId, shown: "Shown") -> None:
        while len(self._shown) >= REMEMBERED:
            self._shown.pop(next(iter(self._shown)))
        self._shown[task] = shown

    def _anew(self, task: TaskId) -> "Shown":
        from punchlist.render.shown import Shown

        with self._store.read() as reader:
            state = reader.task(task)
            assert state is not None
            attempts, events = publishing.attempts_of(reader, state), publishing.events_of(reader, task)
        shown = Shown(state, attempts=attempts, events=events)
        self._publisher.write(shown.files())
        return shown

    def _is_last_word(self, task: TaskId, shown: "Shown") -> bool:
        with self._store.read() as reader:
            head = reader.head("task", task)
        return head is not None and head.hash == shown.head
