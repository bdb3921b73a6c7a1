"""A job is what the runtime performs for an attempt; an outcome is what came of it. Both are plain values."""

from enum import StrEnum
from typing import Literal

import msgspec

from punchlist.model.ids import AttemptId, Commit, Digest, NodePath, ProjectId, RunId, StepId, TaskId, Tree
from punchlist.model.json import Json
from punchlist.model.states import AttemptStatus


class Role(StrEnum):
    """What an attempt is for. `check`, `setup`, `command` are commands; `engine` is the engine's own work on git."""

    PLANNER = "planner"
    BUILDER = "builder"
    QA = "qa"
    NODE = "node"
    CHECK = "check"
    SETUP = "setup"
    COMMAND = "command"
    ENGINE = "engine"


class FailureClass(StrEnum):
    """Why an attempt did not succeed; each class has its own budget (design 1)."""

    CRITERION = "criterion"
    WORKER = "worker"
    QUOTA = "quota"
    PERMISSION = "permission"
    BLOCKED = "blocked"
    TIMEOUT = "timeout"
    SILENCE = "silence"
    MEMORY = "memory"
    OUTPUT = "output"
    PROCESSES = "processes"
    LOST = "lost"
    DEFINITION = "definition"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of a process and all it starts: seconds of wall time, of silence, bytes of memory, of output; how many."""

    timeout: float
    silence: float | None = None
    memory: int | None = None
    output: int | None = None
    processes: int | None = None

    def told(self, limit: str) -> str:
        """Return the value of a limit with its unit, as people say it."""
        value = getattr(self, limit)
        if limit in {"timeout", "silence"}:
            return f"{value:g} s"
        if limit == "processes":
            return str(value)
        for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
            if value % size == 0:
                return f"{value // size} {unit}"
        return f"{value} bytes"


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """Where a process works: the builder's clone, a clean checkout of `tree` (`exam`), or the flow's folder (`run`).

    `base` is where a fresh clone starts; `merge` a commit whose merge is started in the builder's clone: the branch as
    it is now, when it moved since the step's first try. A clone of another `revision` of the step is made anew.
    """

    place: Literal["build", "exam", "run"]
    project: ProjectId | None = None
    task: TaskId | None = None
    step: StepId | None = None
    tree: Tree | None = None
    base: Commit | None = None
    merge: Commit | None = None
    revision: int = 0


class Artifact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that an attempt left, by its content; a copy is kept under its hash. `text` is that of a small text."""

    path: str
    sha256: Digest
    size: int
    text: str | None = None


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact as another attempt uses it: which node's, by which attempt, and what it was then."""

    node: NodePath
    name: str
    attempt: AttemptId
    path: str
    sha256: Digest


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command leaves its answer, which is JSON: in `file`, below its work folder, else on standard output."""

    file: str | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A function `module:name` to call with keyword arguments."""

    function: str
    arguments: dict[str, Json]


class ProcessJob(msgspec.Struct, frozen=True, kw_only=True, tag="process", tag_field="job"):
    """Run a worker (`worker` set: prompt and pack are for it), a function (`call`) or a command (`argv`) in a folder.

    `artifacts` are paths below the folder by name, which must be there afterwards; `uses` what it is made from, which
    must still be what it was.

    `secrets` are names whose values it is given, `masked` those whose values nothing that it leaves may show.

    `answer` says that a command answers in JSON; its result has it as `answer`, unless there is none.

    `env` are values set for the process, `path` is PATH where the run was started (empty: the engine's), `cwd` where in
    the folder it begins. `diff_base` asks for `io/diff.patch`, from there to the folder's tree. `sent_back` is why the
    try before in the same session was not taken. `again` counts the tries of a check on the same tree before this one;
    with `twice` a red one is run once more. By `nonce_digest` a record of how it ended is known as its wrapper's.
    """

    attempt: AttemptId
    run: RunId
    role: Role
    folder: Folder
    limits: Limits
    worker: str | None = None
    argv: tuple[str, ...] = ()
    cwd: str | None = None
    path: str = ""
    stdin: str | None = None
    prompt: str = ""
    pack: Json = None
    session: str | None = None
    sent_back: str = ""
    env: dict[str, str] = {}
    network: bool = True
    sandbox: str = "auto"
    answer: Answer | None = None
    call: Call | None = None
    artifacts: dict[str, str] = {}
    uses: tuple[Pin, ...] = ()
    secrets: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    diff_base: Commit | None = None
    again: int = 0
    twice: bool = False
    nonce_digest: str = ""


class MergeJob(msgspec.Struct, frozen=True, kw_only=True, tag="merge", tag_field="job"):
    """Merge `commit` (built on `base`) with the branch's tip `onto`, in the engine's repository, without a checkout.

    The outcome's result is `{"tree": TREE, "conflicts": [path]}`; `tree` is null when there are conflicts.
    """

    attempt: AttemptId
    run: RunId
    project: ProjectId
    base: Commit
    commit: Commit
    onto: Commit


class IntegrateJob(msgspec.Struct, frozen=True, kw_only=True, tag="integrate", tag_field="job"):
    """Make the planned commit and move the task's branch to it by compare-and-swap; redone safely.

    Everything in the commit is given, so doing it twice gives the same id. The outcome's result is
    `{"commit": COMMIT}`.
    """

    attempt: AttemptId
    run: RunId
    project: ProjectId
    task: TaskId
    branch: str
    parent: Commit
    tree: Tree
    message: str
    author: str
    at: str


class PublishJob(msgspec.Struct, frozen=True, kw_only=True, tag="publish", tag_field="job"):
    """Push the task's branch to the user's repository and, for `merge`, bring it into the base branch.

    The outcome's result is `{"branch": NAME, "commit": COMMIT, "merged": bool}`; a refusal is a failed outcome whose
    reason says the command to type.
    """

    attempt: AttemptId
    run: RunId
    project: ProjectId
    task: TaskId
    branch: str
    commit: Commit
    how: Literal["branch", "merge", "pr"]
    base: str


class PlanJob(msgspec.Struct, frozen=True, kw_only=True, tag="plan", tag_field="job"):
    """Make draft tasks of a plan, once; the attempt id is the idempotency key. The result is `{"tasks": [id]}`."""

    attempt: AttemptId
    run: RunId
    project: ProjectId
    plan: Json


class ListJob(msgspec.Struct, frozen=True, kw_only=True, tag="list", tag_field="job"):
    """Read the items of a `for_each` from a file of the workspace; the outcome's result is `{"items": […]}`."""

    attempt: AttemptId
    run: RunId
    path: str
    form: Literal["lines", "json"]
    uses: tuple[Pin, ...] = ()
    masked: tuple[str, ...] = ()


Job = ListJob | ProcessJob | MergeJob | IntegrateJob | PublishJob | PlanJob


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One path that differs between the step's base and the snapshot."""

    path: str
    how: Literal["added", "modified", "deleted", "type"]
    old_mode: str
    new_mode: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a builder left, recorded by the engine before anything is cleaned up; `diff` is cut to a bounded text."""

    commit: Commit
    tree: Tree
    base: Commit
    changes: tuple[Change, ...]
    diff: str = ""


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an attempt cost, as a delta; unknown stays None, never 0. Money is in micro-dollars.

    `cached_tokens` were read from a cache, and are not among `input_tokens`.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    microdollars: int | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of an attempt. `status` is never queued or running; `failure` is set unless it succeeded.

    `result` is the typed answer, decoded and validated for its role, or None. `tail` holds the last lines of output,
    `output_digest` the SHA-256 of stdout followed by stderr. `evidence` says of each reference of a review, or of a
    builder's claims, whether it resolves. `exam_changed` names paths that a process changed in an exam folder though it
    must not. `refused` says what the attempt's typed tools were asked for and refused: a second answer, another role's
    tool. `session` names the agent's conversation; with `session_over` it cannot be gone on with, and what follows
    begins a new one. `exam` is what makes two checks the same one; `cached_from` names the attempt of another run, or
    step, whose answer this is. With `bad_output` it ended well, and what it answered is not what was asked for.
    `artifacts` are what it left by name (None, as in most, where nothing was asked for), `used` what of
    others it was made from.
    """

    attempt: AttemptId
    status: AttemptStatus
    failure: FailureClass | None = None
    reason: str = ""
    exit_code: int | None = None
    signal: int | None = None
    tail: str = ""
    output_digest: Digest | None = None
    result: Json = None
    snapshot: Snapshot | None = None
    evidence: dict[str, bool] = {}
    exam_changed: tuple[str, ...] = ()
    unenforced: tuple[str, ...] = ()
    session: str | None = None
    session_over: bool = False
    usage: Usage | None = None
    not_before: str | None = None
    passed_limit: str | None = None
    refused: tuple[str, ...] = ()
    exam: Digest | None = None
    cached_from: AttemptId | None = None
    bad_output: bool = False
    artifacts: dict[str, Artifact] | None = None
    used: tuple[Pin, ...] = ()
