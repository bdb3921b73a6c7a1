"""What a dry run shows: loops with every item or the first round, each with what is known before anything runs."""

from typing import Any

from punchlist.model.policy import Policy
from punchlist.service.plan_shapes import planned
from tests.runs import PROJECT, flow_of


def plan(text: str, *, read: Any = None, **inputs: Any) -> dict[str, Any]:
    """Return the nodes that a dry run shows, by their paths."""
    shown: Any = planned(flow_of(text, read=read), inputs=inputs, policy=Policy(), project=PROJECT)
    return {each["path"]: each for each in shown}


def test_each_item_of_a_known_list_is_shown_with_its_own_command() -> None:
    text = """
inputs: {targets: {type: list}}
nodes:
  all:
    for_each: "${{ inputs.targets }}"
    as: target
    key: "${{ target.name }}"
    when: "${{ target.build }}"
    nodes:
      steps:
        for_each: [make, test]
        as: verb
        nodes: {do: {run: ["${{ verb }}", "${{ target.name }}", "${{ run.id }}"]}}
"""
    targets = [{"name": "core", "build": True}, {"name": "docs", "build": False}]

    shown = plan(text, targets=targets)

    assert [*shown] == ["all", "all[core].steps", "all[core].steps[0].do", "all[core].steps[1].do", "all[docs]"]
    assert shown["all"]["note"] == "2 items"
    assert shown["all[core].steps[1].do"]["command"] == ["test", "core", "${{ run.id }}"]
    assert shown["all[docs]"]["note"] == "skipped: its `when` is false"


def test_a_list_that_only_the_run_can_tell_is_said_to_be_so() -> None:
    text = """
nodes:
  find: {run: "cat list"}
  all:
    for_each: "${{ [nodes.find.output.stdout] }}"
    as: one
    nodes: {do: {run: ["do", "${{ one }}"]}}
"""
    shown = plan(text)

    assert [*shown] == ["find", "all", "all[*].do"]
    assert shown["all"]["note"] == "only the run can tell over what; its nodes are shown once"
    assert shown["all[*].do"]["command"] == ["do", "${{ one }}"]


def test_the_first_round_of_a_repeat_is_shown_with_how_many_there_may_be() -> None:
    text = """
inputs: {most: {type: int}}
nodes:
  tries:
    repeat: {max: "${{ inputs.most }}", until: "${{ round.index == 1 }}"}
    nodes: {do: {run: ["do", "${{ round.index }}"]}}
  more:
    repeat: {max: "${{ nodes.tries.attempts + 1 }}", until: "${{ true }}"}
    nodes: {do: {run: done}}
"""
    shown = plan(text, most=3)

    assert shown["tries"]["note"] == "up to 3 rounds, of which the first is shown"
    assert shown["tries[0].do"]["command"] == ["do", 0]
    assert shown["more"]["note"] == "only the run can tell up to how many rounds; the first is shown"
    assert plan(text, most=1)["tries"]["note"] == "up to 1 round, of which the first is shown"


def test_a_called_flow_is_shown_with_its_own_inputs() -> None:
    called = """
punchlist: 1
flow: inner
inputs: {name: {type: string}, other: {type: string}, mood: {type: string, default: calm}}
nodes: {say: {run: ["say", "${{ inputs.name }}", "${{ inputs.other }}", "${{ inputs.mood }}"]}}
"""
    text = """
inputs: {name: {type: string}}
nodes:
  first: {run: make}
  inner: {call: ./inner.yaml, with: {name: "a ${{ inputs.name }}", other: "${{ nodes.first.output.stdout }}"}}
"""
    shown = plan(text, read={"./inner.yaml": called}, name="b")

    assert shown["inner.say"]["command"] == ["say", "a b", "${{ inputs.other }}", "calm"]


def test_what_is_known_not_to_run_is_said_to_be_skipped() -> None:
    text = """
inputs: {deep: {type: bool}}
nodes:
  more:
    when: "${{ inputs.deep }}"
    nodes: {do: {run: do}}
  ask: {agent: coder, prompt: "Mend ${{ project.title }}."}
"""
    shown = plan(text, deep=False)

    assert [*shown] == ["more", "ask"]
    assert shown["more"]["note"] == "skipped: its `when` is false"
    assert shown["ask"]["prompt"] == "Mend Acme."
    assert "note" not in shown["ask"]
    assert [*plan(text, deep=True)] == ["more", "more.do", "ask"]
