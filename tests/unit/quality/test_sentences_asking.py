"""Forty sentences, each with whether it asks for something: what the rule has to get right."""

import pytest

from punchlist.quality.sentences import demands

ASKING = """\
The file must have a header row.
Orders of another shop must never be shown.
The page shall load within a second.
A refund should name its order.
It may not write outside its folder.
Prices are always shown with their currency.
Only managers see the margin.
A login is required.
The clerk has to confirm a refund.
Add CSV export and PDF export.
Users can log in.
Please keep the old address working.
Do not log passwords.
Don't send a mail twice.
Return 404 for an unknown order.
Also write the total in the last row.
When the file is missing, create an empty one.
If two orders have the same number, refuse the second.
Support exports of more than a million rows.
Make it possible to undo an import.
An admin may delete a comment.
Anyone with the link can read the page.
Customers are able to change their address.
As a buyer, I want to see my last orders.
We need an export for the tax office.
Ensure that the total is right to the cent.
`greet` must take a language.
No traceback may ever reach a clerk.
Nobody may read it but its owner.
This page must load within a second.
**Log every refusal with its reason.**
"""
TELLING = """\
The library greets people by name.
It has grown over the years.
Many programs call it every day.
Support is available on weekdays.
Log files are kept in one folder.
Test data was made by hand.
This can happen when the network is slow.
Errors can be hard to find.
The shop opened ten years ago.
Why must every clerk copy it by hand?
Export jobs have been slow this year.
Orders come in by mail, and a clerk types them in.
This page says what the next version is to do.
Nobody noticed it, and that may happen again.
"""


@pytest.mark.parametrize("sentence", ASKING.splitlines())
def test_a_sentence_that_asks_is_a_demand(sentence: str) -> None:
    assert [each.text for each in demands(sentence)] == [sentence]


@pytest.mark.parametrize("sentence", TELLING.splitlines())
def test_a_sentence_that_tells_is_none(sentence: str) -> None:
    assert list(demands(sentence)) == []
