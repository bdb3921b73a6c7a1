"""Bringing a judged tree onto the branch of its task: one at a time, merged where it moved, never lost or doubled."""

from datetime import timedelta

import pytest

from punchlist.errors import RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import NodePath, StepId
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.policy import Policy
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus, TaskStatus
from punchlist.model.verdicts import verdict_digest
from tests.runs import BASE, RUN, Story, checked, deliver, flow_of, reviewed, step


def two_built() -> Story:
    """Two steps from the same base, both judged well; the first is being committed, the second waits in line."""
    story = deliver(step(1), step(2), policy=Policy(review="uncovered", max_parallel=2))
    for number in (1, 2):
        story.build(f"t{number}", step=number)
        story.green(step=number)
    assert story.run.integrating == ("steps[T1.1].rounds[0].integrate", "steps[T1.2].rounds[0].integrate")
    return story


def test_a_commit_is_made_from_recorded_facts_alone() -> None:
    story = deliver()
    story.build("t1")
    story.green()

    attempt = story.attempt(Role.ENGINE)
    job = story.job(attempt.id)
    (planned,) = [each for each in story.events if isinstance(each.fact, ev.IntegrationPlanned)]
    assert (job.parent, job.tree, job.branch, job.at) == (BASE, "t1", "punchlist/T1-it", planned.at)
    assert job.message.splitlines() == [
        "Step 1",
        "",
        "Punchlist-Task: T1",
        "Punchlist-Step: T1.1",
        "Punchlist-Attempt: A1",
        f"Punchlist-Verdict: pass {verdict_digest(story.told().verdicts[-1].verdict)}",
        f"Punchlist-Event: {planned.hash}",
    ]


def test_one_integration_is_at_work_at_a_time_and_the_next_merges_what_came_before() -> None:
    story = two_built()
    assert {each.step for each in story.run.attempts.values() if each.role is Role.ENGINE} == {"T1.1"}

    story.commit(step=1)

    merge = story.job(story.attempt(Role.ENGINE, subject="merge").id)
    assert (merge.base, merge.commit, merge.onto) == (BASE, "commit-A2", "commit-of-T1.1-0")


def test_a_merge_is_judged_by_checks_of_its_own_and_gets_a_verdict_of_its_own() -> None:
    story = two_built()
    story.commit(step=1)
    story.merge("merged")
    assert story.attempt(Role.CHECK).tree == "merged"
    story.green()

    given = story.facts(ev.VerdictGiven)[-1]
    assert (given.verdict.result, given.verdict.tree, given.verdict.attempt) == ("pass", "merged", "A2")
    assert (
        f"Punchlist-Verdict: pass {verdict_digest(given.verdict)}\n" in story.job(story.attempt(Role.ENGINE).id).message
    )
    story.commit(step=2)
    assert story.told(2).tree == "merged"
    assert story.status(2) is StepStatus.ACCEPTED


def test_a_merge_that_is_red_goes_to_rework_on_the_branch_as_it_is_now() -> None:
    story = two_built()
    story.commit(step=1)
    story.merge("merged")
    story.red()

    attempt = story.attempt(Role.BUILDER)
    job = story.job(attempt.id)
    assert story.status(2) is StepStatus.BUILDING
    assert (attempt.base, job.folder.base, job.folder.merge) == ("commit-of-T1.1-0",) * 3
    assert [each["kind"] for each in job.pack["verdict"]["findings"]] == ["check"]
    story.build("t3")
    story.green()
    assert story.attempt(Role.ENGINE).subject == "commit"


def test_the_review_stands_when_the_merged_tree_is_judged() -> None:
    story = deliver(step(1), step(2, checked(1), reviewed(2)))
    for number in (1, 2):
        story.build(f"t{number}", step=number)
        story.green(step=number)
    story.review(step=2)
    story.commit(step=1)
    story.merge("merged")
    story.green()

    verdict = story.facts(ev.VerdictGiven)[-1].verdict
    assert {each.id: each.verdict for each in verdict.criteria} == {"AC-1": "pass", "AC-2": "pass"}
    assert len([each for each in story.run.attempts.values() if each.role is Role.QA]) == 1


def test_a_conflict_goes_to_rework_and_the_merge_is_started_in_the_builder_s_clone() -> None:
    story = two_built()
    story.commit(step=1)
    story.merge(None, "a.py")

    given = story.facts(ev.VerdictGiven)[-1].verdict
    assert (given.reason_code, [each.place for each in given.findings]) == ("conflict", ["a.py"])
    attempt = story.attempt(Role.BUILDER)
    assert (story.told(2).base, story.job(attempt.id).folder.merge) == ("commit-of-T1.1-0", "commit-of-T1.1-0")
    story.fail(attempt, exit_code=1)
    story.wait(timedelta(hours=1))
    assert story.job(story.attempt(Role.BUILDER).id).folder.merge == "commit-of-T1.1-0"


def test_a_conflict_cannot_be_waived_and_a_tree_from_before_it_is_merged_and_not_laid_over_the_branch() -> None:
    story = deliver(step(1), step(2), policy=Policy(review="uncovered", rework=0))
    for number in (1, 2):
        story.build(f"t{number}", step=number, paths=["outside.py", "a.py"])
        story.green(step=number)
    story.commit(step=1)
    story.merge(None, "a.py")
    with pytest.raises(RefusedError, match="is a conflict: it cannot be waived"):
        story.decide("waive", reason="never mind")
    story.decide("more")
    story.build("t3")
    story.red()
    assert story.gate().kind == "rework"
    story.decide("waive", reason="never mind")

    assert story.attempt(Role.ENGINE).subject == "commit"
    assert story.job(story.attempt(Role.ENGINE).id).parent == "commit-of-T1.1-0"


def test_judging_an_old_tree_again_after_the_step_got_a_new_base_still_merges_it() -> None:
    story = deliver(step(1), step(2), policy=Policy(review="uncovered", rework=0))
    for number in (1, 2):
        story.build(f"t{number}", step=number)
        story.green(step=number)
    story.commit(step=1)
    story.merge("merged")
    story.red()
    story.decide("waive", reason="the check is wrong")

    merge = story.attempt(Role.ENGINE)
    assert (merge.subject, story.told(2).base) == ("merge", "commit-of-T1.1-0")
    story.merge("merged")
    story.commit(step=2)
    assert (story.told(2).tree, story.told(2).verdicts[-1].verdict.reason_code) == ("merged", "waived")


def test_a_commit_under_way_holds_back_a_cancel_and_is_recorded_first() -> None:
    story = two_built()
    story.tell(cmd.Cancel(run=RUN, reason="enough"))
    assert (story.run.cancelling, story.run.status) == ("enough", NodeStatus.RUNNING)
    assert not story.wanted.kill

    story.commit(step=1)

    assert (story.run.status, story.task.task.status) == (NodeStatus.CANCELLED, TaskStatus.CANCELLED)
    assert story.task.tip == "commit-of-T1.1-0"
    assert (story.status(1), story.status(2)) == (StepStatus.ACCEPTED, StepStatus.CANCELLED)


def test_nothing_is_started_while_a_cancel_waits_for_a_commit() -> None:
    story = deliver(step(1), step(2), policy=Policy(review="uncovered", retries=1))
    story.build("t1", step=1)
    story.green(step=1)
    story.fail(story.attempt(Role.BUILDER), exit_code=1)
    assert story.run.parked
    story.tell(cmd.Cancel(run=RUN))
    assert story.rings_at() is None
    story.wait(timedelta(hours=1))

    assert story.attempt_roles() == {Role.ENGINE}


@pytest.mark.parametrize(
    "command",
    [
        cmd.CloseStep(run=RUN, step=StepId("T1.1"), status="skipped"),
        cmd.Cancel(run=RUN, node=NodePath("steps")),
        cmd.AskRework(run=RUN, step=StepId("T1.1"), message="wait"),
    ],
)
def test_a_step_that_is_being_committed_cannot_be_stopped(command: cmd.RunCommand) -> None:
    story = two_built()
    before = story.state
    with pytest.raises(RefusedError, match=r"step T1\.1 is being committed"):
        story.tell(command)

    assert story.state is before


def test_a_pause_and_a_restart_leave_the_engine_s_own_work_alone() -> None:
    story = two_built()
    commit = story.attempt(Role.ENGINE).id
    story.tell(cmd.Pause(run=RUN, now=True))
    assert story.run.attempts[commit].status is AttemptStatus.RUNNING
    story.tell(cmd.Interrupted(run=RUN), actor="engine")
    assert story.run.attempts[commit].status is AttemptStatus.RUNNING

    story.commit(step=1)

    assert story.status(1) is StepStatus.ACCEPTED


def test_a_commit_that_git_refuses_asks_and_is_tried_again_from_the_same_plan() -> None:
    story = deliver()
    story.build("t1")
    story.green()
    first = story.job(story.attempt(Role.ENGINE).id)
    story.fail(story.attempt(Role.ENGINE), FailureClass.DEFINITION, reason="it is checked out")
    assert (story.gate().kind, story.gate().choices) == ("merge", ("retry",))
    story.decide("retry")

    again = story.job(story.attempt(Role.ENGINE).id)
    assert (again.at, again.message, again.parent) == (first.at, first.message, first.parent)
    story.commit()
    assert story.status() is StepStatus.ACCEPTED


def test_a_message_for_a_step_that_waits_in_line_is_heard_when_its_turn_comes() -> None:
    story = two_built()
    story.tell(cmd.AskRework(run=RUN, step=StepId("T1.2"), message="Use the helper."))
    story.commit(step=1)

    assert story.facts(ev.VerdictGiven)[-1].verdict.reason_code == "person_asks"
    job = story.job(story.attempt(Role.BUILDER).id)
    assert (job.pack["messages"], job.folder.merge) == (["Use the helper."], "commit-of-T1.1-0")


def test_a_message_for_a_step_whose_commit_waits_for_a_slot_takes_the_commit_back() -> None:
    story = deliver()
    story.build("t1")
    story.tell(cmd.Pause(run=RUN))
    story.green()
    (commit,) = [each for each in story.run.attempts.values() if each.subject == "commit"]
    story.tell(cmd.AskRework(run=RUN, step=StepId("T1.1"), message="Not yet."))
    story.tell(cmd.Resume(run=RUN))

    assert story.run.attempts[commit.id].status is AttemptStatus.CANCELLED
    assert story.job(story.attempt(Role.BUILDER).id).pack["messages"] == ["Not yet."]


OWN = """
inputs: {{task: {{type: task}}}}
nodes:
  steps:
    for_each: ${{{{ inputs.task.steps }}}}
    as: step
    key: ${{{{ step.id }}}}
    nodes:
{nodes}
"""
BUILT = """
      build: {agent: "${{ step.builder }}", role: builder, pack: "${{ step }}", phase: building}
      checks: {check: {criteria: "${{ step.criteria }}", tree: "${{ nodes.build.tree }}"}, phase: checking}
"""


def own(nodes: str) -> Story:
    """A deliver run of one step by a flow of one's own."""
    return deliver(flow=flow_of(OWN.format(nodes=nodes)))


def test_a_flow_that_integrates_nothing_cannot_make_a_step_accepted() -> None:
    story = own(BUILT)
    story.build()
    story.green()

    assert (story.status(), story.task.task.status) == (StepStatus.FAILED, TaskStatus.FAILED)
    assert "step T1.1 was not integrated: nothing else makes it accepted" in story.run.error


def test_a_verdict_that_was_made_up_cannot_be_integrated() -> None:
    made_up = """
      lie: {set: {v: "${{ nodes.checks.output }}"}}
      verdict: {judge: [checks]}
      twist: {set: {result: pass, tree: other, commit: c9, criteria: [], findings: [], reason_code: x,
                    next_action: x, checks_digest: d}}
      integrate: {integrate: "${{ nodes.twist.output }}", phase: integrating}
"""
    story = own(BUILT + made_up)
    story.build()
    story.green()

    assert story.status() is StepStatus.FAILED
    assert "only a built tree with a passing verdict can be integrated" in story.run.error


def test_a_verdict_on_some_criteria_only_cannot_be_integrated() -> None:
    half = """
      build: {agent: "${{ step.builder }}", role: builder, pack: "${{ step }}", phase: building}
      checks: {check: {criteria: [], tree: "${{ nodes.build.tree }}"}, phase: checking}
      verdict: {judge: [checks]}
      integrate: {integrate: "${{ nodes.verdict.output }}", phase: integrating}
"""
    story = own(half.replace("criteria: []", 'criteria: "${{ step.context }}"'))
    story.build()

    assert "the verdict does not cover every criterion of the step" in story.run.error


def test_a_step_that_another_way_is_integrated_by_its_own_flow_is_accepted_and_what_follows_leaves_it_so() -> None:
    own_way = """
      verdict: {judge: [checks]}
      integrate: {integrate: "${{ nodes.verdict.output }}", phase: integrating}
      after: {set: {done: true}, phase: checking}
"""
    story = own(BUILT + own_way)
    story.build()
    story.green()
    story.commit()

    assert story.status() is StepStatus.ACCEPTED
    assert story.run.status is NodeStatus.SUCCEEDED
    assert story.task.task.status is TaskStatus.FAILED
    assert story.task.reason == "the flow ended without a verdict that accepts the whole"


def test_a_phase_that_the_table_of_states_does_not_allow_fails_its_node_with_the_reason() -> None:
    story = own("      odd: {set: {x: 1}, phase: reviewing}")

    assert "it cannot become reviewing" in story.run.error
    assert story.status() is StepStatus.FAILED
