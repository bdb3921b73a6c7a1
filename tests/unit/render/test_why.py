"""Why something is not accepted: the one thing that it waits for, and the command that moves it."""

import msgspec
import pytest
from immutables import Map

from punchlist.model.ids import AttemptId, GateId, RunId, StepId
from punchlist.model.jobs import Role
from punchlist.model.json import Json
from punchlist.model.state import AttemptState, StepState, TaskState
from punchlist.model.states import AttemptStatus, GateStatus, StepStatus, TaskStatus
from punchlist.render.why import why
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
        "what": "A42 (check), queued, not before 2026-11-21T11:00:00Z",
        "command": "punchlist logs A42 -f",
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


def test_when_all_steps_are_over_the_task_waits_for_its_own_criteria() -> None:
    over = state(TaskStatus.RUNNING, StepStatus.ACCEPTED)
    running = attempt("A43", Role.CHECK, step=None)

    assert waits(over) == {"what": "the verdict on the task's own criteria", "command": "punchlist task show T12"}
    assert waits(over, attempts=(running,)) == {"what": "A43 (check), running", "command": "punchlist logs A43 -f"}


def test_an_unknown_step_is_an_error() -> None:
    with pytest.raises(KeyError):
        why(STATE, StepId("T12.9"), attempts=[])
