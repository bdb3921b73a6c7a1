"""What an agent of a flow has to answer: told in words, and held against what it answered."""

import pytest

from punchlist.flow.outputs import answer_problems, output_problems, output_words
from punchlist.model.json import Json

FIELDS: dict[str, Json] = {
    "verdict": {"enum": ["approve", "revise"]},
    "score": {"type": "int", "max": 10},
    "text": "string",
}


@pytest.mark.parametrize(
    ("answer", "problems"),
    [
        ({"verdict": "approve", "score": 3, "text": ""}, ()),
        ("approve", ("the answer is a string, not a map of verdict, score, text",)),
        (
            {"verdict": "maybe", "score": 11, "note": 1},
            (
                "note is not asked for",
                "verdict is 'maybe'; allowed: approve, revise",
                "score is 11; allowed: int to 10",
                "text is missing; allowed: string",
            ),
        ),
    ],
)
def test_every_field_that_does_not_fit_is_told(answer: Json, problems: tuple[str, ...]) -> None:
    assert output_problems(FIELDS, answer) == problems


def test_a_json_schema_is_held_against_the_whole_answer() -> None:
    declared: dict[str, Json] = {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}

    assert output_problems(declared, {"n": 1}) == ()
    assert output_problems(declared, {"n": "x"}) == ('n: "x" is not of type "integer"',)
    assert output_problems(declared, [1]) == ('the answer: [1] is not of type "object"',)
    assert output_problems({"schema": False}, 1) == ("the answer: False schema does not allow 1",)


def test_a_schema_that_is_none_is_a_problem_of_its_own() -> None:
    (problem,) = output_problems({"schema": {"type": 3}}, {})

    assert problem.startswith("the schema that it should fit is none: ")


def test_the_agent_is_told_what_to_answer() -> None:
    assert output_words(FIELDS) == (
        "Answer with a JSON object that has these fields, and no other:\n"
        "- verdict: approve, revise\n- score: int to 10\n- text: string"
    )
    assert output_words({"schema": {"type": "object"}}) == 'Answer with JSON that fits this schema: {"type":"object"}'


def test_a_commands_answer_is_held_against_its_schema_or_fields_or_nothing() -> None:
    assert answer_problems({"json": "stdout", "schema": {"type": "array"}}, {}) == (
        'the answer: {} is not of type "array"',
    )
    assert answer_problems({"file": "a.json", "fields": {"n": "int"}}, {"n": True}) == ("n is a bool; allowed: int",)
    assert answer_problems({"json": "stdout"}, {"n": 1}) == ()


def test_what_a_schema_refers_to_elsewhere_is_not_fetched() -> None:
    (problem,) = output_problems({"schema": {"$ref": "http://127.0.0.1:1/schema.json"}}, {})

    assert "Retrieval is disabled" in problem
