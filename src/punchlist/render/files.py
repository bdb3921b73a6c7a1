"""The generated files: a project's and a task's state as paths and bytes, the same on any machine."""

from collections.abc import Sequence

from punchlist.model.events import Event
from punchlist.model.json import Json
from punchlist.model.records import Project
from punchlist.model.scores import TaskScore
from punchlist.model.state import AttemptState, Mark, TaskState
from punchlist.render import shapes
from punchlist.render.markdown import markdown
from punchlist.render.marks import stamp
from punchlist.render.pages import board, project_page, summary_page
from punchlist.render.shown import Files, Shown
from punchlist.render.trends import samples


def project_files(project: Project, tasks: Sequence[TaskScore], *, mark: Mark) -> Files:
    """Return the files of a project and of its progress; `mark` is of the last event of the project's own stream.

    What tells of tasks has a version that grows with each event of any of them.
    """
    folder, own = project.id, stamp(project.version, [mark])
    whole = stamp(project.version + sum(task.version for task in tasks), [mark, *(task.mark for task in tasks)])
    progress = f"{folder}/progress"
    tail = f"\n{markdown([board(tasks)])}" if tasks else ""  # rendered once: there may be ten thousand
    return {
        f"{folder}/project.md": whole.page("project", project_page(project, tasks), tail=tail),
        f"{folder}/project.json": own.object("project", {"project": shapes.project(project)}),
        f"{progress}/summary.md": whole.page("summary", summary_page(project, tasks), tail=tail),
        f"{progress}/scoreboard.json": whole.object("scoreboard", {"tasks": [_score(task) for task in tasks]}),
        f"{progress}/trends.json": whole.object("trends", {"days": samples(tasks)}),
    }


def task_files(
    project: Project, task: TaskState, *, attempts: Sequence[AttemptState], events: Sequence[Event]
) -> Files:
    """Return the files of a task: `attempts` are all of its, `events` the whole of its stream.

    Raises ValueError for a task of another project.
    """
    if task.task.project != project.id:
        raise ValueError(task.task.project)
    return Shown(task, attempts=attempts, events=events).files()


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
