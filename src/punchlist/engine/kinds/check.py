"""`check`: criteria by command, on a built tree, on the task's branch, or on the base (for approval, at dispatch)."""

from collections.abc import Mapping

import msgspec

from punchlist.engine import checking
from punchlist.engine.answering import decide_attempt
from punchlist.engine.asking import ask, go_on
from punchlist.engine.checking import Exam
from punchlist.engine.fold_task import step_of
from punchlist.engine.judging import Checked, Reviews, facts_of_tree
from punchlist.engine.place import Place
from punchlist.engine.progress import end
from punchlist.engine.reopening import revise_decided
from punchlist.engine.scope import resolve, text_of
from punchlist.engine.turn import Decision, Here, Kind
from punchlist.model.flow import CheckNode
from punchlist.model.gates import Effect
from punchlist.model.ids import StepId
from punchlist.model.jobs import Job
from punchlist.model.json import plain
from punchlist.model.parse import parse
from punchlist.model.proofs import CheckResult, ProofRow
from punchlist.model.records import Criterion
from punchlist.model.state import AttemptState
from punchlist.model.states import NodeStatus, StepStatus
from punchlist.quality.proof import differs, holding, proof_row, unproven_step
from punchlist.quality.review import to_review
from punchlist.quality.verdict import clean


def _begin(here: Here) -> None:
    _advance(here)


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    if checking.attempt_over(here, attempt):
        _advance(here)


def _advance(here: Here) -> None:
    if here.defined(CheckNode).expect == "approved":
        _dispatch(here)
        return
    results = checking.advance(here, _exam(here))
    if results is None:
        return
    if here.defined(CheckNode).expect == "pass":
        _end(here, _to_review(here, results))
    else:
        _end(here, Checked(tree=tree_of(here), results=results, rows=_rows(here, results)))


def _dispatch(here: Here) -> None:
    """Compare what a step's base shows with what was approved, and ask a person where that has to be known.

    What was approved unproved is proved first, on the base that it was approved for: nothing is built on a check that
    never ran.
    """
    approved = _approved(here)
    if approved is None:
        return
    tree, results = tree_of(here), tuple[CheckResult, ...]()
    if tree == _approved_base(here) and len(approved) == len(_checks(here)):
        rows = approved
    else:
        found = checking.advance(here, _exam(here))
        if found is None:
            return
        results, rows = found, _rows(here, found)
    problems = (*_unproven(here, approved), *differs(approved, rows))
    if problems and not _may_go_on(here):
        ask(here, "unproven", message="; ".join(problems))
    else:
        _end(here, Checked(tree=tree, results=results, rows=holding(approved, rows, met_by=_met_by(here))))


def _approved(here: Here) -> tuple[ProofRow, ...] | None:
    """Return what the approved base shows of the step's checks; None while they run on it for the first time."""
    wanted = {each.id: each.check for each in _checks(here)}
    proved = here.task.proof.rows if here.task.proof is not None else ()
    rows = tuple(row for row in proved if row.step == here.step and wanted.get(row.id) == row.command)
    if not here.task.approved_unproved or here.step is None or len(rows) == len(wanted):
        return rows
    results = checking.advance(here, msgspec.structs.replace(_exam(here), tree=_approved_base(here)))
    return None if results is None else _rows(here, results)


def _approved_base(here: Here) -> str:
    """Return the commit that was or, for want of a proof, would have been looked at for the approval."""
    proof = here.task.proof
    if proof is not None and proof.rows:
        return proof.base
    return here.task.base or here.run.base or ""


def _unproven(here: Here, approved: tuple[ProofRow, ...]) -> tuple[str, ...]:
    """Return in words what the approval would have been refused for, had it waited."""
    if not here.task.approved_unproved or here.step is None:
        return ()
    return unproven_step(step_of(here.task.task, here.step), approved, policy=here.policy)


def _met_by(here: Here) -> Mapping[str, tuple[StepId, ...]]:
    """Return by command which other steps of the branch may have met it: that which has the same check, or else any."""
    others = [each for each in here.task.task.steps if each.status is StepStatus.ACCEPTED and each.id != here.step]
    found: dict[str, tuple[StepId, ...]] = {}
    for each in _checks(here):
        same = [step for step in others if any(its.check == each.check for its in step.criteria)][:1]
        found[each.check or ""] = tuple(StepId(step.id) for step in same or others)
    return found


def _exam(place: Place) -> Exam:
    twice = place.defined(CheckNode).expect == "pass"
    return Exam(tree=tree_of(place), criteria=_criteria(place), step=place.step, twice=twice)


def _criteria(place: Place) -> tuple[Criterion, ...]:
    given = resolve(place, place.defined(CheckNode).criteria)
    return parse(tuple[Criterion, ...], given, what=f"criteria of {place.path}")


def tree_of(place: Place) -> str:
    """Return the tree to check."""
    return meant_tree(place, place.defined(CheckNode).tree)


def meant_tree(place: Place, said: str) -> str:
    """Return the tree that is meant: the step's base, the tip of the task's branch, or one by its id.

    An expression may give any of these.
    """
    tree = text_of(place, said, what="tree")
    if tree == "base":
        based = place.told.base if place.delivers and place.step is not None else None
        return based or place.run.base or ""
    if tree == "task_branch":
        return place.task.tip or ""
    return tree


def _checks(here: Here) -> tuple[Criterion, ...]:
    return tuple(each for each in _criteria(here) if each.check is not None)


def _rows(here: Here, results: tuple[CheckResult, ...]) -> tuple[ProofRow, ...]:
    criteria = {each.id: each for each in _criteria(here)}
    return tuple(proof_row(here.step, criteria[result.id], result=result) for result in results)


def _may_go_on(here: Here) -> bool:
    decision = here.node.decision
    return isinstance(decision, dict) and decision["choice"] == "go_on"


def _to_review(here: Here, results: tuple[CheckResult, ...]) -> Checked:
    """Return the answer of checks that must pass: whether anything else is wrong, and what is left to a reviewer."""
    tree = tree_of(here)
    facts = facts_of_tree(here, tree, criteria=_criteria(here), checks=results, review=Reviews())
    asked = to_review(facts.criteria, facts.shows, policy_review=here.policy.review, wrote=facts.changes)
    assigned = tuple(each.id for each in asked)
    facts = facts_of_tree(here, tree, criteria=facts.criteria, checks=results, review=Reviews(assigned=assigned))
    return Checked(tree=tree, results=results, clean=clean(facts), to_review=asked)


def _end(here: Here, checked: Checked) -> None:
    end(here, NodeStatus.SUCCEEDED, output=plain(checked))


def _decided(here: Here, decision: Decision) -> None:
    match decision.choice.effect:
        case Effect.PROCEED:
            go_on(here)
            _advance(here)
        case Effect.REVISE:
            revise_decided(here, decision)
        case _:
            decide_attempt(here, decision)


def _job(place: Place, attempt: AttemptState) -> Job:
    return checking.exam_job(place, attempt, exam=_exam(place))


CHECK = Kind(begin=_begin, attempt_over=_attempt_over, decided=_decided, job=_job)
