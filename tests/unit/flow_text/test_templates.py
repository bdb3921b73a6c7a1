import pytest

from punchlist.flow.syntax import Chain, flaws, parse
from punchlist.flow.templates import FlawError, split, whole


def texts(template: str) -> list[tuple[str, bool]]:
    return [(part.text, part.expression) for part in split(template)]


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("", []),
        ("plain", [("plain", False)]),
        ("${{ a }}", [("a", True)]),
        ("x ${{a}}y${{ b }}", [("x ", False), ("a", True), ("y", False), ("b", True)]),
        ("$${{ a }} ${{ b }}", [("${{ a }} ", False), ("b", True)]),
        ("$$${{ a", [("$${{ a", False)]),
        ("${{ {'a': {'b': '}}'}} }}", [("{'a': {'b': '}}'}}", True)]),
        ("${{ '''a'}}''' + r'}}\\' }}", [("'''a'}}''' + r'}}\\'", True)]),
        ('${{ "\\"}}" }}', [('"\\"}}"', True)]),
        ("${{ a // }}", [("a //", True)]),
        ("{{ a }} }} $ { {", [("{{ a }} }} $ { {", False)]),
    ],
)
def test_a_template_is_split_at_its_expressions(template: str, parts: list[tuple[str, bool]]) -> None:
    assert texts(template) == parts


def test_each_part_knows_where_its_text_begins() -> None:
    assert [(part.offset, part.text) for part in split("ab${{  c }}d")] == [(0, "ab"), (7, "c"), (11, "d")]


@pytest.mark.parametrize("template", ["${{", "a ${{ b }", "${{ b } }}", "${{ {'a': 1} "])
def test_an_expression_that_is_not_closed_is_a_flaw_where_it_begins(template: str) -> None:
    with pytest.raises(FlawError, match="not closed") as caught:
        split(template)

    assert caught.value.offset == template.index("${{")


def test_an_empty_expression_is_a_flaw() -> None:
    with pytest.raises(FlawError, match="empty expression") as caught:
        split("ab ${{  }}")

    assert caught.value.offset == 3


def test_only_one_expression_with_nothing_around_it_is_a_whole_value() -> None:
    found = whole(" ${{ a }}\n")

    assert found is not None
    assert (found.text, found.offset) == ("a", 5)
    assert whole("${{ a }}${{ b }}") is None
    assert whole("x ${{ a }}") is None
    assert whole("$${{ a }}") is None
    assert whole("a") is None


def names(expression: str) -> list[str]:
    return [".".join(chain.names) + ("?" if chain.tested else "") for chain in parse(expression).chains]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("a", ["a"]),
        ("a.b.c == 'x.y'", ["a.b.c"]),
        (".a.b", ["a.b"]),
        ("has(a.b) && !a.c", ["a.b?", "a.c"]),
        ("a.xs.exists(x, x.y == b)", ["a.xs", "b"]),
        ("[1].map(x, [2].map(y, x + y + z))", ["z"]),
        ("xs.map(x, x) + x", ["xs", "x"]),
        ("a[b.c].d", ["a", "b.c"]),
        ("{a: [b], 'c': d}", ["a", "b", "d"]),
        ("a.startsWith(b) ? size(c) : 1.5", ["a", "b", "c"]),
        ("type(a) == int", ["a", "int"]),
        ("1u + 2.5e3 + 300000", []),
        ("f(a).b", ["a"]),
    ],
)
def test_the_names_of_an_expression_are_those_that_no_macro_binds(expression: str, found: list[str]) -> None:
    assert sorted(names(expression)) == sorted(found)


def test_a_name_knows_where_it_and_its_fields_stand() -> None:
    assert parse("1 + ab.cd.e").chains == (Chain(("ab", "cd", "e"), (4, 7, 10)),)


def test_an_expression_that_is_one_name_says_so() -> None:
    assert parse("a.b").only
    assert not parse("has(a.b)").only
    assert not parse("a['b'].c").only
    assert not parse("(a) + 1").only


@pytest.mark.parametrize(
    ("expression", "offset", "message"),
    [
        ("a +", 3, "ends too early"),
        ("a\n + ü", 5, "token recognition error"),
        ("(" * 40 + "1" + ")" * 40, 0, "recursion"),
        ("a\ud800", 0, "lone surrogate"),
        ("loop", 0, "reserved identifier"),
        ("a = 1", 2, "token recognition"),
    ],
)
def test_what_is_no_expression_is_a_flaw_with_its_place(expression: str, offset: int, message: str) -> None:
    with pytest.raises(FlawError, match=message) as caught:
        parse(expression)

    assert caught.value.offset == offset


def test_a_message_without_a_place_is_a_flaw_at_the_beginning_and_a_long_one_is_cut() -> None:
    found = flaws("a", "x" * 400 + " [CANCELLED]")

    assert (found[0].offset, len(found[0].message)) == (0, 301)
