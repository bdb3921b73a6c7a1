"""JSON is read as the YAML that it is, only sooner."""

import json

import pytest
from hypothesis import given, strategies as st

from punchlist.flow.document import compose, plain
from punchlist.flow.json_text import BIGGEST, from_json
from punchlist.flow.problems import Problems
from punchlist.model.json import Json

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-BIGGEST, BIGGEST) | st.floats(-1e9, 1e9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_json_has_the_value_that_it_has_as_yaml(value: Json) -> None:
    text = json.dumps(value, ensure_ascii=False)

    read = from_json(text)

    problems = Problems("it")
    tree = compose(text, problems)
    assert read == (value,)
    assert problems.none
    assert tree is not None
    assert plain(tree) == value


def test_a_pair_of_escaped_surrogates_is_one_character() -> None:
    assert from_json(json.dumps({"title": "Say 👋"})) == ({"title": "Say 👋"},)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "title: A task",
        '"only text"',
        '{"a": 1} # a remark',
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": 9007199254740993}',
        '{"a": "\\u0000"}',
        '{"a": "\\ud800"}',
        '{"a": "\x7f"}',
        "[" * 61 + "]" * 61,
        "[" * 100_000,
    ],
)
def test_all_that_is_not_plainly_json_is_left_to_yaml(text: str) -> None:
    assert from_json(text) is None
