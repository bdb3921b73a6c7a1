"""The verb that shows what a task, a step or an attempt changed."""

from typing import TYPE_CHECKING

from punchlist.errors import RefusedError
from punchlist.model.ids import StepId, TaskId, step_task
from punchlist.service import lookup

if TYPE_CHECKING:
    from punchlist.model.state import AttemptState, TaskState
    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Service


def diff(service: "Service", name: str) -> "Answer":
    """Return the patch of a task (its branch), a step (its commit, else its last snapshot) or an attempt."""
    kind = lookup.check_kind(name, "task", "step", "attempt")
    with service.store.read() as reader:
        if kind == "attempt":
            found = lookup.attempt(reader, name)
            state = _task_of(reader, found)
            old, new = _attempt(found)
        elif kind == "step":
            state, step = lookup.step(reader, name)
            old, new = _step(reader, state, step=step.id)
        else:
            state = lookup.task(reader, name)
            old, new = _ends(name, old=state.base, new=state.tip)
        project = lookup.project(reader, state.task.project)
    return {"diff": service.workspace.diff(project, old, new), "old": old, "new": new}


def _step(reader: "Reader", state: "TaskState", *, step: str) -> tuple[str, str]:
    told = state.steps[step]
    if told.commit is not None and told.planned is not None:
        return told.planned.parent, told.commit
    if told.commit is not None:
        return f"{told.commit}^", told.commit
    snapshots = [each for each in reader.attempts(step=StepId(step)) if _has_snapshot(each)]
    if not snapshots:
        raise _nothing(step)
    return _attempt(snapshots[-1])


def _attempt(found: "AttemptState") -> tuple[str, str]:
    snapshot = found.outcome.snapshot if found.outcome is not None else None
    if snapshot is None:
        raise _nothing(found.id)
    return snapshot.base, snapshot.commit


def _task_of(reader: "Reader", found: "AttemptState") -> "TaskState":
    run = lookup.run(reader, found.run)
    task = run.task or (step_task(found.step) if found.step is not None else None)
    if task is None:
        raise _nothing(found.id)
    return lookup.task(reader, TaskId(task))


def _ends(name: str, *, old: str | None, new: str | None) -> tuple[str, str]:
    if old is None or new is None:
        raise _nothing(name)
    return old, new


def _has_snapshot(found: "AttemptState") -> bool:
    return found.outcome is not None and found.outcome.snapshot is not None


def _nothing(name: str) -> RefusedError:
    return RefusedError(f"{name} has changed nothing yet", where=name, hint=f"Type: punchlist why {name}")
