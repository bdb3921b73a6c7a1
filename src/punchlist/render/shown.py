"""A task's files as they were rendered last: what happens next renders only the files that it makes stale."""

from collections.abc import Iterable, Iterator, Mapping, Set as AbstractSet

import msgspec

from punchlist.model.events import Event
from punchlist.model.ids import AttemptId, Digest, StepId
from punchlist.model.proofs import ProofRow
from punchlist.model.records import Step
from punchlist.model.state import AttemptState, StepState, TaskState
from punchlist.render import shapes
from punchlist.render.blocks import Bullets, Code, Heading, Line, Paragraph
from punchlist.render.markdown import markdown
from punchlist.render.marks import encoded, stamp
from punchlist.render.pages import proof_rows, step_page, task_page
from punchlist.render.paths import step_file, task_folder
from punchlist.render.told import told
from punchlist.render.words import is_paid

Files = dict[str, bytes]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a transition did to a task: the task after it, the attempts that it touched, what it added to the stream.

    `over`: the run that did it has ended.
    """

    task: TaskState
    attempts: tuple[AttemptState, ...] = ()
    events: tuple[Event, ...] = ()
    over: bool = False


class Shown:
    """A task, all its attempts, and its log as text, which only grows: nothing of it is rendered twice."""

    def __init__(self, task: TaskState, *, attempts: Iterable[AttemptState], events: Iterable[Event]) -> None:
        self._task = task
        self._attempts: dict[StepId | None, dict[AttemptId, AttemptState]] = {}
        self._lines = bytearray()
        self._chain = bytearray()
        self._take(attempts, events)

    @property
    def head(self) -> Digest:
        """The hash of the last event of the task's stream that is shown."""
        return self._task.mark.event

    def files(self) -> Files:
        """Return all files of the task."""
        return self._named({**self._page(), **self._log(), **self._steps(self._task.task.steps)})

    def leads_to(self, change: Change) -> bool:
        """Say whether a change follows what is shown, with nothing of the task's stream between."""
        before = change.events[0].prev if change.events else change.task.mark.event
        return before == self.head

    def after(self, change: Change) -> Files:
        """Take in a change that follows, and return the files that it makes stale."""
        before, self._task = self._task, change.task
        self._take(change.attempts, change.events)
        files = self._steps(_stale(before, change.task, touched={each.step for each in change.attempts}))
        if change.events or any(map(is_paid, change.attempts)):
            files |= self._page()
        if change.events:
            files |= self._log()
        return self._named(files)

    def _take(self, attempts: Iterable[AttemptState], events: Iterable[Event]) -> None:
        for attempt in attempts:
            self._attempts.setdefault(attempt.step, {})[attempt.id] = attempt
        for event in events:
            self._lines += markdown([Bullets((_line(event),))]).encode()
            self._chain += encoded(shapes.sealed(event)) + b"\n"

    def _named(self, files: Files) -> Files:
        folder = task_folder(self._task.task)
        return {f"{folder}/{name}": content for name, content in files.items()}

    def _page(self) -> Files:
        task, attempts = self._task, [each for of_step in self._attempts.values() for each in of_step.values()]
        record = task.task
        said = stamp(record.version, [task.mark])
        paid = stamp(record.version, [task.mark, *(each.mark for each in attempts if is_paid(each))])
        return {
            "task.md": paid.page("task", task_page(task, attempts)),
            "task.json": said.object("task", {"task": shapes.task(task)}),
        }

    def _log(self) -> Files:
        record = self._task.task
        head = markdown([Heading(1, (f"Log of {record.id} ", record.title))])
        lines = bytes(self._lines) or markdown([Paragraph(("Nothing has happened yet.",))]).encode()
        said = stamp(record.version, [self._task.mark])
        return {"log.md": said.ended("log", b"%b\n%b" % (head.encode(), lines)), "events.jsonl": bytes(self._chain)}

    def _steps(self, steps: Iterable[Step]) -> Files:
        files, rows = Files(), proof_rows(self._task)
        for step in steps:
            files |= self._step(step, rows=rows.get(step.id, {}))
        return files

    def _step(self, step: Step, *, rows: Mapping[str, ProofRow]) -> Files:
        name, seen = f"steps/{step_file(step)}", self._task.steps.get(step.id, StepState())
        attempts = sorted(self._attempts.get(StepId(step.id), {}).values(), key=lambda each: int(each.id[1:]))
        said = stamp(step.version, [seen.mark, *(each.mark for each in attempts)])
        shows = {row.id: row.shows for row in rows.values()}
        shape = shapes.step_in_full(self._task, step, attempts=attempts, shows=shows)
        return {
            f"{name}.md": said.page("step", step_page(step, seen, rows=rows, attempts=attempts)),
            f"{name}.json": said.object("step", {"step": shape}),
        }


def _stale(before: TaskState, task: TaskState, *, touched: AbstractSet[StepId | None]) -> Iterator[Step]:
    """Yield the steps about which something was said since: an event of the task's stream leaves its mark on them."""
    for step in task.task.steps:
        was, now = before.steps.get(step.id), task.steps.get(step.id)
        if StepId(step.id) in touched or was is None or now is None or was.mark != now.mark:
            yield step


def _line(event: Event) -> Line:
    return (event.at, " ", Code(event.actor), " ", told(event.fact))
