"""The plan of each built-in flow, word for word; `python -m tests.golden.plans.plans` writes that anew."""

import pytest

from tests.golden.plans.plans import EXPECTED, INPUTS, names, said


@pytest.mark.parametrize("name", names())
def test_a_built_in_flow_comes_to_this(name: str) -> None:
    assert said(name) == (EXPECTED / f"{name}.txt").read_text(encoding="utf-8")


def test_every_built_in_flow_has_its_plan() -> None:
    assert sorted(path.stem for path in EXPECTED.iterdir()) == names() == sorted(INPUTS)
