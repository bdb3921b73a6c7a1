"""Hundreds of worlds, each by its seed: whatever happens, the laws hold and the run ends."""

import pytest
from hypothesis import settings

from tests.simulation.world import World

SEEDS = settings.default.max_examples if settings.default is not None else 100


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_laws_hold_in_the_world_of(seed: int) -> None:
    World(seed).run()
