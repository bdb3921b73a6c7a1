"""What is said of a flow with mistakes, word for word; `python -m tests.golden.flows.flows` writes that anew."""

import pytest

from tests.golden.flows.flows import EXPECTED, cases, said


@pytest.mark.parametrize("case", cases())
def test_all_that_is_wrong_with_a_flow_is_said_at_once(case: str) -> None:
    assert said(case) == (EXPECTED / f"{case}.txt").read_text(encoding="utf-8")


def test_every_golden_file_has_its_case() -> None:
    assert sorted(path.stem for path in EXPECTED.iterdir()) == cases()
