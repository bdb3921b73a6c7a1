"""Whatever text is given: a checked flow or a DefinitionError; whatever value is given: itself again."""

import json
from importlib.resources import files

from hypothesis import given, strategies as st

from punchlist.errors import DefinitionError
from punchlist.flow.expressions import BIGGEST, evaluate, references
from punchlist.flow.nodes import COMMON, KINDS
from punchlist.flow.parse import parse_flow
from punchlist.flow.shell import bind, refusals
from punchlist.flow.templates import FlawError
from punchlist.model.flow import Flow
from punchlist.model.json import Json

FLOWS = [path.read_text(encoding="utf-8") for path in sorted((files("punchlist.data") / "flows").iterdir(), key=str)]
MIXED = """\
punchlist: 1
flow: mixed
inputs: {names: {type: list, default: [a]}, n: {type: int, default: 1, min: 0}}
outputs: {all: "${{ nodes.each.output }}", n: "${{ 1 + inputs.n }}"}
policy: {max_parallel: 2, timeout: 1h}
agents: {writer: {worker: claude}}
nodes:
  first: {run: "echo \\"${{ inputs.n }}\\"", timeout: 5m, retry: {max: 1, backoff: {first: 1s}}}
  each:
    for_each: ${{ inputs.names }}
    as: name
    key: ${{ name }}
    max_parallel: ${{ policy.max_parallel }}
    nodes:
      one: {run: [echo, "${{ name }}"], env: {A: "x ${{ nodes.first.output.exit_code }}"}}
      two: {agent: writer, prompt: "Say ${{ nodes.one.output.stdout }}", output: {word: {enum: [a, b]}}}
  again:
    needs: [first]
    repeat: {max: 3, until: "${{ nodes.ask.output.choice == 'yes' }}", on_exhausted: gate}
    nodes: {ask: {gate: {message: "round ${{ round.index }}", choices: ["yes", "no"]}}}
  last:
    needs: [each, again]
    set: {sum: "${{ size(nodes.each.output) }}"}
    when: ${{ nodes.again.status == 'succeeded' }}
"""
WORDS = [
    *KINDS,
    *COMMON,
    "nodes",
    "inputs",
    "output",
    "as",
    "key",
    "max",
    "until",
    "criteria",
    "tree",
    "punchlist",
    "flow",
]
SCRAPS = [
    "${{",
    "}}",
    "${{ nodes.x.output }}",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "&a ",
    "*a",
    "!x ",
    "'",
    '"',
    "|",
    "\t",
    "1",
    "~",
    "#",
]


def called(name: str) -> str:
    return {"./a.yaml": MIXED, "p.md": "${{ inputs.n }} ${{"}[name]


def tries(text: str) -> Flow | None:
    try:
        return parse_flow(text, source="f.yaml", read=called)
    except DefinitionError as error:
        told = error.problems
    assert told
    assert all(problem.where and problem.message for problem in told)
    return None


def test_the_flows_that_are_mutated_are_valid() -> None:
    assert all(tries(text) for text in (*FLOWS, MIXED))


@given(st.sampled_from([*FLOWS, MIXED]), st.data())
def test_a_mutated_flow_is_a_flow_or_a_definition_error(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        scrap = data.draw(st.one_of(st.sampled_from([*SCRAPS, *WORDS]), st.text(max_size=4)))
        text = text[:start] + scrap + text[end:]

    tries(text)


@given(st.sampled_from([*FLOWS, MIXED]), st.data())
def test_a_flow_with_moved_lines_is_a_flow_or_a_definition_error(text: str, data: st.DataObject) -> None:
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        line = lines.pop(data.draw(st.integers(0, len(lines) - 1)))
        indent = data.draw(st.integers(0, 3)) * "  "
        lines.insert(data.draw(st.integers(0, len(lines))), indent + line)

    tries("\n".join(lines))


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [
            *WORDS,
            *SCRAPS,
            "${{ nodes.a.output }}",
            "${{ inputs.a }}",
            "${{ a.b + 1 }}",
            "task",
            "plan",
            "./a.yaml",
            "p.md",
        ]
    ),
)
keys = st.one_of(st.sampled_from([*WORDS, "a", "b", "c"]), st.text(max_size=4))
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=25,
)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.dictionaries(keys, trees, max_size=5), max_size=4), trees
)
def test_nodes_of_any_shape_are_a_flow_or_a_definition_error(nodes: Json, inputs: Json) -> None:
    tries(json.dumps({"punchlist": 1, "flow": "x", "inputs": inputs, "nodes": nodes}))


@given(st.text(max_size=60))
def test_any_text_is_a_flow_or_a_definition_error(text: str) -> None:
    tries(text)


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))  # those CEL refuses, by name
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-BIGGEST, BIGGEST),
        st.floats(allow_nan=False, allow_infinity=False),
        texts,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=20,
)


@given(values)
def test_a_value_comes_out_of_an_expression_as_it_went_in(value: Json) -> None:
    def lookup(name: str) -> Json:
        return {"inputs": {"v": value}, "w": value}[name]

    assert evaluate("${{ inputs.v }}", lookup) == value
    assert evaluate("${{ [w][0] }}", lookup) == value
    assert evaluate({"a": ["${{ {'k': inputs.v} }}"]}, lookup) == {"a": [{"k": value}]}


@given(values)
def test_a_value_without_an_expression_is_itself(value: Json) -> None:
    if "${{" not in json.dumps(value, ensure_ascii=False):
        assert evaluate(value, dict[str, Json]().__getitem__) == value


@given(
    st.lists(
        st.one_of(
            st.sampled_from([*SCRAPS, "inputs.a", "nodes.b.output", "'", "+", "has(", ")", "1", "."]),
            st.text(max_size=3),
        )
    )
)
def test_any_template_gives_a_value_or_a_definition_error(scraps: list[str]) -> None:
    text = "".join(scraps)
    known: dict[str, Json] = {"inputs": {"a": 1}, "nodes.b.output": {"x": [None]}}

    try:
        names = references(text)
        evaluate(text, known.__getitem__)
        bind(text, known.__getitem__)
    except DefinitionError:
        return
    assert names <= known.keys()


@given(st.lists(st.sampled_from([*"'\"`$()}\\#;&|<>\n\t ", "<<E", "\nE\n", "a", "$((", "${", "${{ x }}"]), max_size=25))
def test_any_command_has_a_place_for_each_of_its_expressions(scraps: list[str]) -> None:
    command = "".join(scraps)
    try:
        wrong = refusals(command)
    except FlawError:
        return

    if not wrong:
        text, variables = bind(command, lambda _: "a value")
        assert len(variables) == sum(text.count(f"${{{name}}}") for name in variables)
