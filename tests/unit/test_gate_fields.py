"""What a choice of a gate takes: every value that does not fit is named with what is allowed."""

import pytest

from punchlist.errors import DefinitionError
from punchlist.model.gates import check_fields, choice_of


@pytest.mark.parametrize(
    ("kind", "choice", "field", "value", "allowed"),
    [
        ("rework", "more", "n", 0, "a whole number, 1 to 999,999,999"),
        ("rework", "more", "message", " ", "text that is not empty"),
        ("rework", "waive", "findings", [], "a list of texts, at least one"),
    ],
)
def test_a_value_that_does_not_fit_is_told_what_does(
    kind: str, choice: str, field: str, value: object, allowed: str
) -> None:
    given = {"reason": "known", field: value} if choice == "waive" else {field: value}

    with pytest.raises(DefinitionError) as refused:
        check_fields(choice_of(kind, choice), given)

    assert [(each.where, each.allowed) for each in refused.value.problems] == [(f"data.{field}", allowed)]
