"""What the reviewers of a flow of one's own leave out, or say of something else, makes no step accepted."""

from importlib.resources import files

from punchlist.model import events as ev
from punchlist.model.flow import Flow
from punchlist.model.jobs import Role
from punchlist.model.policy import Policy
from punchlist.model.states import StepStatus
from punchlist.model.verdicts import Verdict
from tests.runs import Story, checked, deliver, flow_of, reviewed, step

DELIVER = files("punchlist").joinpath("data", "flows", "deliver.yaml").read_text(encoding="utf-8")
JUDGED = "[before, checks, review]"
ALWAYS = Policy(review="always", rework=0)


def with_reviews(text: str, *, judged: str = JUDGED) -> Flow:
    """Return the flow that delivers a task, with these nodes in the place of its review."""
    start = DELIVER.index("          review:\n")
    end = DELIVER.index("          verdict:\n")
    return flow_of((DELIVER[:start] + text + DELIVER[end:]).replace(JUDGED, judged))


def review(name: str, criteria: str, *, tree: str = "${{ nodes.build.tree }}") -> str:
    return f"""\
          {name}:
            review: {{criteria: {criteria}, tree: "{tree}", worker: codex}}
            phase: reviewing
"""


FIRST = '"${{ [nodes.checks.output.to_review[0]] }}"'
ALL = '"${{ nodes.checks.output.to_review }}"'


def verdict_of(story: Story) -> Verdict:
    given: list[ev.VerdictGiven] = story.facts(ev.VerdictGiven)
    return given[-1].verdict


def found(verdict: Verdict) -> list[tuple[str, str | None]]:
    return [(each.kind, each.criterion) for each in verdict.findings]


def test_a_criterion_that_the_flow_s_review_leaves_out_is_a_finding_that_names_it() -> None:
    flow = with_reviews(review("review", FIRST))
    story = deliver(step(1, reviewed(1), checked(2)), policy=ALWAYS, flow=flow)
    story.build()
    story.green()
    story.review()

    verdict = verdict_of(story)
    assert (verdict.result, verdict.reason_code, found(verdict)) == ("fail", "uncovered", [("uncovered", "AC-2")])
    assert story.status() is not StepStatus.INTEGRATING


def test_two_reviews_that_cover_all_criteria_together_pass() -> None:
    second = '"${{ [nodes.checks.output.to_review[1]] }}"'
    flow = with_reviews(review("one", FIRST) + review("two", second), judged="[before, checks, one, two]")
    story = deliver(step(1, reviewed(1), checked(2)), policy=ALWAYS, flow=flow)
    story.build()
    story.green()
    story.review()
    story.review()

    assert (verdict_of(story).result, found(verdict_of(story))) == ("pass", [])


def test_what_one_of_two_reviewers_fails_is_failed() -> None:
    own = "[{id: AC-1, text: It does it in little code., review: true}]"
    flow = with_reviews(review("one", ALL) + review("two", own), judged="[before, checks, one, two]")
    story = deliver(step(1, reviewed(1)), policy=ALWAYS, flow=flow)
    story.build()
    story.review()
    story.review("AC-1")

    assert (verdict_of(story).result, found(verdict_of(story))) == ("fail", [("review", "AC-1")])


def test_two_reviewers_may_pass_the_same_criterion() -> None:
    own = "[{id: AC-1, text: It does it in little code., review: true}]"
    flow = with_reviews(review("one", ALL) + review("two", own), judged="[before, checks, one, two]")
    story = deliver(step(1, reviewed(1)), policy=ALWAYS, flow=flow)
    story.build()
    story.review()
    story.review()

    assert verdict_of(story).result == "pass"
    assert story.attempt_roles() == {Role.ENGINE}


def test_a_criterion_of_the_same_id_and_another_text_is_not_judged_by_its_pass() -> None:
    own = "[{id: AC-1, text: It does it in little code., review: true}]"
    story = deliver(step(1, reviewed(1)), policy=ALWAYS, flow=with_reviews(review("review", own)))
    story.build()
    story.review()

    assert (verdict_of(story).result, found(verdict_of(story))) == ("fail", [("uncovered", "AC-1")])


def test_a_review_of_another_tree_says_nothing_of_the_one_that_is_judged() -> None:
    flow = with_reviews(review("review", ALL, tree="f" * 40))
    story = deliver(step(1, reviewed(1)), policy=ALWAYS, flow=flow)
    story.build()
    story.review()

    assert (verdict_of(story).result, found(verdict_of(story))) == ("fail", [("uncovered", "AC-1")])
