"""What follows a failed attempt: each class of failure has its own budget, and nothing else tries again."""

from datetime import datetime, timedelta

import pytest

from punchlist.engine.retry import stamp
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.policy import Policy
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus
from tests.runs import PROJECT, RUN, Story, deliver, flow_of, replace, reviewed, step


def test_a_crash_of_a_worker_is_tried_again_with_backoff_as_often_as_policy_says() -> None:
    story = deliver(policy=Policy(review="uncovered", retries=2))
    for delay in (2, 4):
        story.fail(story.attempt(Role.BUILDER), reason="exit 3")
        assert story.rings_at() == stamp(story.now + timedelta(seconds=delay))
        assert not story.run.live
        story.wait(timedelta(seconds=delay))
    story.fail(story.attempt(Role.BUILDER), reason="exit 3")

    assert (story.status(), story.told().reason) == (
        StepStatus.FAILED,
        story.run.nodes[story.node("steps[T1.1]").path].error,
    )
    assert "attempt A3: exit 3" in story.run.error


def test_retries_of_the_builder_count_as_tries_of_the_step() -> None:
    story = deliver()
    story.fail(story.attempt(Role.BUILDER))
    story.wait(timedelta(seconds=2))

    assert (story.attempt(Role.BUILDER).r, story.attempt(Role.BUILDER).s) == (0, 1)


def test_the_delay_grows_up_to_its_most() -> None:
    text = """
nodes:
  ask: {run: make it, retry: {max: 4, backoff: {first: 10s, factor: 3, most: 1m}}}
"""
    story = Story(flow_of(text)).start()
    delays = []
    for _ in range(4):
        story.fail(story.attempt(Role.COMMAND), exit_code=75)
        delays.append(next(iter(story.run.parked.values())))
        story.wait(timedelta(minutes=1))
        assert story.run.live

    start = sorted(attempt.ended_at for attempt in story.run.attempts.values() if attempt.ended_at)
    moments = [
        (datetime.fromisoformat(now), datetime.fromisoformat(then)) for now, then in zip(start, delays, strict=True)
    ]
    gaps = [(then - now).total_seconds() for now, then in moments]
    assert gaps == [10, 30, 60, 60]


def test_a_command_is_not_tried_again_unless_its_node_says_so() -> None:
    story = Story(flow_of("nodes: {ask: {run: make it}}")).start()
    story.fail(story.attempt(Role.COMMAND), reason="exit 2", exit_code=2)

    assert (story.run.status, story.run.error) == (NodeStatus.FAILED, "ask: attempt A1: exit 2")


def test_a_quota_parks_the_attempt_until_its_reset_and_spends_nothing() -> None:
    story = deliver(policy=Policy(review="uncovered", retries=0))
    reset = story.now + timedelta(hours=3)
    story.fail(story.attempt(Role.BUILDER), FailureClass.QUOTA, not_before=stamp(reset))
    assert story.rings_at() == stamp(reset)
    story.wait(timedelta(hours=2))
    assert story.attempt_roles() == set()
    story.wait(timedelta(hours=1))

    assert story.attempt(Role.BUILDER).s == 1


@pytest.mark.parametrize("said", [None, "soon", "2026-11-21T09:00:00"])
def test_a_quota_without_a_usable_reset_waits_longer_each_time(said: str | None) -> None:
    story = deliver()
    for minutes in (1, 5, 15, 60, 60):
        story.fail(story.attempt(Role.BUILDER), FailureClass.QUOTA, not_before=said)
        assert story.rings_at() == stamp(story.now + timedelta(minutes=minutes))
        story.wait(timedelta(minutes=minutes))


def test_a_reset_in_another_time_zone_is_understood() -> None:
    story = deliver()
    story.fail(story.attempt(Role.BUILDER), FailureClass.QUOTA, not_before="2026-11-21T12:30:00+02:00")

    assert story.rings_at() == "2026-11-21T10:30:00.000000Z"


def test_what_was_lost_is_tried_again_at_once() -> None:
    story = deliver()
    story.fail(story.attempt(Role.BUILDER), FailureClass.LOST)

    assert story.attempt(Role.BUILDER).s == 1


def test_what_was_stopped_by_a_pause_or_with_the_engine_spends_no_budget() -> None:
    story = deliver()
    story.tell(cmd.Pause(run=RUN, now=True))
    story.tell(cmd.Resume(run=RUN))
    story.tell(cmd.Interrupted(run=RUN), actor="engine")
    story.wait(timedelta(seconds=1))

    story.fail(story.attempt(Role.BUILDER), FailureClass.LOST)
    story.fail(story.attempt(Role.BUILDER), FailureClass.LOST)
    assert not story.run.open_gates

    story.fail(story.attempt(Role.BUILDER), FailureClass.LOST)
    assert story.gate().kind == "limit"


def test_a_limit_is_passed_once_and_twice_is_a_question() -> None:
    story = deliver()
    story.fail(story.attempt(Role.BUILDER), FailureClass.SILENCE)
    story.fail(story.attempt(Role.BUILDER), FailureClass.TIMEOUT)
    assert not story.run.open_gates
    story.fail(story.attempt(Role.BUILDER), FailureClass.SILENCE)

    assert (story.gate().kind, story.gate().choices[0]) == ("limit", "raise")


def test_a_definition_that_is_wrong_fails_at_once() -> None:
    story = deliver()
    story.fail(story.attempt(Role.BUILDER), FailureClass.DEFINITION, reason="there is no worker 'coder'")

    assert "there is no worker 'coder'" in story.run.error
    assert story.status() is StepStatus.FAILED


def test_a_failure_without_a_class_or_reason_counts_as_the_worker_s() -> None:
    story = deliver(policy=Policy(review="uncovered", retries=0))
    story.over(story.attempt(Role.BUILDER).id, status=AttemptStatus.FAILED)

    assert "attempt A1: worker" in story.run.error


def test_a_check_s_own_timeout_is_a_red_check() -> None:
    story = deliver()
    story.build()
    for _ in range(2):
        story.fail(story.attempt(Role.CHECK), FailureClass.TIMEOUT)

    assert story.facts(ev.VerdictGiven)[0].verdict.reason_code == "checks_fail"
    assert story.attempt(Role.BUILDER).s == 1


def test_a_check_that_could_not_be_started_is_no_answer() -> None:
    story = deliver()
    story.build()
    story.fail(story.attempt(Role.CHECK), FailureClass.WORKER, reason="no space")
    assert len(story.run.parked) == 1
    story.wait(timedelta(seconds=2))
    story.fail(story.attempt(Role.CHECK), FailureClass.DEFINITION, reason="no such commit")

    assert "no such commit" in story.run.error
    assert story.status() is StepStatus.FAILED


def test_a_check_that_was_killed_by_a_signal_is_red() -> None:
    story = deliver()
    story.build()
    for _ in range(2):
        story.fail(story.attempt(Role.CHECK), FailureClass.CRITERION, signal=9)

    assert story.attempt(Role.BUILDER).s == 1


def test_a_reviewer_s_session_is_never_kept() -> None:
    story = deliver(step(1, reviewed()))
    story.build(session="s1")

    assert story.attempt(Role.QA).session is None


def test_a_second_try_goes_on_in_the_session_of_the_first() -> None:
    story = deliver()
    story.fail(story.attempt(Role.BUILDER), FailureClass.LOST, session="s1")
    assert story.attempt(Role.BUILDER).session == "s1"
    story.fail(story.attempt(Role.BUILDER), FailureClass.LOST)

    assert story.attempt(Role.BUILDER).session == "s1"


@pytest.mark.parametrize("role", [Role.BUILDER, Role.QA])
def test_what_was_wrong_with_an_answer_is_sent_back_in_its_session(role: Role) -> None:
    story = deliver(step(1, reviewed()))
    if role is Role.QA:
        story.build()
    story.fail(story.attempt(role), session="s1", reason="bad output: it left no answer")
    story.wait(timedelta(seconds=2))

    job = story.job(story.attempt(role).id)

    assert (job.session, job.sent_back) == ("s1", "bad output: it left no answer")


ASKED = "nodes: {a: {agent: w, prompt: p, output: {n: int}}}"


@pytest.mark.parametrize("retries", [0, 1])
def test_an_answer_that_does_not_fit_goes_back_once_and_costs_no_try(retries: int) -> None:
    story = Story(flow_of(ASKED), project=None).start(policy=Policy(retries=retries))
    first = story.attempt_at("a")
    story.over(first.id, session="s1", result={"n": "x"})
    second = story.attempt_at("a")
    job = story.job(second.id)
    story.over(second.id, session="s1", result={})
    story.wait(timedelta(seconds=2))
    for _ in range(retries):
        story.over(story.attempt_at("a").id, session="s1", result={})

    assert (job.session, job.sent_back) == ("s1", "bad output: n is a string; allowed: int")
    assert (story.node("a").status, len(story.node("a").attempts)) == ("failed", 2 + retries)


def test_after_an_outage_no_answer_is_sent_back() -> None:
    story = Story(flow_of(ASKED), project=None).start()
    story.fail(story.attempt_at("a"))
    story.wait(timedelta(seconds=2))

    assert story.job(story.attempt_at("a").id).sent_back == ""


def test_nothing_is_sent_back_after_an_outage_or_to_a_new_session() -> None:
    story = deliver()
    story.fail(story.attempt(Role.BUILDER), FailureClass.LOST, session="s1")
    assert story.job(story.attempt(Role.BUILDER).id).sent_back == ""
    story.fail(story.attempt(Role.BUILDER), session="s1", session_over=True, reason="bad output")
    story.wait(timedelta(seconds=2))

    assert story.job(story.attempt(Role.BUILDER).id).sent_back == ""


def test_a_session_that_is_over_is_not_gone_on_with() -> None:
    story = deliver()
    story.fail(story.attempt(Role.BUILDER), session="s1", session_over=True)
    story.wait(timedelta(seconds=2))
    assert story.attempt(Role.BUILDER).session is None

    story.build(session="s2", session_over=True)
    story.red()

    assert story.attempt(Role.BUILDER).session is None


def test_set_up_that_was_lost_is_tried_again() -> None:
    story = deliver(project=replace(PROJECT, setup=("npm ci",)))
    story.fail(story.attempt(Role.SETUP), FailureClass.LOST)

    assert story.attempt(Role.SETUP).node == "steps[T1.1].rounds[0].build"


def test_an_outcome_that_comes_twice_late_or_for_nothing_is_kept_and_changes_nothing() -> None:
    story = deliver()
    attempt = story.attempt(Role.BUILDER)
    story.build()
    before = story.run.nodes

    story.over(attempt.id, status=AttemptStatus.FAILED)
    story.over(AttemptId("A99"))

    assert story.run.nodes == before
    assert len(story.facts(ev.OutcomeIgnored)) == 2


def test_an_outcome_of_an_attempt_that_only_waits_is_ignored() -> None:
    story = deliver()
    story.fail(story.attempt(Role.BUILDER), FailureClass.WORKER)
    story.over(AttemptId("A2"))

    assert story.kinds()[-1] == "OutcomeIgnored"
    assert [each.status for each in story.run.attempts.values() if each.id == "A2"] == [AttemptStatus.QUEUED]


def test_no_timer_rings_while_there_is_no_slot_for_what_it_would_start() -> None:
    story = deliver(step(1), step(2), policy=Policy(review="uncovered", max_parallel=2))
    story.fail(story.attempt(Role.BUILDER, step=1))
    assert story.rings_at() is not None
    story.tell(cmd.Pause(run=RUN))
    assert story.rings_at() is None
    story.tell(cmd.Resume(run=RUN))
    story.wait(timedelta(minutes=1))

    assert story.attempt_roles() == {Role.BUILDER}
    assert len(story.run.live) == 2


def test_what_a_rule_names_has_one_budget_together_and_its_delay() -> None:
    text = "nodes: {a: {run: a, retry: {max: 2, on: [timeout, 'exit:75'], backoff: {first: 5s, factor: 3}}}}"
    story = Story(flow_of(text)).start()
    story.fail(story.attempt_at("a"), FailureClass.TIMEOUT)
    assert story.rings_at() == stamp(story.now + timedelta(seconds=5))
    story.wait(timedelta(seconds=5))
    story.fail(story.attempt_at("a"), exit_code=75)
    assert story.rings_at() == stamp(story.now + timedelta(seconds=15))
    story.wait(timedelta(seconds=15))
    story.fail(story.attempt_at("a"), FailureClass.TIMEOUT)

    assert (story.node("a").status, len(story.node("a").attempts)) == (NodeStatus.FAILED, 3)
    assert not story.run.open_gates


def test_what_a_rule_does_not_name_keeps_to_its_class_and_a_worker_s_failure_is_the_end() -> None:
    text = "nodes: {a: {run: a, retry: {max: 5, on: ['exit:75']}}}"
    story = Story(flow_of(text)).start()
    story.fail(story.attempt_at("a"), FailureClass.TIMEOUT)
    story.fail(story.attempt_at("a"), FailureClass.LOST)
    story.fail(story.attempt_at("a"), exit_code=3)

    assert (story.run.status, story.run.error) == (NodeStatus.FAILED, "a: attempt A3: worker happened")
