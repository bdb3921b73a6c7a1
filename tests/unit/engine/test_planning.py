"""A plan, from what was asked for to draft tasks, and what goes back to its planner."""

from datetime import timedelta

import msgspec

from punchlist.model.jobs import FailureClass, Role
from punchlist.model.json import Json
from punchlist.model.states import NodeStatus
from tests.runs import PROJECT, Story, broken, built_in


def test_a_plan_becomes_tasks_by_the_attempt_s_own_key() -> None:
    story = Story(built_in("plan"), purpose="plan").start(request="Add CSV", planner="thinker", critique=False)
    job = story.job(story.attempt(Role.PLANNER).id)
    assert (job.pack["request"], job.pack["spec"], job.pack["title"]) == ("Add CSV", "Do it well.", "Acme")
    plan = {"schema": "punchlist/plan/1", "tasks": [{"title": "T", "steps": []}]}
    story.over(job.attempt, result=plan)
    making = story.job(story.attempt(Role.ENGINE).id)
    assert (making.project, making.plan) == ("acme", plan)
    story.over(making.attempt, result={"tasks": ["T1"]})

    assert story.run.outputs == {"tasks": ["T1"]}


WEAK: Json = {
    "schema": "punchlist/plan/1",
    "tasks": [{"title": "T", "steps": [{"title": "S", "goal": "g", "criteria": ["It is fast."]}]}],
}
SOUND: Json = {
    "schema": "punchlist/plan/1",
    "tasks": [
        {"title": "T", "steps": [{"title": "S", "goal": "g", "criteria": [{"text": "It is fast.", "check": "c"}]}]}
    ],
}


WITH_SETUP = msgspec.structs.replace(PROJECT, setup=("make",))


def planning() -> Story:
    return Story(built_in("plan"), purpose="plan").start(request="It must be fast.", planner="thinker", critique=True)


def test_what_is_wrong_with_a_plan_goes_back_to_the_planner_once_in_its_session() -> None:
    story = planning()
    first = story.job(story.attempt(Role.PLANNER).id)
    assert first.pack["critique"] == []

    story.over(first.attempt, result=WEAK, session="s-1")
    second = story.job(story.attempt(Role.PLANNER).id)
    assert (second.pack["request"], second.session) == ("It must be fast.", "s-1")
    assert [each.partition(":")[0] for each in second.pack["critique"]] == ["P1 tasks[0].steps[0].criteria[0]"]

    story.over(second.attempt, result=WEAK)
    assert story.job(story.attempt(Role.ENGINE).id).plan == WEAK


def test_a_plan_without_faults_does_not_go_back() -> None:
    story = planning()
    story.over(story.attempt(Role.PLANNER).id, result=SOUND)
    story.fail(story.attempt(Role.CHECK), FailureClass.CRITERION)

    assert story.job(story.attempt(Role.ENGINE).id).plan == SOUND


def test_a_check_that_cannot_run_on_the_base_goes_back_with_what_it_said() -> None:
    story = planning()
    story.over(story.attempt(Role.PLANNER).id, result=SOUND)
    check = story.job(story.attempt(Role.CHECK).id)
    assert (check.folder.tree, check.argv[-1]) == (story.run.base, "c")

    story.fail(story.attempt(Role.CHECK), FailureClass.CRITERION, exit_code=127, tail="sh: 1: c: not found")

    (told,) = story.job(story.attempt(Role.PLANNER).id).pack["critique"]
    assert "the check of T1.1 AC-1" in told
    assert "c: not found" in told


def test_a_set_up_that_fails_on_the_base_leaves_the_plan_as_it_is() -> None:
    story = Story(built_in("plan"), purpose="plan", project=WITH_SETUP)
    story.start(request="It must be fast.", planner="thinker", critique=True)
    story.over(story.attempt(Role.PLANNER).id, result=SOUND)

    story.fail(story.attempt(Role.SETUP), FailureClass.WORKER, exit_code=2)

    assert story.job(story.attempt(Role.ENGINE).id).plan == SOUND


def test_a_planner_that_fails_to_mend_its_plan_has_made_the_first_one() -> None:
    story = planning()
    story.over(story.attempt(Role.PLANNER).id, result=WEAK)

    for _ in range(3):
        assert story.job(story.attempt(Role.PLANNER).id).pack["critique"] != []
        story.fail(story.attempt(Role.PLANNER), FailureClass.WORKER)
        story.wait(timedelta(minutes=10))

    assert story.job(story.attempt(Role.ENGINE).id).plan == WEAK


def test_what_is_no_plan_at_all_goes_on_to_what_says_so() -> None:
    story = planning()
    story.over(story.attempt(Role.PLANNER).id, result={})

    assert story.job(story.attempt(Role.ENGINE).id).plan == {}


def test_a_plan_that_cannot_be_made_into_tasks_fails_and_asks_nobody() -> None:
    story = Story(built_in("plan"), purpose="plan").start(request="", planner="thinker", critique=False)
    story.over(story.attempt(Role.PLANNER).id, result={})
    story.fail(story.attempt(Role.ENGINE), FailureClass.DEFINITION, reason="no tasks")

    assert (story.run.status, story.run.error) == (NodeStatus.FAILED, "tasks: attempt A2: no tasks")


def test_a_run_without_a_project_cannot_work_on_one() -> None:
    story = Story(built_in("plan"), project=None, purpose="plan").start(request="", planner="thinker", critique=False)
    attempt = story.attempt(Role.PLANNER).id

    assert "works on a project, and the run has none" in broken(lambda: story.job(attempt))
