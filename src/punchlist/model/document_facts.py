"""Facts of the log that documents tell: of the workspace, of a project, of a task. A run's are beside them."""

import msgspec

from punchlist.model.ids import (
    AttemptId,
    Commit,
    Digest,
    FindingId,
    GateId,
    NodePath,
    RunId,
    StepId,
    StreamId,
    Tree,
)
from punchlist.model.proofs import Proof
from punchlist.model.records import Destination, Project, Task
from punchlist.model.states import StepStatus, TaskStatus
from punchlist.model.verdicts import Verdict, Waiver


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="kind"):
    """What an event says happened; the class name is the event's kind."""


# -- the workspace's stream -------------------------------------------------------------------------------------------


class WorkspaceCreated(Fact, frozen=True, tag=True):
    """The first event of all."""

    format: int


class HeadsMoved(Fact, frozen=True, tag=True):
    """The heads of the other streams after a commit (stream → [n, hash]): a cut tail or a dropped stream shows."""

    heads: dict[StreamId, tuple[int, Digest]]


# -- a project's stream -----------------------------------------------------------------------------------------------


class ProjectCreated(Fact, frozen=True, tag=True):
    """A project was made."""

    project: Project


class ProjectEdited(Fact, frozen=True, tag=True):
    """A project was changed to this."""

    project: Project


# -- a task's stream --------------------------------------------------------------------------------------------------


class TaskCreated(Fact, frozen=True, tag=True):
    """A draft was made."""

    task: Task


class TaskEdited(Fact, frozen=True, tag=True):
    """A draft was changed to this; `what` says in words what changed."""

    task: Task
    what: str


class TaskProved(Fact, frozen=True, tag=True):
    """The checks ran on the base."""

    proof: Proof


class ApprovalProposed(Fact, frozen=True, tag=True):
    """Someone asks a person to approve the task as it is (gate `approval`)."""

    gate: GateId
    digest: Digest
    message: str = ""


class ApprovalDecided(Fact, frozen=True, tag=True):
    """The proposal was decided or withdrawn."""

    gate: GateId
    choice: str
    message: str = ""


class TaskApproved(Fact, frozen=True, tag=True):
    """The task is frozen at this digest; `anyway` lists what was unproven and passed over.

    `unproved`: nobody had waited for its checks to run on the base; what they show there is looked at at dispatch.
    `destination`: where its work was to go then (None: nobody wrote it down).
    """

    digest: Digest
    message: str = ""
    anyway: tuple[str, ...] = ()
    unproved: bool = False
    destination: Destination | None = None


class TaskRevised(Fact, frozen=True, tag=True):
    """Back to draft as revision `revision`; the named accepted steps are invalidated."""

    revision: int
    reason: str = ""
    invalidated: tuple[StepId, ...] = ()


class TaskMoved(Fact, frozen=True, tag=True):
    """The task's status changed."""

    status: TaskStatus
    run: RunId | None = None
    reason: str = ""


class TaskPaused(Fact, frozen=True, tag=True):
    """The task's pause flag was set or cleared."""

    paused: bool


class BaseFixed(Fact, frozen=True, tag=True):
    """The task's branch starts at this commit of the base branch, for good."""

    branch: str
    base: Commit


class StepDispatched(Fact, frozen=True, tag=True):
    """A step got its base: the tip of the task's branch. Again after a conflict, with the new tip."""

    step: StepId
    base: Commit


class StepMoved(Fact, frozen=True, tag=True):
    """The step's status changed; a reopened step has the next `r`."""

    step: StepId
    status: StepStatus
    reason: str = ""
    r: int | None = None


class ReworkAsked(Fact, frozen=True, tag=True):
    """A person's own finding or message for a step; it stands first in the next prompt.

    `late`: the present try had begun without it, so the verdict on that try cannot pass.
    """

    step: StepId
    message: str
    finding: FindingId | None = None
    late: bool = False


class VerdictGiven(Fact, frozen=True, tag=True):
    """What the engine concluded about a tree; `step` is None for the task's own criteria."""

    step: StepId | None
    r: int
    s: int
    verdict: Verdict
    node: NodePath


class FindingWaived(Fact, frozen=True, tag=True):
    """A person passes over a finding."""

    step: StepId | None
    waiver: Waiver


class IntegrationPlanned(Fact, frozen=True, tag=True):
    """All that a commit is made of; this event's hash is its `Punchlist-Event` trailer."""

    step: StepId
    attempt: AttemptId
    parent: Commit
    tree: Tree
    author: str
    message: str


class StepIntegrated(Fact, frozen=True, tag=True):
    """The task's branch is at this commit, which holds the step."""

    step: StepId
    commit: Commit
    tree: Tree


class StepClosed(Fact, frozen=True, tag=True):
    """The closing record of a step's revision `r`, once."""

    step: StepId
    r: int
    status: StepStatus
    attempts: int
    commit: Commit | None = None
    waived: tuple[Waiver, ...] = ()


class TaskPublished(Fact, frozen=True, tag=True):
    """The accepted branch was left, merged or opened as a pull request."""

    how: str
    branch: str
    commit: Commit
    merged: bool


WorkspaceFact = WorkspaceCreated | HeadsMoved
ProjectFact = ProjectCreated | ProjectEdited
TaskFact = (
    TaskCreated | TaskEdited | TaskProved | ApprovalProposed | ApprovalDecided | TaskApproved | TaskRevised | TaskMoved
    | TaskPaused | BaseFixed | StepDispatched | StepMoved | ReworkAsked | VerdictGiven | FindingWaived
    | IntegrationPlanned | StepIntegrated | StepClosed | TaskPublished
)  # fmt: skip
