"""What the views read of an answer, as records: fields that a view does not show are passed over."""

from typing import TypeVar

import msgspec

from punchlist.model.json import Json, convert


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer."""


T = TypeVar("T")


def seen(kind: type[T], value: Json) -> T:
    """Return a part of an answer as a record."""
    return convert(value, kind)


class ProjectSeen(Part, frozen=True, kw_only=True):
    """A project."""

    id: str
    title: str
    spec: str
    repo: str
    base: str
    setup: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    version: int


class TriedSeen(Part, frozen=True, kw_only=True):
    """A command that was tried."""

    command: str
    exit_code: int | None = None
    worked: bool
    tail: str = ""


class DetectedSeen(Part, frozen=True, kw_only=True):
    """What was found out about a repository."""

    setup: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    tried: tuple[TriedSeen, ...] = ()


class WorkspaceSeen(Part, frozen=True, kw_only=True):
    """A workspace."""

    root: str
    files: str = ""
    sandbox: str = ""
    in_git: bool = False


class CheckSeen(Part, frozen=True, kw_only=True):
    """One thing that `doctor` looked at."""

    name: str
    status: str
    detail: str = ""
    hint: str = ""


class SettingSeen(Part, frozen=True, kw_only=True):
    """One resolved setting."""

    key: str
    value: Json
    source: str
    note: str = ""


class CriterionSeen(Part, frozen=True, kw_only=True):
    """A criterion; `shows` is what its check showed on the base."""

    id: str
    text: str
    check: str | None = None
    network: bool = False
    review: bool = False
    shows: str | None = None


class JudgedSeen(Part, frozen=True, kw_only=True):
    """One criterion of a verdict."""

    id: str
    verdict: str | None = None
    by: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    finding: str = ""
    text: str = ""
    flaky: bool = False
    attempts: tuple[str, ...] = ()


class FindingSeen(Part, frozen=True, kw_only=True):
    """A finding."""

    text: str
    kind: str
    state: str = "open"
    id: str | None = None
    criterion: str | None = None


class VerdictSeen(Part, frozen=True, kw_only=True):
    """A verdict."""

    result: str
    r: int = 0
    s: int = 0
    criteria: tuple[JudgedSeen, ...] = ()
    findings: tuple[FindingSeen, ...] = ()
    unenforced: tuple[str, ...] = ()


class AttemptSeen(Part, frozen=True, kw_only=True):
    """An attempt."""

    id: str
    role: str
    status: str
    subject: str = ""
    r: int = 0
    s: int = 0
    worker: str | None = None
    failure_class: str | None = None
    reason: str = ""


class StepSeen(Part, frozen=True, kw_only=True):
    """A step; its attempts and verdicts are in `step show` only."""

    id: str
    title: str
    status: str
    goal: str = ""
    standing: str = ""
    reason: str = ""
    builder: str | None = None
    qa: str | None = None
    scope: dict[str, Json] = {}
    needs: tuple[str, ...] = ()
    criteria: tuple[CriterionSeen, ...] = ()
    commit: str | None = None
    verdict: VerdictSeen | None = None
    attempts: tuple[AttemptSeen, ...] = ()
    verdicts: tuple[VerdictSeen, ...] = ()


class ProofRowSeen(Part, frozen=True, kw_only=True):
    """What the base showed of one check."""

    id: str
    shows: str
    step: str | None = None
    command: str = ""
    exit_code: int | None = None
    tail: str = ""
    problem: str = ""


class ProofSeen(Part, frozen=True, kw_only=True):
    """The checks of a task on its base."""

    version: int
    rows: tuple[ProofRowSeen, ...] = ()
    unproven: tuple[str, ...] = ()


class NoteSeen(Part, frozen=True, kw_only=True):
    """A key of a task that is not heeded yet."""

    key: str
    note: str


class TermsSeen(Part, frozen=True, kw_only=True):
    """Where a task's work goes, and the rules that it or its steps set themselves."""

    repo: str
    base: str
    rules: tuple[dict[str, Json], ...] = ()


class TaskSeen(Part, frozen=True, kw_only=True):
    """A task."""

    id: str
    project: str
    title: str
    status: str
    version: int
    needs: tuple[str, ...] = ()
    revision: int = 0
    paused: bool = False
    spec: str = ""
    standing: str = ""
    reason: str = ""
    branch: str | None = None
    run: str | None = None
    proposal: str | None = None
    proof: ProofSeen | None = None
    approved_by: str = ""
    approved_anyway: tuple[str, ...] = ()
    acceptance: tuple[CriterionSeen, ...] = ()
    steps: tuple[StepSeen, ...] = ()
    verdict: VerdictSeen | None = None
    tier: str = "light"
    labels: tuple[str, ...] = ()
    source: str | None = None
    notes: tuple[NoteSeen, ...] = ()
    terms: TermsSeen | None = None


class RemarkSeen(Part, frozen=True, kw_only=True):
    """What is wrong with a plan."""

    where: str
    text: str


class TaskLineSeen(Part, frozen=True, kw_only=True):
    """A line of `task list`."""

    id: str
    project: str
    title: str
    status: str
    paused: bool = False
    steps_accepted: int = 0
    steps_total: int = 0
    steps_skipped: int = 0
    waits_for: str = ""


class ChoiceSeen(Part, frozen=True, kw_only=True):
    """A choice of a gate."""

    name: str
    needs: tuple[str, ...] = ()
    type: str = ""
    effect: str = ""


class GateSeen(Part, frozen=True, kw_only=True):
    """A gate."""

    id: str
    kind: str
    message: str
    about: str | None = None
    status: str = "open"
    choice: str | None = None
    by: str = ""
    since: str = ""
    choices: tuple[ChoiceSeen, ...] = ()


class NodeSeen(Part, frozen=True, kw_only=True):
    """A node of a run."""

    path: str
    kind: str
    status: str
    attempts: tuple[str, ...] = ()
    error: str = ""


class RunSeen(Part, frozen=True, kw_only=True):
    """A run."""

    id: str
    flow: str
    status: str
    purpose: str = ""
    task: str | None = None
    paused: bool = False
    error: str = ""
    outputs: Json = None
    nodes: tuple[NodeSeen, ...] = ()


class NotStartedSeen(Part, frozen=True, kw_only=True):
    """A task that was to be started when others are accepted, and was not."""

    id: str
    why: str
    hint: str


class FlowErrorSeen(Part, frozen=True, kw_only=True):
    """One error or warning of a flow."""

    file: str = ""
    line: int
    column: int
    message: str
    hint: str = ""


class FlowSeen(Part, frozen=True, kw_only=True):
    """A flow that was checked."""

    path: str
    errors: tuple[FlowErrorSeen, ...] = ()
    warnings: tuple[FlowErrorSeen, ...] = ()


class LibraryFlowSeen(Part, frozen=True, kw_only=True):
    """A flow that can be named."""

    called: str
    source: str
    overrides: bool = False
    problems: int = 0
    doc: str = ""
    inputs: dict[str, Json] = {}
    text: str = ""


class PlannedNodeSeen(Part, frozen=True, kw_only=True):
    """A node of a dry run."""

    path: str
    kind: str
    command: Json = None
    prompt: str | None = None
    agent: str | None = None
    message: str | None = None
    criteria: Json = None
    note: str = ""
    later: tuple[str, ...] = ()
    fails: str = ""


class EventSeen(Part, frozen=True, kw_only=True):
    """An event."""

    seq: int
    at: str
    kind: str
    actor: str
    data: dict[str, Json] = {}


class DriftSeen(Part, frozen=True, kw_only=True):
    """A generated file that is not as the record says."""

    path: str
    kind: str


class EngineSeen(Part, frozen=True, kw_only=True):
    """The engine, from outside."""

    running: bool
    pid: int | None = None
    since: str = ""
    version: str = ""


class WaitsSeen(Part, frozen=True, kw_only=True):
    """What something waits for, and the command that moves it."""

    what: str
    command: str
