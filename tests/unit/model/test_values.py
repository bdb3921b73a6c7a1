"""Small values: ids, policy laid over policy, JSON of persistent maps, the table of gates."""

import msgspec
import pytest
from immutables import Map

from punchlist.errors import DefinitionError
from punchlist.model.allowed import allowed
from punchlist.model.flow import Flow
from punchlist.model.gates import GATES, Choice, Effect, Field, check_fields, choice_of
from punchlist.model.ids import AttemptId, StepId, slug, step_task
from punchlist.model.json import Json, decode, digest, encode, plain
from punchlist.model.parse import decode_json, parse, parse_json
from punchlist.model.policy import Amount, Policy, PolicyPart, overlay
from punchlist.model.records import Step, TaskFile
from punchlist.model.state import Queue


def test_a_step_s_id_names_its_task() -> None:
    assert step_task(StepId("T12.3")) == "T12"


@pytest.mark.parametrize(("text", "made"), [("Café — Größe 9!", "cafe-große-9".replace("ß", "")), ("…", "x")])
def test_a_slug_keeps_what_it_can(text: str, made: str) -> None:
    assert slug(text) == made.replace("große", "groe")


def test_the_last_part_of_a_policy_that_speaks_of_a_rule_wins_and_a_missing_part_says_nothing() -> None:
    policy = overlay(Policy(), PolicyPart(retries=5, rework=1), None, PolicyPart(retries=0, budget=Amount(usd=3)))

    assert (policy.retries, policy.rework, policy.timeout, policy.budget.usd) == (0, 1, "1h", 3)


def test_a_persistent_map_is_an_object_in_json_and_comes_back() -> None:
    queue = Queue(Map({3: AttemptId("A1"), 5: AttemptId("A2")}), 3, 6)

    assert plain(queue) == {"entries": {"3": "A1", "5": "A2"}, "first": 3, "last": 6}
    assert decode(encode(queue), Queue[AttemptId]) == queue
    assert decode(b'{"a": [1]}', Map[str, list[int]]) == Map({"a": [1]})


@pytest.mark.parametrize("text", [b'{"entries": [], "first": 0, "last": 0}', b'{"entries": 3, "first": 0, "last": 0}'])
def test_what_is_no_map_is_not_taken_for_one(text: bytes) -> None:
    with pytest.raises((msgspec.ValidationError, NotImplementedError)):
        decode(text, Queue[AttemptId])


def test_what_has_no_json_form_is_no_value() -> None:
    with pytest.raises(NotImplementedError, match="object"):
        encode(object())


def test_a_digest_does_not_depend_on_the_order_of_fields() -> None:
    assert digest({"a": 1, "b": [True, None]}) == digest({"b": [True, None], "a": 1})


def test_a_document_is_read_as_its_record_or_refused_with_every_problem() -> None:
    assert parse_json(TaskFile, '{"title": "T"}', what="the task").title == "T"
    with pytest.raises(DefinitionError) as refused:
        parse(TaskFile, {"titel": "T", "steps": [{"title": "S", "criteria": []}]}, what="the task")

    said = [str(problem) for problem in refused.value.problems]
    assert len(said) == 3
    assert "Did you mean 'title'?" in "".join(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "the task is not JSON"),
        (b"\xff\xfe", "the task is not JSON"),
        ("[" * 100_000 + "]" * 100_000, "the task is nested too deeply"),
    ],
)
def test_text_that_is_no_json_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        decode_json(text, what="the task")


def test_a_value_that_is_nested_too_deeply_is_refused_and_not_followed() -> None:
    deep: Json = 1
    for _ in range(5_000):
        deep = [deep]

    with pytest.raises(DefinitionError, match="nested too deeply"):
        parse(Step, {"scope": deep}, what="the step")


def test_groups_in_groups_without_end_are_refused_and_not_followed() -> None:
    deep: Json = {"kind": "set", "id": "a", "set": {}}
    for _ in range(100_000):
        deep = {"kind": "group", "id": "a", "nodes": [deep]}

    with pytest.raises(DefinitionError, match="the flow has 1 problem:\n  it is nested too deeply"):
        parse(Flow, {"flow": "deep", "nodes": [deep]}, what="the flow")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"const": "punchlist/plan/1"}, "punchlist/plan/1"),
        ({"type": "array", "minItems": 1}, "a list of at least one"),
        ({"type": "array"}, "a list"),
        ({"type": "boolean"}, "true or false"),
        ({}, ""),
    ],
)
def test_a_part_of_a_schema_is_told_in_words(rule: dict[str, object], said: str) -> None:
    assert allowed(rule, {}) == said


def test_every_choice_of_the_table_is_found_by_its_name_and_every_other_one_is_refused() -> None:
    for kind, gate in GATES.items():
        for choice in gate.choices:
            assert choice_of(kind, choice.name) is choice
    with pytest.raises(DefinitionError, match="a gate of kind rework has no choice 'maybe'; allowed: more, waive"):
        choice_of("rework", "maybe")


def test_an_author_s_choice_is_the_output_and_takes_a_note() -> None:
    choice = choice_of("flow", "ship", author_choices=("ship", "hold"))

    assert choice.effect is Effect.AUTHOR
    check_fields(choice, {"note": "go"})


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", "a", "  "),
        ("int", 1, 0),
        ("int", 7, True),
        ("int", 7, "7"),
        ("list", ["F1"], []),
        ("list", ["F1"], ["F1", 2]),
        ("list", ["F1"], "F1"),
    ],
)
def test_a_field_takes_values_of_its_type_alone(kind: str, good: object, bad: object) -> None:
    choice = Choice("c", Effect.MORE, (Field("f", kind),))  # type: ignore[arg-type]

    check_fields(choice, {"f": good})
    with pytest.raises(DefinitionError, match=r"data\.f: saw"):
        check_fields(choice, {"f": bad})


def test_a_field_of_any_type_takes_anything() -> None:
    check_fields(Choice("c", Effect.RAISE, (Field("value", "any"),)), {"value": None})


def test_all_problems_of_a_decision_are_told_at_once_each_with_how_to_give_it() -> None:
    choice = Choice("c", Effect.MORE, (Field("why", message=True), Field("n", "int")))
    with pytest.raises(DefinitionError) as refused:
        check_fields(choice, {"m": 1})

    assert [each.where for each in refused.value.problems] == ["data.m", "data.why", "data.n"]
    assert [each.hint for each in refused.value.problems[1:]] == [
        "Give it with -m TEXT",
        "Give it with --data '{\"n\": 2}'",
    ]
