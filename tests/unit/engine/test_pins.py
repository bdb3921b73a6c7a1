"""What nodes leave, and what others are made of: named by expressions, however many nodes are between."""

import pytest

from punchlist.engine.pins import pins_of
from punchlist.engine.place import Place
from punchlist.model.ids import AttemptId, Digest, NodePath
from punchlist.model.jobs import Artifact, Pin
from punchlist.model.policy import Policy
from tests.runs import Story, flow_of

MADE = Artifact(path="a.md", sha256=Digest("a" * 64), size=2, text="it")
OTHER = Artifact(path="b.md", sha256=Digest("b" * 64), size=3)
PIN = Pin(node=NodePath("make"), name="a", attempt=AttemptId("A1"), path="a.md", sha256=MADE.sha256)
CALLED = """
punchlist: 1
flow: called
inputs: {text: string}
outputs: {text: "${{ inputs.text }}", n: "${{ inputs }}"}
nodes: {inner: {run: "echo ${{ inputs.text }}"}}
"""
HEAD = "nodes:\n  make: {run: x, artifacts: {a: a.md, b: '${{ run.id }}.md'}}\n"


def made(nodes: str) -> Story:
    text = HEAD + "".join(f"  {line}\n" for line in nodes.strip().splitlines())
    story = Story(flow_of(text, read={"./c.yaml": CALLED}), project=None).start(policy=Policy(max_parallel=4))
    assert story.job(AttemptId("A1")).artifacts == {"a": "a.md", "b": "R1.md"}
    story.over(AttemptId("A1"), result={"exit_code": 0, "stdout": ""}, artifacts={"a": MADE, "b": OTHER})
    return story


def names_used(story: Story, node: str) -> list[str]:
    return [pin.name for pin in story.job(story.attempt_at(node).id).uses]


@pytest.mark.parametrize(
    ("nodes", "node", "used"),
    [
        ("use: {run: 'cat ${{ nodes.make.artifacts.a.path }} ${{ nodes.make.artifacts.a.text }}'}", "use", ["a"]),
        ("use: {run: 'echo ${{ nodes.make.artifacts.b.size + nodes.make.artifacts.a.size }}'}", "use", ["b", "a"]),
        ("use: {run: 'echo ${{ size(nodes.make.artifacts) }}'}", "use", ["a", "b"]),
        ("use: {run: 'echo ${{ nodes.make.output.stdout }} ${{ nodes.make.status }}'}", "use", []),
        ("use: {agent: w, prompt: '${{ nodes.make.artifacts.a.text }}'}", "use", ["a"]),
        (
            "value: {set: {p: '${{ nodes.make.artifacts.a.path }}'}}\nuse: {run: 'cat ${{ nodes.value.output.p }}'}",
            "use",
            ["a"],
        ),
        (
            (
                "group: {nodes: {one: {set: {p: '${{ nodes.make.artifacts.a.path }}'}}}}\n"
                "use: {run: 'cat ${{ nodes.group.output.p }}'}"
            ),
            "use",
            ["a"],
        ),
        (
            (
                "group: {nodes: {one: {set: {n: 1}}}, output: {p: '${{ nodes.make.artifacts.b.path }}'}}\n"
                "use: {run: 'cat ${{ nodes.group.output.p }}'}"
            ),
            "use",
            ["b"],
        ),
        (
            (
                "rounds: {repeat: {max: 2, until: '${{ round.index == 1 }}'}, nodes: {one: {set: {n: 1}}}, "
                "output: {p: '${{ nodes.make.artifacts.b.path }}'}}\nuse: {run: 'cat ${{ nodes.rounds.output.p }}'}"
            ),
            "use",
            ["b"],
        ),
        (
            "each: {for_each: ['${{ nodes.make.artifacts.a.path }}'], as: p, nodes: {use: {run: 'cat ${{ p }}'}}}",
            "each[0].use",
            ["a"],
        ),
        (
            (
                "each: {for_each: [1], as: n, nodes: {one: {set: {p: '${{ nodes.make.artifacts.a.path }}'}}}}\n"
                "use: {run: 'echo ${{ nodes.each.output[0].p }}'}"
            ),
            "use",
            ["a"],
        ),
        (
            "call: {call: ./c.yaml, with: {text: '${{ nodes.make.artifacts.a.text }}'}}",
            "call.inner",
            ["a"],
        ),
        (
            (
                "way:\n    match: '${{ run.id == \"R1\" }}'\n    cases:\n"
                "      'true': {nodes: {one: {set: {p: '${{ nodes.make.artifacts.a.path }}'}}}}\n"
                "      'false': {nodes: {two: {set: {p: 'x'}}}}\nuse: {run: 'cat ${{ nodes.way.output.p }}'}"
            ),
            "use",
            ["a"],
        ),
    ],
)
def test_a_node_rests_on_the_artifacts_that_what_it_names_is_made_of(nodes: str, node: str, used: list[str]) -> None:
    assert names_used(made(nodes), node) == used


def test_a_called_flow_hands_on_what_its_outputs_are_made_of() -> None:
    story = made(
        "call: {call: ./c.yaml, with: {text: '${{ nodes.make.artifacts.a.text }}'}}\n"
        "use: {run: 'echo ${{ nodes.call.output.text }}'}\n"
        "all: {run: 'echo ${{ nodes.call.output.n.text }}', needs: [call]}"
    )
    story.over(story.attempt_at("call.inner").id, result={"exit_code": 0, "stdout": ""})

    assert (names_used(story, "use"), names_used(story, "all")) == (["a"], ["a"])
    assert story.job(story.attempt_at("use").id).uses == (PIN,)


def test_an_artifact_is_read_by_expressions_and_a_large_one_has_no_text() -> None:
    story = made("use: {run: 'echo ${{ nodes.make.artifacts.a.text }} ${{ has(nodes.make.artifacts.b.text) }}'}")

    assert story.job(story.attempt_at("use").id).env == {"PUNCHLIST_V0": "it", "PUNCHLIST_V1": "false"}
    assert pins_of(Place(story.state, NodePath(""))) == ()


def test_an_agent_is_told_what_to_leave() -> None:
    story = Story(flow_of("nodes: {a: {agent: w, prompt: Do., artifacts: {it: docs/it.md}}}"), project=None).start()

    assert story.job(story.attempt_at("a").id).prompt == (
        "Do.\n\nLeave these files, by their paths from the folder that you work in:\n- docs/it.md (it)\n"
    )


def test_what_a_run_was_given_is_made_of_nothing() -> None:
    text = f"inputs: {{x: string}}\n{HEAD}  use: {{run: 'echo ${{{{ inputs.x }}}} ${{{{ run.id }}}}'}}\n"
    story = Story(flow_of(text), project=None).start(x="it")
    story.over(AttemptId("A1"), result={"exit_code": 0, "stdout": ""}, artifacts={"a": MADE})

    assert story.job(story.attempt_at("use").id).uses == ()


def test_what_is_named_by_many_is_followed_once() -> None:
    value = "s{0}: {{set: {{a: '${{{{ nodes.s{1}.output.a }}}}', b: '${{{{ nodes.s{1}.output.b }}}}'}}}}"
    first = "s0: {set: {a: '${{ nodes.make.artifacts.a.path }}', b: '${{ nodes.make.artifacts.a.path }}'}}"
    chain = [first, *(value.format(number, number - 1) for number in range(1, 40))]

    story = made("\n".join([*chain, "use: {run: 'cat ${{ nodes.s39.output.a }} ${{ nodes.s39.output.b }}'}"]))

    assert names_used(story, "use") == ["a"]


def test_the_items_of_items_are_followed_once() -> None:
    story = made(
        "each: {for_each: ['${{ nodes.make.artifacts.a.path }}'], as: p, "
        "nodes: {use: {run: 'cat ${{ p }} ${{ p }}', env: {P: '${{ p }}'}}}}"
    )

    assert names_used(story, "each[0].use") == ["a"]


def test_a_list_of_a_file_rests_on_that_file_alone() -> None:
    story = made(
        "each: {for_each: {lines: '${{ nodes.make.artifacts.a.path }}'}, as: p, key: '${{ p }}', "
        "nodes: {use: {run: 'cat ${{ p }}'}}, output: '${{ nodes.use.output.stdout }}'}"
    )

    assert names_used(story, "each") == ["a"]
    story.over(story.attempt_at("each").id, result={"items": ["x"]})
    assert names_used(story, "each[x].use") == ["a"]
