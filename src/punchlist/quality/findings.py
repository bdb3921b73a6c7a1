"""Findings as such: their fingerprint, what became of them between rounds, and who passes over them."""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from punchlist.model.ids import CriterionId
from punchlist.model.json import digest, plain
from punchlist.model.records import Criterion, Scope, Step
from punchlist.model.states import FindingStatus
from punchlist.model.verdicts import Finding, FindingKind, Verdict, Waiver

SHOWN_PATHS = 50


def finding(
    kind: FindingKind,
    text: str,
    *,
    criterion: str | None = None,
    place: str = "",
    evidence: Sequence[str] = (),
    output: str = "",
) -> Finding:
    """Return a finding with its fingerprint, without an id."""
    return Finding(
        kind=kind,
        text=text,
        criterion=None if criterion is None else CriterionId(criterion),
        place=place,
        evidence=tuple(evidence),
        fingerprint=fingerprint(kind, criterion=criterion, place=place),
        output=output,
    )


def fingerprint(kind: FindingKind, *, criterion: str | None, place: str) -> str:
    """Return what makes two findings the same one: criterion, place and kind, not wording; 16 hex digits."""
    parts = "\0".join((criterion or "", place, kind))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What findings and waivers are about: criteria and scope of a step, or of a whole task.

    `names` are a step's title and goal: ids go by position where all steps of a draft are written anew.
    """

    criteria: tuple[Criterion, ...]
    scope: Scope = Scope()
    names: tuple[str, ...] = ()


def subject_of(step: Step) -> Subject:
    """Return a step as the subject of findings."""
    return Subject(criteria=step.criteria, scope=step.scope, names=(step.title, step.goal))


def agreed(subject: Subject, criterion: str | None) -> str:
    """Return the digest of what a finding on a criterion is about, whole; one on none is about the scope."""
    found = next((each for each in subject.criteria if each.id == criterion), None)
    about = plain(subject.scope) if criterion is None else None if found is None else plain(found)
    return digest([list(subject.names), about])


def waiver(found: Finding, *, subject: Subject, by: str, reason: str) -> Waiver:
    """Return a waiver of a finding that has an id, bound to what the finding is about now."""
    if found.id is None:
        raise ValueError("only a recorded finding can be waived")
    return Waiver(
        finding=found.id,
        fingerprint=found.fingerprint,
        criterion=found.criterion,
        by=by,
        reason=reason,
        agreed=agreed(subject, found.criterion),
    )


def in_force(waivers: Iterable[Waiver], subject: Subject) -> tuple[Waiver, ...]:
    """Return those waivers that are about what the subject is now."""
    return tuple(each for each in waivers if each.agreed == agreed(subject, each.criterion))


def waiver_of(found: Finding, waivers: Iterable[Waiver]) -> Waiver | None:
    """Return the waiver in force for a finding, or None. A conflict cannot be waived."""
    if found.kind == "conflict":
        return None
    for each in waivers:
        if each.fingerprint == found.fingerprint and each.criterion == found.criterion:
            return each
    return None


def ledger(rounds: Iterable[Verdict]) -> tuple[Finding, ...]:
    """Return the findings of the rounds so far, one a fingerprint, as last seen and in the order of first sight.

    Those that the last round does not have are closed: that is what closing is.
    """
    known: dict[str, Finding] = {}
    for verdict in rounds:
        seen = {found.fingerprint: found for found in verdict.findings}
        known = {key: closed(found) for key, found in known.items()} | seen
    return tuple(known.values())


def closed(found: Finding) -> Finding:
    """Return the finding as closed."""
    return msgspec.structs.replace(found, state=FindingStatus.CLOSED)


def stated(
    findings: Iterable[Finding], *, previous: Sequence[Finding], waivers: Sequence[Waiver]
) -> tuple[Finding, ...]:
    """Return the findings, one a fingerprint, each with the state that history and waivers give it.

    One that an earlier round had keeps its id; the others have none yet.
    """
    before = {found.fingerprint: found for found in previous}
    once = {found.fingerprint: found for found in reversed(tuple(findings))}
    return tuple(_stated(found, before.get(found.fingerprint), waivers=waivers) for found in reversed(once.values()))


def _stated(found: Finding, before: Finding | None, *, waivers: Sequence[Waiver]) -> Finding:
    state = FindingStatus.OPEN
    if waiver_of(found, waivers) is not None:
        state = FindingStatus.WAIVED
    elif before is not None:
        regressed = before.state is FindingStatus.CLOSED
        state = FindingStatus.REGRESSED if regressed else FindingStatus.REPEATED
    return msgspec.structs.replace(found, state=state, id=None if before is None else before.id)


def blocks(found: Finding) -> bool:
    """Say whether a finding stands in the way of acceptance."""
    return found.state not in {FindingStatus.WAIVED, FindingStatus.CLOSED}


def gathered(paths: Sequence[str]) -> dict[str, int]:
    """Return places for findings about `paths`, each with how many it stands for.

    Up to 50 paths are places of their own; beyond that, folders of the first level are, with the count in their name,
    so that passing over one passes over no path that comes later.
    """
    if len(paths) <= SHOWN_PATHS:
        return dict.fromkeys(paths, 1)
    counts: dict[str, int] = {}
    for path in paths:
        first, slash, _ = path.partition("/")
        counts[first + slash] = counts.get(first + slash, 0) + 1
    return {f"{place} ({count} paths)" if count > 1 else place: count for place, count in counts.items()}
