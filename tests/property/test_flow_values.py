"""What the checker passes can be computed: any well-typed expression gives, when it runs, what plain Python gives."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import given, strategies as st

from punchlist.model.json import Json
from punchlist.model.states import NodeStatus
from tests.runs import Story, flow_of

_DEEP = 3
_NODES = 5
TYPES = ("int", "string", "bool", "list")
INPUTS: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-1000, 1000),
    "string": st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6),
    "bool": st.booleans(),
    "list": st.lists(st.integers(-9, 9), max_size=3),
}


class Term(NamedTuple):
    """An expression, and what it comes to."""

    text: str
    value: Json


Known = dict[str, list[Term]]


def literal(value: Json) -> str:
    """Return a value as CEL writes it, whose texts know the escapes of JSON."""
    return json.dumps(value, ensure_ascii=False)


class Terms:
    """Draws expressions of a type over what is known by then; none of them can fail."""

    def __init__(self, draw: st.DrawFn, known: Known) -> None:
        self._draw = draw
        self._known = known

    def of(self, kind: str, *, depth: int = 0) -> Term:
        """Return an expression of a type."""
        known = self._known[kind]
        if depth == _DEEP or self._draw(st.integers(0, 3)) == 0:
            use_known: bool = self._draw(st.booleans())
            if known and use_known:
                return self._draw(st.sampled_from(known))
            value = self._draw(INPUTS[kind])
            return Term(literal(value), value)
        if self._draw(st.integers(0, 4)) == 0:
            asked, yes, no = (
                self.of("bool", depth=depth + 1),
                self.of(kind, depth=depth + 1),
                self.of(kind, depth=_DEEP),
            )
            return Term(f"({asked.text} ? {yes.text} : {no.text})", yes.value if asked.value else no.value)
        takes, text, works = self._draw(st.sampled_from(MADE_BY[kind]))
        found = [self.of(each, depth=depth + 1) for each in takes]
        return Term(text.format(*(each.text for each in found)), works(*(each.value for each in found)))


Way = tuple[tuple[str, ...], str, Callable[..., Json]]
MADE_BY: dict[str, list[Way]] = {
    "int": [
        (("int", "int"), "({} + {})", lambda one, two: one + two),
        (("int", "int"), "({} - {})", lambda one, two: one - two),
        (("int",), "({} * 3)", lambda one: one * 3),
        (("list",), "size({})", len),
        (("string",), "size({})", len),
    ],
    "string": [
        (("string", "string"), "({} + {})", lambda one, two: one + two),
        (("int",), "string({})", str),
    ],
    "bool": [
        (("int", "int"), "({} < {})", lambda one, two: one < two),
        (("string", "string"), "({} == {})", lambda one, two: one == two),
        (("bool", "bool"), "({} && {})", lambda one, two: one and two),
        (("bool", "bool"), "({} || {})", lambda one, two: one or two),
        (("bool",), "!{}", lambda one: not one),
        (("int", "list"), "({} in {})", lambda one, two: one in two),
        (("string", "string"), "{}.startsWith({})", lambda one, two: one.startswith(two)),
    ],
    "list": [
        (("list", "list"), "({} + {})", lambda one, two: one + two),
        (("int", "int"), "[{}, {}]", lambda one, two: [one, two]),
    ],
}


@st.composite
def computing(draw: st.DrawFn) -> tuple[str, dict[str, Any], list[tuple[str, Json]]]:
    """Draw a flow of nodes that compute, its inputs, and of each node its type and what it must come to."""
    given_ = {kind: draw(INPUTS[kind]) for kind in TYPES}
    known: Known = {kind: [Term(f"inputs.a_{kind}", value)] for kind, value in given_.items()}
    nodes: dict[str, object] = {}
    must: list[tuple[str, Json]] = []
    for place in range(draw(st.integers(1, _NODES))):
        kind = draw(st.sampled_from(TYPES))
        term = Terms(draw, known).of(kind)
        nodes[f"n{place}"] = {"set": {"x": f"${{{{ {term.text} }}}}"}}
        must.append((kind, term.value))
        known[kind].append(Term(f"nodes.n{place}.output.x", term.value))
    inputs = {f"a_{kind}": {"type": kind} for kind in TYPES}
    text = f"inputs: {json.dumps(inputs)}\nnodes: {json.dumps(nodes, ensure_ascii=False)}\n"
    return text, {f"a_{kind}": value for kind, value in given_.items()}, must


@given(computing())
def test_a_well_typed_expression_is_passed_and_gives_what_it_must(
    drawn: tuple[str, dict[str, Any], list[tuple[str, Json]]],
) -> None:
    text, inputs, must = drawn

    story = Story(flow_of(text)).start(**inputs)

    assert story.run.status is NodeStatus.SUCCEEDED, [each.error for each in story.run.nodes.values()]
    assert [story.node(f"n{place}").output for place in range(len(must))] == [{"x": value} for _, value in must]
