"""A task revised while a run has hold of it, and the name of who asked in what the engine does for that."""

from collections.abc import Iterable

import pytest

from punchlist.errors import ConflictError, RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import StepId
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.states import NodeStatus, TaskStatus
from tests.gates import at_rework
from tests.runs import ANN, RUN, Story, deliver, step

BOB = "orchestrator:bob"


def committing() -> Story:
    """A first step whose commit is being made, and one that needs it."""
    story = deliver(step(1), step(2, needs=(1,)))
    story.build()
    story.green()
    assert story.attempt(Role.ENGINE).subject == "commit"
    return story


def actors(events: Iterable[ev.Event], *kinds: type) -> set[str]:
    return {each.actor for each in events if isinstance(each.fact, kinds)}


def test_a_task_revised_while_its_step_is_built_is_a_draft_at_once() -> None:
    story = deliver(step(1), step(2, needs=(1,)))

    events = story.tell(cmd.Revise(run=RUN, reason="think again"), actor=BOB)

    task = story.task.task
    assert (task.status, task.revision, task.digest, story.task.reason) == ("draft", 1, None, "think again")
    assert (story.run.status, story.run.error) == (NodeStatus.CANCELLED, f"{BOB} revised the task")
    assert [(each.status, story.told(each.index).r) for each in task.steps] == [("pending", 1), ("pending", 1)]
    assert actors(events, ev.TaskRevised, ev.RunMoved, ev.CancelAsked) == {BOB}


def test_a_task_revised_while_a_commit_is_made_is_a_draft_when_that_is_recorded() -> None:
    story = committing()

    story.tell(cmd.Revise(run=RUN, reason="think again"), actor=BOB)
    assert (story.task.task.status, story.status(1)) == ("running", "integrating")

    story.state = story.refolded()
    story.commit()
    task = story.task.task
    assert (task.status, task.revision, story.run.status) == ("draft", 1, NodeStatus.CANCELLED)
    assert [(each.status, story.told(each.index).r) for each in task.steps] == [("accepted", 0), ("pending", 1)]
    assert TaskStatus.CANCELLED not in {each.status for each in story.facts(ev.TaskMoved)}
    assert actors(story.events, ev.TaskRevised) == {BOB}


def test_a_task_is_a_draft_when_the_commit_that_was_waited_for_could_not_be_made() -> None:
    story = committing()
    story.tell(cmd.Revise(run=RUN))

    story.fail(story.attempt(Role.ENGINE), FailureClass.DEFINITION)

    assert (story.task.task.status, story.task.reason) == ("draft", "the task is revised")
    assert [(each.status, story.told(each.index).r) for each in story.task.task.steps] == [("pending", 1)] * 2


def test_revising_at_a_gate_while_another_step_is_committed_waits_for_that() -> None:
    story = deliver(step(1), step(2))
    story.build(step=1)
    story.red(step=1)
    story.build("t2", step=2)
    story.green(step=2)

    story.tell(cmd.Revise(run=RUN))
    story.commit(step=2)

    assert (story.task.task.status, story.status(1), story.status(2)) == ("draft", "pending", "accepted")


def test_a_revision_that_is_refused_changes_nothing() -> None:
    story = deliver(step(1))
    before = story.state

    with pytest.raises(ConflictError, match="the change was made for version 1"):
        story.tell(cmd.Revise(run=RUN, expected_version=1))
    assert story.state == before

    story.build()
    story.green()
    story.commit()
    with pytest.raises(RefusedError, match="task T1 is accepted: it cannot be revised"):
        story.tell(cmd.Revise(run=RUN))
    assert story.task.task.status is TaskStatus.ACCEPTED


@pytest.mark.parametrize("status", ["skipped", "cancelled"])
def test_the_end_of_a_step_is_of_whom_it_was_asked_by(status: str) -> None:
    story = deliver(step(1), step(2, needs=(1,)))

    events = story.tell(cmd.CloseStep(run=RUN, step=StepId("T1.1"), status=status, reason="not now"), actor=BOB)

    ended = [
        each for each in events if isinstance(each.fact, ev.StepMoved | ev.StepClosed) and each.fact.step[-1] == "1"
    ]
    assert [(each.kind, each.actor) for each in ended] == [("StepMoved", BOB), ("StepClosed", BOB)]
    assert story.told(1).reason == "not now"


@pytest.mark.parametrize("choice", ["skip", "fail"])
def test_what_a_gate_s_decision_ends_is_of_who_decided(choice: str) -> None:
    story = at_rework()

    events = story.decide(choice, note="later")

    ended = [each for each in events if isinstance(each.fact, ev.StepClosed) and each.fact.step == "T1.1"]
    assert [each.actor for each in ended] == [ANN]
    assert story.told(1).reason == f"{ANN} decided: {choice}: later"


def test_the_end_of_a_cancelled_task_is_of_who_cancelled_it_also_after_a_commit() -> None:
    at_once = deliver(step(1))
    at_once.tell(cmd.Cancel(run=RUN, reason="enough"), actor=BOB)
    later = committing()
    later.tell(cmd.Cancel(run=RUN, reason="enough"), actor=BOB)
    later.commit()

    for story in (at_once, later):
        ended = [each for each in story.events if isinstance(each.fact, ev.TaskMoved | ev.RunMoved)]
        assert [(each.kind, each.actor) for each in ended[-2:]] == [("RunMoved", BOB), ("TaskMoved", BOB)]
        assert (story.task.task.status, story.task.reason) == ("cancelled", "enough")


def test_what_the_engine_concludes_by_itself_is_its_own() -> None:
    story = committing()
    story.commit()

    assert actors(story.events, ev.StepMoved, ev.StepClosed) == {"engine"}
