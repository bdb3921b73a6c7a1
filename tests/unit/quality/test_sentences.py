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
    [("Overview", 1), ("Context", 1), ("Notes", 1), ("Out of scope", 0), ("Background", 0), ("What is wanted", 3)],
)
def test_less_of_what_stands_under_some_headings_asks(heading: str, found: int) -> None:
    spec = f"# Shop\n\n## {heading}\n\nAdd an export.\n\n- It must have dates.\n- It has rows.\n"

    assert len(list(demands(spec))) == found


def test_a_silent_part_within_a_telling_one_stays_silent() -> None:
    spec = "# Overview\n\nIt must sing.\n\n## Background\n\nIt must not dance.\n"

    assert [each.text for each in demands(spec)] == ["It must sing."]
