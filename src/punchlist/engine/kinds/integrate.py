"""`integrate`: a tree with a passing verdict onto the task's branch as one commit; nothing else makes a step accepted.

One integration of a task is at work at a time. When the branch moved since the base of the try, the two are merged, and
the merged tree is judged like any other: a conflict or a red check there goes to rework, on the branch as it is now.
"""

import msgspec

from punchlist.engine import checking
from punchlist.engine.answering import decide_attempt
from punchlist.engine.asking import ask
from punchlist.engine.checking import Exam
from punchlist.engine.fold_task import step_of
from punchlist.engine.judging import dispatched, facts_at, give
from punchlist.engine.place import Place
from punchlist.engine.progress import COMMIT, cancel_attempt, end, guarded
from punchlist.engine.retry import after_failure
from punchlist.engine.scope import resolve
from punchlist.engine.steps import move, record
from punchlist.engine.turn import Here, Kind, Turn
from punchlist.errors import DefinitionError, RefusedError
from punchlist.model import events as ev
from punchlist.model.flow import IntegrateNode
from punchlist.model.ids import Commit, ProjectId, StepId, TaskId, Tree
from punchlist.model.jobs import IntegrateJob, Job, MergeJob, Role
from punchlist.model.json import Json, plain
from punchlist.model.parse import parse
from punchlist.model.proofs import CheckResult
from punchlist.model.state import AttemptState, VerdictRow
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus
from punchlist.model.verdicts import Verdict, verdict_digest
from punchlist.quality.facts import Facts
from punchlist.quality.proof import already_holds
from punchlist.quality.verdict import checks_digest, judge

MERGE = "merge"
_AUTHOR = "Punchlist <punchlist@localhost>"


def _begin(here: Here) -> None:
    if here.run.integrating[0] == here.path:
        _integrate(here)


def next_in_line(turn: Turn) -> None:
    """Set the integration at work that has come to the head of the line and has not begun."""
    while turn.run.integrating:
        first = turn.at(turn.run.integrating[0])
        if first.node.attempts:
            return
        guarded(first, lambda first=first: _integrate(first))  # type: ignore[misc]


def _integrate(here: Here) -> None:
    """Commit the tree where the branch is still at its base; else merge the two first."""
    verdict = _judged(here).verdict
    if here.told.late:
        _rework(here, facts_at(here.at(_judged(here).node)))
    elif here.task.tip == _built(here).base:
        _plan(here, verdict)
    else:
        here.queue(Role.ENGINE, subject=MERGE, step=here.own_step)


def _judged(place: Place) -> VerdictRow:
    """Return the passing verdict that the node is given, as it was recorded: one that was made up does not count."""
    given = parse(Verdict, resolve(place, place.defined(IntegrateNode).integrate), what=f"the verdict of {place.path}")
    rows = [row for row in place.told.verdicts if row.r == place.told.r and row.verdict == given]
    covered = {each.id for each in given.criteria} >= {each.id for each in place.record.criteria}
    if not rows or given.result != "pass" or given.attempt is None or given.commit is None:
        raise DefinitionError("only a built tree with a passing verdict can be integrated", where=place.path)
    if not covered:
        raise DefinitionError("the verdict does not cover every criterion of the step", where=place.path)
    if given.checks_digest != checks_digest(place.record.criteria):
        raise DefinitionError("the verdict rests on other checks than those of the step", where=place.path)
    return rows[-1]


def _built(place: Place) -> AttemptState:
    attempt = _judged(place).verdict.attempt
    assert attempt is not None
    return place.run.attempts[attempt]


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if attempt.role is not Role.ENGINE:
        if checking.attempt_over(here, attempt):
            _check_merged(here)
    elif outcome.status is not AttemptStatus.SUCCEEDED:
        after_failure(here, attempt, instead=_ask)
    elif attempt.subject == MERGE:
        _merged(here, outcome.result)
    else:
        _committed(here, outcome.result)


def _ask(here: Here, reason: str) -> None:
    """Ask what to do with a judged tree that git does not take now: it was built and paid for."""
    ask(here, "merge", message=f"the commit could not be made: {reason}", choices=("retry",))


def take_back(turn: Turn, step: StepId) -> None:
    """Take back the commit of a step that is planned and has not begun: its tree is judged again before it.

    Raises RefusedError when it has begun: what may be in git must be in the record.
    """
    for here in map(turn.at, turn.run.integrating):
        attempts = [turn.run.attempts[each] for each in here.node.attempts] if here.step == step else []
        commits = [each for each in attempts if each.subject == COMMIT]
        if any(each.started_at for each in commits):
            raise RefusedError(f"step {step} is being committed", hint="Ask again when its task is over.")
        for each in commits:
            cancel_attempt(here, each.id, reason="a person asked for more")
        if commits:
            turn.later(lambda here=here: guarded(here, lambda: _integrate(here)))  # type: ignore[misc]


def _merged(here: Here, result: Json) -> None:
    assert isinstance(result, dict)
    conflicts = result["conflicts"]
    if isinstance(conflicts, list) and conflicts:
        facts = facts_at(here.at(_judged(here).node))
        _rework(here, msgspec.structs.replace(facts, conflicts=tuple(str(each) for each in conflicts)))
    else:
        _check_merged(here)


def _check_merged(here: Here) -> None:
    """Judge the merged tree: by its own checks, and by the review, which stands while the step's diff is the same."""
    results = checking.advance(here, _exam(here))
    if results is None:
        return
    facts = _facts_of_merged(here, results)
    verdict = judge(facts)
    if verdict.result == "pass":
        _plan(here, give(here, verdict))
    else:
        _rework(here, facts)


def _facts_of_merged(here: Here, results: tuple[CheckResult, ...]) -> Facts:
    facts = facts_at(here.at(_judged(here).node))
    return msgspec.structs.replace(facts, tree=Tree(_merged_tree(here)), checks=results)


def _exam(place: Place) -> Exam:
    return Exam(tree=_merged_tree(place), criteria=place.record.criteria, step=place.own_step, twice=True)


def _merged_tree(place: Place) -> str:
    merges = [each for each in map(place.run.attempts.__getitem__, place.node.attempts) if each.subject == MERGE]
    results = [each.outcome.result for each in merges if each.outcome is not None]
    return next(str(result["tree"]) for result in reversed(results) if isinstance(result, dict))


def _rework(here: Here, facts: Facts) -> None:
    """Give the failing verdict, and make the branch as it is now the base of the step's next try."""
    verdict = give(here, judge(facts))
    move(here, StepStatus.REWORK, reason=verdict.reason_code)
    if here.task.tip is not None and here.task.tip != here.told.base:
        here.emit(ev.StepDispatched(step=here.own_step, base=here.task.tip))
    end(here, NodeStatus.SUCCEEDED, output={"done": False, "verdict": plain(verdict)})


def _plan(here: Here, verdict: Verdict) -> None:
    assert here.task.tip is not None
    attempt = here.queue(Role.ENGINE, subject=COMMIT, step=here.own_step)
    here.emit(
        ev.IntegrationPlanned(
            step=here.own_step,
            attempt=attempt,
            parent=here.task.tip,
            tree=verdict.tree,
            author=_AUTHOR,
            message=_message(here, verdict),
        )
    )


def _message(here: Here, verdict: Verdict) -> str:
    task, told = here.task.task, here.told
    waived = "".join(
        f"Punchlist-Waived: {each.finding} by {each.by}: {' '.join(each.reason.split())}\n" for each in told.waivers
    )
    held = "\n".join(f"{row.id} {words}." for row in dispatched(here) if (words := already_holds(row)))
    held += "\n\n" if held else ""
    return (
        f"{step_of(task, here.own_step).title}\n\n{held}"
        f"Punchlist-Task: {task.id}\nPunchlist-Step: {here.own_step}\nPunchlist-Attempt: {verdict.attempt}\n"
        f"Punchlist-Verdict: {verdict.result} {verdict_digest(verdict)}\n{waived}"
    )


def _committed(here: Here, result: Json) -> None:
    assert isinstance(result, dict)
    commit, planned = Commit(str(result["commit"])), here.told.planned
    assert planned is not None
    here.emit(ev.StepIntegrated(step=here.own_step, commit=commit, tree=planned.tree))
    move(here, StepStatus.ACCEPTED)
    record(here)
    end(here, NodeStatus.SUCCEEDED, output={"done": True, "commit": commit})


def _job(place: Place, attempt: AttemptState) -> Job:
    if attempt.role is not Role.ENGINE:
        return checking.exam_job(place, attempt, exam=_exam(place))
    return _merge_job(place, attempt) if attempt.subject == MERGE else _commit_job(place, attempt)


def _merge_job(place: Place, attempt: AttemptState) -> MergeJob:
    commit, base, onto = _judged(place).verdict.commit, _built(place).base, place.task.tip
    assert commit is not None
    assert base is not None
    assert onto is not None
    return MergeJob(
        attempt=attempt.id, run=attempt.run, project=ProjectId(place.project.id), base=base, commit=commit, onto=onto
    )


def _commit_job(place: Place, attempt: AttemptState) -> IntegrateJob:
    task, planned = place.task, place.told.planned
    assert planned is not None
    assert task.branch is not None
    return IntegrateJob(
        attempt=attempt.id,
        run=attempt.run,
        project=ProjectId(place.project.id),
        task=TaskId(task.task.id),
        branch=task.branch,
        parent=planned.parent,
        tree=planned.tree,
        message=f"{planned.message}Punchlist-Event: {planned.event}\n",
        author=planned.author,
        at=planned.at,
    )


INTEGRATE = Kind(begin=_begin, attempt_over=_attempt_over, decided=decide_attempt, job=_job)
