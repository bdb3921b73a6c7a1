import pytest

from punchlist.flow.document import compose, plain
from punchlist.flow.problems import Problems
from punchlist.model.json import Json


def read(text: str) -> Json:
    problems = Problems("f.yaml")
    tree = compose(text, problems)
    assert problems.none, problems.error()
    assert tree is not None
    return plain(tree)


def problems_of(text: str) -> list[str]:
    problems = Problems("f.yaml")
    compose(text, problems)
    assert not problems.none
    return [str(problem) for problem in problems.error().problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("~", None),
        ("True", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("12", 12),
        ("-3", -3),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-11-21", "2026-11-21"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        ("<<", "<<"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("|\n  null\n", "null\n"),
        ("\ufefftext", "text"),
    ],
)
def test_a_scalar_has_the_type_of_the_core_schema(text: str, value: Json) -> None:
    read_value = read(text)

    assert read_value == value
    assert type(read_value) is type(value)


def test_lists_and_maps_keep_their_order_and_an_empty_value_is_null() -> None:
    assert read("b: [1, {c: 2}]\na:\n") == {"b": [1, {"c": 2}], "a": None}


def test_an_alias_stands_for_what_it_names() -> None:
    assert read("a: &x {k: [1]}\nb: *x\n") == {"a": {"k": [1]}, "b": {"k": [1]}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "f.yaml:1:1: the file is empty"),
        ("# only a comment\n", "f.yaml:1:1: the file is empty"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' stands here twice; first in line 1"),
        ("a: !!str 1\n", "f.yaml:1:4: the tag tag:yaml.org,2002:str is not allowed"),
        ("a: !x [1]\n", "f.yaml:1:4: the tag !x is not allowed"),
        ("a: !x {}\n", "f.yaml:1:4: the tag !x is not allowed"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here"),
        ("1: x\n", 'f.yaml:1:1: the key 1 is not text. Write "1".'),
        ("? [a]\n: b\n", "f.yaml:1:3: a list or a map cannot be a key"),
        ("a: 9007199254740992\n", "f.yaml:1:4: 9007199254740992 is beyond ±(2^53 - 1)"),
        (f"a: {'9' * 5000}\n", "f.yaml:1:4: 99999999999999999999 is beyond"),
        ("a: .inf\n", "f.yaml:1:4: .inf is no number in JSON"),
        ("a: .NaN\n", "f.yaml:1:4: .NaN is no number in JSON"),
        ("a: 1e999\n", "f.yaml:1:4: 1e999 is no number in JSON"),
        ("a: *x\n", "f.yaml:1:4: the alias '*x' has no anchor '&x' that ends before it"),
        ("abc: &abc 1\nb: *abd\n", "Did you mean 'abc'?"),
        ("a: &a [*a]\n", "f.yaml:1:8: the alias '*a' has no anchor"),
        ("a: b\x07\n", "f.yaml:1:5: the character U+0007 cannot stand in YAML"),
        ("a: b\nc: \ud800\n", "f.yaml:2:4: the character U+D800 cannot stand in YAML"),
        ('a: [b, "\\0"]\n', "f.yaml:1:8: the character U+0000 cannot stand in a definition"),
        ("a:\n\tb: 1\n", "f.yaml:2:1: this is not YAML"),
        ("a:\n\tb: 1\n", "Indent with spaces: YAML does not take tabs."),
        ("a: {b: ${{ x }}}\n", "f.yaml:1:9: this is not YAML: while parsing a flow mapping"),
        ("a: {b: ${{ x }}}\n", 'Quote it: "${{ … }}".'),
        ("a: ${{ b ? c : d }}\n", 'Quote it: "${{ … }}".'),
        ("a: b: c\n", "A value with ': ' in it must be quoted"),
        ("{a: 1\n", "f.yaml:2:1: this is not YAML"),
        ("%YAML 3.0\n---\na: 1\n", "f.yaml:1:1: this is not YAML: found incompatible YAML document"),
        ("[" * 61 + "]" * 61, "f.yaml:1:61: nested more than 60 levels deep"),
        ("{a: " * 61 + "1" + "}" * 61, "nested more than 60 levels deep"),
        (f"a: &a {'[' * 40}{']' * 40}\nb: {'[' * 30}*a{']' * 30}\n", "f.yaml:2:34: nested more than 60 levels deep"),
    ],
)
def test_what_yaml_may_not_hold_is_told_with_its_place(text: str, problem: str) -> None:
    assert any(problem in each for each in problems_of(text)), problems_of(text)


def test_aliases_that_unfold_without_end_are_refused_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]

    problems = problems_of("\n".join(lines))

    assert len(problems) == 1
    assert problems[0].startswith("f.yaml:3:")
    assert "aliases unfold to more than 1,000 nodes" in problems[0]


def test_all_problems_of_a_document_are_told_in_the_order_of_their_places() -> None:
    assert [each.partition(": ")[0] for each in problems_of("a: .inf\na: !x 1\n2: x\n")] == [
        "f.yaml:1:4",
        "f.yaml:2:1",
        "f.yaml:2:4",
        "f.yaml:3:1",
    ]
