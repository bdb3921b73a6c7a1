"""`check`: criteria by command, on a built tree, on the task's branch, or on the base (for approval, at dispatch)."""

from punchlist.engine import checking
from punchlist.engine.answering import decide_attempt
from punchlist.engine.asking import ask, go_on
from punchlist.engine.checking import Exam
from punchlist.engine.judging import Checked, Reviews, facts_of_tree
from punchlist.engine.place import Place
from punchlist.engine.progress import end
from punchlist.engine.reopening import revise
from punchlist.engine.scope import resolve, text_of
from punchlist.engine.turn import Decision, Here, Kind
from punchlist.model.flow import CheckNode
from punchlist.model.gates import Effect
from punchlist.model.jobs import Job
from punchlist.model.json import plain
from punchlist.model.parse import parse
from punchlist.model.proofs import CheckResult, ProofRow
from punchlist.model.records import Criterion
from punchlist.model.state import AttemptState
from punchlist.model.states import NodeStatus
from punchlist.quality.proof import differs, proof_row
from punchlist.quality.review import to_review
from punchlist.quality.verdict import clean


def _begin(here: Here) -> None:
    rows = _still_proved(here)
    if rows is not None:
        _end(here, Checked(tree=tree_of(here), rows=rows))
    else:
        _advance(here)


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    if checking.attempt_over(here, attempt):
        _advance(here)


def _advance(here: Here) -> None:
    results = checking.advance(here, _exam(here))
    if results is not None:
        _answered(here, results)


def _exam(place: Place) -> Exam:
    twice = place.defined(CheckNode).expect == "pass"
    return Exam(tree=tree_of(place), criteria=_criteria(place), step=place.step, twice=twice)


def _criteria(place: Place) -> tuple[Criterion, ...]:
    given = resolve(place, place.defined(CheckNode).criteria)
    return parse(tuple[Criterion, ...], given, what=f"criteria of {place.path}")


def tree_of(place: Place) -> str:
    """Return the tree to check: the step's base, the tip of the task's branch, or what an expression gives."""
    tree = place.defined(CheckNode).tree
    if tree == "base":
        based = place.told.base if place.delivers and place.step is not None else None
        return based or place.run.base or ""
    if tree == "task_branch":
        return place.task.tip or ""
    return text_of(place, tree, what="tree")


def _still_proved(here: Here) -> tuple[ProofRow, ...] | None:
    """Return what approval saw, when the base is still the one that it saw."""
    if here.defined(CheckNode).expect != "approved" or here.step is None:
        return None
    proof = here.task.proof
    if proof is None or proof.base != here.told.base:
        return None
    wanted = {each.id for each in _criteria(here) if each.check is not None}
    rows = tuple(row for row in proof.rows if row.step == here.step and row.id in wanted)
    return rows if {row.id for row in rows} == wanted else None


def _answered(here: Here, results: tuple[CheckResult, ...]) -> None:
    expect = here.defined(CheckNode).expect
    if expect == "pass":
        _end(here, _to_review(here, results))
        return
    criteria = {each.id: each for each in _criteria(here)}
    rows = tuple(proof_row(here.step, criteria[result.id], result=result) for result in results)
    changed = _changed(here, rows) if expect == "approved" else ""
    if changed and not _may_go_on(here):
        ask(here, "unproven", message=changed)
    else:
        _end(here, Checked(tree=tree_of(here), results=results, rows=rows))


def _changed(here: Here, rows: tuple[ProofRow, ...]) -> str:
    """Return in words how the base differs from the one that was approved."""
    approved = here.task.proof.rows if here.task.proof is not None else ()
    return "; ".join(differs(tuple(row for row in approved if row.step == here.step), rows))


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
            revise(here, decision)
        case _:
            decide_attempt(here, decision)


def _job(place: Place, attempt: AttemptState) -> Job:
    return checking.exam_job(place, attempt, criteria=_exam(place).criteria)


CHECK = Kind(begin=_begin, attempt_over=_attempt_over, decided=_decided, job=_job)
