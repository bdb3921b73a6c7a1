"""The verdict on one tree: a pure function of checks, review, scope and facts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from punchlist.model.ids import Digest
from punchlist.model.json import digest
from punchlist.model.records import Criterion
from punchlist.model.results import ReviewedCriterion
from punchlist.model.verdicts import Finding, FindingKind, Judged, Verdict, Waiver
from punchlist.quality.before_review import found_without_review, holds, result_evidence
from punchlist.quality.facts import Facts
from punchlist.quality.findings import blocks, finding, stated, waiver_of
from punchlist.quality.review import references, structure_problems, unresolved

# By weight: the first kind that blocks gives the verdict its reason code and the sentence on what to do.
REASONS: Mapping[FindingKind, tuple[str, str]] = {
    "conflict": ("conflict", "Resolve the conflicts with the task's branch"),
    "empty": ("empty_diff", "Make the change: nothing was changed"),
    "check": ("checks_fail", "Make the failing checks pass"),
    "claim": ("claim_false", "Make what was claimed true"),
    "scope": ("out_of_scope", "Undo the changes outside the step's scope"),
    "artifact": ("artifact_missing", "Produce the missing artifacts"),
    "exam_changed": ("exam_changed", "Have it reviewed again: the reviewer changed what it was to judge"),
    "uncovered": ("uncovered", "Have the criteria judged that nobody has judged"),
    "evidence": ("evidence_missing", "Have it reviewed again with evidence that exists"),
    "review": ("review_fails", "Change what the reviewer found"),
    "human": ("person_asks", "Change what a person asked for"),
}


def deterministic(facts: Facts) -> tuple[Finding, ...]:
    """Return the findings that need no reviewer, each with its state: open, repeated, regressed or waived."""
    return stated(found_without_review(facts), previous=facts.previous, waivers=facts.waivers)


def clean(facts: Facts) -> bool:
    """Say whether no deterministic finding blocks, so that a reviewer may be paid."""
    return not any(blocks(found) for found in deterministic(facts))


def judge(facts: Facts) -> Verdict:
    """Return the verdict on the facts' tree; findings that no earlier round had are without an id yet.

    It passes only when every criterion passes or is waived and no other finding blocks. A reviewer cannot overrule a
    failed check, nor a check a failed review.
    """
    found = (*found_without_review(facts), *_found_by_review(facts))
    findings = stated(found, previous=facts.previous, waivers=facts.waivers)
    criteria = tuple(_judged(criterion, facts, findings=findings) for criterion in facts.criteria)
    waivers = tuple(
        dict.fromkeys(waiver for each in findings if (waiver := waiver_of(each, facts.waivers)) is not None)
    )
    passed = not any(blocks(each) for each in findings) and all(each.verdict != "fail" for each in criteria)
    reason, action = _conclusion(findings, passed=passed)
    return Verdict(
        result="pass" if passed else "fail",
        tree=facts.tree,
        commit=facts.commit,
        criteria=criteria,
        findings=findings,
        reason_code=reason,
        next_action=action,
        checks_digest=checks_digest(facts.criteria),
        attempt=facts.attempt,
        waivers=waivers,
        unenforced=facts.unenforced,
    )


def checks_digest(criteria: Sequence[Criterion]) -> Digest:
    """Return the digest of the checks that a verdict rests on: id, command, timeout, in the criteria's order."""
    return digest([[each.id, each.check, each.timeout] for each in criteria if each.check is not None])


def _found_by_review(facts: Facts) -> Iterator[Finding]:
    for path in facts.exam_changed:
        text = f"the reviewer changed {path}, which it was only to read"
        yield finding("exam_changed", text, place=path, evidence=_attempt(facts))
    if facts.review is None:
        if clean(facts):
            for name in facts.assigned:
                yield finding("uncovered", "no reviewer has judged it", criterion=name)
        return
    given = {each.id for each in facts.review}
    for name in facts.assigned:
        if name not in given:
            yield finding("uncovered", "the reviewer did not judge it", criterion=name, evidence=_attempt(facts))
    for problem in structure_problems(facts.review, facts.assigned, reviews=len(facts.review_attempts)):
        if not problem.endswith("was not judged"):
            yield finding("review", f"the review cannot be used: {problem}", place=problem, evidence=_attempt(facts))
    for each in facts.review:
        yield from _about(each, facts)


def _about(reviewed: ReviewedCriterion, facts: Facts) -> Iterator[Finding]:
    given = references(reviewed)
    missing = unresolved(reviewed, facts.evidence, outputs=[result.id for result in facts.checks])
    if reviewed.verdict == "fail":
        place = next((each.partition(":")[0] for each in given if each not in missing), "")
        text = reviewed.finding.strip() or "the reviewer fails it without saying why"
        yield finding("review", text, criterion=reviewed.id, place=place, evidence=(*given, *_attempt(facts)))
        return
    if not given:
        yield finding(
            "evidence", "the reviewer passes it without evidence", criterion=reviewed.id, evidence=_attempt(facts)
        )
    for each in missing:
        text = f"the reviewer passes it on evidence that does not exist: {each}"
        yield finding("evidence", text, criterion=reviewed.id, place=each, evidence=_attempt(facts))


def _attempt(facts: Facts) -> tuple[str, ...]:
    return facts.review_attempts


def _judged(criterion: Criterion, facts: Facts, *, findings: Sequence[Finding]) -> Judged:
    mine = [each for each in findings if each.criterion == criterion.id]
    open_ones = [each for each in mine if blocks(each)]
    waivers = [waiver for each in mine if (waiver := waiver_of(each, facts.waivers)) is not None]
    result = next((each for each in facts.checks if each.id == criterion.id), None)
    reviewed = [each for each in facts.review or () if each.id == criterion.id]
    proved = (result is not None and holds(result)) or any(each.verdict == "pass" for each in reviewed)
    verdict = _verdict(proved=proved, fails=bool(open_ones), waived=bool(waivers))
    by = [("check", result is not None), ("qa", bool(reviewed)), ("human", bool(waivers))]
    return Judged(
        id=criterion.id,
        verdict=verdict,
        by=tuple(name for name, judged in by if judged),
        evidence=(
            *([facts.holds[criterion.id]] if criterion.id in facts.holds and verdict == "pass" else []),
            *([result_evidence(result)] if result is not None else []),
            *(reference for each in reviewed for reference in references(each)),
            *(_waived(waiver) for waiver in waivers),
        ),
        finding=_said(open_ones or mine, verdict=verdict),
        flaky=result is not None and result.flaky,
    )


def _verdict(*, proved: bool, fails: bool, waived: bool) -> Literal["pass", "fail", "waived"]:
    if fails:
        return "fail"
    if waived:
        return "waived"
    return "pass" if proved else "fail"


def _said(findings: Sequence[Finding], *, verdict: str) -> str:
    """Return the first line of each finding; a criterion that fails without one was never judged."""
    lines = [each.text.partition("\n")[0] for each in findings]
    return "; ".join(lines) or ("not judged: what needs no reviewer comes first" if verdict == "fail" else "")


def _waived(waiver: Waiver) -> str:
    return f"waived by {waiver.by.removeprefix('human:')}: {waiver.reason}"


def _conclusion(findings: Sequence[Finding], *, passed: bool) -> tuple[str, str]:
    if passed:
        count = sum(1 for each in findings if not blocks(each))
        if count:
            return "waived", f"Integrate the tree; {count} waived."
        return "all_pass", "Integrate the tree."
    open_ones = [each for each in findings if blocks(each)]
    kinds: set[FindingKind] = {each.kind for each in open_ones} or {"uncovered"}
    kind: FindingKind = next(kind for kind in REASONS if kind in kinds)
    code, action = REASONS[kind]
    places = ", ".join(_places([each for each in open_ones if each.kind == kind]))
    return code, f"{action}: {places}." if places else f"{action}."


def _places(findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.criterion or each.place for each in findings if each.criterion or each.place))
