"""Sentences that state a fact, each with whether it is one that a plan has to heed: what the rule has to get right."""

import msgspec
import pytest

from punchlist.model.results import Plan
from punchlist.quality.critique import critique, left_out
from punchlist.quality.sentences import demands

DEMANDED = """\
Responses come back within 200 ms.
The file is UTF-8 and has no BOM.
The page loads within a second.
A session lasts 30 minutes.
Backups are kept for 14 days.
Each project has at least one owner.
At most 100 rows are shown on a page.
Memory stays below 256 MB for a file of 2 GB.
The command exits with 2 when the file is missing.
An unknown order answers with 404.
The default page size is 20.
Uploads of up to 10 MB are accepted.
Timestamps are ISO 8601 in UTC.
A failed run leaves no files behind.
A name holds no more than 60 characters.
Search results arrive in under 300 ms for a catalogue of 100,000 books.
Each page shows 25 orders.
Prices are given to two decimals.
Start-up takes less than 2 seconds.
Requests are retried no more than three times.
Invoice numbers have 8 digits.
For orders of 500 rows and more, the export ends within 10 seconds.
"""
TOLD = """\
The import takes 40 minutes today.
The import takes 40 minutes.
The old report was 300 pages long.
Our server has 64 GB of memory.
About 5 % of the orders come from abroad.
Above 10 kg the carrier does not take parcels.
The team has 12 developers in 3 countries.
It is called 300 times a day.
The library has no tests.
Two clerks sometimes close the day within 5 minutes of each other.
The shop is 10 years old.
A parcel without a country is inland.
The till reads its prices from a file.
Version 2 came out 3 months ago.
Lines can be up to 2 MB long when the scale is broken.
Since 2019 each shop has 3 tills.
The warehouse is 40 km from the shop.
The code base has 40,000 lines.
Such files are 3 GB and more in practice.
Which one counts is said by a code of two letters.
People forget their password after a holiday.
Python 3.11 is what runs on the till.
"""


@pytest.mark.parametrize("sentence", DEMANDED.splitlines())
def test_a_fact_that_can_be_measured_is_a_demand(sentence: str) -> None:
    assert [each.text for each in demands(sentence)] == [sentence]


@pytest.mark.parametrize("sentence", TOLD.splitlines())
def test_a_fact_of_the_past_of_habit_or_of_people_is_none(sentence: str) -> None:
    assert list(demands(sentence)) == []


@pytest.mark.parametrize("heading", ["Background", "How it works today", "Overview", "Notes", "Out of scope"])
def test_where_a_text_only_tells_no_fact_is_a_demand(heading: str) -> None:
    assert list(demands(f"# Shop\n\n## {heading}\n\n{DEMANDED}")) == []


def test_a_plan_that_drops_what_was_stated_as_a_fact_is_told_so() -> None:
    step = {"title": "Answer", "goal": "g", "criteria": [{"text": "It answers.", "check": "make test"}]}
    plan = msgspec.convert({"schema": "punchlist/plan/1", "tasks": [{"title": "T", "steps": [step]}]}, Plan)

    remarks = critique(plan, asked="# Service\n\nIt answers.\n\nResponses come back within 200 ms.\n")

    assert [(each.kind, each.where) for each in remarks] == [("uncovered", "line 5")]
    assert left_out(plan, asked="Responses come back within 200 ms.") == (
        msgspec.structs.replace(remarks[0], where="line 1"),
    )


@pytest.mark.parametrize("goes_on", ["1", "is ", "within ", "each ", "has no ", "above a", "1,", "up to 1 "])
def test_a_sentence_of_any_length_is_judged_in_time_that_grows_with_it(goes_on: str) -> None:
    assert len(list(demands(goes_on * 20_000))) <= 1
