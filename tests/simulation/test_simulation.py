"""Hundreds of worlds, each by its seed: whatever happens, the laws hold and the run ends."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from punchlist.engine.rows import all_rows
from punchlist.model.ids import NodePath, TaskId
from punchlist.model.rows import NodeRow
from punchlist.service.verification import rows_of_run
from tests.runs import Story
from tests.simulation.plain import Plain
from tests.simulation.stored import StoredStory
from tests.simulation.world import World

SEEDS = settings.default.max_examples if settings.default is not None else 100


def nodes_of(story: Story) -> dict[NodePath, NodeRow]:
    """Return the rows that a run's nodes must have."""
    return {row.path: row for row in all_rows(story.run) if isinstance(row, NodeRow)}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_laws_hold_in_the_world_of(seed: int) -> None:
    World(seed).run()


@pytest.mark.parametrize("seed", range(1000, 1000 + SEEDS // 10))
def test_the_laws_hold_when_all_that_a_crash_leaves_is_the_file_of_the_store(seed: int, tmp_path: Path) -> None:
    world = World(seed, kept=partial(StoredStory, tmp_path))
    world.run()

    story = world.story
    assert isinstance(story, StoredStory)
    with story.store.read() as reader:
        assert reader.verify() == []
        assert reader.task(TaskId("T1")) == story.task
        assert {each.path: each for each in reader.nodes(story.id)} == nodes_of(story)
        for row in (each for each in reader.streams() if each.kind == "run"):
            assert list(reader.differences(rows_of_run(row, reader.events(stream=row.stream)), stream=row)) == []


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_plain_flow_comes_to_a_good_end_however_it_is_steered_in_the_world_of(seed: int) -> None:
    Plain(seed).run()


@pytest.mark.parametrize("seed", range(1000, 1000 + SEEDS // 10))
def test_a_plain_flow_is_what_the_file_of_the_store_says_in_the_world_of(seed: int, tmp_path: Path) -> None:
    world = Plain(seed, kept=partial(StoredStory, tmp_path))
    world.run()

    story = world.story
    assert isinstance(story, StoredStory)
    with story.store.read() as reader:
        assert reader.verify() == []
        assert {each.path: each for each in reader.nodes(story.id)} == nodes_of(story)
