"""The facts about one tree, gathered from a run's state for the verdict, and the verdict's place in the record."""

from collections.abc import Mapping, Sequence

import msgspec

from punchlist.engine.fold_attempts import tree_key
from punchlist.engine.fold_task import subject
from punchlist.engine.place import Place
from punchlist.engine.scope import find, resolve
from punchlist.engine.turn import Here
from punchlist.errors import DefinitionError
from punchlist.model import events as ev
from punchlist.model.flow import CheckNode, JudgeNode, ReviewNode
from punchlist.model.ids import AttemptId, Tree
from punchlist.model.jobs import Outcome
from punchlist.model.json import Json, convert
from punchlist.model.parse import parse
from punchlist.model.proofs import CheckResult, ProofRow
from punchlist.model.records import Criterion, Scope
from punchlist.model.results import Result, ReviewedCriterion
from punchlist.model.state import NodeState, StepState
from punchlist.model.states import NodeStatus
from punchlist.model.verdicts import Finding, Verdict, Waiver
from punchlist.quality.facts import Facts
from punchlist.quality.findings import in_force, ledger
from punchlist.quality.proof import already_holds

replace = msgspec.structs.replace


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check node's output says: the tree, what its checks said, what the base showed, what is left to review."""

    tree: str
    results: tuple[CheckResult, ...] = ()
    rows: tuple[ProofRow, ...] = ()
    clean: bool = True
    to_review: tuple[Criterion, ...] = ()


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """What a review node's output says."""

    assigned: tuple[str, ...] = ()
    results: tuple[ReviewedCriterion, ...] | None = None
    attempt: AttemptId | None = None
    evidence: dict[str, bool] = {}
    exam_changed: tuple[str, ...] = ()
    unenforced: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


class Reviews(msgspec.Struct, frozen=True, kw_only=True):
    """What all reviewers of a tree said, one after the other; `results` is None until one has."""

    assigned: tuple[str, ...] = ()
    results: tuple[ReviewedCriterion, ...] | None = None
    attempts: tuple[AttemptId, ...] = ()
    evidence: Mapping[str, bool] = {}
    exam_changed: tuple[str, ...] = ()
    unenforced: tuple[str, ...] = ()


def facts_of_tree(
    place: Place,
    tree: str,
    *,
    criteria: tuple[Criterion, ...],
    checks: tuple[CheckResult, ...],
    review: Reviews,
) -> Facts:
    """Return all that is known of `tree` when a node judges it."""
    built = built_by(place, tree)
    told = _told(place)
    return Facts(
        criteria=criteria,
        tree=Tree(tree),
        commit=built.snapshot.commit if built is not None and built.snapshot is not None else None,
        shows={row.id: row.shows for row in dispatched(place)},
        holds={row.id: words for row in dispatched(place) if (words := already_holds(row))},
        checks=checks,
        assigned=review.assigned,
        review=review.results,
        review_attempts=review.attempts,
        evidence=review.evidence,
        exam_changed=review.exam_changed,
        changes=(() if built is None or built.snapshot is None else built.snapshot.changes) if place.step else None,
        scope=place.record.scope if place.step else Scope(),
        claim=_claim(built),
        claimed=built.evidence if built is not None else {},
        known=tuple(each.id for each in place.record.criteria) if place.step else (),
        messages=told.late if told is not None else (),
        waivers=_waivers(place, criteria),
        previous=_previous(place),
        unenforced=_unenforced(place, [*checks], known=(*review.unenforced, *(built.unenforced if built else ()))),
        attempt=built.attempt if built is not None else None,
    )


def facts_at(place: Place) -> Facts:
    """Return what is known of the tree that a judge node is asked about: by the checks and reviews that it names."""
    named = [_named(place, name) for name in place.defined(JudgeNode).judge]
    checks = _checks_among(place, named)
    checked = convert(checks.node.output, Checked)
    criteria = parse(
        tuple[Criterion, ...],
        resolve(checks, checks.defined(CheckNode).criteria),
        what=f"criteria of {checks.path}",
    )
    review = _together(
        [_reviewed(place.at(node.path), criteria) for node in named if _is_of(place.at(node.path), checked.tree)],
        assigned=tuple(each.id for each in checked.to_review),
    )
    return facts_of_tree(place, checked.tree, criteria=criteria, checks=checked.results, review=review)


def built_by(place: Place, tree: str) -> Outcome | None:
    """Return the outcome of the builder's attempt for the node's step that left this tree, if one did."""
    attempt = place.run.trees.get(tree_key(place.step, tree))
    return place.run.attempts[attempt].outcome if attempt is not None else None


def give(here: Here, verdict: Verdict) -> Verdict:
    """Number a verdict's findings and record it with the task; return it as recorded.

    In a run of no task it is only the output of the node that judged.
    """
    findings = tuple(replace(each, id=each.id or here.turn.finding_id()) for each in verdict.findings)
    numbered = replace(verdict, findings=findings)
    if here.state.task is None:
        return numbered
    s = max(here.tries.count - 1, 0) if here.step is not None else 0
    told = _told(here)
    r = told.r if told is not None else 0
    here.emit(ev.VerdictGiven(step=here.step, r=r, s=s, verdict=numbered, node=here.path))
    return numbered


def _told(place: Place) -> StepState | None:
    """Return what is told of the node's step, or of its task as a whole; nothing in a run of no task."""
    return place.state.task.steps.get(place.step or "") if place.state.task is not None else None


def _named(place: Place, name: str) -> NodeState:
    try:
        return find(place, name)
    except KeyError:
        raise DefinitionError(f"there is no node {name!r} to judge by", where=place.path) from None


def _checks_among(place: Place, named: Sequence[NodeState]) -> Place:
    """Return the check node of the tree that is judged: the one that demands that the checks pass."""
    for node in named:
        checks = place.at(node.path)
        definition = checks.definition
        if isinstance(definition, CheckNode) and definition.expect == "pass":
            if not isinstance(node.output, dict):
                raise DefinitionError(f"{node.path} has no answer to judge", where=place.path)
            return checks
    raise DefinitionError("judge needs a check node that demands that its checks pass", where=place.path)


def _is_of(place: Place, tree: str) -> bool:
    """Say whether a node is a review of this tree that was made; one of another tree says nothing of this one."""
    if not isinstance(place.definition, ReviewNode) or place.node.status is not NodeStatus.SUCCEEDED:
        return False
    reviewed = convert(place.node.output, Reviewed)
    return reviewed.attempt is not None and place.run.attempts[reviewed.attempt].tree == tree


def _reviewed(place: Place, criteria: Sequence[Criterion]) -> Reviewed:
    """Return what a reviewer said; of what only has the id of one of `criteria` it counts that it fails."""
    told = convert(place.node.output, Reviewed)
    asked = parse(
        tuple[Criterion, ...],
        resolve(place, place.defined(ReviewNode).criteria),
        what=f"criteria of {place.path}",
    )
    texts = {each.id: each.text for each in criteria}
    foreign = {each.id for each in asked if texts.get(each.id, each.text) != each.text}
    kept = tuple(each for each in told.results or () if each.verdict == "fail" or each.id not in foreign)
    return replace(told, results=kept)


def _together(reviews: Sequence[Reviewed], *, assigned: Sequence[str]) -> Reviews:
    """Return what all reviewers said; what was left to one and that none judged stays assigned."""
    every = (*assigned, *(each for review in reviews for each in review.assigned))
    results = tuple(each for review in reviews for each in review.results or ())
    return Reviews(
        assigned=tuple(dict.fromkeys(every)),
        results=results if reviews else None,
        attempts=tuple(review.attempt for review in reviews if review.attempt is not None),
        evidence={place: found for review in reviews for place, found in review.evidence.items()},
        exam_changed=tuple(dict.fromkeys(each for review in reviews for each in review.exam_changed)),
        unenforced=tuple(dict.fromkeys(each for review in reviews for each in review.unenforced)),
    )


def _claim(built: Outcome | None) -> Result | None:
    return convert(built.result, Result) if built is not None and built.result is not None else None


def _waivers(place: Place, criteria: tuple[Criterion, ...]) -> tuple[Waiver, ...]:
    """Return the waivers in force: those of the very criteria that are judged."""
    told = _told(place)
    if told is None:
        return ()
    return in_force(told.waivers, replace(subject(place.task.task, place.step), criteria=criteria))


def _previous(place: Place) -> tuple[Finding, ...]:
    told = _told(place)
    return ledger([row.verdict for row in told.verdicts if row.r == told.r]) if told is not None else ()


def _unenforced(place: Place, checks: Sequence[CheckResult], *, known: Sequence[str]) -> tuple[str, ...]:
    outcomes = [place.run.attempts[check.attempt].outcome for check in checks]
    return tuple(sorted({*known, *(name for each in outcomes if each is not None for name in each.unenforced)}))


def dispatched(place: Place) -> tuple[ProofRow, ...]:
    """Return what the base showed when the step was dispatched: the rows of the check node that looked at it."""
    for node in place.upward():
        if node.kind == "item" or node.parent is None:
            for child in map(place.at, node.children):
                definition = child.definition
                if isinstance(definition, CheckNode) and definition.expect == "approved":
                    return rows_of(child.node.output)
    return ()


def rows_of(output: Json) -> tuple[ProofRow, ...]:
    """Return what a check node's output says of the base; nothing when it has none."""
    return convert(output, Checked).rows if isinstance(output, dict) else ()
