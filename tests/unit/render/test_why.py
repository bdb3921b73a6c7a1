"""Why something is not accepted: the one thing that it waits for, and the command that moves it."""

from typing import Any

import msgspec
import pytest
from immutables import Map

from punchlist.cli.views import attention
from punchlist.model.ids import AttemptId, Commit, GateId, RunId, StepId, Tree
from punchlist.model.jobs import FailureClass, Outcome, Role
from punchlist.model.json import Json
from punchlist.model.records import Criterion
from punchlist.model.state import AttemptState, StepState, TaskState
from punchlist.model.states import AttemptStatus, GateStatus, StepStatus, TaskStatus
from punchlist.render.why import why
from punchlist.render.words import cost
from tests.golden.render.story import GATE, STATE, attempt

replace = msgspec.structs.replace


def state(
    status: TaskStatus, *steps: StepStatus, paused: bool = False, reason: str = "", run: str | None = "R7"
) -> TaskState:
    records = tuple(replace(step, status=each) for step, each in zip(STATE.task.steps, steps, strict=False))
    told = Map({step.id: StepState(reason=reason) for step in records})
    task = replace(STATE.task, status=status, steps=records, paused=paused)
    return TaskState(task=task, steps=told, reason=reason, run=RunId(run) if run else None)


def waits(
    found: TaskState, step: str | None = None, *, attempts: tuple[AttemptState, ...] = (), **changes: object
) -> Json:
    return why(found, None if step is None else StepId(step), attempts=attempts)["waits_for"]


@pytest.mark.parametrize(
    ("status", "what", "command"),
    [
        (TaskStatus.DRAFT, "a person to approve it", "punchlist approve T12"),
        (TaskStatus.READY, "somebody to start it", "punchlist task start T12"),
        (TaskStatus.FAILED, "somebody to try again what failed (red)", "punchlist retry T12"),
        (TaskStatus.CANCELLED, "somebody to open it again (red)", "punchlist task reopen T12"),
    ],
)
def test_a_task_at_rest_waits_for_a_person(status: TaskStatus, what: str, command: str) -> None:
    assert waits(state(status, reason="red")) == {"what": what, "command": command}
    assert waits(state(status, StepStatus.PENDING, reason="red"), "T12.1") == {"what": what, "command": command}


def test_what_is_accepted_waits_for_nothing() -> None:
    assert waits(state(TaskStatus.ACCEPTED)) is None
    assert waits(state(TaskStatus.RUNNING, StepStatus.ACCEPTED), "T12.1") is None


def test_an_open_gate_comes_first() -> None:
    expected = {
        "what": "a decision on gate G4 (rework): 1 round used up",
        "choices": ["more", "waive", "skip", "fail"],
        "command": "punchlist decide G4 CHOICE",
        "gate": "G4",
    }

    assert why(STATE, None, attempts=[], gates=[GATE])["waits_for"] == expected
    assert why(STATE, StepId("T12.2"), attempts=[], gates=[GATE])["waits_for"] == expected


def test_a_proposal_is_approved() -> None:
    row = replace(GATE, gate=replace(GATE.gate, id=GateId("G2"), kind="approval", step=None, message="look"))
    shape = why(state(TaskStatus.DRAFT), None, attempts=[], gates=[row])["waits_for"]

    assert isinstance(shape, dict)
    assert shape["command"] == "punchlist approve G2"


def test_a_decided_gate_and_one_of_another_are_no_wait() -> None:
    decided = replace(GATE, gate=replace(GATE.gate, status=GateStatus.DECIDED))
    found = state(TaskStatus.READY, StepStatus.PENDING)

    for row in (decided, replace(GATE, task=None)):
        shape = why(found, None, attempts=[], gates=[row])["waits_for"]
        assert shape == {"what": "somebody to start it", "command": "punchlist task start T12"}
    shape = why(found, StepId("T12.1"), attempts=[], gates=[GATE])["waits_for"]
    assert shape == {"what": "somebody to start it", "command": "punchlist task start T12"}


def test_a_pause_waits_for_its_end() -> None:
    paused = state(TaskStatus.RUNNING, StepStatus.PENDING, paused=True)

    for step in (None, "T12.1"):
        assert waits(paused, step) == {"what": "somebody to end the pause", "command": "punchlist resume T12"}


def test_a_step_that_runs_waits_for_its_attempt() -> None:
    building = state(TaskStatus.RUNNING, StepStatus.BUILDING)
    running = attempt("A42", Role.BUILDER, worker="claude")

    assert waits(building, attempts=(running,)) == {
        "what": "A42 (builder claude), running",
        "command": "punchlist logs A42 -f",
    }


def test_what_is_queued_says_until_when() -> None:
    building = state(TaskStatus.RUNNING, StepStatus.BUILDING)
    queued = attempt("A42", Role.CHECK, status=AttemptStatus.QUEUED, not_before="2026-11-21T11:00:00Z")
    ended = replace(queued, id=AttemptId("A43"), status=AttemptStatus.LOST)

    assert waits(building, "T12.1", attempts=(queued, ended)) == {
        "what": "A42 (check), parked until 2026-11-21T11:00:00Z",
        "command": "punchlist events R7 -f",
    }


def test_what_is_queued_without_a_time_waits_for_a_slot() -> None:
    building = state(TaskStatus.RUNNING, StepStatus.BUILDING)
    queued = attempt("A42", Role.CHECK, status=AttemptStatus.QUEUED)

    assert waits(building, "T12.1", attempts=(queued,)) == {
        "what": "A42 (check), queued for a free slot",
        "command": "punchlist events R7 -f",
    }


def test_what_is_parked_says_why_by_the_attempt_that_it_comes_after() -> None:
    building = state(TaskStatus.RUNNING, StepStatus.BUILDING)
    outcome = Outcome(
        attempt=AttemptId("A41"), status=AttemptStatus.FAILED, failure=FailureClass.QUOTA, reason="429\nusage limit"
    )
    failed = attempt("A41", Role.BUILDER, status=AttemptStatus.FAILED, worker="claude", outcome=outcome)
    parked = attempt(
        "A42",
        Role.BUILDER,
        status=AttemptStatus.QUEUED,
        worker="claude",
        not_before="2026-11-21T11:00:00Z",
        after=failed.id,
    )

    assert waits(building, "T12.1", attempts=(failed, parked)) == {
        "what": "A42 (builder claude), parked until 2026-11-21T11:00:00Z: quota: 429",
        "command": "punchlist events R7 -f",
    }


def test_a_step_waits_for_what_it_needs() -> None:
    found = state(TaskStatus.RUNNING, StepStatus.CHECKING, StepStatus.PENDING)

    assert waits(found, "T12.2") == {"what": "T12.1, which it needs", "command": "punchlist why T12.1"}


@pytest.mark.parametrize(("run", "command"), [("R7", "punchlist resume R7"), (None, "punchlist resume T12")])
def test_a_step_of_which_nothing_runs_waits_for_the_engine(run: str | None, command: str) -> None:
    found = state(TaskStatus.RUNNING, StepStatus.SKIPPED, StepStatus.PENDING, run=run)

    assert waits(found) == {"what": "the engine to go on", "command": command}


@pytest.mark.parametrize(
    ("status", "what", "command"),
    [
        (StepStatus.FAILED, "somebody to try it again (red)", "punchlist retry T12.1"),
        (StepStatus.CANCELLED, "somebody to try it again (red)", "punchlist retry T12.1"),
        (StepStatus.SKIPPED, "nothing: it was skipped (red)", "punchlist step reopen T12.1"),
    ],
)
def test_a_step_that_is_over_waits_for_a_person(status: StepStatus, what: str, command: str) -> None:
    assert waits(state(TaskStatus.RUNNING, status, reason="red"), "T12.1") == {"what": what, "command": command}


def unreached(*, first: StepStatus, reason: str = "exit 1") -> TaskState:
    """Three steps, each needing the one before; the last two were not reached."""
    one, two = STATE.task.steps[:2]
    three = replace(two, id=StepId("T12.3"), index=3, needs=("T12.2",))
    left = [replace(each, status=StepStatus.CANCELLED) for each in (two, three)]
    task = replace(STATE.task, status=TaskStatus.FAILED, steps=(replace(one, status=first), *left))
    told = {"T12.1": StepState(reason=reason), **{each.id: StepState(reason="unreached") for each in left}}
    return TaskState(task=task, steps=Map(told))


@pytest.mark.parametrize("step", ["T12.2", "T12.3"])
@pytest.mark.parametrize("status", [StepStatus.FAILED, StepStatus.CANCELLED])
def test_a_step_that_was_not_reached_waits_for_the_one_because_of_which(status: StepStatus, step: str) -> None:
    expected = {
        "what": f"T12.1, which it needs and which is {status} (exit 1)",
        "command": "punchlist retry T12.1",
    }

    assert waits(unreached(first=status), step) == expected


def test_a_step_whose_need_failed_without_a_word_says_so_shortly() -> None:
    shape = waits(unreached(first=StepStatus.FAILED, reason=""), "T12.2")

    assert shape == {"what": "T12.1, which it needs and which is failed", "command": "punchlist retry T12.1"}


def test_a_step_whose_need_is_there_by_now_is_tried_again_itself() -> None:
    shape = waits(unreached(first=StepStatus.SKIPPED), "T12.2")

    assert shape == {"what": "somebody to try it again (unreached)", "command": "punchlist retry T12.2"}


def test_a_step_of_a_cancelled_task_waits_for_its_task() -> None:
    found = state(TaskStatus.CANCELLED, StepStatus.CANCELLED, reason="no")

    expected = {"what": "somebody to open it again (no)", "command": "punchlist task reopen T12"}
    assert waits(found, "T12.1") == expected


def test_what_was_found_of_an_earlier_revision_is_no_reason_any_more() -> None:
    steps = tuple(replace(step, status=StepStatus.PENDING) for step in STATE.task.steps)
    first = STATE.steps["T12.1"]
    assert first.verdicts
    again = replace(first, r=first.r + 1)
    found = replace(STATE, task=replace(STATE.task, steps=steps), steps=STATE.steps.set("T12.1", again))

    shape = why(found, StepId("T12.1"), attempts=[])

    assert [shape[name] for name in ("findings", "commit", "tree")] == [[], None, None]
    criteria = shape["criteria"]
    assert isinstance(criteria, list)
    assert criteria
    assert all(each["verdict"] is None for each in criteria if isinstance(each, dict))
    whole = why(found, None, attempts=[])["criteria"]
    assert isinstance(whole, list)
    assert all(each["verdict"] is None for each in whole if isinstance(each, dict))


def test_when_all_steps_are_over_the_task_waits_for_its_own_criteria() -> None:
    over = state(TaskStatus.RUNNING, StepStatus.ACCEPTED)
    running = attempt("A43", Role.CHECK, step=None)

    assert waits(over) == {"what": "the verdict on the task's own criteria", "command": "punchlist task show T12"}
    assert waits(over, attempts=(running,)) == {"what": "A43 (check), running", "command": "punchlist logs A43 -f"}


def test_an_unknown_step_is_an_error() -> None:
    with pytest.raises(KeyError):
        why(STATE, StepId("T12.9"), attempts=[])


def test_each_criterion_leads_to_the_attempts_behind_its_verdict_and_their_cost() -> None:
    # given
    step = StepId("T12.1")
    last = STATE.steps[step].verdicts[-1]
    built = attempt("A1", Role.BUILDER, step=step, r=last.r, s=last.s)
    checks = [
        attempt(f"A{at}", Role.CHECK, step=step, r=last.r, s=last.s, subject=each.id)
        for at, each in enumerate(STATE.task.steps[0].criteria, 2)
    ]
    earlier = attempt("A9", Role.BUILDER, step=step, r=last.r, s=last.s - 1)

    # when
    told = why(STATE, step, attempts=[earlier, built, *checks])["criteria"]

    # then
    assert isinstance(told, list)
    judged = {each.id for each in last.verdict.criteria}
    assert [each["attempts"] for each in told if isinstance(each, dict) and each["id"] in judged] == [
        ["A1", check.id] for check in checks if check.subject in judged
    ]
    assert all(isinstance(each, dict) and each["cost"] == cost([built]) for each in told)


def test_a_task_without_any_accepted_step_has_no_commit() -> None:
    found = replace(state(TaskStatus.FAILED, StepStatus.FAILED), tip=STATE.base)

    assert why(found, None, attempts=[])["commit"] is None


def test_a_task_of_which_every_step_was_skipped_was_judged_on_its_base() -> None:
    base = Commit("b" * 40)
    seen = STATE.steps["T12.1"].verdicts[-1]
    verdict = replace(seen.verdict, result="pass", tree=Tree(base), commit=base)
    found = state(TaskStatus.ACCEPTED, StepStatus.SKIPPED, StepStatus.SKIPPED)
    found = replace(
        found,
        task=replace(found.task, acceptance=(Criterion(id=verdict.criteria[0].id, text="It holds."),)),
        steps=found.steps.set("", StepState(verdicts=(replace(seen, verdict=verdict),))),
        base=base,
        tip=base,
    )

    shape: Any = why(found, None, attempts=[])

    assert (shape["commit"], shape["base"], shape["waits_for"]) == (None, base, None)
    assert [(each["tree"], each["commit"]) for each in shape["criteria"]] == [(None, base)]
    shown = attention.why({"why": shape})
    assert "nothing was built for it: all steps were skipped, it was judged on its base bbbbbbbbbbbb" in shown
    assert "not judged  It holds." not in shown
