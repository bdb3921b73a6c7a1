"""State as the fold of the log: a task's and a run's. Frozen; maps are persistent, so an old state stays valid.

What a run has very many of is left out of the search for cyclic garbage (`gc=False`): nothing frozen can be part of it.
"""

from typing import Generic, TypeVar

import msgspec
from immutables import Map

from punchlist.model.events import ZERO, Head, Purpose
from punchlist.model.flow import AnyNode, Flow
from punchlist.model.ids import (
    AttemptId,
    Commit,
    CriterionId,
    Digest,
    FindingId,
    GateId,
    NodePath,
    ProjectId,
    RunId,
    StepId,
    TaskId,
    Tree,
)
from punchlist.model.jobs import Outcome, Role
from punchlist.model.json import Json
from punchlist.model.policy import Policy
from punchlist.model.proofs import Proof
from punchlist.model.records import Destination, Project, Task
from punchlist.model.states import AttemptStatus, GateStatus, NodeStatus
from punchlist.model.verdicts import Verdict, Waiver

T = TypeVar("T")


class Mark(msgspec.Struct, frozen=True, gc=False):
    """The last event that changed something: its time and its hash."""

    at: str = ""
    event: Digest = ZERO


class VerdictRow(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict with the `r.s` that it judges, and the node that gave it."""

    r: int
    s: int
    at: str
    verdict: Verdict
    node: NodePath = NodePath("")


class Integration(msgspec.Struct, frozen=True, kw_only=True):
    """All that a commit onto the task's branch is made of; `event` is its `Punchlist-Event` trailer."""

    parent: Commit
    tree: Tree
    author: str
    message: str
    at: str
    event: Digest


class StepState(msgspec.Struct, frozen=True, kw_only=True):
    """What the task's stream says of a step beyond its record. `tries` counts builder attempts within `r`.

    Of the task's own criteria `r` counts how often they were changed.

    `messages` are a person's, and stand first in each prompt until the step is accepted; `late` are those of them that
    came when the present try had begun without them.
    """

    r: int = 0
    tries: int = 0
    base: Commit | None = None
    messages: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    verdicts: tuple[VerdictRow, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    commit: Commit | None = None
    tree: Tree | None = None
    reason: str = ""
    planned: Integration | None = None
    closed: bool = False
    mark: Mark = Mark()

    @property
    def present(self) -> VerdictRow | None:
        """The last verdict, unless it was given before `r`: then it is on what the step was."""
        return self.verdicts[-1] if self.verdicts and self.verdicts[-1].r == self.r else None


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """A task as its stream tells it. `steps` holds one state a step; key None-like `""` is the task's own criteria.

    `approved_unproved`: what its checks show on the base was not known when it was approved, and is looked at when a
    step is dispatched. `approved_for`: where its work was to go when it was approved, if that was written down.
    """

    task: Task
    steps: Map[str, StepState]
    proof: Proof | None = None
    proposal: GateId | None = None
    branch: str | None = None
    base: Commit | None = None
    tip: Commit | None = None
    run: RunId | None = None
    findings: Map[FindingId, str] = Map()
    reason: str = ""
    created_at: str = ""
    changed_at: str = ""
    approved_by: str = ""
    approved_anyway: tuple[str, ...] = ()
    approved_unproved: bool = False
    approved_for: Destination | None = None
    published: str = ""
    mark: Mark = Mark()


class Queue(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """A persistent first-in first-out queue; an entry may be dropped from the middle by its ticket."""

    entries: Map[int, T] = Map()
    first: int = 0
    last: int = 0


class NodeState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One node of a run. Items of a `for_each` and rounds of a `repeat` are nodes of their own (kind `item`, `round`).

    `spot` is the node's place in the definition (`steps.rounds.build`), `missing` counts needs that are not over,
    `remaining` the children that are not, `running` the items that take a place, `resting` the children that rest until
    a person decides; `settled` says how many of its attempts (of a repeat: rounds) a person's last decision on it had
    before it. It `ends` so, and that is `why`, when what is left of it is over: the end of a flow.
    """

    path: NodePath
    spot: str
    kind: str
    status: NodeStatus = NodeStatus.PENDING
    parent: NodePath | None = None
    key: str = ""
    value: Json = None
    index: int = 0
    most: int = 0
    children: tuple[NodePath, ...] = ()
    wanted_by: tuple[NodePath, ...] = ()
    missing: int = 0
    remaining: int = 0
    failed: int = 0
    running: int = 0
    resting: int = 0
    rests: bool = False
    max_parallel: int = 0
    ready: Queue[NodePath] = Queue()
    attempts: tuple[AttemptId, ...] = ()
    settled: int = 0
    generation: int = 0
    output: Json = None
    error: str = ""
    decision: Json = None
    ends: NodeStatus | None = None
    why: str = ""
    started_at: str = ""
    ended_at: str = ""


class AttemptState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One attempt; see AttemptQueued for `subject`, `again`, `r`, `s`. It has a `nonce_digest` only while it runs."""

    id: AttemptId
    run: RunId
    node: NodePath
    role: Role
    status: AttemptStatus = AttemptStatus.QUEUED
    worker: str | None = None
    step: StepId | None = None
    subject: str = ""
    tree: str | None = None
    command: str = ""
    again: int = 0
    r: int = 0
    s: int = 0
    generation: int = 0
    session: str | None = None
    base: Commit | None = None
    not_before: str | None = None
    after: AttemptId | None = None
    nonce_digest: str = ""
    outcome: Outcome | None = None
    ticket: int = 0
    queued_at: str = ""
    started_at: str = ""
    ended_at: str = ""
    mark: Mark = Mark()


class GateState(msgspec.Struct, frozen=True, kw_only=True):
    """One gate of a run."""

    id: GateId
    kind: str
    node: NodePath
    message: str
    shows: Digest
    choices: tuple[str, ...]
    step: StepId | None = None
    criterion: CriterionId | None = None
    example: str = ""
    form: dict[str, Json] | None = None
    approvers: tuple[str, ...] = ()
    status: GateStatus = GateStatus.OPEN
    choice: str | None = None
    data: dict[str, Json] = {}
    by: str = ""
    opened_by: str = ""
    since: str = ""
    decided_at: str = ""


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A node's place in the definition: its record, its children's names, and who needs whom among them."""

    node: AnyNode | Flow
    children: tuple[str, ...] = ()
    needs: dict[str, tuple[str, ...]] = {}
    wanted_by: dict[str, tuple[str, ...]] = {}


class Timer(msgspec.Struct, frozen=True, gc=False):
    """When a node that waits is to be looked at, since when it waits, and the files that end its wait before."""

    at: str
    since: str
    fixed: bool = False
    files: str = ""
    least: int = 0


class Tries(msgspec.Struct, frozen=True, kw_only=True):
    """The builder's attempts for a step within its revision `r`: how many, the first one's base, and the last one."""

    r: int = 0
    count: int = 0
    base: Commit | None = None
    last: AttemptId | None = None


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """A run as its stream tells it. The root node has the path `""`.

    `secrets` are the names of all that its nodes get; `made` says whether any attempt left an artifact.

    `queue` holds attempts that wait for a slot, `lines` those of each worker among them, by the same tickets, `parked`
    those with a time before which they must not start, `live` those that run, `held` those of items that a person's
    decision let go on and that wait for a place of their `for_each`; `timers` are of nodes that wait for a time;
    `checked` holds the attempts of a check or review
    on a tree, `trees` the builder attempt that a tree is from; `integrating` is the queue of integrate nodes, the first
    at work; `earlier` keeps nodes that began again under another one; `raised` the limits that a person raised;
    `cancelling` is the reason of a cancel that waits for a commit under way, `cancelled_by` who asked for it; with
    `revising` the task becomes a draft by it. `counted_from` is how many transitions there were when its end began.
    """

    id: RunId
    purpose: Purpose
    definition: Flow
    spots: dict[str, Spot]
    inputs: dict[str, Json]
    policy: Policy
    project: ProjectId | None = None
    task: TaskId | None = None
    base: Commit | None = None
    path: str = ""
    env: dict[str, str] = {}
    secrets: tuple[str, ...] = ()
    made: bool = False
    status: NodeStatus = NodeStatus.PENDING
    paused: bool = False
    cancelling: str = ""
    cancelled_by: str = ""
    counted_from: int = 0
    revising: bool = False
    error: str = ""
    outputs: Json = None
    nodes: Map[NodePath, NodeState] = Map()
    earlier: Map[NodePath, NodeState] = Map()
    attempts: Map[AttemptId, AttemptState] = Map()
    gates: Map[GateId, GateState] = Map()
    open_gates: Map[GateId, NodePath] = Map()
    queue: Queue[AttemptId] = Queue()
    lines: Map[str, Queue[AttemptId]] = Map()
    live: Map[AttemptId, NodePath] = Map()
    parked: Map[AttemptId, str] = Map()
    held: Map[NodePath, tuple[AttemptId, ...]] = Map()
    timers: Map[NodePath, Timer] = Map()
    tries: Map[StepId, Tries] = Map()
    raised: Map[str, str] = Map()
    checked: Map[str, tuple[AttemptId, ...]] = Map()
    trees: Map[str, AttemptId] = Map()
    integrating: tuple[NodePath, ...] = ()
    transitions: int = 0
    created_at: str = ""
    ended_at: str = ""

    @property
    def is_used_up(self) -> bool:
        """Whether it made more transitions than it may; for its end it may make as many again."""
        return self.transitions - self.counted_from > self.policy.max_transitions


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All that one decision may read: the run, its task and project, and the heads of their streams."""

    run: RunState | None = None
    task: TaskState | None = None
    project: Project | None = None
    heads: Map[str, Head] = Map()
