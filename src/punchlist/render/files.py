"""The generated files: a project's and a task's state as paths and bytes, the same on any machine."""

from collections.abc import Iterable, Sequence

import msgspec

from punchlist.model.events import ZERO, Event
from punchlist.model.ids import Digest, slug
from punchlist.model.json import Json
from punchlist.model.records import Project, Step, Task
from punchlist.model.scores import TaskScore
from punchlist.model.state import AttemptState, StepState, TaskState
from punchlist.render import shapes
from punchlist.render.blocks import Block, Bullets, Code, Heading, Line, Paragraph
from punchlist.render.markdown import markdown
from punchlist.render.pages import project_page, proof_rows, step_page, summary_page, task_page
from punchlist.render.told import told
from punchlist.render.trends import samples
from punchlist.render.words import by_step

Files = dict[str, bytes]


def task_folder(task: Task) -> str:
    """Return the folder of a task, relative to the `projects` folder; it follows the task's title."""
    return f"{task.project}/tasks/{task.id}-{slug(task.title)}"


def step_file(step: Step) -> str:
    """Return the name of a step's files in `steps/`, without its ending."""
    return f"{step.index:02}-{slug(step.title)}"


def project_files(project: Project, tasks: Sequence[TaskScore], *, head_hash: Digest) -> Files:
    """Return the files of a project and of its progress; `head_hash` is of the last event of the project's stream."""
    folder, mark = project.id, _Mark(version=project.version, generated_from=head_hash)
    progress = f"{folder}/progress"
    return {
        f"{folder}/project.md": mark.page("project", project_page(project, tasks)),
        f"{folder}/project.json": mark.object("project", {"project": shapes.project(project)}),
        f"{progress}/summary.md": mark.page("summary", summary_page(project, tasks)),
        f"{progress}/scoreboard.json": mark.object("scoreboard", {"tasks": [_score(task) for task in tasks]}),
        f"{progress}/trends.json": mark.object("trends", {"days": samples(tasks)}),
    }


def task_files(
    project: Project, task: TaskState, *, attempts: Sequence[AttemptState], events: Sequence[Event]
) -> Files:
    """Return the files of a task: `attempts` are all of its, `events` the whole of its stream.

    Raises ValueError for a task of another project.
    """
    record = task.task
    if record.project != project.id:
        raise ValueError(record.project)
    mark = _Mark(version=record.version, generated_from=events[-1].hash if events else ZERO)
    files = {
        "task.md": mark.page("task", task_page(task, attempts)),
        "task.json": mark.object("task", {"task": shapes.task(task)}),
        "log.md": mark.page("log", _log(record, events)),
        "events.jsonl": b"".join(_encoded(shapes.sealed(event)) + b"\n" for event in events),
    }
    mine, rows = by_step(attempts), proof_rows(task)
    for step in record.steps:
        name, own, shown = f"steps/{step_file(step)}", mine.get(step.id, []), rows.get(step.id, {})
        files[f"{name}.md"] = mark.page(
            "step", step_page(step, task.steps.get(step.id, StepState()), rows=shown, attempts=own)
        )
        shows = {row.id: row.shows for row in shown.values()}
        shape = shapes.step_in_full(task, step, attempts=own, shows=shows)
        files[f"{name}.json"] = mark.object("step", {"step": shape})
    folder = task_folder(record)
    return {f"{folder}/{name}": content for name, content in files.items()}


class _Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What every generated file says of itself."""

    version: int
    generated_from: Digest

    def page(self, kind: str, blocks: Iterable[Block]) -> bytes:
        """Return a page that ends with a comment line."""
        comment = (
            f"<!-- schema: punchlist/{kind}-page/1, version: {self.version}, generated_from: {self.generated_from} -->"
        )
        return f"{markdown(blocks)}\n{comment}\n".encode()

    def object(self, kind: str, content: dict[str, Json]) -> bytes:
        """Return a JSON object, keys sorted, indented by two."""
        marked = {
            **content,
            "schema": f"punchlist/{kind}-file/1",
            "version": self.version,
            "generated_from": self.generated_from,
        }
        return msgspec.json.format(_encoded(marked), indent=2) + b"\n"


def _encoded(value: Json) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _log(record: Task, events: Sequence[Event]) -> list[Block]:
    lines: tuple[Line, ...] = tuple((event.at, " ", Code(event.actor), " ", told(event.fact)) for event in events)
    return [
        Heading(1, (f"Log of {record.id} ", record.title)),
        Bullets(lines) if lines else Paragraph(("Nothing has happened yet.",)),
    ]


def _score(task: TaskScore) -> dict[str, Json]:
    return {
        "id": task.id,
        "title": task.title,
        "status": task.status.value,
        "steps_accepted": task.steps_accepted,
        "steps_total": task.steps_total,
        "rounds": task.rounds,
        "failed_rounds": task.failed_rounds,
        "open_findings": task.open_findings,
        "waived": len(task.waivers),
        "flaky": task.flaky,
    }
