"""The facts of the log: one closed record a kind of event, and the sealed envelope that chains them.

`hash = sha256(prev ‖ canonical JSON of {stream, n, at, kind, actor, data})`; `prev` of a stream's first event is 64
zeros.
Local `seq` is outside the hash, so a stream can move to another workspace unbroken.
"""

from typing import Literal

import msgspec

from punchlist.model.document_facts import (
    ApprovalDecided,
    ApprovalProposed,
    BaseFixed,
    Fact,
    FindingWaived,
    HeadsMoved,
    IntegrationPlanned,
    ProjectCreated,
    ProjectEdited,
    ProjectFact,
    ReworkAsked,
    StepClosed,
    StepDispatched,
    StepIntegrated,
    StepMoved,
    TaskApproved,
    TaskCreated,
    TaskEdited,
    TaskFact,
    TaskMoved,
    TaskPaused,
    TaskProved,
    TaskPublished,
    TaskRevised,
    VerdictGiven,
    WorkspaceCreated,
    WorkspaceFact,
)
from punchlist.model.flow import AnyNode, Flow
from punchlist.model.ids import (
    AttemptId,
    Commit,
    CriterionId,
    Digest,
    GateId,
    NodePath,
    ProjectId,
    RunId,
    StepId,
    StreamId,
    TaskId,
)
from punchlist.model.jobs import Outcome, Role
from punchlist.model.json import Json, canonical, fields_of
from punchlist.model.policy import Policy
from punchlist.model.sealing import chain_hash
from punchlist.model.states import NodeStatus

Purpose = Literal["deliver", "prove", "plan", "flow"]
ZERO = Digest("0" * 64)

__all__ = [  # what is told elsewhere, and belongs to the facts of the log
    "ApprovalDecided",
    "ApprovalProposed",
    "BaseFixed",
    "Fact",
    "FindingWaived",
    "HeadsMoved",
    "IntegrationPlanned",
    "ProjectCreated",
    "ProjectEdited",
    "ProjectFact",
    "ReworkAsked",
    "StepClosed",
    "StepDispatched",
    "StepIntegrated",
    "StepMoved",
    "TaskApproved",
    "TaskCreated",
    "TaskEdited",
    "TaskFact",
    "TaskMoved",
    "TaskPaused",
    "TaskProved",
    "TaskPublished",
    "TaskRevised",
    "VerdictGiven",
    "WorkspaceCreated",
    "WorkspaceFact",
]


# -- a run's stream ---------------------------------------------------------------------------------------------------


class RunCreated(Fact, frozen=True, tag=True):
    """A run, with the definition, inputs and policy that it froze; `source` is where the definition was read."""

    run: RunId
    purpose: Purpose
    definition: Flow
    inputs: dict[str, Json]
    policy: Policy
    project: ProjectId | None = None
    task: TaskId | None = None
    base: Commit | None = None
    path: str = ""
    env: dict[str, str] = {}  # noqa: RUF012 - every record has its own
    source: str = ""


class RunMoved(Fact, frozen=True, tag=True):
    """The run's status changed."""

    status: NodeStatus
    error: str = ""
    outputs: Json = None


class RunPaused(Fact, frozen=True, tag=True):
    """The run's pause flag was set or cleared."""

    paused: bool


class CancelAsked(Fact, frozen=True, tag=True):
    """The run is to be cancelled as soon as the commit that is being made has been recorded.

    `revises`: its task becomes a draft then, as its next revision.
    """

    reason: str
    revises: bool = False


class InputsChanged(Fact, frozen=True, tag=True):
    """A decision changed what the run works on (a step added or opened again)."""

    inputs: dict[str, Json]


class NodeStarted(Fact, frozen=True, tag=True):
    """A node began; a group's children are pending from here on."""

    node: NodePath


class CallEntered(Fact, frozen=True, tag=True):
    """The inputs that a called flow was given."""

    node: NodePath
    inputs: dict[str, Json]


class ItemsListed(Fact, frozen=True, tag=True):
    """What a `for_each` goes over: keys in order, their values, and the keys that each needs."""

    node: NodePath
    keys: tuple[str, ...]
    values: tuple[Json, ...]
    needs: tuple[tuple[str, ...], ...]
    max_parallel: int


class RoundOpened(Fact, frozen=True, tag=True):
    """The next round of a `repeat`; `most` is the number of rounds that it may have by now."""

    node: NodePath
    index: int
    most: int


class NodeMoved(Fact, frozen=True, tag=True):
    """A node waits for a decision, or goes on."""

    node: NodePath
    status: NodeStatus


class NodeWaits(Fact, frozen=True, tag=True):
    """A node waits until this time at most, or until so many files fit a pattern; a `fixed` time is one of the clock.

    Another time is how long it waits from now: a clock that is set back makes it no longer.
    """

    node: NodePath
    until: str
    fixed: bool = False
    files: str = ""
    least: int = 0


class PlaceTaken(Fact, frozen=True, tag=True):
    """An item of a `for_each` goes on in a place that came free: a decision had let it go on while all were taken."""

    node: NodePath


class NodeEnded(Fact, frozen=True, tag=True):
    """A node came to its end."""

    node: NodePath
    status: NodeStatus
    output: Json = None
    error: str = ""


class NodeEnding(Fact, frozen=True, tag=True):
    """What a node comes to is known: it ends so when the `finally` of a flow that it is, or that is in it, is over."""

    node: NodePath
    status: NodeStatus
    error: str = ""


class NodesReset(Fact, frozen=True, tag=True):
    """These nodes, and all below them, begin again as generation `generation`; the old ones stay in the record.

    `dropped` are the later rounds of a `repeat` of which an earlier one goes on: they are no more.
    """

    nodes: tuple[NodePath, ...]
    generation: int
    reason: str
    dropped: tuple[NodePath, ...] = ()


class NodesAdded(Fact, frozen=True, tag=True):
    """The run's flow was given these nodes: behind its own, or in the place of those of the same name."""

    nodes: tuple[AnyNode, ...]


class FlowRebased(Fact, frozen=True, tag=True):
    """The run goes on by another definition, in which all that was done stands as it was done."""

    definition: Flow
    inputs: dict[str, Json]


class AttemptQueued(Fact, frozen=True, tag=True):
    """An attempt is asked for; it starts when a slot is free and `not_before` is past.

    `subject` says what of the node it is for: a criterion's id, `setup`, `merge`, `commit` …; `again` counts repeats.
    A check names the `tree` that it runs on and its `command`: the same on the same tree need not run again. `after` is
    the attempt in whose place it comes.
    """

    attempt: AttemptId
    node: NodePath
    role: Role
    worker: str | None = None
    step: StepId | None = None
    subject: str = ""
    tree: str | None = None
    command: str = ""
    again: int = 0
    r: int = 0
    s: int = 0
    session: str | None = None
    base: Commit | None = None
    not_before: str | None = None
    after: AttemptId | None = None


class AttemptStarted(Fact, frozen=True, tag=True):
    """The engine is about to start it; by `nonce_digest` the record of its end is known as its wrapper's."""

    attempt: AttemptId
    nonce_digest: str = ""


class AttemptEnded(Fact, frozen=True, tag=True):
    """What became of an attempt."""

    outcome: Outcome


class OutcomeIgnored(Fact, frozen=True, tag=True):
    """An outcome came for an attempt that was over: kept as evidence, it changes nothing."""

    outcome: Outcome


class LimitRaised(Fact, frozen=True, tag=True):
    """A person raised a limit of a node of the definition (for one step, or wherever it is outside of steps)."""

    spot: str
    step: StepId | None
    limit: str
    value: str


class GateOpened(Fact, frozen=True, tag=True):
    """A person is asked; `shows` is the digest of what is shown, `example` a value that one of the choices may take."""

    gate: GateId
    gate_kind: str
    node: NodePath
    message: str
    shows: Digest
    choices: tuple[str, ...]
    step: StepId | None = None
    criterion: CriterionId | None = None
    example: str = ""
    form: dict[str, Json] | None = None
    approvers: tuple[str, ...] = ()


class GateDecided(Fact, frozen=True, tag=True):
    """The one decision on a gate."""

    gate: GateId
    choice: str
    data: dict[str, Json] = {}  # noqa: RUF012 - every record has its own


class GateExpired(Fact, frozen=True, tag=True):
    """Nobody decided in time: the choice that was to be taken then, if any."""

    gate: GateId
    choice: str | None = None


class GateWithdrawn(Fact, frozen=True, tag=True):
    """The gate's question is moot."""

    gate: GateId
    reason: str


RunFact = (
    RunCreated | RunMoved | RunPaused | CancelAsked | InputsChanged | NodeStarted | CallEntered | ItemsListed
    | RoundOpened | NodeMoved | NodeWaits | PlaceTaken | NodeEnding | NodeEnded | NodesReset | NodesAdded | FlowRebased
    | AttemptQueued | AttemptStarted | AttemptEnded | OutcomeIgnored | LimitRaised
    | GateOpened | GateDecided | GateExpired | GateWithdrawn
)  # fmt: skip
AnyFact = WorkspaceFact | ProjectFact | TaskFact | RunFact

StreamKind = Literal["workspace", "project", "task", "run"]


class Head(msgspec.Struct, frozen=True):
    """The end of a stream: its last event's number (from 1; 0 when empty) and hash."""

    stream: StreamId
    n: int = 0
    hash: Digest = ZERO


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One sealed fact. `seq` is the store's own order over all streams, 0 until it is stored."""

    stream: StreamId
    n: int
    at: str
    actor: str
    fact: AnyFact
    prev: Digest
    hash: Digest
    seq: int = 0

    @property
    def kind(self) -> str:
        """The event's kind: the name of its fact's class."""
        return type(self.fact).__name__


def text_of(fact: AnyFact) -> bytes:
    """Return `data_of(fact)` in its canonical form, in which it is stored."""
    fields = fields_of(fact)
    del fields["kind"]
    return canonical(fields)


def seal(head: Head, fact: AnyFact, *, at: str, actor: str) -> Event:
    """Return `fact` as the event that follows `head`."""
    n, kind, prev = head.n + 1, type(fact).__name__, head.hash
    hashed = chain_hash(prev.encode(), stream=head.stream, n=n, at=at, kind=kind, actor=actor, data=text_of(fact))
    return Event(stream=head.stream, n=n, at=at, actor=actor, fact=fact, prev=prev, hash=Digest(hashed))


def head_after(event: Event) -> Head:
    """Return the head of the stream that ends with `event`."""
    return Head(event.stream, event.n, event.hash)
