"""State rows: what queries read. Each is a function of the fold, written in the transaction of its events."""

from typing import Literal

import msgspec

from punchlist.model.events import Purpose, StreamKind
from punchlist.model.ids import AttemptId, NodePath, ProjectId, RunId, StreamId, TaskId
from punchlist.model.json import Json
from punchlist.model.records import Project
from punchlist.model.state import AttemptState, GateState, TaskState
from punchlist.model.states import NodeStatus, StepStatus, TaskStatus


class TaskSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `task list`; `waits_for` names what a person has to do, or is empty."""

    id: TaskId
    project: ProjectId
    title: str
    status: TaskStatus
    paused: bool
    steps_accepted: int
    steps_total: int
    steps_skipped: int
    waits_for: str
    changed_at: str


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run without its nodes."""

    id: RunId
    flow: str
    purpose: Purpose
    status: NodeStatus
    project: ProjectId | None = None
    task: TaskId | None = None
    paused: bool = False
    error: str = ""
    outputs: Json = None
    created_at: str = ""
    ended_at: str = ""


class NodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A node that has begun or ended; `position` is the order in which nodes first began within the run."""

    run: RunId
    path: NodePath
    kind: str
    status: NodeStatus
    attempts: tuple[AttemptId, ...] = ()
    output: Json = None
    error: str = ""
    generation: int = 0
    started_at: str = ""
    ended_at: str = ""


class GateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A gate with what it belongs to; an approval has no run."""

    gate: GateState
    project: ProjectId | None = None
    task: TaskId | None = None
    run: RunId | None = None


def summary(state: TaskState) -> TaskSummary:
    """Return a task's line in the list, but for the gates that it waits for."""
    task = state.task
    return TaskSummary(
        id=TaskId(task.id),
        project=ProjectId(task.project),
        title=task.title,
        status=task.status,
        paused=task.paused,
        steps_accepted=sum(step.status is StepStatus.ACCEPTED for step in task.steps),
        steps_total=len(task.steps),
        steps_skipped=sum(step.status is StepStatus.SKIPPED for step in task.steps),
        waits_for="",
        changed_at=state.changed_at,
    )


Row = Project | TaskState | RunRow | NodeRow | AttemptState | GateRow


class StreamRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stream: its UUID, what it is of, its local id (empty for the workspace), and its head."""

    stream: StreamId
    kind: StreamKind
    local: str
    n: int
    hash: str


class InboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A command on its way: `command` is the JSON of an InboxCommand; the answer is set once it was applied."""

    id: int
    at: str
    actor: str
    command: Json
    key: str | None = None
    state: Literal["pending", "done", "refused"] = "pending"
    answer: Json = None


class LogFault(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing of a stream that does not hold, at its event `n`; `seq` is 0 when there is no such event."""

    stream: str
    kind: str
    local: str
    n: int
    seq: int
    message: str
