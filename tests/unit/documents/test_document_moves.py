"""Decisions on tasks that no run has hold of: the facts that follow, and every refusal with what to type."""

from collections.abc import Callable
from typing import Any

import pytest
from immutables import Map

from punchlist.engine import document_moves as moves, documents
from punchlist.engine.document_checks import Known
from punchlist.engine.fold_task import fold_task
from punchlist.errors import ConflictError, RefusedError
from punchlist.model import events as ev
from punchlist.model.ids import Digest, FindingId, GateId, ProjectId, StepId, StreamId, TaskId, Tree
from punchlist.model.state import StepState, TaskState, VerdictRow
from punchlist.model.states import StepStatus, TaskStatus
from punchlist.model.verdicts import Finding, FindingKind, Verdict
from tests.runs import TERMS

replace = documents.replace
S, T = StepStatus, TaskStatus
ONE, TWO, THREE = StepId("T1.1"), StepId("T1.2"), StepId("T1.3")


def state(status: TaskStatus = T.DRAFT, *steps: StepStatus, digest: str | None = "d" * 64, **said: Any) -> TaskState:
    """A task of three steps, each needing the one before, in given states."""
    document: dict[str, Any] = {"title": "x", "steps": [{"title": f"s{n}", "criteria": ["holds"]} for n in range(3)]}
    known = Known(workers=frozenset())
    task = documents.new_task(document, task=TaskId("T1"), project=ProjectId("p"), known=known, what="x")
    given = (*steps, *(S.PENDING,) * (3 - len(steps)))
    moved = tuple(replace(step, status=now) for step, now in zip(task.steps, given, strict=True))
    frozen = None if digest is None or status is T.DRAFT else Digest(digest)
    task = replace(task, status=status, steps=moved, digest=frozen)
    return TaskState(task=task, steps=Map({step.id: StepState(r=1) for step in moved}), **said)


def after(found: TaskState, facts: list[ev.TaskFact]) -> TaskState:
    """The task once the facts are folded: they are all legal."""
    head = ev.Head(StreamId("s"), 1)
    for fact in facts:
        event = ev.seal(head, fact, at="2026-11-21T08:00:00.000000Z", actor="human:a")
        found, head = fold_task(found, event), ev.head_after(event)
    return found


def statuses(found: TaskState) -> list[StepStatus]:
    return [step.status for step in found.task.steps]


def with_finding(kind: FindingKind = "check", *, where: str = "T1.1") -> TaskState:
    verdict = Verdict(
        result="fail",
        tree=Tree("t"),
        commit=None,
        criteria=(),
        findings=(Finding(kind=kind, text="x", id=FindingId("F1"), fingerprint="f"),),
        reason_code="x",
        next_action="y",
        checks_digest=Digest("c"),
    )
    found = state(T.FAILED, S.FAILED)
    told = StepState(verdicts=(VerdictRow(r=0, s=0, at="", verdict=verdict),))
    return replace(found, steps=found.steps.set(where, told), findings=Map({FindingId("F1"): where}))


def test_a_draft_is_edited() -> None:
    found = state()
    edited = replace(found.task, title="y")

    assert moves.edit(found, edited, what="title") == [ev.TaskEdited(task=edited, what="title")]


def test_an_edit_that_changes_nothing_is_no_fact() -> None:
    assert moves.edit(state(), state().task, what="title") == []


@pytest.mark.parametrize(
    ("status", "hint"), [(T.READY, "task revise T1"), (T.RUNNING, "task revise T1"), (T.FAILED, "task reopen T1")]
)
def test_only_a_draft_is_edited(status: TaskStatus, hint: str) -> None:
    found = state(status)

    with pytest.raises(RefusedError, match=f"is {status}: only a draft can be edited") as refused:
        moves.edit(found, replace(found.task, title="y"), what="title")

    assert hint in refused.value.hint


def test_an_edit_withdraws_a_proposal() -> None:
    found = state(proposal=GateId("G1"))

    facts = moves.edit(found, replace(found.task, title="y"), what="title")

    assert facts[0] == ev.ApprovalDecided(gate=GateId("G1"), choice="withdrawn")
    assert after(found, facts).proposal is None


def test_a_changed_accepted_step_opens_again_with_what_was_built_on_it() -> None:
    found = state(T.DRAFT, S.ACCEPTED, S.ACCEPTED, S.SKIPPED)
    first, *others = found.task.steps
    edited = replace(found.task, steps=(replace(first, goal="new"), *others))

    then = after(found, moves.edit(found, edited, what="goal"))

    assert statuses(then) == [S.PENDING, S.PENDING, S.SKIPPED]
    assert [then.steps[each].r for each in (ONE, TWO, THREE)] == [2, 2, 1]


def test_an_accepted_step_cannot_be_removed() -> None:
    found = state(T.DRAFT, S.ACCEPTED)

    with pytest.raises(RefusedError, match=r"T1\.1 is accepted: its commit stays"):
        moves.edit(found, replace(found.task, steps=found.task.steps[1:]), what="remove")


def test_a_proposal_is_bound_to_the_digest_of_the_draft() -> None:
    found = state()

    facts = moves.propose(found, GateId("G1"), message="please", terms=TERMS)

    digest = documents.frozen_digest(found.task, TERMS)
    assert facts == [ev.ApprovalProposed(gate=GateId("G1"), digest=digest, message="please")]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (state(T.READY), "only a draft can be proposed"),
        (state(proposal=GateId("G1")), "proposed already, as G1"),
        (replace(state(), task=replace(state().task, steps=())), "has no steps"),
    ],
)
def test_what_cannot_be_proposed_is_refused(found: TaskState, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        moves.propose(found, GateId("G2"), message="", terms=TERMS)


def test_approval_freezes_the_draft_and_says_what_was_passed_over() -> None:
    found = state(proposal=GateId("G1"))

    then = after(found, moves.approve(found, message="", anyway=["AC-1 proves nothing"], terms=TERMS))

    assert then.task.status is T.READY
    assert then.task.digest == documents.frozen_digest(found.task, TERMS)
    assert then.approved_anyway == ("AC-1 proves nothing",)
    assert then.proposal is None


def test_a_draft_that_nobody_proposed_is_approved_all_the_same() -> None:
    facts = moves.approve(state(), message="go", anyway=(), terms=TERMS)

    assert [type(fact) for fact in facts] == [ev.TaskApproved]


@pytest.mark.parametrize(
    ("status", "why"),
    [(T.READY, "it cannot become ready; from there: cancelled, draft, running"), (T.ACCEPTED, "T1 is accepted")],
)
def test_what_is_no_draft_cannot_be_approved(status: TaskStatus, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        moves.approve(state(status), message="", anyway=(), terms=TERMS)


def test_a_task_without_steps_cannot_be_approved() -> None:
    empty = replace(state(), task=replace(state().task, steps=()))

    with pytest.raises(RefusedError, match="has no steps"):
        moves.approve(empty, message="", anyway=(), terms=TERMS)


def test_a_rejected_proposal_leaves_a_draft() -> None:
    found = state(proposal=GateId("G1"))

    facts = moves.reject(found, message="too big")

    assert facts == [ev.ApprovalDecided(gate=GateId("G1"), choice="reject", message="too big")]
    assert after(found, facts).task.status is T.DRAFT


@pytest.mark.parametrize(("status", "hint"), [(T.DRAFT, "edit it"), (T.READY, "task revise T1")])
def test_what_is_not_proposed_cannot_be_rejected(status: TaskStatus, hint: str) -> None:
    with pytest.raises(RefusedError, match="not proposed") as refused:
        moves.reject(state(status), message="")

    assert hint in refused.value.hint


def test_a_revision_is_a_draft_again_and_keeps_what_is_accepted() -> None:
    found = state(T.READY, S.ACCEPTED)

    then = after(found, moves.revise(found, reason="more"))

    assert (then.task.status, then.task.revision, then.task.digest) == (T.DRAFT, 1, None)
    assert statuses(then)[0] is S.ACCEPTED


@pytest.mark.parametrize(("status", "why"), [(T.DRAFT, "cannot become draft"), (T.CANCELLED, "cannot be revised")])
def test_what_cannot_be_revised_is_refused(status: TaskStatus, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        moves.revise(state(status), reason="")


def test_a_cancelled_draft_loses_its_proposal() -> None:
    found = state(proposal=GateId("G1"))

    then = after(found, moves.cancel(found, reason="no"))

    assert (then.task.status, then.proposal, then.reason) == (T.CANCELLED, None, "no")


def test_a_cancelled_task_takes_its_steps_with_it_and_reopened_brings_them_back() -> None:
    found = state(T.READY, S.ACCEPTED, S.SKIPPED)

    facts = moves.cancel(found, reason="no")
    then = after(found, facts)

    assert statuses(then) == [S.ACCEPTED, S.SKIPPED, S.CANCELLED]
    assert [fact.step for fact in facts if isinstance(fact, ev.StepClosed)] == [THREE]
    assert (then.steps[THREE].reason, then.steps[THREE].closed) == ("no", True)
    with pytest.raises(RefusedError, match="task T1 is cancelled") as refused:
        moves.close_step(then, THREE, status=S.SKIPPED, reason="")
    assert refused.value.hint == "Type: punchlist task reopen T1"
    assert statuses(after(then, moves.reopen(then, reason=""))) == [S.ACCEPTED, S.SKIPPED, S.PENDING]


def test_a_step_opened_again_in_a_task_that_was_never_approved_makes_it_a_draft() -> None:
    found = state(T.DRAFT)
    cancelled = after(found, moves.cancel(found, reason="no"))

    assert after(cancelled, moves.reopen_step(cancelled, ONE, reason="")).task.status is T.DRAFT
    asked = moves.ask_rework(cancelled, ONE, message="mind this", finding=FindingId("F7"))
    assert after(cancelled, asked).task.status is T.DRAFT


def test_what_is_over_cannot_be_cancelled() -> None:
    with pytest.raises(RefusedError, match="is accepted: it cannot become cancelled; from there: ready"):
        moves.cancel(state(T.ACCEPTED), reason="")


def test_a_reopened_task_is_ready_and_its_failed_steps_are_pending() -> None:
    found = state(T.FAILED, S.ACCEPTED, S.FAILED, S.CANCELLED)

    then = after(found, moves.reopen(found, reason=""))

    assert then.task.status is T.READY
    assert statuses(then) == [S.ACCEPTED, S.PENDING, S.PENDING]
    assert then.steps[TWO].r == 2


def test_a_task_that_was_never_approved_reopens_as_a_draft() -> None:
    found = state(T.CANCELLED, digest=None)

    then = after(found, moves.reopen(found, reason=""))

    assert (then.task.status, then.task.revision) == (T.DRAFT, 1)


@pytest.mark.parametrize(
    ("status", "hint"), [(T.DRAFT, "approve T1"), (T.READY, "task start T1"), (T.RUNNING, "why T1")]
)
def test_what_is_not_over_cannot_be_reopened(status: TaskStatus, hint: str) -> None:
    with pytest.raises(RefusedError, match="it is not over") as refused:
        moves.reopen(state(status), reason="")

    assert hint in refused.value.hint


def test_a_reopened_step_opens_what_was_built_on_it_and_wakes_its_task() -> None:
    found = state(T.ACCEPTED, S.ACCEPTED, S.ACCEPTED, S.SKIPPED)

    assert moves.built_on(found.task, ONE) == (TWO,)
    then = after(found, moves.reopen_step(found, ONE, reason=""))

    assert then.task.status is T.READY
    assert statuses(then) == [S.PENDING, S.PENDING, S.SKIPPED]


def test_a_step_that_is_not_over_cannot_be_reopened() -> None:
    with pytest.raises(RefusedError, match=r"step T1\.1 is pending: it cannot become pending"):
        moves.reopen_step(state(T.READY), ONE, reason="")


@pytest.mark.parametrize("status", [T.RUNNING, T.WAITING])
def test_steps_of_a_task_that_runs_are_left_to_its_run(status: TaskStatus) -> None:
    found = state(status, S.ACCEPTED)

    with pytest.raises(RefusedError, match=f"task T1 is {status}"):
        moves.reopen_step(found, ONE, reason="")
    with pytest.raises(RefusedError, match=f"task T1 is {status}"):
        moves.close_step(found, ONE, status=S.SKIPPED, reason="")
    with pytest.raises(RefusedError, match=f"task T1 is {status}"):
        moves.ask_rework(found, ONE, message="x", finding=FindingId("F1"))


def test_a_skipped_step_is_closed_once() -> None:
    found = state(T.READY)

    facts = moves.close_step(found, TWO, status=S.SKIPPED, reason="not now")

    assert [type(fact) for fact in facts] == [ev.StepMoved, ev.StepClosed]
    assert statuses(after(found, facts)) == [S.PENDING, S.SKIPPED, S.PENDING]


def test_a_cancelled_step_takes_with_it_what_needs_it() -> None:
    found = state(T.READY, S.PENDING, S.PENDING, S.SKIPPED)

    then = after(found, moves.close_step(found, ONE, status=S.CANCELLED, reason="no"))

    assert statuses(then) == [S.CANCELLED, S.CANCELLED, S.SKIPPED]
    assert then.steps[TWO].reason == "unreached"


def test_rework_of_an_accepted_step_opens_it_with_the_message() -> None:
    found = state(T.ACCEPTED, S.ACCEPTED)

    then = after(found, moves.ask_rework(found, ONE, message="use the helper", finding=FindingId("F7")))

    assert then.task.status is T.READY
    assert statuses(then)[0] is S.PENDING
    assert then.steps[ONE].messages == ("use the helper",)


def test_rework_opens_what_was_built_on_the_step_too() -> None:
    found = state(T.ACCEPTED, S.ACCEPTED, S.ACCEPTED, S.SKIPPED)

    then = after(found, moves.ask_rework(found, ONE, message="use the helper", finding=FindingId("F7")))

    assert statuses(then) == [S.PENDING, S.PENDING, S.SKIPPED]


def test_rework_of_a_step_to_come_only_leaves_the_message() -> None:
    found = state(T.READY)

    facts = moves.ask_rework(found, ONE, message="mind this", finding=FindingId("F7"))

    assert facts == [ev.ReworkAsked(step=ONE, message="mind this", finding=FindingId("F7"))]


@pytest.mark.parametrize("where", ["T1.1", ""])
def test_a_finding_of_the_last_verdict_is_waived(where: str) -> None:
    found = with_finding(where=where)

    then = after(found, moves.waive(found, FindingId("F1"), by="human:a", reason="fine"))

    assert [(each.finding, each.by, each.reason) for each in then.steps[where].waivers] == [("F1", "human:a", "fine")]


def test_a_finding_is_waived_once() -> None:
    found = with_finding()
    once = after(found, moves.waive(found, FindingId("F1"), by="human:a", reason="fine"))

    with pytest.raises(RefusedError, match="waived already"):
        moves.waive(once, FindingId("F1"), by="human:a", reason="fine")


def test_a_conflict_cannot_be_waived() -> None:
    with pytest.raises(RefusedError, match="is a conflict"):
        moves.waive(with_finding("conflict"), FindingId("F1"), by="human:a", reason="fine")


def test_a_finding_that_is_closed_cannot_be_waived() -> None:
    found = replace(with_finding(), findings=Map({FindingId("F2"): "T1.1", FindingId("F3"): "T1.2"}))

    for closed in ("F2", "F3", "F9"):
        with pytest.raises(RefusedError, match=f"finding {closed} is not in the last verdict"):
            moves.waive(found, FindingId(closed), by="human:a", reason="fine")


def test_a_change_for_another_version_names_both() -> None:
    moves.check_version(state().task, None)
    moves.check_version(state().task, 1)

    with pytest.raises(ConflictError, match="is at version 1, and the change was made for version 3"):
        moves.check_version(state().task, 3)


def test_only_a_ready_task_starts() -> None:
    with pytest.raises(RefusedError, match="is draft: it cannot become running"):
        moves.check_startable(state().task, needed=())


def test_all_that_keeps_a_task_from_starting_is_listed() -> None:
    needed = replace(state(T.READY).task, id="T9")

    with pytest.raises(RefusedError) as refused:
        moves.check_startable(state(T.READY, S.FAILED, S.CANCELLED).task, needed=[needed])

    assert [problem.where for problem in refused.value.problems] == ["T1.1", "T1.2", "T9"]


def test_a_ready_task_whose_needs_are_accepted_starts() -> None:
    needed = replace(state(T.ACCEPTED).task, id="T9")

    moves.check_startable(state(T.READY, S.ACCEPTED, S.SKIPPED).task, needed=[needed])


VERBS: dict[str, Callable[[TaskState], object]] = {
    "propose": lambda found: moves.propose(found, GateId("G1"), message="", terms=TERMS),
    "approve": lambda found: moves.approve(found, message="", anyway=(), terms=TERMS),
    "reject": lambda found: moves.reject(found, message=""),
    "revise": lambda found: moves.revise(found, reason=""),
    "reopen": lambda found: moves.reopen(found, reason=""),
    "reopen a step": lambda found: moves.reopen_step(found, ONE, reason=""),
    "skip a step": lambda found: moves.close_step(found, ONE, status=S.SKIPPED, reason=""),
    "ask for rework": lambda found: moves.ask_rework(found, ONE, message="x", finding=FindingId("F1")),
    "start": lambda found: moves.check_startable(found.task, needed=()),
    "waive": lambda found: moves.waive(found, FindingId("F1"), by="human:a", reason="x"),
}


@pytest.mark.parametrize("status", list(T))
@pytest.mark.parametrize("verb", VERBS)
def test_no_refusal_tells_a_person_to_throw_work_away(verb: str, status: TaskStatus) -> None:
    found = state(status, S.ACCEPTED)

    try:
        VERBS[verb](found)
    except RefusedError as refused:
        said = [refused.hint, *(each.hint for each in refused.problems)]
        assert not any(word in hint for hint in said for word in ("cancel", "remove"))


def test_a_ready_task_that_is_retried_is_to_be_started() -> None:
    with pytest.raises(RefusedError) as refused:
        moves.reopen(state(T.READY), reason="retry")

    assert refused.value.hint.startswith("Type: punchlist task start T1")
