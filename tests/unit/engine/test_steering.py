"""What a person asks of a run while it goes on: pause, cancel, close a step, ask for rework, waive."""

from typing import Any

import pytest

from punchlist.engine.decide import decide
from punchlist.engine.turn import Context
from punchlist.errors import DefinitionError, RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import Digest, FindingId, NodePath, RunId, StepId
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.json import plain
from punchlist.model.policy import Policy
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus, TaskStatus
from tests.runs import RUN, Story, built_in, checked, deliver, flow_of, reviewed, step, task_of

ONE = StepId("T1.1")


def ready(**changes: Any) -> Story:
    task = task_of(step(1), **changes)
    story = Story(built_in("deliver"), task=task, purpose="deliver")
    story.note(ev.TaskApproved(digest=Digest("d" * 64)))
    return story


def test_only_a_ready_task_starts_and_the_refusal_says_what_to_type() -> None:
    story = Story(built_in("deliver"), task=task_of(step(1)), purpose="deliver")
    with pytest.raises(RefusedError, match="task T1 is draft; only a ready task can start") as refused:
        story.start(task=plain(story.task.task))
    assert refused.value.hint == "Type: punchlist approve T1"

    story = ready()
    story.note(ev.TaskMoved(status=TaskStatus.CANCELLED))
    with pytest.raises(RefusedError) as refused:
        story.start(task=plain(story.task.task))
    assert refused.value.hint == "Type: punchlist retry T1"


def test_a_pull_request_is_refused_before_the_run_and_not_at_its_end() -> None:
    with pytest.raises(DefinitionError, match=r"policy.on_accept: saw 'pr'; allowed: branch, merge"):
        deliver(policy=Policy(on_accept="pr"))


def test_a_run_begins_once() -> None:
    story = deliver()
    with pytest.raises(RefusedError, match="run R1 has begun already"):
        story.start(task=plain(story.task.task))


def test_a_run_that_delivers_nothing_is_refused() -> None:
    story = Story(built_in("deliver"), purpose="deliver")
    with pytest.raises(DefinitionError, match="lacks the task"):
        story.start()


def test_a_task_keeps_the_base_that_its_first_run_fixed() -> None:
    story = ready()
    story.note(ev.BaseFixed(branch="punchlist/T1-it", base=story.told().base or "c7"))  # type: ignore[arg-type]
    story.start(task=plain(story.task.task))

    assert story.task.base == "c7"
    assert len(story.facts(ev.BaseFixed)) == 1


def test_paused_nothing_new_starts_and_what_runs_may_finish() -> None:
    story = deliver()
    story.tell(cmd.Pause(run=RUN))
    assert (story.run.paused, story.task.task.paused) == (True, True)
    story.build()
    assert not story.run.live
    assert len(story.run.queue.entries) == 1

    story.tell(cmd.Resume(run=RUN))

    assert story.attempt_roles() == {Role.CHECK}
    assert (story.run.paused, story.task.task.paused) == (False, False)


def test_pausing_now_stops_what_runs_and_queues_it_again_without_spending_a_budget() -> None:
    story = deliver(policy=Policy(review="uncovered", retries=0))
    first = story.attempt(Role.BUILDER).id
    story.tell(cmd.Pause(run=RUN, now=True))
    assert (story.run.attempts[first].status, story.wanted.kill) == (AttemptStatus.CANCELLED, (first,))

    story.tell(cmd.Pause(run=RUN, now=True))
    story.tell(cmd.Resume(run=RUN))
    story.tell(cmd.Resume(run=RUN))

    assert story.attempt(Role.BUILDER).s == 1
    assert len(story.facts(ev.RunPaused)) == 2


def test_a_pause_of_a_flow_without_a_task_flags_the_run_alone() -> None:
    story = Story(flow_of("nodes: {a: {run: make}}")).start()
    story.tell(cmd.Pause(run=RUN, now=True))

    assert story.run.paused
    assert len(story.run.queue.entries) == 1


def test_an_engine_that_ends_leaves_what_ran_queued_for_the_next_one() -> None:
    story = deliver()
    story.tell(cmd.Interrupted(run=RUN), actor="engine")
    assert not story.run.live

    story.tell(cmd.TimePassed(run=RUN), actor="engine")

    assert story.attempt(Role.BUILDER).s == 1


def test_cancelling_a_run_ends_its_task_and_every_step_that_is_not_over() -> None:
    story = deliver(step(1), step(2), step(3, needs=(2,)))
    story.build(step=1)
    story.green(step=1)
    story.commit(step=1)
    story.tell(cmd.Cancel(run=RUN))

    assert (story.run.status, story.task.task.status) == (NodeStatus.CANCELLED, TaskStatus.CANCELLED)
    assert [story.status(number) for number in (1, 2, 3)] == ["accepted", "cancelled", "cancelled"]
    assert {each.step: each.status for each in story.facts(ev.StepClosed)} == {
        "T1.1": "accepted",
        "T1.2": "cancelled",
        "T1.3": "cancelled",
    }
    assert story.told(3).reason == "cancelled by human:ann"
    assert len(story.run.live) + len(story.run.queue.entries) + len(story.run.parked) + len(story.run.open_gates) == 0


def test_cancelling_one_node_cancels_what_is_below_it() -> None:
    story = deliver(step(1), step(2, needs=(1,)))
    story.tell(cmd.Cancel(run=RUN, node=NodePath("steps[T1.1].rounds"), reason="no"))

    assert story.node("steps[T1.1].rounds[0].build").status is NodeStatus.CANCELLED
    assert story.node("steps[T1.1].rounds[0].checks").status is NodeStatus.UNREACHED
    assert (story.status(1), story.status(2), story.run.status) == ("failed", "cancelled", "failed")


@pytest.mark.parametrize(
    ("node", "said"), [("nowhere", "run R1 has no node nowhere"), ("steps[T1.1].before", "is over: succeeded")]
)
def test_what_is_not_there_or_over_cannot_be_cancelled(node: str, said: str) -> None:
    story = deliver()
    with pytest.raises(RefusedError, match=said):
        story.tell(cmd.Cancel(run=RUN, node=NodePath(node)))


@pytest.mark.parametrize(("status", "other"), [("skipped", "building"), ("cancelled", "cancelled")])
def test_a_step_that_runs_is_skipped_or_cancelled_with_what_that_means_for_others(status: str, other: str) -> None:
    story = deliver(step(1), step(2, needs=(1,)))
    story.tell(cmd.CloseStep(run=RUN, step=ONE, status=status, reason="not now"))

    assert (story.status(1), story.told(1).reason) == (status, "not now")
    assert story.status(2) == ("pending" if other == "building" and story.run.live == {} else other)
    assert story.facts(ev.StepClosed)[0].status == status


def test_a_step_that_has_not_begun_can_be_skipped_and_is_not_started_when_its_need_is_met() -> None:
    story = deliver(step(1), step(2, needs=(1,)), step(3, needs=(2,)))
    story.tell(cmd.CloseStep(run=RUN, step=StepId("T1.2"), status="skipped"))
    assert story.attempt(Role.BUILDER, step=3).s == 0
    story.build(step=1)
    story.green(step=1)
    story.commit(step=1)

    assert [story.status(number) for number in (1, 2, 3)] == ["accepted", "skipped", "building"]
    assert story.told(2).reason == "skipped by human:ann"


def test_a_skipped_step_stays_what_it_is_though_its_item_waits_for_its_turn_again() -> None:
    story = deliver(step(1), step(2), acceptance=[checked()], policy=Policy(review="uncovered", max_parallel=1))
    story.tell(cmd.CloseStep(run=RUN, step=StepId("T1.2"), status="skipped"))
    story.build()
    story.green()
    story.commit()
    story.red()
    story.decide("reopen", step="T1.1")

    with pytest.raises(RefusedError, match=r"step T1\.2 is over: skipped"):
        story.tell(cmd.CloseStep(run=RUN, step=StepId("T1.2"), status="cancelled"))
    assert story.status(2) == "skipped"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (cmd.CloseStep(run=RUN, step=StepId("T1.9"), status="skipped"), r"no step T1\.9 in task T1; there are: T1\.1"),
        (cmd.CloseStep(run=RUN, step=ONE, status="accepted"), "saw 'accepted'; allowed: skipped, cancelled"),
        (cmd.AskRework(run=RUN, step=StepId("T1.9"), message="m"), r"no step T1\.9"),
        (cmd.Waive(run=RUN, finding=FindingId("F9"), reason="r"), "no finding F9 in task T1"),
    ],
)
def test_a_command_about_what_is_not_there_is_refused(command: cmd.RunCommand, said: str) -> None:
    with pytest.raises((RefusedError, DefinitionError), match=said):
        deliver().tell(command)


@pytest.mark.parametrize(
    "command",
    [
        cmd.Pause(run=RUN),
        cmd.Resume(run=RUN),
        cmd.Cancel(run=RUN),
        cmd.CloseStep(run=RUN, step=ONE, status="skipped"),
        cmd.AskRework(run=RUN, step=ONE, message="m"),
        cmd.Waive(run=RUN, finding=FindingId("F1"), reason="r"),
    ],
)
def test_a_run_that_is_over_takes_no_more_commands(command: cmd.RunCommand) -> None:
    story = deliver()
    story.tell(cmd.Cancel(run=RUN))
    with pytest.raises(RefusedError, match="run R1 is over: cancelled"):
        story.tell(command)


def test_what_the_runtime_says_to_a_run_that_is_over_changes_nothing() -> None:
    story = deliver()
    story.tell(cmd.Cancel(run=RUN))

    assert story.tell(cmd.TimePassed(run=RUN), actor="engine") == ()
    assert story.tell(cmd.Interrupted(run=RUN), actor="engine") == ()


def test_a_step_that_is_over_cannot_be_closed_or_asked_for_rework_while_its_task_runs() -> None:
    story = deliver(step(1), step(2))
    story.build(step=1)
    story.green(step=1)
    story.commit(step=1)

    with pytest.raises(RefusedError, match=r"step T1\.1 is over"):
        story.tell(cmd.CloseStep(run=RUN, step=ONE, status="skipped"))
    with pytest.raises(RefusedError, match=r"step T1\.1 is over") as refused:
        story.tell(cmd.AskRework(run=RUN, step=ONE, message="m"))
    assert refused.value.hint == "Type: punchlist step reopen T1.1"


def test_a_message_before_the_builder_starts_is_in_its_prompt_and_asks_for_no_other_round() -> None:
    story = deliver(step(1), step(2, needs=(1,)))
    story.tell(cmd.AskRework(run=RUN, step=StepId("T1.2"), message="Use the helper."))
    story.build("t1")
    story.green()
    story.commit()
    story.red(times=1)
    assert story.job(story.attempt(Role.BUILDER).id).pack["messages"] == ["Use the helper."]
    story.build("t2")
    story.green()
    story.commit()

    assert story.told(2).messages == ()
    assert story.status(2) is StepStatus.ACCEPTED


@pytest.mark.parametrize("late", ["building", "checking"])
def test_a_try_that_began_without_a_person_s_message_cannot_pass(late: str) -> None:
    story = deliver(step(1, checked(), reviewed(2)))
    if late == "checking":
        story.build("t1")
    story.tell(cmd.AskRework(run=RUN, step=ONE, message="Use the helper."))
    if late == "building":
        story.build("t1")
    story.green()

    given = story.facts(ev.VerdictGiven)[0].verdict
    assert (given.reason_code, given.findings[0].text) == ("person_asks", "a person asks: Use the helper.")
    assert story.job(story.attempt(Role.BUILDER).id).pack["messages"] == ["Use the helper."]
    assert not [each for each in story.run.attempts.values() if each.role is Role.QA]


def test_a_message_that_comes_at_the_verdict_s_heels_is_heard_before_the_commit() -> None:
    story = deliver(step(1), step(2))
    for number in (1, 2):
        story.build(f"t{number}", step=number)
        story.green(step=number)
    story.tell(cmd.AskRework(run=RUN, step=StepId("T1.2"), message="Wait."))
    story.commit(step=1)

    assert story.status(2) is StepStatus.BUILDING


def test_a_message_at_an_open_gate_is_another_round() -> None:
    story = deliver(policy=Policy(review="uncovered", rework=0))
    story.build()
    story.red()
    story.tell(cmd.AskRework(run=RUN, step=ONE, message="Once more."))

    assert story.job(story.attempt(Role.BUILDER).id).pack["messages"] == ["Once more."]
    assert story.node("steps[T1.1].rounds").most == 2
    assert story.told().late == ()


def test_a_message_while_the_builder_waits_for_a_retry_is_in_time() -> None:
    story = deliver()
    story.fail(story.attempt(Role.BUILDER), FailureClass.BLOCKED)
    story.tell(cmd.AskRework(run=RUN, step=ONE, message="SQLite."))

    assert (story.told().messages, story.told().late) == (("SQLite.",), ())


def test_a_finding_waived_while_the_step_is_worked_on_counts_from_the_next_verdict_on() -> None:
    story = deliver()
    story.build("t1")
    story.red()
    story.tell(cmd.Waive(run=RUN, finding=FindingId("F1"), reason="known"))
    story.build("t2")
    story.red(tail="another")

    assert story.facts(ev.VerdictGiven)[-1].verdict.result == "pass"
    with pytest.raises(RefusedError, match="F1 is not open in the last verdict; open: none"):
        story.tell(cmd.Waive(run=RUN, finding=FindingId("F1"), reason="known"))


def test_the_same_finding_cannot_be_waived_twice() -> None:
    story = deliver()
    story.build("t1")
    story.red()
    story.tell(cmd.Waive(run=RUN, finding=FindingId("F1"), reason="known"))

    with pytest.raises(RefusedError, match="finding F1 is waived already"):
        story.tell(cmd.Waive(run=RUN, finding=FindingId("F1"), reason="known"))


def test_a_run_that_makes_too_many_transitions_is_ended() -> None:
    story = deliver(policy=Policy(review="uncovered", max_transitions=15))
    story.build("t1")

    assert story.run.status is NodeStatus.FAILED
    assert story.run.error == "policy.max_transitions (15) was passed"
    assert (story.status(), story.task.task.status) == (StepStatus.CANCELLED, TaskStatus.FAILED)


def test_a_loop_that_does_nothing_is_ended_by_the_same_limit() -> None:
    text = """
nodes:
  spin:
    repeat: {max: 1000, until: "${{ nodes.one.output.x > 1 }}"}
    nodes: {one: {set: {x: 1}}}
"""
    story = Story(flow_of(text), project=None).start(policy=Policy(max_transitions=100))

    assert story.run.status is NodeStatus.FAILED
    assert 100 < story.run.transitions < 120


def test_the_limit_of_transitions_lets_a_commit_end_first() -> None:
    story = deliver()
    story.build("t1")
    story.green()
    short = story.run.transitions
    story = deliver(policy=Policy(review="uncovered", max_transitions=short - 1))
    story.build("t1")
    story.green()
    if story.run.status is NodeStatus.RUNNING:
        story.commit()
        assert story.status() is StepStatus.ACCEPTED

    assert story.run.status is NodeStatus.FAILED


def test_nothing_has_happened_when_a_command_is_refused() -> None:
    story = deliver()
    before = story.state
    with pytest.raises(RefusedError):
        decide(
            before,
            cmd.Decide(run=RUN, gate="G1", choice="x"),  # type: ignore[arg-type]
            Context(at="2026-11-21T00:00:00.000000Z", actor="human:ann", allocate=lambda _: 1),
        )

    assert story.state == before


def test_a_run_that_only_has_to_publish_leaves_the_task_alone_once_another_has_taken_it_up() -> None:
    story = deliver()
    story.build()
    story.green()
    story.commit()
    story.note(ev.TaskMoved(status=TaskStatus.READY), ev.TaskMoved(status=TaskStatus.RUNNING, run=RunId("R2")))
    story.tell(cmd.Cancel(run=RUN))

    assert (story.run.status, story.task.task.status) == (NodeStatus.CANCELLED, TaskStatus.RUNNING)
