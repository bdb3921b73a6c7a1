"""Every gate that a node of this version opens, and what each of its choices does."""

from typing import Any

import pytest

from punchlist.errors import DefinitionError, RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.gates import GATES
from punchlist.model.ids import FindingId, GateId, StepId
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.states import AttemptStatus, GateStatus, NodeStatus, StepStatus, TaskStatus
from tests.gates import (
    DATA,
    NO_ROUNDS,
    OPENED,
    at_acceptance,
    at_blocked,
    at_exhausted,
    at_flow,
    at_limit,
    at_lost,
    at_merge,
    at_rework,
    at_unproven,
)
from tests.runs import RUN, checked, deliver, replace, reviewed, step


@pytest.mark.parametrize(
    ("kind", "choice"), [(kind, choice) for kind, at in OPENED.items() for choice in at().gate().choices]
)
def test_every_choice_that_a_gate_offers_is_taken_and_leads_on(kind: str, choice: str) -> None:
    story = OPENED[kind]()
    gate = story.gate().id

    story.decide(choice, **DATA.get((kind, choice), {}))

    decided = story.run.gates[gate]
    assert (decided.status, decided.choice, decided.by) == (GateStatus.DECIDED, choice, "human:ann")
    over = story.run.status not in {NodeStatus.RUNNING, NodeStatus.WAITING}
    assert over or story.run.live or story.run.parked or story.run.open_gates


def test_the_choices_of_the_table_are_those_that_nodes_offer_but_rework_after_publishing() -> None:
    for kind, at in OPENED.items():
        offered = set(at().gate().choices)
        listed = {choice.name for choice in GATES[kind].choices}
        assert offered == (listed or {"yes", "no"}) - ({"rework"} if kind == "merge" else set())


def test_more_rounds_begin_with_the_person_s_message() -> None:
    story = at_rework()
    story.decide("more", n=2, message="Use the helper.")

    attempt = story.attempt(Role.BUILDER)
    pack = story.job(attempt.id).pack
    assert (pack["messages"], pack["verdict"]["result"], attempt.s) == (["Use the helper."], "fail", 1)
    assert story.node("steps[T1.1].rounds").most == 3

    story.build("t2")
    story.red(tail="other")
    story.build("t3")
    story.red(tail="yet another")
    assert story.gate().message.startswith("3 rounds used up. checks_fail: F1 ")


def test_a_waiver_judges_the_last_tree_again_without_running_its_checks_again() -> None:
    story = at_rework()
    attempts = len(story.run.attempts)
    story.decide("waive", reason="The test is wrong.")
    story.commit()

    assert story.status() is StepStatus.ACCEPTED
    assert len([each for each in story.run.attempts.values() if each.step == "T1.1"]) == attempts + 1
    (closed,) = story.facts(ev.StepClosed)
    assert [(each.by, each.reason) for each in closed.waived] == [("human:ann", "The test is wrong.")]
    planned = story.facts(ev.IntegrationPlanned)[0]
    assert "Punchlist-Waived: F1 by human:ann: The test is wrong." in planned.message
    assert story.node("steps[T1.1].rounds[0].checks").generation == 1


def test_only_the_findings_that_are_named_are_waived() -> None:
    story = deliver(step(1, checked(1), checked(2)), policy=NO_ROUNDS)
    story.build()
    story.red()
    story.red()
    story.decide("waive", findings=["F1"], reason="Known.")

    assert story.gate().kind == "rework"
    assert [each.finding for each in story.told().waivers] == ["F1"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"findings": ["F9"], "reason": "r"}, "F9 is not open in the last verdict; open: F1"),
        ({"findings": ["F1"]}, "choice waive needs it"),
        ({"findings": [], "reason": "r"}, "saw []"),
        ({"reason": "r", "colour": "red"}, "unknown field"),
    ],
)
def test_a_waiver_that_says_something_else_is_refused_and_changes_nothing(data: dict[str, Any], said: str) -> None:
    story = at_rework()
    before = story.state
    with pytest.raises((RefusedError, DefinitionError)) as refused:
        story.decide("waive", **data)

    assert said in str(refused.value)
    assert story.state == before


def test_a_skipped_step_satisfies_those_that_need_it() -> None:
    story = at_rework()
    story.decide("skip", note="later")

    assert story.status(1) is StepStatus.SKIPPED
    assert story.told(1).reason == "human:ann decided: skip: later"
    assert story.attempt(Role.BUILDER).step == "T1.2"


@pytest.mark.parametrize("at", [at_rework, at_blocked, at_limit, at_lost, at_unproven])
def test_a_failed_step_takes_those_with_it_that_need_it(at: Any) -> None:
    story = at()
    failing = story.gate().step
    story.decide("fail", note="no use")

    steps = {each.id: each.status for each in story.task.task.steps}
    assert steps[failing] is StepStatus.FAILED
    assert steps["T1.2"] is (StepStatus.FAILED if failing == "T1.2" else StepStatus.CANCELLED)
    assert (story.task.task.status, story.run.status) == (TaskStatus.FAILED, NodeStatus.FAILED)
    assert "human:ann decided: fail: no use" in story.run.error


@pytest.mark.parametrize("at", [at_blocked, at_limit, at_lost, at_unproven])
def test_a_step_can_be_skipped_at_any_of_its_gates(at: Any) -> None:
    story = at()
    gate = story.gate()
    story.decide("skip")

    assert next(each.status for each in story.task.task.steps if each.id == gate.step) is StepStatus.SKIPPED


def test_a_step_shows_that_it_waits_and_goes_back_to_its_phase() -> None:
    story = at_blocked()
    assert (story.status(), story.task.task.status, story.run.status) == ("waiting", "waiting", "waiting")

    story.decide("answer", text="SQLite.")

    attempt = story.attempt(Role.BUILDER)
    assert (story.status(), story.task.task.status, story.run.status) == ("building", "running", "running")
    assert (attempt.session, story.job(attempt.id).pack["messages"]) == ("session-1", ["SQLite."])


def test_a_task_is_running_as_long_as_anything_can_run() -> None:
    story = deliver(step(1), step(2))
    story.fail(story.attempt(Role.BUILDER, step=1), FailureClass.BLOCKED)

    assert (story.gate().message, story.task.task.status) == ("BLOCKED happened".lower(), "running")


def test_only_a_builder_can_be_given_an_answer() -> None:
    story = deliver(step(1, reviewed()))
    story.build()
    story.fail(story.attempt(Role.QA), FailureClass.BLOCKED, reason="")

    assert (story.gate().choices, story.gate().message) == (("skip", "fail"), "the agent asks, but left no question")
    with pytest.raises(RefusedError, match="cannot be decided by answer; here: skip, fail"):
        story.decide("answer", text="Yes.")


def test_a_raised_limit_holds_for_the_next_attempts_in_later_rounds_too() -> None:
    story = at_limit()
    story.decide("raise", value="3h")
    assert story.job(story.attempt(Role.BUILDER).id).limits.timeout == 3 * 3600

    story.build("t1")
    story.red()

    assert story.job(story.attempt(Role.BUILDER).id).limits.timeout == 3 * 3600
    assert dict(story.run.raised) == {"steps.rounds.build|T1.1|timeout": "3h"}


@pytest.mark.parametrize(
    ("failure", "value", "limits"),
    [
        (FailureClass.MEMORY, "16GiB", {"memory": 16 << 30}),
        (FailureClass.OUTPUT, "1GiB", {"output": 1 << 30}),
        (FailureClass.SILENCE, "1h", {"silence": 3600}),
        (FailureClass.PROCESSES, "2000", {"processes": 2000}),
    ],
)
def test_each_limit_can_be_raised(failure: FailureClass, value: str, limits: dict[str, int]) -> None:
    story = deliver()
    for _ in range(2):
        story.fail(story.attempt(Role.BUILDER), failure)
    story.decide("raise", value=value)

    job = story.job(story.attempt(Role.BUILDER).id)
    assert {name: getattr(job.limits, name) for name in limits} == limits


@pytest.mark.parametrize("value", ["8GiB", "soon", 3])
def test_a_limit_is_raised_to_a_value_of_its_kind(value: str) -> None:
    story = at_limit()
    with pytest.raises(DefinitionError, match="for timeout; allowed: a time such as 2h"):
        story.decide("raise", value=value)


def test_a_size_is_asked_for_where_memory_was_passed() -> None:
    story = deliver()
    for _ in range(2):
        story.fail(story.attempt(Role.BUILDER), FailureClass.MEMORY)
    with pytest.raises(DefinitionError, match="allowed: a size such as 8GiB"):
        story.decide("raise", value="2h")


@pytest.mark.parametrize("value", ["0", "2h", "1e3", "-1", "1000000", "٣"])
def test_a_number_is_asked_for_where_there_were_too_many_processes(value: str) -> None:
    story = deliver()
    for _ in range(2):
        story.fail(story.attempt(Role.BUILDER), FailureClass.PROCESSES)
    with pytest.raises(DefinitionError, match="for processes; allowed: a whole number from 1 to 999999"):
        story.decide("raise", value=value)


def test_what_was_lost_passed_no_limit_that_could_be_raised() -> None:
    assert at_lost().gate().choices == ("retry", "skip", "fail")


def test_a_decision_gives_the_budgets_anew() -> None:
    story = at_lost()
    story.decide("retry")
    story.fail(story.attempt(Role.BUILDER), FailureClass.LOST)
    story.fail(story.attempt(Role.BUILDER), FailureClass.LOST)
    assert not story.run.open_gates

    story.fail(story.attempt(Role.BUILDER), FailureClass.LOST)

    assert story.gate().kind == "limit"


def test_an_unproven_step_goes_on_as_it_is() -> None:
    story = at_unproven()
    assert "fails on the base of this step" in story.gate().message
    story.decide("go_on")

    assert story.attempt(Role.BUILDER).step == "T1.2"
    assert story.status(2) is StepStatus.BUILDING


def test_revising_ends_the_run_and_leaves_the_task_a_draft_whose_steps_are_pending() -> None:
    story = at_unproven()
    story.decide("revise", note="another plan")

    task = story.task.task
    assert (task.status, task.revision, task.digest, story.task.reason) == ("draft", 1, None, "another plan")
    assert (story.run.status, story.run.error) == (NodeStatus.CANCELLED, "human:ann revised the task")
    assert [(each.status, story.told(each.index).r) for each in task.steps] == [("accepted", 0), ("pending", 1)]
    assert [(each.step, each.r, each.status) for each in story.facts(ev.StepClosed)] == [
        ("T1.1", 0, "accepted"),
        ("T1.2", 0, "cancelled"),
    ]


def test_an_added_step_takes_up_what_fails_and_only_it_and_the_whole_run_again() -> None:
    story = at_acceptance()
    tip = story.task.tip
    story.decide("add_step", text="Mend it.\nAll of it.\x07")

    added = story.task.task.steps[-1]
    assert (added.id, added.title, added.goal) == ("T1.3", "Mend it. All of it.", "Mend it.\nAll of it.\x07")
    assert [(each.id, each.check) for each in added.criteria] == [("AC-1", "make check-7")]
    assert (story.task.task.revision, story.task.task.status) == (1, TaskStatus.RUNNING)
    assert story.task.task.digest != "d" * 64
    story.red(times=1)
    attempt = story.attempt(Role.BUILDER)
    assert (attempt.step, attempt.worker, attempt.base) == ("T1.3", "coder", tip)

    story.build("t3")
    story.green()
    story.commit()
    story.green()
    story.publish()

    assert story.task.task.status is TaskStatus.ACCEPTED
    assert [each.step for each in story.facts(ev.StepClosed)] == ["T1.1", "T1.2", "T1.3"]
    assert story.node("steps[T1.1]").status is NodeStatus.SKIPPED


def test_an_added_step_has_all_criteria_when_what_fails_belongs_to_none() -> None:
    story = at_acceptance()
    last = story.task.steps[""].verdicts[-1]
    whole = replace(last.verdict, criteria=tuple(replace(each, verdict="pass") for each in last.verdict.criteria))
    story.note(ev.VerdictGiven(step=None, r=0, s=0, verdict=whole, node=last.node))
    story.decide("add_step", text="Again.")

    assert [each.text for each in story.task.task.steps[-1].criteria] == ["It does 7."]


def test_a_reopened_step_is_done_again_on_the_branch_as_it_is() -> None:
    story = at_acceptance()
    tip = story.task.tip
    story.decide("reopen", step="T1.1", message="Not like this.")
    story.green()

    attempt = story.attempt(Role.BUILDER)
    assert (attempt.step, attempt.r, attempt.s, attempt.base) == ("T1.1", 1, 0, tip)
    assert story.job(attempt.id).pack["messages"] == ["Not like this."]
    folder = story.job(attempt.id).folder
    assert (folder.merge, folder.revision) == (None, 1)
    story.build("t1-again")
    story.green()
    story.commit()
    story.green()
    assert story.task.task.status is TaskStatus.ACCEPTED
    assert [(each.step, each.r) for each in story.facts(ev.StepClosed)] == [("T1.1", 0), ("T1.2", 0), ("T1.1", 1)]


def test_reopening_a_step_reopens_what_was_built_on_it() -> None:
    story = deliver(step(1), step(2, needs=(1,)), acceptance=[checked(7)])
    story.build("t1")
    story.green()
    story.commit()
    story.red(times=1)
    story.build("t2")
    story.green()
    story.commit()
    story.red()
    story.decide("reopen", step="T1.1")

    assert [(each.status, story.told(each.index).r) for each in story.task.task.steps] == [
        ("building", 1),
        ("pending", 1),
    ]


def test_a_step_that_is_not_there_cannot_be_reopened() -> None:
    story = at_acceptance()
    with pytest.raises(RefusedError, match=r"no step T1\.9 in task T1; there are: T1\.1, T1\.2"):
        story.decide("reopen", step="T1.9")


def test_a_waived_criterion_of_the_task_counts_as_passed_and_is_shown() -> None:
    story = at_acceptance(reviews=True)
    reviews = [each for each in story.run.attempts.values() if each.role is Role.QA]
    story.decide("waive", reason="Good enough.")

    assert story.task.task.status is TaskStatus.ACCEPTED
    assert story.task.steps[""].verdicts[-1].verdict.criteria[0].verdict == "waived"
    assert [each for each in story.run.attempts.values() if each.role is Role.QA] == reviews


def test_a_task_whose_whole_fails_is_failed_and_what_was_accepted_stays() -> None:
    story = at_acceptance()
    story.decide("fail")

    assert (story.task.task.status, story.run.status) == (TaskStatus.FAILED, NodeStatus.FAILED)
    assert {each.status for each in story.task.task.steps} == {StepStatus.ACCEPTED}


def test_a_task_that_cannot_be_published_stays_accepted() -> None:
    story = at_merge()
    assert (story.task.task.status, story.run.status) == (TaskStatus.ACCEPTED, NodeStatus.WAITING)
    story.decide("retry")
    story.publish()
    assert story.run.status is NodeStatus.SUCCEEDED

    story = at_merge()
    story.decide("leave")
    assert (story.task.task.status, story.run.status) == (TaskStatus.ACCEPTED, NodeStatus.SUCCEEDED)
    assert story.node("publish").output == {"branch": "punchlist/T1-it", "commit": story.task.tip, "merged": False}


def test_a_repeat_that_is_exhausted_goes_on_or_takes_the_last_round() -> None:
    story = at_exhausted()
    story.decide("more", n=2)
    assert (story.run.status, story.run.outputs) == (NodeStatus.SUCCEEDED, {"last": 2})

    story = at_exhausted()
    story.decide("accept_last")
    assert (story.run.status, story.run.outputs) == (NodeStatus.SUCCEEDED, {"last": 0})

    story = at_exhausted()
    story.decide("fail")
    assert (story.run.status, story.run.error) == (NodeStatus.FAILED, "turns: human:ann decided: fail")


def test_the_decision_on_a_flow_s_own_gate_is_its_output() -> None:
    story = at_flow()
    story.decide("yes", note="with pleasure")

    assert story.node("ask").output == {"choice": "yes", "data": {"note": "with pleasure"}, "by": "human:ann"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (cmd.Decide(run=RUN, gate=GateId("G9"), choice="yes"), "no gate G9 in run R1"),
        (cmd.Decide(run=RUN, gate=GateId("G1"), choice="perhaps"), "has no choice 'perhaps'; allowed: yes, no"),
        (cmd.Decide(run=RUN, gate=GateId("G1"), choice="yes", shows="another"), "not another"),
        (cmd.Decide(run=RUN, gate=GateId("G1"), choice="yes", data={"x": 1}), "unknown field"),
    ],
)
def test_a_decision_that_does_not_fit_the_gate_is_refused(command: cmd.Decide, said: str) -> None:
    story = at_flow()
    with pytest.raises((RefusedError, DefinitionError)) as refused:
        story.tell(command)
    assert said in str(refused.value)


def test_a_gate_is_decided_once() -> None:
    story = at_flow()
    gate = story.gate()
    story.tell(cmd.Decide(run=RUN, gate=gate.id, choice="no", shows=gate.shows))

    with pytest.raises(RefusedError, match="G1 is decided already by human:ann: no"):
        story.decide("yes", gate=gate.id)


def test_a_withdrawn_gate_cannot_be_decided() -> None:
    story = at_flow()
    story.tell(cmd.Cancel(run=RUN))

    assert story.run.gates[GateId("G1")].status is GateStatus.WITHDRAWN
    with pytest.raises(RefusedError, match="G1 is withdrawn already"):
        story.decide("yes", gate=GateId("G1"))


def test_a_gate_withdrawn_with_its_step_leaves_nothing_open() -> None:
    story = at_rework()
    story.tell(cmd.CloseStep(run=RUN, step=StepId("T1.1"), status="cancelled"))

    assert not story.run.open_gates
    assert (story.status(1), story.status(2)) == (StepStatus.CANCELLED, StepStatus.CANCELLED)


def test_waiving_by_finding_decides_the_gate_that_is_open_on_it() -> None:
    story = at_rework()
    story.tell(cmd.Waive(run=RUN, finding=FindingId("F1"), reason="It is fine."))
    assert story.run.gates[GateId("G1")].choice == "waive"

    story = at_acceptance()
    story.tell(cmd.Waive(run=RUN, finding=FindingId("F1"), reason="It is fine."))
    assert story.task.task.status is TaskStatus.ACCEPTED


def test_a_check_that_was_lost_three_times_asks_and_is_tried_again() -> None:
    story = deliver()
    story.build()
    for _ in range(3):
        story.fail(story.attempt(Role.CHECK), FailureClass.LOST)
    assert (story.gate().kind, story.gate().choices, story.status()) == ("limit", ("retry", "skip", "fail"), "waiting")

    story.decide("retry")

    assert (story.attempt(Role.CHECK).subject, story.status()) == ("AC-1", StepStatus.CHECKING)


def test_a_reviewer_that_was_lost_three_times_asks_and_is_tried_again() -> None:
    story = deliver(step(1, reviewed()))
    story.build()
    for _ in range(3):
        story.fail(story.attempt(Role.QA), FailureClass.LOST)
    story.decide("retry")

    assert (story.attempt(Role.QA).worker, story.status()) == ("critic", StepStatus.REVIEWING)


def test_an_attempt_that_says_it_was_cancelled_though_nobody_did_is_lost() -> None:
    story = deliver()
    story.over(story.attempt(Role.BUILDER).id, status=AttemptStatus.CANCELLED)

    assert story.attempt(Role.BUILDER).s == 1
