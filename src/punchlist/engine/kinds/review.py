"""`review`: criteria judged by a worker in role `qa`, in a fresh session, read-only, on a clean checkout."""

import msgspec

from punchlist.engine.answering import decide_attempt
from punchlist.engine.checking import exam_folder
from punchlist.engine.fold_attempts import check_key
from punchlist.engine.judging import Checked, Reviewed
from punchlist.engine.kinds.check import meant_tree
from punchlist.engine.limits import limits_of, of_agents
from punchlist.engine.packs import review_pack
from punchlist.engine.place import Place
from punchlist.engine.progress import end
from punchlist.engine.retry import after_failure, sent_back
from punchlist.engine.scope import resolve, text_of
from punchlist.engine.turn import Here, Kind
from punchlist.errors import DefinitionError
from punchlist.model.flow import CheckNode, ReviewNode
from punchlist.model.jobs import FailureClass, Job, Outcome, ProcessJob, Role
from punchlist.model.json import convert, digest, plain
from punchlist.model.parse import parse
from punchlist.model.proofs import CheckResult
from punchlist.model.records import Criterion
from punchlist.model.results import Review
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus, NodeStatus
from punchlist.quality.review import review_problems


def _begin(here: Here) -> None:
    """Ask a reviewer, unless the same one has judged the same tree by the same criteria already."""
    worker, tree = _worker(here), _tree(here)
    asked = f"review by {worker}: {digest(_criteria(here))}"
    for each in here.run.checked.get(check_key(here.step, tree, command=asked), ()):
        if here.run.attempts[each].status is AttemptStatus.SUCCEEDED:
            _end(here, here.run.attempts[each])
            return
    here.queue(Role.QA, worker=worker, step=here.step, tree=tree, command=asked)


def _worker(place: Place) -> str:
    """Return the reviewer's name; for the whole of a task, that of its first step which has one."""
    node = place.defined(ReviewNode)
    if node.worker is not None:
        return text_of(place, node.worker, what="the reviewer's name")
    task = place.run.inputs.get("task")
    steps = task.get("steps") if isinstance(task, dict) else None
    names = [step.get("qa") for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    for name in names:
        if isinstance(name, str):
            return name
    raise DefinitionError("no reviewer is set", where=place.path, hint="Set [roles] qa in punchlist.toml.")


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    if attempt.status is AttemptStatus.SUCCEEDED:
        _end(here, attempt)
    else:
        after_failure(here, attempt)


def _end(here: Here, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    review = convert(outcome.result, Review)
    reviewed = Reviewed(
        assigned=tuple(each.id for each in _criteria(here)),
        results=review.criteria,
        attempt=attempt.id,
        evidence=outcome.evidence,
        exam_changed=outcome.exam_changed,
        unenforced=outcome.unenforced,
        suggestions=review.suggestions,
    )
    end(here, NodeStatus.SUCCEEDED, output=plain(reviewed))


def _examine(place: Place, outcome: Outcome) -> Outcome:
    """Take an incomplete review, or one whose evidence does not resolve, for bad output: it is no pass.

    So is one whose reviewer changed what it was only to read: that is no fault of the builder's.
    """
    if outcome.exam_changed:
        changed = ", ".join(outcome.exam_changed)
        return _bad(outcome, f"the reviewer changed what it was only to read: {changed}")
    try:
        review = convert(outcome.result, Review)
    except msgspec.ValidationError as error:
        problems: tuple[str, ...] = (str(error),)
    else:
        assigned = [each.id for each in _criteria(place)]
        problems = review_problems(review, assigned, evidence=outcome.evidence)
    if not problems:
        return outcome
    return _bad(outcome, "; ".join(problems))


def _bad(outcome: Outcome, problem: str) -> Outcome:
    return msgspec.structs.replace(
        outcome, status=AttemptStatus.FAILED, failure=FailureClass.WORKER, reason=f"bad output: {problem}"
    )


def _criteria(place: Place) -> tuple[Criterion, ...]:
    found = resolve(place, place.defined(ReviewNode).criteria)
    return parse(tuple[Criterion, ...], found, what=f"criteria of {place.path}")


def _tree(place: Place) -> str:
    return meant_tree(place, place.defined(ReviewNode).tree)


def _checks(place: Place, tree: str) -> tuple[CheckResult, ...]:
    """Return the check results on the same tree that stand beside the review in its group."""
    assert place.node.parent is not None
    for child in map(place.at, place.at(place.node.parent).node.children):
        if isinstance(child.definition, CheckNode) and isinstance(child.node.output, dict):
            checked = convert(child.node.output, Checked)
            if checked.tree == tree:
                return checked.results
    return ()


def _job(place: Place, attempt: AttemptState) -> Job:
    tree = _tree(place)
    pack = review_pack(place, tree, criteria=_criteria(place), checks=_checks(place, tree))
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=Role.QA,
        folder=exam_folder(place, attempt),
        limits=limits_of(place, policy=of_agents(place.policy)),
        worker=attempt.worker,
        pack=plain(pack),
        session=attempt.session,
        sent_back=sent_back(place, attempt),
        env={"PUNCHLIST_ROUND": str(attempt.s), "PUNCHLIST_STEP": attempt.step or ""},
        sandbox=place.policy.sandbox,
        diff_base=pack.base,
    )


REVIEW = Kind(begin=_begin, attempt_over=_attempt_over, decided=decide_attempt, job=_job, examine=_examine)
