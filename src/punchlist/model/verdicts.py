"""What the engine concludes about one tree: per criterion, with findings."""

from typing import Literal

import msgspec

from punchlist.model.ids import AttemptId, Commit, CriterionId, CriterionName, Digest, FindingId, Tree
from punchlist.model.json import digest, plain
from punchlist.model.states import FindingStatus

FindingKind = Literal[
    "check",
    "review",
    "scope",
    "empty",
    "uncovered",
    "evidence",
    "claim",
    "conflict",
    "human",
    "exam_changed",
    "artifact",
]


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One problem of a tree. The fingerprint is of criterion, place and kind, not of wording.

    `output` holds the last lines that a failing check printed.
    """

    kind: FindingKind
    text: str
    id: FindingId | None = None
    criterion: CriterionId | None = None
    place: str = ""
    evidence: tuple[str, ...] = ()
    fingerprint: str = ""
    state: FindingStatus = FindingStatus.OPEN
    output: str = ""


class Judged(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The verdict on one criterion: by whom, on what evidence."""

    id: CriterionName
    verdict: Literal["pass", "fail", "waived"]
    by: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    finding: str = ""
    flaky: bool = False


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person's decision to pass over a finding; it is shown wherever the verdict is shown.

    `agreed` is the digest of what the finding was about when it was waived: changed, it is not waived any more.
    """

    finding: FindingId
    fingerprint: str
    criterion: CriterionId | None
    by: str
    reason: str
    agreed: str = ""


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What holds for one tree; a pure function of checks, review, scope and facts."""

    result: Literal["pass", "fail"]
    tree: Tree
    commit: Commit | None
    criteria: tuple[Judged, ...]
    findings: tuple[Finding, ...]
    reason_code: str
    next_action: str
    checks_digest: Digest
    attempt: AttemptId | None = None
    waivers: tuple[Waiver, ...] = ()
    unenforced: tuple[str, ...] = ()


def verdict_digest(verdict: Verdict) -> Digest:
    """Return what identifies a recorded verdict, whole: the trailer of the commit that it let through names it."""
    return digest(plain(verdict))
