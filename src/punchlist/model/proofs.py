"""What checks showed: on the base before approval (goal, guard, cannot run), and on a built tree."""

from typing import Literal

import msgspec

from punchlist.model.ids import AttemptId, Commit, CriterionName, Digest, StepId, StepName


class CheckResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One criterion's check on one tree. `flaky`: it failed first and passed the second time on the same tree.

    `cannot_run`: exit 126 or 127, a timeout, or a test runner that found or collected nothing. `cached_from` names the
    attempt that ran it, where it was not run again.
    """

    id: CriterionName
    passed: bool
    attempt: AttemptId
    command: str
    exit_code: int | None = None
    flaky: bool = False
    cannot_run: bool = False
    reason: str = ""
    tail: str = ""
    output_digest: Digest | None = None
    cached_from: AttemptId | None = None


Shows = Literal["goal", "guard", "cannot_run"]


class ProofRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the base shows of one criterion with a check: red is a goal, green a guard.

    `step` is None for the task's own acceptance. `problem` says why `red_first` is contradicted, or why it cannot run.
    `holds`: it was a goal when it was approved, and passes when its step is dispatched, by what one of the steps
    `held_by` has left.
    """

    step: StepName | None
    id: CriterionName
    shows: Shows
    command: str
    attempt: AttemptId | None = None
    exit_code: int | None = None
    tail: str = ""
    problem: str = ""
    holds: bool = False
    held_by: tuple[StepId, ...] = ()


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The checks of one version of a task on one base; `unproven` lists, in words, what approval must not pass over."""

    version: int
    base: Commit
    rows: tuple[ProofRow, ...]
    unproven: tuple[str, ...] = ()
