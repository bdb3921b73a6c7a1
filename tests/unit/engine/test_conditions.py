"""`assert` and `fail` in the core: what they end, with which words, and what goes on."""

from typing import Any

import pytest

from punchlist.model.states import NodeStatus
from tests.runs import Story, flow_of


def begun(text: str, **inputs: Any) -> Story:
    return Story(flow_of(f"inputs: {{n: {{type: int, default: 3}}}}\n{text}")).start(**inputs)


def test_what_holds_lets_the_flow_go_on_without_an_output() -> None:
    story = begun("nodes: {a: {assert: '${{ inputs.n > 2 }}'}, b: {set: {x: '${{ nodes.a.output == null }}'}}}", n=3)

    assert story.run.status is NodeStatus.SUCCEEDED
    assert (story.node("a").output, story.node("b").output) == (None, {"x": True})


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('"${{ inputs.n > 3 }}"', "this does not hold: inputs.n > 3"),
        ('{that: "${{ inputs.n > 3 }}", message: "only ${{ inputs.n }} are there"}', "only 3 are there"),
        ("false", "this does not hold: false"),
        ('{that: false, message: "${{ run.id }}"}', "R1"),
        ('"${{ [1][inputs.n] > 0 }}"', "${{ [1][inputs.n] > 0 }}: Index error"),
    ],
)
def test_what_does_not_hold_fails_with_its_message_or_with_what_was_asked(written: str, said: str) -> None:
    story = begun(f"nodes: {{a: {{assert: {written}}}, b: {{set: {{x: 1}}}}}}", n=3)

    assert (story.node("a").status, story.node("b").status) == (NodeStatus.FAILED, NodeStatus.UNREACHED)
    assert story.node("a").error.startswith(said)
    assert story.run.error == f"a: {story.node('a').error}"


def test_an_assertion_may_be_passed_over() -> None:
    story = begun("nodes: {a: {assert: false, on_failure: continue}, b: {set: {x: '${{ nodes.a.status }}'}}}")

    assert (story.run.status, story.node("b").output) == (NodeStatus.SUCCEEDED, {"x": "failed"})


def test_a_failure_on_purpose_ends_its_group_and_what_does_not_need_it_may_finish() -> None:
    story = begun(
        """
nodes:
  inner:
    on_failure: continue
    nodes:
      beside: {run: x, needs: []}
      stop: {fail: "at ${{ inputs.n }}", needs: []}
      after: {run: x}
  then: {set: {x: 1}}
""",
        n=7,
    )
    assert story.node("inner.after").status is NodeStatus.UNREACHED
    story.over(story.attempt_at("inner.beside").id, result={})

    assert (story.node("inner").status, story.node("inner").error) == (NodeStatus.FAILED, "inner.stop: at 7")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_a_failure_whose_condition_is_false_is_skipped() -> None:
    story = begun("nodes: {a: {fail: no, when: '${{ inputs.n > 5 }}'}, b: {set: {x: 1}}}", n=5)

    assert (story.node("a").status, story.run.status) == (NodeStatus.SKIPPED, NodeStatus.SUCCEEDED)
