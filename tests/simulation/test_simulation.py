"""Thousands of worlds, each by its seed: whatever happens in them, the laws hold and everything comes to its end."""

import pytest

from tests.simulation.shrink import shrunk
from tests.simulation.soak import first_failure

SEEDS = 2_000
CHUNK = 40


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_law_holds_in_the_worlds_from(first: int) -> None:
    failure = first_failure(range(first, first + CHUNK))

    assert failure is None, f"\n{shrunk(failure)}"
