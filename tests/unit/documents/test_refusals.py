"""What is said of a document that is refused: each problem with its place, what was seen, and what is allowed."""

import pytest

from punchlist.errors import DefinitionError
from punchlist.model.json import Json
from punchlist.model.parse import parse
from punchlist.model.policy import PolicyPart
from punchlist.model.records import TaskFile

TITLE = "one line of at most 200 characters, without control characters; no path such as /etc or ../x"


def refused(kind: type[object], value: Json) -> list[tuple[str, str, str]]:
    """Return place, message and what is allowed, of each problem."""
    with pytest.raises(DefinitionError) as caught:
        _ = parse(kind, value, what="it")
    return [(each.where, each.message, each.allowed) for each in caught.value.problems]


@pytest.mark.parametrize("title", ["../../x", "..", "../x", "a/../b", "/etc/passwd", "/", "a\n", "a\nb", "a\x1b", ""])
def test_a_title_that_is_a_path_or_more_than_a_line_is_refused(title: str) -> None:
    assert refused(TaskFile, {"title": title}) == [("title", f"saw {title!r}", TITLE)]


@pytest.mark.parametrize("title", ["/health answers 200", "Refuse ../../x as a name", "a..b", "Use a/b", "ü"])
def test_a_path_among_the_words_of_a_title_is_none(title: str) -> None:
    assert parse(TaskFile, {"title": title}, what="it").title == title


def test_no_name_ends_with_a_newline() -> None:
    steps: Json = [{"title": "a", "builder": "claude\n", "criteria": [{"id": "AC-1\n", "text": "t", "check": "x"}]}]

    assert [where for where, _, _ in refused(TaskFile, {"title": "t", "needs": ["T1\n"], "steps": steps})] == [
        "needs[0]",
        "steps[0].builder",
        "steps[0].criteria[0].id",
    ]


def test_a_value_that_none_of_several_kinds_allows_is_told_what_all_of_them_allow() -> None:
    criterion: Json = {"text": "t", "check": "x", "timeout": 0, "red_first": "perhaps"}
    steps: Json = [{"title": "a", "needs": [True, "b"], "criteria": [criterion, 4]}]

    assert sorted(refused(TaskFile, {"title": "t", "steps": steps})) == [
        ("steps[0].criteria[0].red_first", "saw 'perhaps'", "auto or true or false"),
        ("steps[0].criteria[0].timeout", "saw 0", "a whole number with ms, s, m, h or d: 30s, 5m, 2h"),
        ("steps[0].criteria[1]", "saw 4", "text, at least 1 and at most 4000 characters or an object"),
        ("steps[0].needs[0]", "saw true", "a whole number, at least 1 or a step's id, such as T1.2"),
        ("steps[0].needs[1]", "saw 'b'", "a whole number, at least 1 or a step's id, such as T1.2"),
    ]


def test_numbers_lists_and_enums_say_their_bounds() -> None:
    assert refused(PolicyPart, {"rework": -1, "review": "maybe", "auto_approve": 1, "budget": []}) == [
        ("rework", "saw -1", "a whole number, at least 0 and at most 1000"),
        ("review", "saw 'maybe'", "always, never, uncovered"),
        ("auto_approve", "saw 1", "true or false"),
        ("budget", "saw []", "an object"),
    ]
    assert sorted(refused(TaskFile, {"title": "t", "steps": [{"title": "a", "criteria": []}], "labels": {}})) == [
        ("labels", "saw {}", "a list"),
        ("steps[0].criteria", "saw []", "a list of at least one"),
    ]
    assert refused(TaskFile, []) == [("", "saw []", "an object")]
