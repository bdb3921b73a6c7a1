"""Where the generated files of a project and a task are, relative to the `projects` folder."""

from punchlist.model.ids import slug
from punchlist.model.records import Step, Task

PROJECT_FILES = (
    "project.md",
    "project.json",
    "progress/summary.md",
    "progress/scoreboard.json",
    "progress/trends.json",
)
"""A project's own files, in its folder."""


def task_folder(task: Task) -> str:
    """Return the folder of a task; it follows the task's title."""
    return f"{task.project}/tasks/{task.id}-{slug(task.title)}"


def step_file(step: Step) -> str:
    """Return the name of a step's files in `steps/`, without its ending."""
    return f"{step.index:02}-{slug(step.title)}"
