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


def test_a_text_is_filled_in_as_far_as_it_is_known_and_the_rest_is_named() -> None:
    text = """
inputs: {brief: {type: string}}
nodes:
  first: {run: make}
  ask:
    agent: coder
    prompt: "Do ${{ inputs.brief }} in ${{ run.flow }} ${{ run.id }} after ${{ nodes.first.output.stdout }}, $${{ x }}"
    output: {done: bool}
  build: {agent: coder, role: builder, pack: "${{ inputs.brief }}"}
  plan: {agent: coder, role: planner, pack: {}}
  judge: {review: {criteria: [it reads well], tree: base}}
"""
    shown = plan(text, brief="it")

    assert shown["ask"]["prompt"] == (
        "Do it in test ${{ run.id }} after ${{ nodes.first.output.stdout }}, $${{ x }}\n\n"
        "Answer with a JSON object that has these fields, and no other:\n- done: bool\n"
    )
    assert shown["ask"]["later"] == ["run.id", "nodes.first.output.stdout"]
    assert "later" not in shown["build"]
    assert [shown[name]["note"].partition(" when it")[0] for name in ("build", "plan", "judge")] == [
        "its prompt is made of the step, and on rework of the verdict,",
        "its prompt is made of the request and the project",
        "its prompt is made of the criteria and the change",
    ]


def test_a_command_is_shown_as_a_person_would_type_it() -> None:
    text = """
inputs: {name: {type: string}}
nodes:
  say: {run: 'echo ${{ inputs.name }} "<${{ inputs.name }}>" $${{ x }} "${{ run.id }}"'}
"""
    shown = plan(text, name='$(x) "y"')

    assert shown["say"]["command"] == 'echo \'$(x) "y"\' "<\\$(x) \\"y\\">" $${{ x }} "${{ run.id }}"'


def test_what_a_node_before_is_known_to_give_is_filled_in() -> None:
    text = """
inputs: {n: {type: int}}
nodes:
  twice: {set: {n: "${{ inputs.n * 2 }}"}}
  gone: {run: x, when: "${{ inputs.n > 5 }}"}
  perhaps: {set: {n: 1}, when: "${{ run.id == 'R1' }}"}
  say: {run: [echo, "${{ nodes.twice.output.n }}", "${{ nodes.gone.status }}", "${{ nodes.perhaps.status }}"]}
  inside:
    nodes:
      twice: {run: x}
      again: {run: [echo, "${{ nodes.twice.output.stdout }}", "${{ nodes.gone.status }}"]}
"""
    shown = plan(text, n=2)

    assert shown["say"]["command"] == ["echo", 4, "skipped", "${{ nodes.perhaps.status }}"]
    assert shown["say"]["later"] == ["nodes.perhaps.status"]
    assert shown["inside.again"]["command"] == ["echo", "${{ nodes.twice.output.stdout }}", "skipped"]


def test_what_is_known_to_fail_is_said() -> None:
    text = """
inputs: {n: {type: int}, any: {type: any}}
nodes:
  div: {run: [echo, "${{ 1 / inputs.n }}", "${{ run.id }}"]}
  said: {gate: "Ship ${{ inputs.any }}?"}
"""
    shown = plan(text, n=0, any=None)

    assert shown["div"]["fails"] == "${{ 1 / inputs.n }}: divide by zero"
    assert shown["div"]["later"] == ["run.id"]
    assert shown["said"]["fails"] == "${{ inputs.any }}: is null, which cannot stand inside text"


def test_a_case_is_chosen_when_its_value_is_known() -> None:
    text = """
inputs: {colour: {enum: [red, green]}}
nodes:
  first: {run: x, on_failure: continue}
  by: {match: "${{ inputs.colour }}", cases: {red: {nodes: {stop: {run: stop}}}, green: {nodes: {go: {run: go}}}}}
  how:
    match: ${{ nodes.first.status }}
    cases: {failed: {nodes: {mend: {run: mend}}}}
    else: {nodes: {on: {run: on}}}
"""
    shown = plan(text, colour="red")

    assert [*shown] == ["first", "by", "by.red.stop", "how", "how.failed.mend", "how.else.on"]
    assert shown["how"]["later"] == ["nodes.first.status"]
