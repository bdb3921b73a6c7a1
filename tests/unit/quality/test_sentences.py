import pytest

from punchlist.quality.sentences import Sentence, demands, names, words

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

| must | not |
| --- | --- |

## Background
Everything must fail here.

### History
It should not count either.

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
        Sentence("At most 10,000 rows.", 27),
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
    sentence = words("It must write CSV with a header row.")

    assert names(words("The CSV file has a header."), sentence)
    assert not names(words("The file has a header."), sentence)
