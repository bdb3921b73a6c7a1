"""What is said of a document that is refused: each problem with its place, what was seen, and what is allowed."""

import sys
import unicodedata

import msgspec
import pytest

from punchlist.errors import DefinitionError, Problem, with_article
from punchlist.model.json import Json
from punchlist.model.parse import parse
from punchlist.model.parts import Part
from punchlist.model.policy import PolicyPart
from punchlist.model.records import ProjectFile, TaskFile
from punchlist.model.states import StepStatus

TITLE = (
    "one line of at most 200 characters, not blank, without control characters or invisible ones; "
    "no path such as /etc or ../x"
)


class Lone(msgspec.Struct):
    """A record with a rule that no schema says."""

    name: str

    def __post_init__(self) -> None:
        raise ValueError("a lone rule")


def refused(kind: type[object], value: Json) -> list[tuple[str, str, str]]:
    """Return place, message and what is allowed, of each problem."""
    with pytest.raises(DefinitionError) as caught:
        _ = parse(kind, value, what="it")
    return [(each.where, each.message, each.allowed) for each in caught.value.problems]


@pytest.mark.parametrize(
    "title", ["../../x", "..", "../x", "a/../b", "/etc/passwd", "/", "a\n", "a\nb", "a\x1b", "", "  ", "a\u202eb"]
)
def test_a_title_that_is_a_path_or_more_than_a_line_is_refused(title: str) -> None:
    assert refused(TaskFile, {"title": title}) == [("title", f"saw {title!r}", TITLE)]


def test_a_title_that_holds_what_nobody_sees_is_refused() -> None:
    invisible = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"]

    for each in invisible:
        assert [where for where, *_ in refused(TaskFile, {"title": f"x{each}"})] == ["title"], ascii(each)


@pytest.mark.parametrize("kind", [TaskFile, ProjectFile])
def test_a_control_character_in_a_spec_is_refused_with_its_line(kind: type[object]) -> None:
    spec = "# Spec\r\n\n" + "It must be\tthere.\n" * 9 + "And\x00gone.\n"

    ((where, message, allowed),) = refused(kind, {"title": "t", "spec": spec})

    assert (where, message.rpartition(", ")[2]) == ("spec", "with U+0000 on line 12")
    assert allowed == "text of at most 200,000 characters, without control characters but tabs and ends of lines"
    assert parse(kind, {"title": "t", "spec": spec.replace("\x00", "")}, what="it")


def test_a_text_that_is_merely_too_long_is_told_by_its_length() -> None:
    ((_, message, _),) = refused(TaskFile, {"title": "x" * 201})

    assert message.endswith("… (203 characters)")


@pytest.mark.parametrize("code", [*range(9), 11, 12, *range(14, 32)])
def test_no_control_character_stands_in_a_goal(code: int) -> None:
    steps: Json = [{"title": "a", "goal": f"a{chr(code)}\n", "criteria": ["t"]}]

    assert refused(TaskFile, {"title": "t", "steps": steps})[0][:2] == (
        "steps[0].goal",
        f"saw 'a{repr(chr(code))[1:-1]}\\n'",
    )


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


@pytest.mark.parametrize("field", ["text", "check"])
def test_a_criterion_of_blanks_is_refused_like_an_empty_one(field: str) -> None:
    criterion: dict[str, Json] = {"text": "t", "check": "true", field: " \t\n"}

    found = refused(TaskFile, {"title": "t", "steps": [{"title": "a", "criteria": [criterion, "  "]}]})

    assert [where for where, *_ in sorted(found)] == [f"steps[0].criteria[0].{field}", "steps[0].criteria[1]"]


def test_a_value_that_none_of_several_kinds_allows_is_told_what_all_of_them_allow() -> None:
    criterion: Json = {"text": "t", "check": "x", "timeout": 0, "red_first": "perhaps"}
    steps: Json = [{"title": "a", "needs": [True, "b"], "criteria": [criterion, 4]}]

    assert sorted(refused(TaskFile, {"title": "t", "steps": steps})) == [
        ("steps[0].criteria[0].red_first", "saw 'perhaps'", "auto or true or false"),
        ("steps[0].criteria[0].timeout", "saw 0", "a whole number with ms, s, m, h or d: 30s, 5m, 2h"),
        ("steps[0].criteria[1]", "saw 4", "text of 1 to 4,000 characters, not blank, none of them NUL or an object"),
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


def test_every_unknown_field_is_a_problem_of_its_own_with_its_nearest_name() -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(TaskFile, {"title": "t", "lables": [], "polcy": {}}, what="it")

    assert [problem.hint for problem in caught.value.problems] == ["Did you mean 'labels'?", "Did you mean 'policy'?"]


def test_a_word_that_is_none_of_those_allowed_is_told_the_nearest() -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(tuple[StepStatus | None, ...], ["pending", "acepted"], what="it")

    assert [(each.where, each.hint) for each in caught.value.problems] == [("[1]", "Did you mean 'accepted'?")]


def test_what_the_validator_takes_and_the_record_does_not_is_told_in_the_words_of_the_record() -> None:
    with pytest.raises(DefinitionError, match="lone"):
        parse(Lone, {"name": "x"}, what="it")


def test_of_a_part_that_is_refused_nothing_more_is_told() -> None:
    def meaning(part: Part) -> list[Problem]:
        policy = part.field("policy")
        assert (policy.value, policy.said, policy.fields(), policy.field("rework").said) == (None, True, {}, False)
        assert (part.field("spec").said, part.field("labels").each()) == (False, [])
        return [Problem("elsewhere.than[3].known", "told last"), Problem("title", "told first")]

    with pytest.raises(DefinitionError) as caught:
        parse(TaskFile, {"title": "t", "policy": 5, "labels": "x"}, what="it", meaning=meaning)

    assert [each.where for each in caught.value.problems] == ["title", "policy", "labels", "elsewhere.than[3].known"]


@pytest.mark.parametrize(("noun", "said"), [("attempt", "an attempt"), ("int", "an int"), ("task", "a task")])
def test_a_noun_has_its_article(noun: str, said: str) -> None:
    assert with_article(noun) == said
