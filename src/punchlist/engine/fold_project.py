"""What a project's stream says."""

from punchlist.model.events import Event, ProjectCreated, ProjectEdited
from punchlist.model.records import Project


def fold_project(project: Project | None, event: Event) -> Project:
    """Return the project after `event`; its version counts the events of its stream."""
    match event.fact:
        case ProjectCreated(project=created) if project is None:
            return created
        case ProjectEdited(project=edited) if project is not None:
            return edited
        case _:
            raise ValueError(f"{event.kind} does not belong at {event.n} of the project's stream {event.stream}")
