"""All that a verdict may look at: what was seen of one tree, gathered by the engine."""

from collections.abc import Mapping

import msgspec

from punchlist.model.ids import AttemptId, Commit, Tree
from punchlist.model.jobs import Change
from punchlist.model.proofs import CheckResult, Shows
from punchlist.model.records import Criterion, Scope
from punchlist.model.results import Result, ReviewedCriterion
from punchlist.model.verdicts import Finding, Waiver


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of `tree` when it is judged.

    `shows` says of each check what the base showed, `holds` of a goal that an earlier step had met, in words, by which.
    `assigned` are the criteria that a reviewer has to judge;
    `review` is None until one has, and what several said is one after the other in it. `evidence` says of each
    reference of the review whether it resolves in the tree, `claimed` of each of the builder's; `known` are the ids of
    all criteria of the step. `changes` is None when the tree is not a step's (the
    task's own criteria on its branch): then neither scope nor emptiness is asked for. `messages` are a person's
    that came when this try had begun without them. `waivers` are those in force, `previous` the findings of the earlier
    rounds as `findings.ledger` gives them.
    """

    criteria: tuple[Criterion, ...]
    tree: Tree
    commit: Commit | None
    shows: Mapping[str, Shows] = {}
    holds: Mapping[str, str] = {}
    checks: tuple[CheckResult, ...] = ()
    assigned: tuple[str, ...] = ()
    review: tuple[ReviewedCriterion, ...] | None = None
    review_attempts: tuple[AttemptId, ...] = ()
    evidence: Mapping[str, bool] = {}
    exam_changed: tuple[str, ...] = ()
    changes: tuple[Change, ...] | None = None
    scope: Scope = Scope()
    claim: Result | None = None
    claimed: Mapping[str, bool] = {}
    known: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    previous: tuple[Finding, ...] = ()
    unenforced: tuple[str, ...] = ()
    attempt: AttemptId | None = None
