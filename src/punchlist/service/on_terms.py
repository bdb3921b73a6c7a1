"""A task as it is shown to whoever may approve it: with where its work goes, and the rules that it sets itself."""

from typing import TYPE_CHECKING

from punchlist.model.policy import Policy, PolicyPart
from punchlist.render import shapes
from punchlist.render.terms import terms
from punchlist.service import lookup

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.model.records import Project, Task
    from punchlist.model.state import TaskState
    from punchlist.ports import Reader
    from punchlist.service.context import Service


def shown(service: "Service", reader: "Reader", *, state: "TaskState") -> "dict[str, Json]":
    """Return a task's shape with its `terms`."""
    project = lookup.project(reader, state.task.project)
    around = _policy_around(service, project, task=state.task)
    return {**shapes.task(state), "terms": terms(state.task, project, policy=around)}


def _policy_around(service: "Service", project: "Project", *, task: "Task") -> Policy:
    """Return what holds without the task; the settings are not read for one that sets no rule itself."""
    if all(part == PolicyPart() for part in (task.policy, *(step.policy for step in task.steps))):
        return Policy()
    from punchlist.service.proofs import resolved_policy

    return resolved_policy(service, project, task=None)
