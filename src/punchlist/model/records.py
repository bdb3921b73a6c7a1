"""Project, task, step and criterion: as people write them (the file shapes) and as the store keeps them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from punchlist.model.ids import END, CriterionName, Digest, Slug, StepName, TaskName, Title
from punchlist.model.policy import Duration, PolicyPart
from punchlist.model.states import StepStatus, TaskStatus

Text = Annotated[str, Meta(max_length=200_000)]
Prose = Annotated[
    str,
    Meta(
        max_length=200_000,
        pattern=rf"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*{END}",
        description="text of at most 200,000 characters, without control characters but tabs and ends of lines",
    ),
]
"""A text of many lines as somebody writes it; what was written before it was held to this is read as `Text`."""
_SAYS = r"^\s*[^\s\x00][^\x00]*$"
"""A text that is not blank; none with the character NUL can be a path or an argument of a process."""
Line = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=4_000,
        pattern=_SAYS,
        description="text of 1 to 4,000 characters, not blank, none of them NUL",
    ),
]
Command = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=20_000,
        pattern=_SAYS,
        description="text of 1 to 20,000 characters, not blank, none of them NUL",
    ),
]
Glob = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1_000,
        pattern=_SAYS,
        description="text of 1 to 1,000 characters, not blank, none of them NUL",
    ),
]
WorkerName = Annotated[
    str,
    Meta(pattern=rf"^[a-z][a-z0-9_-]{{0,59}}{END}", description="a worker's name: lower-case letters, digits, - and _"),
]
RedFirst = Literal["auto"] | bool
Tier = Literal["light", "contract"]


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One thing that must hold. Without a check, a reviewer judges it (`review` is then true)."""

    id: CriterionName
    text: Line
    check: Command | None = None
    timeout: Duration | None = None
    network: bool = False
    red_first: RedFirst = "auto"
    review: bool = False


class CriterionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A criterion as written in a file: the id may be left out, `review` defaults to "when there is no check"."""

    text: Line
    id: CriterionName | None = None
    check: Command | None = None
    timeout: Duration | None = None
    network: bool = False
    red_first: RedFirst = "auto"
    review: bool | None = None


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Which paths a step may change: globs with `**`; no `allow` means everything that `deny` leaves."""

    allow: tuple[Glob, ...] = ()
    deny: tuple[Glob, ...] = ()
    unlock: tuple[Glob, ...] = ()


class StepFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A step as written in a file; `needs` names steps by position (from 1) or id, by default the one before."""

    title: Title
    criteria: Annotated[tuple[CriterionFile | Line, ...], Meta(min_length=1, max_length=200)]
    goal: Prose = ""
    scope: Scope = Scope()
    needs: tuple[Annotated[int, Meta(ge=1)] | StepName, ...] | None = None
    builder: WorkerName | None = None
    qa: WorkerName | None = None
    policy: PolicyPart = PolicyPart()
    context: tuple[Line, ...] = ()


class TaskFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A task as `task create --file` and a planner's plan write it."""

    title: Title
    spec: Prose = ""
    acceptance: Annotated[tuple[CriterionFile | Line, ...], Meta(max_length=200)] = ()
    steps: Annotated[tuple[StepFile, ...], Meta(max_length=500)] = ()
    tier: Tier = "light"
    labels: tuple[Slug, ...] = ()
    source: Line | None = None
    needs: tuple[TaskName | Annotated[int, Meta(ge=1)], ...] = ()
    policy: PolicyPart = PolicyPart()


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One bounded part of a task, with ids and defaults filled in; `needs` holds step ids."""

    id: StepName
    index: int
    title: Title
    goal: Text
    criteria: tuple[Criterion, ...]
    scope: Scope
    needs: tuple[StepName, ...]
    builder: WorkerName | None = None
    qa: WorkerName | None = None
    policy: PolicyPart = PolicyPart()
    context: tuple[Line, ...] = ()
    status: StepStatus = StepStatus.PENDING
    version: int = 1


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A piece of work in a project: frozen, with a digest, once approved; `revision` counts from 0."""

    id: TaskName
    project: Slug
    title: Title
    spec: Text
    acceptance: tuple[Criterion, ...]
    steps: tuple[Step, ...]
    tier: Tier = "light"
    labels: tuple[Slug, ...] = ()
    source: Line | None = None
    needs: tuple[TaskName, ...] = ()
    policy: PolicyPart = PolicyPart()
    status: TaskStatus = TaskStatus.DRAFT
    paused: bool = False
    revision: int = 0
    digest: Digest | None = None
    version: int = 1


class ProjectFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What may be said of a project when it is created or edited, in settings or by a verb."""

    title: Title | None = None
    spec: Prose | None = None
    repo: Line | None = None
    base: Line | None = None
    setup: tuple[Command, ...] | None = None
    setup_allow: tuple[Line, ...] | None = None
    path: tuple[Line, ...] | None = None
    policy: PolicyPart | None = None


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the work of a project's tasks goes: its repository and base branch, as the project has them."""

    repo: Line
    base: Line

    def __str__(self) -> str:
        return f"branch {self.base} of {self.repo}"


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A name, a spec and a git repository; `repo` is absolute or relative to the workspace."""

    id: Slug
    title: Title
    spec: Text
    repo: Line
    base: Line
    setup: tuple[Command, ...] = ()
    setup_allow: tuple[Line, ...] = ()
    path: tuple[Line, ...] = ()
    policy: PolicyPart = PolicyPart()
    version: int = 1

    @property
    def destination(self) -> Destination:
        """Where the work of its tasks goes."""
        return Destination(repo=self.repo, base=self.base)
