"""The commit of a judged tree: what may still come between the verdict and it, and what follows when git refuses it."""

from importlib.resources import files

import msgspec
import pytest

from punchlist.errors import RefusedError
from punchlist.flow.parse import parse_flow
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import StepId
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.policy import Policy
from punchlist.model.states import AttemptStatus, StepStatus
from tests.runs import RUN, Story, checked, deliver, step


def rework(story: Story, number: int = 1) -> None:
    story.tell(cmd.AskRework(run=RUN, step=StepId(f"T1.{number}"), message="use the helper"))


def test_a_message_that_comes_while_the_commit_waits_for_a_slot_is_a_finding_and_not_lost() -> None:
    story = deliver(step(1, checked()), step(2, checked()), policy=Policy(review="uncovered", max_parallel=1))
    story.build("t1", step=1)
    story.tell(cmd.Pause(run=RUN))
    story.green(step=1)
    assert story.status(1) is StepStatus.INTEGRATING

    rework(story)
    story.tell(cmd.Resume(run=RUN))

    (_, verdict) = story.facts(ev.VerdictGiven)
    assert (verdict.verdict.result, verdict.verdict.reason_code) == ("fail", "person_asks")
    assert story.facts(ev.StepIntegrated) == []
    assert story.status(1) is StepStatus.BUILDING


def test_a_message_that_comes_while_the_commit_is_made_is_refused() -> None:
    story = deliver(step(1, checked()))
    story.build()
    story.green()

    with pytest.raises(RefusedError, match=r"T1\.1 is being committed"):
        rework(story)


def test_a_commit_that_git_refuses_waits_for_a_person_and_nothing_is_built_again() -> None:
    story = deliver(step(1, checked()))
    story.build("t1")
    story.green()
    refused = story.attempt(Role.ENGINE, subject="commit")

    story.fail(refused, FailureClass.DEFINITION, reason="it is checked out in /repo")

    gate = story.gate()
    assert (gate.kind, gate.choices) == ("merge", ("retry",))
    assert "it is checked out in /repo" in gate.message
    assert story.status() is StepStatus.WAITING
    with pytest.raises(RefusedError, match=r"T1\.1 is being committed"):
        rework(story)

    story.decide("retry")

    again = story.attempt(Role.ENGINE, subject="commit")
    assert story.job(again.id) == msgspec.structs.replace(story.job(refused.id), attempt=again.id), "the same commit"
    story.commit()
    assert story.status() is StepStatus.ACCEPTED
    assert [each.role for each in story.run.attempts.values()].count(Role.BUILDER) == 1


def test_a_step_whose_commit_waits_for_a_person_can_be_given_up() -> None:
    story = deliver(step(1, checked()))
    story.build("t1")
    story.green()
    story.fail(story.attempt(Role.ENGINE, subject="commit"), FailureClass.DEFINITION)

    story.tell(cmd.CloseStep(run=RUN, step=StepId("T1.1"), status="cancelled"))

    assert story.status() is StepStatus.CANCELLED
    assert not story.run.open_gates
    assert all(each.status is not AttemptStatus.RUNNING for each in story.run.attempts.values())


def test_a_flow_that_runs_other_checks_under_the_names_of_the_step_s_cannot_make_it_accepted() -> None:
    text = files("punchlist").joinpath("data", "flows", "deliver.yaml").read_text(encoding="utf-8")
    lenient = "[{id: AC-1, text: easy, check: 'true'}]"
    own = text.replace(
        'check: {criteria: "${{ step.criteria }}", tree: "${{ nodes.build.tree }}"}',
        f'check: {{criteria: {lenient}, tree: "${{{{ nodes.build.tree }}}}"}}',
    )
    story = deliver(step(1, checked()), flow=parse_flow(own, source="deliver.yaml"))

    story.build("t1")
    story.green()

    assert own != text
    assert story.facts(ev.StepIntegrated) == []
    assert story.status() is StepStatus.FAILED
    assert "rests on other checks" in story.told().reason
