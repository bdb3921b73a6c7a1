"""The main job, told event by event: build, check, review, rework, integrate, judge the whole, publish."""

from datetime import timedelta
from typing import Any

import pytest

from punchlist.model import events as ev
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.json import Json
from punchlist.model.policy import Policy
from punchlist.model.states import NodeStatus, StepStatus, TaskStatus
from tests.runs import BASE, PROJECT, checked, deliver, replace, reviewed, step


def test_a_step_that_passes_is_one_commit_and_the_task_is_accepted_and_published() -> None:
    story = deliver(step(1, checked()))
    story.build("t1")
    story.green()
    story.commit()

    assert story.status() is StepStatus.ACCEPTED
    assert (story.task.tip, story.told().tree) == ("commit-of-T1.1-0", "t1")
    assert story.run.status is NodeStatus.RUNNING

    story.publish()

    assert (story.run.status, story.task.task.status) == (NodeStatus.SUCCEEDED, TaskStatus.ACCEPTED)
    assert story.task.published == "branch punchlist/T1-it"
    (closed,) = story.facts(ev.StepClosed)
    assert (closed.r, closed.status, closed.attempts, closed.commit) == (0, "accepted", 1, "commit-of-T1.1-0")


def test_a_step_goes_through_its_states_in_the_order_of_its_phases() -> None:
    story = deliver(step(1, checked(), reviewed(2)))
    story.build()
    story.green()
    story.review()
    story.commit()

    moved = [each.status for each in story.facts(ev.StepMoved)]
    assert moved == ["building", "checking", "reviewing", "integrating", "accepted"]


def test_a_red_check_is_run_twice_and_then_the_builder_gets_the_verdict() -> None:
    story = deliver(step(1, checked()))
    story.build("t1")
    story.red(times=1)
    assert story.attempt(Role.CHECK).again == 1

    story.red(times=1)

    attempt = story.attempt(Role.BUILDER)
    verdict = story.job(attempt.id).pack["verdict"]
    assert (attempt.r, attempt.s) == (0, 1)
    assert (verdict["result"], verdict["reason_code"]) == ("fail", "checks_fail")
    assert verdict["findings"][0]["id"] == "F1"
    assert story.status() is StepStatus.BUILDING


def test_a_check_that_passes_the_second_time_is_a_pass_marked_flaky() -> None:
    story = deliver(step(1, checked()))
    story.build()
    story.red(times=1)
    story.green()

    (verdict,) = story.facts(ev.VerdictGiven)
    assert (verdict.verdict.result, verdict.verdict.criteria[0].flaky) == ("pass", True)


def test_the_builder_keeps_its_session_from_round_to_round() -> None:
    story = deliver()
    story.build("t1", session="session-1")
    story.red()
    assert story.attempt(Role.BUILDER).session == "session-1"

    story.build("t2")
    story.red(tail="another")

    assert story.attempt(Role.BUILDER).session is None


def test_a_review_that_fails_leads_to_rework_and_is_asked_again() -> None:
    story = deliver(step(1, reviewed()))
    story.build("t1")
    assert story.job(story.attempt(Role.QA).id).pack["changes"] == ["modified a.py"]
    story.review("AC-1")
    story.build("t2")
    story.review()
    story.commit()

    assert story.status() is StepStatus.ACCEPTED
    assert [(each.verdict.result, each.s) for each in story.facts(ev.VerdictGiven)][:2] == [("fail", 0), ("pass", 1)]


def test_no_reviewer_is_asked_while_a_check_is_red() -> None:
    story = deliver(step(1, checked(), reviewed(2)))
    story.build()
    story.red()

    assert not [each for each in story.run.attempts.values() if each.role is Role.QA]
    assert story.attempt(Role.BUILDER).s == 1


def test_a_change_outside_the_scope_is_found_without_a_reviewer() -> None:
    story = deliver(step(1, checked(), scope=replace(step().scope, allow=("src/**",))))
    story.build(paths=["secrets.txt"])
    story.green()

    (given,) = story.facts(ev.VerdictGiven)
    assert given.verdict.reason_code == "out_of_scope"


def test_a_review_that_leaves_a_criterion_out_is_bad_output_and_asked_for_again() -> None:
    story = deliver(step(1, reviewed(1), reviewed(2)))
    story.build()
    attempt = story.attempt(Role.QA)
    half = {"schema": "punchlist/review/1", "criteria": [{"id": "AC-1", "verdict": "pass", "evidence": ["a.py:1"]}]}
    story.over(attempt.id, result=half, evidence={"a.py:1": True})

    ended = story.run.attempts[attempt.id].outcome
    assert ended is not None
    assert (ended.failure, ended.reason) == (FailureClass.WORKER, "bad output: AC-2 was not judged")
    assert len(story.run.parked) == 1


def test_a_reviewer_that_changes_the_tree_is_sent_back_and_the_builder_pays_nothing() -> None:
    story = deliver(step(1, reviewed()), policy=Policy(retries=1))
    story.build()
    passing: Json = {"id": "AC-1", "verdict": "pass", "evidence": ["a.py:1"]}
    review: Json = {"schema": "punchlist/review/1", "criteria": [passing]}
    for _ in range(2):
        attempt = story.attempt(Role.QA)
        story.over(attempt.id, result=review, evidence={"a.py:1": True}, exam_changed=("a.py",))
        story.wait(timedelta(minutes=5))

        ended = story.run.attempts[attempt.id].outcome
        assert ended is not None
        said = "bad output: the reviewer changed what it was only to read: a.py"
        assert (ended.failure, ended.reason) == (FailureClass.WORKER, said)

    assert (story.facts(ev.VerdictGiven), story.status()) == ([], StepStatus.FAILED)
    assert [each.attempts for each in story.facts(ev.StepClosed)] == [1]


def test_a_review_of_another_shape_is_bad_output() -> None:
    story = deliver(step(1, reviewed()))
    story.build()
    attempt = story.attempt(Role.QA)
    story.over(attempt.id, result={"criteria": 3})

    ended = story.run.attempts[attempt.id].outcome
    assert ended is not None
    assert ended.reason.startswith("bad output: ")


@pytest.mark.parametrize(
    ("said", "problem"),
    [({"snapshot": None}, "no tree was recorded"), ({"result": {"outcome": "sure"}}, "its result is not one")],
)
def test_a_builder_s_success_without_a_tree_or_with_a_strange_result_is_bad_output(
    said: dict[str, Any], problem: str
) -> None:
    story = deliver()
    attempt = story.attempt(Role.BUILDER)
    story.build(**said)

    ended = story.run.attempts[attempt.id].outcome
    assert ended is not None
    assert problem in ended.reason
    assert ended.failure is FailureClass.WORKER


def test_the_patch_is_left_to_git_and_not_kept_in_the_record() -> None:
    story = deliver()
    story.build()

    (ended,) = story.facts(ev.AttemptEnded)
    assert ended.outcome.snapshot.diff == ""


def test_a_step_waits_for_those_that_it_needs_and_starts_from_their_commit() -> None:
    story = deliver(step(1), step(2, needs=(1,)), step(3))
    assert {each.step for each in story.run.attempts.values()} == {"T1.1", "T1.3"}

    story.build(step=1)
    story.green(step=1)
    story.commit(step=1)

    assert story.told(2).base == "commit-of-T1.1-0"
    assert story.told(3).base == BASE


def test_a_step_whose_base_moved_has_its_checks_run_on_it_before_it_is_built() -> None:
    story = deliver(step(1), step(2, needs=(1,)))
    story.build("t1")
    story.green()
    story.commit()

    attempt = story.attempt(Role.CHECK, step=2)
    assert (attempt.tree, attempt.node) == ("commit-of-T1.1-0", "steps[T1.2].before")
    story.red(times=1)
    assert story.attempt(Role.BUILDER, step=2).s == 0


def test_the_task_s_own_criteria_are_judged_on_its_branch_at_the_end() -> None:
    story = deliver(step(1), acceptance=[checked(7), reviewed(8)])
    story.build()
    story.green()
    story.commit()
    check = story.attempt(Role.CHECK)
    assert (check.tree, check.subject, check.step) == ("commit-of-T1.1-0", "AC-7", None)

    story.green()
    attempt = story.attempt(Role.QA)
    assert (attempt.worker, story.job(attempt.id).pack["base"]) == ("critic", BASE)
    story.review()

    assert story.task.task.status is TaskStatus.ACCEPTED


def test_set_up_runs_in_the_builder_s_folder_and_in_the_exam_before_anything_else() -> None:
    story = deliver(project=replace(PROJECT, setup=("npm ci",)))
    setup = story.job(story.attempt(Role.SETUP).id)
    assert (setup.argv, setup.folder.place) == (("sh", "-ec", "npm ci"), "build")
    story.over(setup.attempt)
    story.build("t1")

    exam = story.job(story.attempt(Role.SETUP).id)
    assert (exam.folder.place, exam.folder.tree) == ("exam", "t1")
    story.over(exam.attempt)
    story.green()
    story.commit()
    assert story.status() is StepStatus.ACCEPTED


def test_a_set_up_that_is_red_on_the_built_tree_goes_to_rework_and_the_builder_may_work_on() -> None:
    story = deliver(project=replace(PROJECT, setup=("npm ci",)))
    story.over(story.attempt(Role.SETUP).id)
    story.build("t1")
    story.fail(story.attempt(Role.SETUP), exit_code=1, reason="exit 1", tail="no such package")

    (given,) = story.facts(ev.VerdictGiven)
    assert "set-up failed: exit 1" in given.verdict.findings[0].text
    story.fail(story.attempt(Role.SETUP), exit_code=1, reason="exit 1")
    assert story.attempt(Role.BUILDER).s == 1


def test_a_set_up_that_is_red_on_the_base_fails_the_step_after_its_retries() -> None:
    story = deliver(project=replace(PROJECT, setup=("npm ci",)), policy=Policy(retries=0))
    story.fail(story.attempt(Role.SETUP), exit_code=1, reason="exit 1")

    assert story.status() is StepStatus.FAILED
    assert story.task.task.status is TaskStatus.FAILED


def test_everything_that_a_worker_said_cannot_make_a_step_accepted() -> None:
    story = deliver()
    claims = [{"id": "AC-1", "met": True, "evidence": "I tried it"}]
    story.build(result={"schema": "punchlist/result/1", "outcome": "done", "criteria": claims})
    story.red()

    (given,) = story.facts(ev.VerdictGiven)
    assert {each.kind for each in given.verdict.findings} == {"check", "claim"}
    assert story.status() is StepStatus.BUILDING


def test_what_could_not_be_enforced_is_listed_in_the_verdict() -> None:
    story = deliver(step(1, checked(), reviewed(2)))
    story.build(unenforced=("memory",))
    story.over(story.attempt(Role.CHECK).id, unenforced=("network",))
    review = {"schema": "punchlist/review/1", "criteria": [{"id": "AC-2", "verdict": "pass", "evidence": ["a.py:1"]}]}
    story.over(story.attempt(Role.QA).id, result=review, evidence={"a.py:1": True}, unenforced=("sandbox",))

    (given,) = story.facts(ev.VerdictGiven)
    assert given.verdict.unenforced == ("memory", "network", "sandbox")


def test_two_steps_that_leave_the_same_tree_are_judged_by_their_own_tries() -> None:
    story = deliver(step(1), step(2))
    first, second = story.attempt(Role.BUILDER, step=1).id, story.attempt(Role.BUILDER, step=2).id
    story.build("same", step=1)
    story.build("same", step=2)
    story.green(step=1)
    story.green(step=2)

    assert [each.verdict.attempt for each in story.facts(ev.VerdictGiven)] == [first, second]


def test_a_check_may_take_as_long_as_its_criterion_or_else_the_policy_says() -> None:
    limits: list[float] = []
    for criterion in (checked(), replace(checked(), timeout="9m")):
        story = deliver(step(1, criterion), policy=Policy(check_timeout="7m"))
        story.build("t1")
        limits.append(story.job(story.attempt(Role.CHECK).id).limits.timeout)

    assert limits == [7 * 60, 9 * 60]
