"""`match` in the core: the case that is taken, what becomes of the others, and ways back."""

from typing import Any

import pytest

from punchlist.model import commands as cmd
from punchlist.model.ids import NodePath
from punchlist.model.states import NodeStatus
from tests.runs import RUN, Story, flow_of

ROUTE = """
inputs: {n: {}}
outputs: {taken: "${{ nodes.route.output }}"}
nodes:
  one: {set: {x: 1}}  # as one of the cases is called
  route:
    match: ${{ inputs.n }}
    cases:
      one: {nodes: {do: {set: {v: "${{ nodes.one.output.x }}"}}}}
      needs work: {nodes: {do: {run: x}}, output: {v: "${{ nodes.do.status }}"}}
      2: {nodes: {do: {set: {v: 2}}}}
      true: {nodes: {do: {fail: no}}}
      empty: {}
    else: {nodes: {do: {set: {v: other}}}}
  after: {set: {x: "${{ nodes.route.output }}"}}
"""
CASES = ("one", "needs_work", "2", "true", "empty", "else")


def begun(n: Any, *, text: str = ROUTE) -> Story:
    return Story(flow_of(text)).start(n=n)


def statuses(story: Story) -> dict[str, NodeStatus]:
    return {name: story.node(f"route.{name}").status for name in CASES}


@pytest.mark.parametrize(
    ("value", "case", "output"),
    [
        ("one", "one", {"v": 1}),
        (2, "2", {"v": 2}),
        ("2", "2", {"v": 2}),
        ("empty", "empty", None),
        ("else", "else", {"v": "other"}),
        (2.5, "else", {"v": "other"}),
        (None, "else", {"v": "other"}),
        (False, "else", {"v": "other"}),
    ],
)
def test_the_case_for_the_value_runs_and_the_others_are_skipped(value: Any, case: str, output: Any) -> None:
    story = begun(value)

    taken = dict.fromkeys(CASES, NodeStatus.SKIPPED) | {case: NodeStatus.SUCCEEDED}
    assert statuses(story) == taken
    assert (story.run.status, story.run.outputs) == (NodeStatus.SUCCEEDED, {"taken": output})
    assert story.node("after").output == {"x": output}


def test_a_case_with_an_output_of_its_own_gives_that_when_its_nodes_are_over() -> None:
    story = begun("needs work")
    assert story.node("route").status is NodeStatus.RUNNING
    story.over(story.attempt_at("route.needs_work.do").id, result={})

    assert story.run.outputs == {"taken": {"v": "succeeded"}}


def test_a_case_that_fails_fails_the_match_and_is_tried_again_alone() -> None:
    story = begun("needs work")
    story.fail(story.attempt_at("route.needs_work.do"))
    assert (story.node("route").status, story.node("after").status) == (NodeStatus.FAILED, NodeStatus.UNREACHED)
    story.tell(cmd.Retry(run=RUN))
    story.over(story.attempt_at("route.needs_work.do").id, result={})

    assert story.run.status is NodeStatus.SUCCEEDED
    assert statuses(story)["one"] is NodeStatus.SKIPPED
    assert story.node("route.one").generation == 0


def test_a_value_without_a_case_fails_the_match_and_reaches_none_of_them() -> None:
    text = "inputs: {n: bool}\nnodes: {a: {match: '${{ inputs.n }}', cases: {true: {}, false: {}}}, b: {set: {x: 1}}}"
    story = begun("neither", text=text)

    assert story.node("a").error == "a: no case for 'neither', and no `else`; there are: true, false"
    assert {story.node(path).status for path in ("a.true", "a.false", "b")} == {NodeStatus.UNREACHED}
    assert (story.run.status, story.run.error) == (NodeStatus.FAILED, story.node("a").error)


def test_going_back_to_a_case_that_was_not_taken_skips_it_again() -> None:
    story = begun("one")
    story.tell(cmd.Resume(run=RUN, start_from=NodePath("route.2"), agreed=True))

    assert (story.node("route.2").status, story.node("route.2").generation) == (NodeStatus.SKIPPED, 1)
    assert story.run.outputs == {"taken": {"v": 1}}


def test_cases_in_rounds_and_items_are_taken_for_each() -> None:
    text = """
outputs: {all: "${{ nodes.each.output }}"}
nodes:
  each:
    for_each: [a, b, c]
    as: letter
    nodes:
      route:
        match: ${{ letter }}
        cases: {a: {nodes: {x: {set: {v: 1}}}}, b: {nodes: {x: {set: {v: 2}}}}}
        else: {nodes: {x: {set: {v: 3}}}}
"""
    assert begun("", text=text).run.outputs == {"all": [{"v": 1}, {"v": 2}, {"v": 3}]}


def test_two_values_that_look_alike_in_a_path_are_told_apart() -> None:
    text = "inputs: {n: {}}\nnodes: {route: {match: '${{ inputs.n }}', cases: {a b: {}, a_b: {}, '': {}}, else: {}}}"
    story = begun("a_b", text=text)

    assert story.node("route").children == ("route.a_b", "route.a_b_2", "route._", "route.else")
    assert story.node("route.a_b_2").status is NodeStatus.SUCCEEDED
