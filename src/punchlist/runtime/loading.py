"""State rebuilt from the log: the fold of a run's stream, its task's and its project's."""

import gc

from immutables import Map

from punchlist.engine.refold import refold
from punchlist.errors import RefusedError
from punchlist.model.events import Head
from punchlist.model.ids import ProjectId, RunId, StreamId, TaskId
from punchlist.model.state import State
from punchlist.ports import Reader

_LATELY = 500
"""How many events' tasks have their files looked after when an engine starts: more than one that died had in hand."""

_MANY = 50_000
"""Objects for which a search for garbage is put off for good; below, it takes no time."""


def load_run(reader: Reader, run: RunId) -> State:
    """Return the state of a run as the log tells it; raises RefusedError when there is no such run."""
    head = reader.head("run", run)
    if head is None:
        raise RefusedError(f"there is no run {run}", hint="Type: punchlist status")
    state = _folded(reader, State(heads=Map({"run": Head(head.stream)})), stream=head.stream)
    assert state.run is not None
    return with_documents(reader, state, task=state.run.task, project=state.run.project)


def with_documents(reader: Reader, state: State, *, task: TaskId | None, project: ProjectId | None) -> State:
    """Return the state with its task and project as they are now."""
    for kind, local in (("task", task), ("project", project)):
        if local is None:
            continue
        head = reader.head(kind, local)  # type: ignore[arg-type]
        if head is None:
            raise RefusedError(f"there is no {kind} {local}", hint=f"Type: punchlist {kind} list")
        cleared = _without(state, kind)
        state = _folded(reader, _with_head(cleared, kind, head=Head(head.stream)), stream=head.stream)
    return state


def lately_changed(reader: Reader) -> list[TaskId]:
    """Return the tasks that changed last. Who died after a commit, engine or verb, has not written the files of one."""
    return reader.tasks_of_last(_LATELY)


def is_current(reader: Reader, state: State) -> bool:
    """Say whether no other process has written to a stream of this state."""
    assert state.run is not None
    names = {"run": state.run.id, "task": state.run.task, "project": state.run.project}
    return all(
        local is None or reader.head(kind, local) == state.heads.get(kind)  # type: ignore[arg-type]
        for kind, local in names.items()
    )


def _folded(reader: Reader, state: State, *, stream: StreamId) -> State:
    """Fold a stream. What is made of it stays, so nothing looks for garbage in it: half of the time went there."""
    searching = gc.isenabled()
    gc.disable()
    try:
        return refold(state, reader.events(stream=stream))
    finally:
        if gc.get_count()[0] > _MANY:
            gc.freeze()
        if searching:
            gc.enable()


def _with_head(state: State, kind: str, *, head: Head) -> State:
    return State(run=state.run, task=state.task, project=state.project, heads=state.heads.set(kind, head))


def _without(state: State, kind: str) -> State:
    return State(
        run=state.run,
        task=None if kind == "task" else state.task,
        project=None if kind == "project" else state.project,
        heads=state.heads,
    )
