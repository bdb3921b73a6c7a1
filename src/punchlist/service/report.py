"""The verb that tells the whole story of a task or a run."""

from typing import TYPE_CHECKING, Literal

from punchlist.model.ids import RunId, TaskId
from punchlist.render import report as render, shapes
from punchlist.render.run_report import run_story
from punchlist.service import lookup
from punchlist.service.publishing import attempts_of, events_of

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.model.rows import RunRow
    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Service


def report(service: "Service", name: str, *, form: Literal["md", "html"] = "md") -> "Answer":
    """Return the story of a task (T) or a run (R): `run` with its nodes, `task` as a story, `text` as a page.

    Of a task `run` is the last one that had hold of it, or null. A run that delivers a task is told as its task's.
    """
    kind = lookup.check_kind(name, "task", "run")
    with service.store.read() as reader:
        row = lookup.run(reader, name) if kind == "run" else None
        task = name if row is None else row.task
        if row is not None and (task is None or row.purpose != "deliver"):
            nodes, attempts = reader.nodes(RunId(row.id)), reader.attempts(run=RunId(row.id))
            text = render.report_run(row, nodes, attempts=attempts, form=form)
            return {"run": run_story(row, nodes, attempts=attempts), "text": text}
        return _of_task(reader, str(task), row=row, form=form)


def _of_task(reader: "Reader", task: str, *, row: "RunRow | None", form: Literal["md", "html"]) -> "Answer":
    state = lookup.task(reader, task)
    project = lookup.project(reader, state.task.project)
    attempts = attempts_of(reader, state)
    events = events_of(reader, task)
    gates = reader.gates(task=TaskId(task), everything=True)
    last = row if row is not None else _last_run(reader, task)
    run: Json = None if last is None else shapes.run(last, reader.nodes(RunId(last.id)))
    story = render.task_story(project, state, attempts=attempts, events=events, gates=gates)
    text = render.report(project, state, attempts=attempts, events=events, gates=gates, form=form)
    return {"run": run, "task": story, "text": text}


def _last_run(reader: "Reader", task: str) -> "RunRow | None":
    return next((each for each in reader.runs(task=TaskId(task)) if each.purpose == "deliver"), None)
