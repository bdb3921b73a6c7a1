"""What an approval holds for besides the task itself: where its work goes, and what runs there."""

import msgspec

from punchlist.errors import RefusedError
from punchlist.model.ids import Slug
from punchlist.model.policy import Policy
from punchlist.model.records import Command, Destination, Line, Project
from punchlist.model.state import TaskState
from punchlist.model.states import FINAL_TASK

OF_A_PERSON = ("repo", "base", "setup", "setup_allow", "path", "policy")
"""Fields of a project that only a person may change: an approval is given for what they say."""
OF_PLACE = ("repo", "base")
"""Those of them that say where work goes."""
OF_CHECKS = (*OF_PLACE, "setup", "path")
"""Those of them on which it depends what a check shows on the base."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """A project as far as an approval depends on it, and the task's policy, resolved."""

    project: Slug
    destination: Destination
    setup: tuple[Command, ...]
    setup_allow: tuple[Line, ...]
    path: tuple[Line, ...]
    policy: Policy


def terms_of(project: Project, policy: Policy) -> Terms:
    """Return the terms of a task of the project, whose policy resolves to `policy`."""
    return Terms(
        project=project.id,
        destination=project.destination,
        setup=project.setup,
        setup_allow=project.setup_allow,
        path=project.path,
        policy=policy,
    )


def changed_terms(before: Project, after: Project) -> tuple[str, ...]:
    """Return the fields that only a person may change and that differ."""
    return tuple(name for name in OF_A_PERSON if getattr(before, name) != getattr(after, name))


def check_destination(state: TaskState, project: Project) -> None:
    """Refuse to start a task whose work would go elsewhere than was approved."""
    approved, now, task = state.approved_for, project.destination, state.task
    if approved is not None and approved != now:
        first = f"punchlist task reopen {task.id}, then " if task.status in FINAL_TASK else ""
        raise RefusedError(
            f"task {task.id} was approved for {approved}, and the work of project {project.id} goes to {now} now",
            where=task.id,
            hint=f"Type: {first}punchlist task revise {task.id}, then punchlist approve {task.id}",
        )
