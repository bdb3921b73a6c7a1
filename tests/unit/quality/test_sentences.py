from pathlib import Path

import pytest

from punchlist.quality.sentences import Sentence, demands
from punchlist.quality.wording import forbids, names, spoken, words

SPEC = """\
# Exporter

The library reads tables. It must write CSV with a header row. Dates never lose
their zone!

- Quotes inside a cell are doubled. The cell is then quoted.
- [ ] Rows are written
  in the order given.

```python
must_not_count()
~~~
always()
```

| status | answer |
| --- | --- |
| 404 | The order is unknown. |
|  | |

## Background
Everything must fail here.

### History
It should not count either.

## Notes

- It may be of use elsewhere.
- The old reader must still read it.

## Limits

1. At most 10,000 rows.
"""


def test_what_asks_for_something_is_found_with_its_line() -> None:
    assert list(demands(SPEC)) == [
        Sentence("It must write CSV with a header row.", 3),
        Sentence("Dates never lose their zone!", 3),
        Sentence("Quotes inside a cell are doubled.", 6),
        Sentence("The cell is then quoted.", 6),
        Sentence("Rows are written in the order given.", 7),
        Sentence("404 The order is unknown.", 18),
        Sentence("The old reader must still read it.", 30),
        Sentence("At most 10,000 rows.", 34),
    ]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# Title", "It is nice.", "- - -", "It must.", "```\nIt must hold it", "---"]
)
def test_a_text_that_asks_for_nothing_has_no_demands(text: str) -> None:
    assert list(demands(text)) == []


def test_words_are_those_that_carry_meaning_without_their_endings() -> None:
    assert words("The exporters must export all quoted_cells of it.") == {"export", "quot", "cell"}
    assert words("Quoting") == words("quoted")
    assert words("it is to be") == frozenset()


def test_criteria_name_a_sentence_when_half_of_its_words_are_theirs() -> None:
    sentence = "It must write CSV with a header row."

    assert names(spoken(["The CSV file has a header."]), sentence)
    assert names(spoken(["The CSV file is there.", "It has a header."]), sentence)
    assert not names(spoken(["The file has a header."]), sentence)


FORBIDDEN = "It must never log passwords."


@pytest.mark.parametrize(
    "criterion",
    [
        "Passwords are not in the log.",
        "No password is logged.",
        "The log masks passwords.",
        "Logging a password is refused.",
        "Passwords and the log ! grep -q secret app.log",
        "A password in the log raises ValueError.",
    ],
)
def test_a_sentence_that_forbids_is_named_by_what_denies(criterion: str) -> None:
    assert names(spoken([criterion]), FORBIDDEN)


@pytest.mark.parametrize("criteria", [["It logs passwords."], ["It logs passwords.", "The file is not empty."]])
def test_a_sentence_that_forbids_is_not_named_by_what_only_has_its_words(criteria: list[str]) -> None:
    assert not names(spoken(criteria), FORBIDDEN)


@pytest.mark.parametrize(
    ("sentence", "forbidding"),
    [
        ("It must never log passwords.", True),
        ("Do not send mail twice.", True),
        ("Don\N{RIGHT SINGLE QUOTATION MARK}t send mail twice.", True),
        ("Nobody may read it.", True),
        ("If the file is not there, create it.", False),
        ("A name that is not known must be reported.", False),
        ("Ensure that passwords are not logged.", True),
        ("No more than ten rows are shown.", False),
        ("The header must hold not only the name.", False),
        ("It must write a header.", False),
    ],
)
def test_what_forbids_says_so_where_it_says_what_must_be(sentence: str, *, forbidding: bool) -> None:
    assert forbids(sentence) is forbidding


@pytest.mark.parametrize(
    ("heading", "found"),
    [
        *((each, 1) for each in ("Overview", "Context", "Notes", "How it works today", "Today", "The current state")),
        *((each, 0) for each in ("Out of scope", "Background", "Open questions", "Acknowledgements", "Thanks")),
        *((each, 3) for each in ("What is wanted", "How it works", "What users see", "The problem report")),
    ],
)
def test_less_of_what_stands_under_some_headings_asks(heading: str, found: int) -> None:
    spec = f"# Shop\n\n## {heading}\n\nAdd an export.\n\n- It must have dates.\n- It has rows.\n"

    assert len(list(demands(spec))) == found


def test_a_silent_part_within_a_telling_one_stays_silent() -> None:
    spec = "# Overview\n\nIt must sing.\n\n## Background\n\nIt must not dance.\n"

    assert [each.text for each in demands(spec)] == ["It must sing."]


def test_a_question_asks_for_nothing_in_a_list_either() -> None:
    assert list(demands("- Should the sheet name the shop?\n- Must it?\n")) == []


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It is slow. `price()` must be fast.", ["`price()` must be fast."]),
        (
            "It must take units, e.g. `kg` or i.e. KG. Add milligrams.",
            ["It must take units, e.g. `kg` or i.e. KG.", "Add milligrams."],
        ),
    ],
)
def test_code_begins_a_sentence_and_an_abbreviation_ends_none(text: str, sentences: list[str]) -> None:
    assert [each.text for each in demands(text)] == sentences


@pytest.mark.parametrize(
    "sentence",
    [
        "The total must be rounded up because that is what the carrier does with every bill it sends.",
        "The total must be rounded up rather than down or to the nearest multiple of ten pence.",
        "The total must be rounded up, since another program picks the sheet up at once.",
    ],
)
def test_the_reasons_of_a_sentence_need_no_criterion(sentence: str) -> None:
    assert names(spoken(["The total is rounded up."]), sentence)


def test_a_sentence_of_nothing_but_reasons_is_measured_by_them() -> None:
    assert not names(spoken(["The total is rounded up."]), "Because the carrier must never wait.")


WHOLE = Path(__file__).parents[2] / "agents" / "parcels" / "spec.md"
DEMANDS = {
    32: ["A plain", "Internally everything"],
    36: ['`grams("1.2 kg")`'],
    37: ["A weight"],
    38: ["Pounds and"],
    40: ["The parser", "A text"],
    50: ["500 g"],
    51: ["2 kg"],
    52: ["10 kg"],
    54: ["`price()` must", "Do not"],
    61: ["The header"],
    62: ["Each parcel"],
    63: ["The last"],
    65: ["The sheet", "If the", "Without the"],
    71: ["A line", "Report it", "The message", "No traceback"],
    76: ["That call", "Python 3.11"],
    81: ["Show the"],
}
"""The first two words of the sentences that ask for something, by line, as a reader of the spec would name them."""


def test_of_a_spec_of_two_pages_each_sentence_that_asks_is_found_and_no_other() -> None:
    found: dict[int, list[str]] = {}
    for each in demands(WHOLE.read_text(encoding="utf-8")):
        found.setdefault(each.line, []).append(" ".join(each.text.split()[:2]))

    assert found == DEMANDS


@pytest.mark.parametrize(
    "begins",
    ["# a", "# a #", "|a|\n|-|\n| a", "|a|\n|", "no one ", '."', "_", "If a, ", "A reader ", "It is so because "],
)
@pytest.mark.parametrize("goes_on", [" ", "-", "|", "_", "a ", "#", "'"])
def test_a_text_of_any_length_is_read_in_time_that_grows_with_it(begins: str, goes_on: str) -> None:
    text = f"{begins}{goes_on * 20_000}x"  # a rule that looks back over all of it would take minutes

    assert len(list(demands(text))) <= 1
    assert isinstance(names(spoken([text]), text), bool)
