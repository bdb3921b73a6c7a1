"""What a person, an orchestrator or the runtime may ask of a run: one closed record each, kept in the inbox."""

import msgspec

from punchlist.model.events import Purpose
from punchlist.model.flow import Flow
from punchlist.model.ids import Commit, FindingId, GateId, NodePath, ProjectId, RunId, StepId, StreamId, TaskId
from punchlist.model.jobs import Outcome
from punchlist.model.json import Json
from punchlist.model.policy import Policy


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="command"):
    """Base of the commands; `run` or `task` says what it steers."""


class StartRun(Command, frozen=True, tag=True):
    """Begin a run; for purpose `deliver` the task must be ready, and becomes running.

    `path` is PATH as it is where the run was asked for, `env` what the names that the flow lists are set to there;
    `source` is where the definition was read: a file's path, or a name.
    """

    run: RunId
    stream: StreamId
    purpose: Purpose
    definition: Flow
    inputs: dict[str, Json]
    policy: Policy
    project: ProjectId | None = None
    task: TaskId | None = None
    base: Commit | None = None
    branch: str | None = None
    path: str = ""
    env: dict[str, str] = {}
    source: str = ""


class Decide(Command, frozen=True, tag=True):
    """Decide a gate; `shows` (when given) must be the digest that the gate shows."""

    run: RunId
    gate: GateId
    choice: str
    data: dict[str, Json] = {}
    shows: str | None = None


class Pause(Command, frozen=True, tag=True):
    """Start nothing new; `now` also stops what runs."""

    run: RunId
    now: bool = False


class Resume(Command, frozen=True, tag=True):
    """Go on; with `start_from` go back to that node first, with `rebase` by that definition from now on.

    `agreed`: who asks was told what that invalidates; without it a way back that invalidates more is refused.
    """

    run: RunId
    start_from: NodePath | None = None
    agreed: bool = False
    rebase: Flow | None = None


class Retry(Command, frozen=True, tag=True):
    """Do again what failed, was cancelled or was not reached in a run that delivers no task."""

    run: RunId


class Cancel(Command, frozen=True, tag=True):
    """End a run, or one node of it; live attempts are killed."""

    run: RunId
    node: NodePath | None = None
    reason: str = ""


class AddNodes(Command, frozen=True, tag=True):
    """Give a run that goes on more nodes: `text` is a document with `nodes:` that errors call `source`.

    `files` are the texts that it names, each under the name that it has there. With `replace` nodes that came to no
    good end yet are replaced by those of the same name.
    """

    run: RunId
    text: str
    source: str
    files: dict[str, str] = {}
    replace: bool = False


class Revise(Command, frozen=True, tag=True):
    """End the run that has hold of a task and bring the task back to draft, as its next revision.

    `expected_version` (when given) must be the task's.
    """

    run: RunId
    reason: str = ""
    expected_version: int | None = None


class CloseStep(Command, frozen=True, tag=True):
    """Skip or cancel a step of a live run."""

    run: RunId
    step: StepId
    status: str
    reason: str = ""


class AskRework(Command, frozen=True, tag=True):
    """A person's finding for a step of a live run."""

    run: RunId
    step: StepId
    message: str


class Waive(Command, frozen=True, tag=True):
    """Pass over a finding of a live run; with a gate `rework` or `acceptance` open on it this decides the gate."""

    run: RunId
    finding: FindingId
    reason: str


class Interrupted(Command, frozen=True, tag=True):
    """The engine is about to end: what runs is stopped and queued again; sent by the runtime, never by the inbox."""

    run: RunId


class Fail(Command, frozen=True, tag=True):
    """End a run that the engine cannot go on with; sent by the runtime, never by the inbox."""

    run: RunId
    reason: str


class AttemptOver(Command, frozen=True, tag=True):
    """An attempt ended; sent by the runtime, never by the inbox."""

    run: RunId
    outcome: Outcome


class TimePassed(Command, frozen=True, tag=True):
    """A timer is due; sent by the runtime, never by the inbox."""

    run: RunId


class FilesFound(Command, frozen=True, tag=True):
    """The files that a node waits for are there; sent by the runtime, never by the inbox."""

    run: RunId
    node: NodePath
    files: tuple[str, ...]


RunCommand = (
    StartRun | Decide | Pause | Resume | Retry | Cancel | AddNodes | Revise | CloseStep | AskRework | Waive
    | Interrupted | Fail | AttemptOver | TimePassed | FilesFound
)  # fmt: skip
InboxCommand = StartRun | Decide | Pause | Resume | Retry | Cancel | AddNodes | Revise | CloseStep | AskRework | Waive
