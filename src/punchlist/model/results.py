"""What goes to a worker and what comes back: packs, result, review, plan. A result is a claim, never a state."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from punchlist.model.ids import Commit, CriterionName, Digest, Tree
from punchlist.model.policy import Policy
from punchlist.model.records import Criterion, Line, Scope, Step, TaskFile, Text
from punchlist.model.verdicts import Verdict

Long = Annotated[str, Meta(max_length=20_000)]


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a builder says about one criterion."""

    id: CriterionName
    met: bool
    evidence: Long = ""


class CommandClaim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A command that a builder says it ran."""

    command: Long
    exit_code: int
    evidence: Long = ""


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a builder hands back. Files changed are never asked for: the engine reads them from git."""

    schema: Literal["punchlist/result/1"]
    outcome: Literal["done", "blocked", "failed"]
    summary: Long = ""
    criteria: Annotated[tuple[Claim, ...], Meta(max_length=200)] = ()
    commands: Annotated[tuple[CommandClaim, ...], Meta(max_length=500)] = ()
    notes: Long = ""
    question: Long = ""


class ReviewedCriterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A reviewer's verdict on one criterion.

    `evidence` holds references that must resolve: `path:line` in the judged tree, or `AC-n` for that criterion's
    check output. `finding` says what to change, and is required for `fail`.
    """

    id: CriterionName
    verdict: Literal["pass", "fail"]
    evidence: Annotated[tuple[Line, ...], Meta(max_length=50)] | Long = ()
    finding: Long = ""


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a reviewer hands back: every criterion assigned to it, each with evidence."""

    schema: Literal["punchlist/review/1"]
    criteria: Annotated[tuple[ReviewedCriterion, ...], Meta(max_length=400)]
    suggestions: Annotated[tuple[Long, ...], Meta(max_length=100)] = ()


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a planner hands back; a task's `needs` may name other tasks of the plan by position, from 1."""

    schema: Literal["punchlist/plan/1"]
    tasks: Annotated[tuple[TaskFile, ...], Meta(min_length=1, max_length=200)]


class StepPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A step frozen for dispatch: everything that a builder may rely on. On rework it carries the failing verdict.

    `task` and `spec` are the title and the spec of the task that the step is part of.
    """

    schema: Literal["punchlist/step-pack/1"]
    step: Step
    task_digest: Digest
    project_digest: Digest
    base: Commit
    criteria: tuple[Criterion, ...]
    scope: Scope
    policy: Policy
    context: tuple[Line, ...] = ()
    messages: tuple[Text, ...] = ()
    task: str = ""
    spec: Text = ""
    verdict: Verdict | None = None


class CheckEvidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The output of one check, as a reviewer sees it; refer to it by its criterion's id."""

    id: CriterionName
    command: str
    passed: bool
    tail: str


class ReviewPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a reviewer is given: step, criteria, diff and check outputs, not the builder's story."""

    schema: Literal["punchlist/review-pack/1"]
    title: str
    goal: str
    criteria: tuple[Criterion, ...]
    base: Commit
    tree: Tree
    changes: tuple[str, ...]
    task: str = ""
    spec: Text = ""
    checks: tuple[CheckEvidence, ...] = ()


class PlanRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a planner is given: the project, its spec, and what was asked for (empty: the whole spec)."""

    schema: Literal["punchlist/request/1"]
    project: str
    title: str
    spec: Text
    request: Text = ""
    critique: tuple[str, ...] = ()
