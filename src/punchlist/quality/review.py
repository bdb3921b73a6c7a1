"""What a reviewer is asked, and whether its answer can be used at all."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from punchlist.model.jobs import Change
from punchlist.model.proofs import Shows
from punchlist.model.records import Criterion
from punchlist.model.results import Review, ReviewedCriterion
from punchlist.quality.authorship import wrote_check
from punchlist.quality.proof import needs_review

_OUTPUT = re.compile(r"AC-[1-9][0-9]{0,3}")
_REFERENCE = re.compile(r"\bAC-[1-9][0-9]{0,3}\b|[^\s`'\"(),;]+:[0-9]+")


def to_review(
    criteria: Sequence[Criterion],
    shows: Mapping[str, Shows],
    *,
    policy_review: Literal["always", "uncovered", "never"],
    wrote: Iterable[Change] | None,
) -> tuple[Criterion, ...]:
    """Return the criteria that a reviewer has to judge.

    `always`: every one. `uncovered`: those marked for review or without a check, and goals whose check the step wrote
    itself (see `wrote_check`). `never`: none.
    """
    if policy_review == "never":
        return ()
    if policy_review == "always":
        return tuple(criteria)
    paths = [change.path for change in wrote or ()]
    return tuple(
        each for each in criteria if needs_review(each) or (shows.get(each.id) == "goal" and _wrote(each, paths))
    )


def _wrote(criterion: Criterion, paths: Sequence[str]) -> bool:
    return criterion.check is not None and wrote_check(criterion.check, paths)


def references(reviewed: ReviewedCriterion) -> tuple[str, ...]:
    """Return the references in a reviewer's evidence, in order, each once.

    An entry without blanks is a reference as it stands; of prose, what looks like `path:line` or `AC-n` is.
    """
    entries = [reviewed.evidence] if isinstance(reviewed.evidence, str) else reviewed.evidence
    return tuple(dict.fromkeys(reference for entry in entries for reference in _in(entry)))


def _in(entry: str) -> Iterator[str]:
    for part in re.split(r"[,;\n]", entry):
        text = part.strip().strip("`'\"")
        if text and not re.search(r"\s", text):
            found = _REFERENCE.match(text)
            yield found[0] if found else text
        else:
            yield from _REFERENCE.findall(text)


def is_output(reference: str) -> bool:
    """Say whether a reference is to the output of a criterion's check, not to a place in the tree."""
    return _OUTPUT.fullmatch(reference) is not None


def in_tree(review: Review) -> tuple[str, ...]:
    """Return every reference of a review that has to be looked up in the judged tree."""
    found = (reference for reviewed in review.criteria for reference in references(reviewed))
    return tuple(dict.fromkeys(reference for reference in found if not is_output(reference)))


def unresolved(reviewed: ReviewedCriterion, evidence: Mapping[str, bool], *, outputs: Iterable[str]) -> tuple[str, ...]:
    """Return the references that resolve neither in the tree (`evidence`) nor to the output of one of `outputs`."""
    known = set(outputs)
    return tuple(each for each in references(reviewed) if each not in known and not evidence.get(each, False))


def review_problems(
    review: Review, assigned: Sequence[str], *, evidence: Mapping[str, bool] | None = None
) -> tuple[str, ...]:
    """Return why a review is bad output: to be given back to its worker, never to be judged by.

    It must judge every assigned criterion, once, and no other; say what to change where it fails one; and give evidence
    where it passes one. With `evidence` (what the lookup of `in_tree` said) references that do not resolve are
    problems, too; without it, that is left to the verdict, which makes findings of them.
    """
    return (*structure_problems(review.criteria, assigned), *_evidence_problems(review.criteria, evidence))


def structure_problems(
    reviewed: Sequence[ReviewedCriterion], assigned: Sequence[str], *, reviews: int = 1
) -> tuple[str, ...]:
    """Return what a review, or several together, lacks, has too often or has too much; all of it."""
    counts = Counter(each.id for each in reviewed)
    return (
        *(f"{name} was not judged" for name in assigned if name not in counts),
        *(f"{name} was not asked for; allowed: {', '.join(assigned)}" for name in counts if name not in assigned),
        *(f"{name} was judged {count} times" for name, count in counts.items() if count > max(reviews, 1)),
        *(
            f"{each.id} fails without a finding that says what to change"
            for each in reviewed
            if each.verdict == "fail" and not each.finding.strip()
        ),
    )


def _evidence_problems(reviewed: Sequence[ReviewedCriterion], evidence: Mapping[str, bool] | None) -> Iterator[str]:
    for each in reviewed:
        if each.verdict != "pass":
            continue
        if not references(each):
            yield f"{each.id} passes without evidence; give path:line, or the id of a criterion whose check shows it"
        elif evidence is not None:
            outputs = [reference for reference in references(each) if is_output(reference)]
            yield from (
                f"{each.id}: evidence {reference} does not exist in the judged tree"
                for reference in unresolved(each, evidence, outputs=outputs)
            )
