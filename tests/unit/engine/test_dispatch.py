"""What is looked at before a step is built: what its base shows, against what was approved."""

from typing import Any

import msgspec

from punchlist.model import events as ev
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.states import AttemptStatus, StepStatus
from punchlist.render import shapes
from tests.runs import BASE, Story, built_in, checked, deliver, proof_of, replace, reviewed, step, task_of


def cannot_run(story: Story) -> None:
    check = story.attempt(Role.CHECK)
    story.over(
        check.id,
        status=AttemptStatus.FAILED,
        failure=FailureClass.CRITERION,
        exit_code=127,
        tail="sh: nonsense: not found",
    )


def accept(story: Story, *, step: int) -> None:
    story.build(f"t{step}", step=step)
    story.green(step=step)
    story.commit(step=step)


def test_a_check_that_cannot_run_and_that_nobody_waited_for_asks_before_a_builder_is_paid() -> None:
    story = deliver(step(1), waited=False)
    assert story.attempt_roles() == {Role.CHECK}

    cannot_run(story)

    assert story.gate().kind == "unproven"
    assert "T1.1 AC-1 cannot run here" in story.gate().message
    assert [each.role for each in story.run.attempts.values()] == [Role.CHECK]


def test_a_step_that_nobody_proved_and_that_has_no_goal_asks_before_a_builder_is_paid() -> None:
    story = deliver(step(1), waited=False)

    story.green()

    assert (story.gate().kind, story.gate().message) == ("unproven", "T1.1 has no goal and nothing to review")
    story.decide("go_on")
    assert story.attempt_roles() == {Role.BUILDER}


def test_a_goal_that_nobody_waited_for_is_built_without_a_question() -> None:
    story = deliver(step(1), waited=False)

    story.red(times=1)

    assert story.attempt_roles() == {Role.BUILDER}


def test_a_step_with_something_to_review_needs_no_goal() -> None:
    story = deliver(step(1, checked(1), reviewed(2)), waited=False)

    story.green()

    assert story.attempt_roles() == {Role.BUILDER}


def test_a_proof_that_came_after_the_approval_says_no_less() -> None:
    story = deliver(step(1), step(2, needs=(1,)), waited=False)
    story.red(times=1)
    story.note(ev.TaskProved(proof=proof_of(story.task.task, shows="guard")))

    accept(story, step=1)
    story.green()

    assert (story.gate().kind, story.gate().message) == ("unproven", "T1.2 has no goal and nothing to review")


def test_a_later_step_is_proved_on_the_base_that_was_approved_and_not_on_what_was_built_since() -> None:
    story = deliver(step(1), step(2, needs=(1,)), waited=False)
    story.red(times=1)
    accept(story, step=1)

    assert (story.attempt(Role.CHECK).tree, story.attempt(Role.CHECK).step) == (BASE, "T1.2")
    story.red(times=1)
    assert story.attempt(Role.CHECK).tree == "commit-of-T1.1-0"
    story.green()

    assert story.attempt_roles() == {Role.BUILDER}
    assert not story.run.open_gates


def test_what_a_person_passed_over_unseen_is_not_asked_again() -> None:
    story = deliver(step(1), proved=False)

    cannot_run(story)

    assert story.attempt_roles() == {Role.BUILDER}


def test_a_goal_that_an_earlier_step_met_is_closed_with_these_words_and_built_all_the_same() -> None:
    same = checked(1)
    story = deliver(step(1, same), step(2), step(3, checked(1), needs=(1, 2)))
    accept(story, step=1)
    story.build("t2", step=2)
    story.green(step=2)
    story.merge("m", step=2)
    story.green(step=2)
    story.commit(step=2)
    story.green(step=3)
    assert story.attempt(Role.BUILDER).step == "T1.3"

    story.build("m", step=3, paths=())

    story.green(step=3)
    (judged,) = story.told(3).verdicts[-1].verdict.criteria
    assert judged.evidence[0] == "already holds, by T1.1"
    planned = story.told(3).planned
    assert planned is not None
    assert planned.message.startswith("Step 3\n\nAC-1 already holds, by T1.1.\n\nPunchlist-Task: T1\n")
    story.commit(step=3)
    assert story.status(3) is StepStatus.ACCEPTED


def test_a_goal_that_is_met_by_one_of_several_steps_names_them_all() -> None:
    story = deliver(step(1, checked(8)), step(2, checked(9)), step(3, needs=(1, 2)))
    accept(story, step=1)
    story.build("t2", step=2)
    story.green(step=2)
    story.merge("m", step=2)
    story.green(step=2)
    story.commit(step=2)
    story.green(step=3)

    story.build("m", step=3, paths=())
    story.green(step=3)

    (judged,) = story.told(3).verdicts[-1].verdict.criteria
    assert judged.evidence[0] == "already holds, by T1.1 or T1.2"


def test_a_guard_that_passes_holds_by_nobody() -> None:
    story = deliver(step(1), step(2, needs=(1,)))
    proof = proof_of(story.task.task, shows="guard")
    story.note(ev.TaskProved(proof=proof))
    accept(story, step=1)
    story.green()

    story.build("t2")
    story.green()

    (judged,) = story.told(2).verdicts[-1].verdict.criteria
    assert not any("already holds" in each for each in judged.evidence)


def test_of_an_edited_check_nothing_is_shown_until_it_is_proved_again() -> None:
    task = task_of(step(1, checked(1), checked(2)))
    story = Story(built_in("prove"), task=task)
    story.note(ev.TaskProved(proof=proof_of(task)))
    edited = task_of(step(1, replace(checked(1), check="make other"), checked(2)))

    story.note(ev.TaskEdited(task=edited, what="criteria"))
    assert shown(story) == [None, "goal"]
    story.note(ev.TaskProved(proof=proof_of(task)))
    assert shown(story) == [None, "goal"]
    story.note(ev.TaskProved(proof=proof_of(edited, shows="guard")))

    assert shown(story) == ["guard", "guard"]


def shown(story: Story) -> list[object]:
    steps = msgspec.convert(shapes.task(story.task)["steps"], list[dict[str, Any]])
    return [each["shows"] for each in steps[0]["criteria"]]
