"""The canonical form against the library that defines it here."""

import rfc8785
from hypothesis import given, strategies as st

from punchlist.model.json import Json, canonical

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, max_value=1e15, min_value=-1e15)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=6))


@given(VALUES)
def test_any_value_has_the_form_that_rfc_8785_gives_it(value: Json) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_names_beyond_the_first_plane_are_sorted_by_their_utf_16_units() -> None:
    value: Json = {"\U0001f600": 1, "\ue000": 2, "a": {"\r\t\x7f\u2028": '\x00\x1f/\\"'}}

    assert canonical(value) == rfc8785.dumps(value)
    assert canonical(value).index("\U0001f600".encode()) < canonical(value).index("\ue000".encode())
