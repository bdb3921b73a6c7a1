from collections.abc import Callable

import pytest

from punchlist.errors import DefinitionError
from punchlist.flow.expressions import evaluate, references
from punchlist.model.json import Json

KNOWN: dict[str, Json] = {
    "inputs": {"task": {"steps": [{"id": "T1.1", "needs": []}]}, "ratio": 0.5, "none": None},
    "nodes.build.output": {"n": 1, "ok": True, "text": "hi", "deep": [{"x": None}]},
    "nodes.build.status": "succeeded",
    "nodes.skipped.output": None,
    "nodes.skipped.status": "skipped",
    "step": {"id": "T1.1", "status": "pending"},
    "policy": {"rework": 3},
    "round": {"index": 0, "last": None},
}


def value_of(template: Json, known: dict[str, Json] = KNOWN) -> Json:
    return evaluate(template, known.__getitem__)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        (3, 3),
        (None, None),
        ("${{ nodes.build.output }}", KNOWN["nodes.build.output"]),
        ("${{ nodes.build.output.deep }}", [{"x": None}]),
        ("${{ 1 + policy.rework }}", 4),
        ("${{ inputs.ratio * 4.0 }}", 2.0),
        ("${{ !(step.status in ['accepted', 'skipped']) }}", True),
        ("${{ nodes.skipped.status == 'succeeded' && nodes.skipped.output.done }}", False),
        ("${{ inputs.task.steps.map(s, s.id) }}", ["T1.1"]),
        ("${{ inputs['task'].steps[0].needs }}", []),
        ("${{ {'b': 1, 'a': [null, 1.5]} }}", {"a": [None, 1.5], "b": 1}),
        ("${{ round.last }}", None),
        ("${{ size(inputs.task.steps) > 0 ? 'some' : 'none' }}", "some"),
        ("${{ type(policy.rework) == int }}", True),
        ("n=${{ nodes.build.output.n }} ok=${{ nodes.build.output.ok }}", "n=1 ok=true"),
        ("${{ inputs.ratio }}/${{ 3.0 }}/${{ false }}", "0.5/3/false"),
        ("a $${{ b }} ${{ 'c' }}", "a ${{ b }} c"),
        ({"k": ["${{ step.id }}", {"d": "${{ 1 }}"}]}, {"k": ["T1.1", {"d": 1}]}),
        ("${{ has(nodes.build.output.n) }}", True),
        ("${{ has(nodes.build.output.m) }}", False),
        ("${{ has(nodes.skipped.output.n) }}", False),
        ("${{ has(nodes.skipped.output) ? nodes.skipped.output.n : 7 }}", 7),
        ("${{ has(nodes.build.output) ? nodes.build.output.n : 7 }}", 1),
        ("${{ has(inputs.none.x) }}", False),
        ("${{ has(step.id) && step.id == 'T1.1' }}", True),
        ("${{ nodes.skipped.output == null }}", True),
    ],
)
def test_a_template_gives_its_value(template: Json, value: Json) -> None:
    found = value_of(template)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("${{ nodes.absent.output }}", "${{ nodes.absent.output }}: there is no 'nodes.absent.output' here"),
        ("${{ step.ID }}", "${{ step.ID }}: step has no 'ID'; it has: id, status"),
        ("${{ step.id.x }}", "step.id is a string, it has no 'x'"),
        ("${{ nodes.skipped.output.done }}", "nodes.skipped.output is null, it has no 'done'"),
        ("${{ policy.rework.x == 1 }}", "policy.rework is an int, it has no 'x'"),
        ("${{ inputs.ratio.x == 1 }}", "inputs.ratio is a number"),
        ("${{ nodes.build.output.ok.x }}", "nodes.build.output.ok is a bool"),
        ("${{ nodes.build.output.deep.x }}", "nodes.build.output.deep is a list"),
        ("x ${{ step }}", "${{ step }}: is a map, which cannot stand inside text"),
        ("x ${{ round.last }}", "is null, which cannot stand inside text"),
        ("x ${{ [1] }}", "is a list, which cannot stand inside text"),
        ("${{ 1 / 0 }}", "${{ 1 / 0 }}: divide by zero"),
        ("${{ step.id + 1 }}", "${{ step.id + 1 }}: No matching overloads"),
        ("${{ 'a' + 1 }}", "no rule for '+' applied to '(string, int)'"),
        ("${{ 9007199254740992 }}", "gives 9007199254740992, which JSON does not keep exactly"),
        ("${{ 0.0 / 0.0 }}", "gives nan"),
        ("${{ b'a' }}", "gives bytearray, which is no JSON value"),
        ("${{ duration('1s') }}", "gives timedelta, which is no JSON value"),
        ("${{ {1: 2} }}", "gives a map with keys that are not text"),
        ("${{ a +", "is not closed"),
        ("${{ a + }}", "${{ a + }}: it ends too early"),
        ("x ${{ }}", "an empty expression"),
    ],
)
def test_an_expression_without_a_value_says_which_and_why(template: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        value_of(template)

    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["a\0b", ["x", {"k": "\0"}], {"\0": 1}, "\ud800"])
def test_text_that_cel_would_cut_is_refused_and_may_still_be_passed_on_alone(text: Json) -> None:
    with pytest.raises(DefinitionError, match=r"zero character, which CEL cuts|a value that CEL cannot take"):
        value_of("${{ [step] }}", {"step": text})

    assert value_of("${{ step }}", {"step": text}) == text


def test_a_number_that_cel_does_not_hold_is_a_definition_error() -> None:
    with pytest.raises(DefinitionError, match="out of range"):
        value_of("${{ [step] }}", {"step": 2**70})


def test_a_lookup_is_asked_only_for_what_the_expression_names() -> None:
    asked: list[str] = []

    def lookup(name: str) -> Json:
        asked.append(name)
        return KNOWN[name]

    evaluate("${{ step.id + nodes.build.status }} ${{ policy.rework }}", lookup)

    assert asked == ["step", "nodes.build.status", "policy"]


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("plain $${{ a }}", set[str]()),
        ("${{ nodes.build.output.n }} ${{ nodes.build.tree }}", {"nodes.build.output", "nodes.build.tree"}),
        ("${{ inputs.task.steps.exists(s, s.id == step.id) }}", {"inputs", "step"}),
        ("${{ has(nodes.a.output) }}", {"nodes.a.output"}),
        ("${{ round.last.decision == policy.x && type(1) == int }}", {"round", "policy"}),
        ("${{ env.HOME }}", {"env"}),
    ],
)
def test_the_references_of_a_template_are_the_names_to_look_up(template: str, names: set[str]) -> None:
    assert references(template) == names


@pytest.mark.parametrize("read", [references, lambda text: evaluate(text, KNOWN.__getitem__)])
def test_a_template_that_cannot_be_read_is_a_definition_error(read: Callable[[str], object]) -> None:
    with pytest.raises(DefinitionError, match="not closed"):
        read("a ${{ b")
