from typing import Any

import pytest

from punchlist.engine.limits import twice
from punchlist.model.jobs import Limits
from punchlist.workers.limits import Use, Watch


def test_the_first_look_is_early_and_the_later_ones_are_rare() -> None:
    watch = Watch(Limits(timeout=3600), now=100)

    assert [watch.pause(100) for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_no_pause_goes_beyond_the_time_limit() -> None:
    watch = Watch(Limits(timeout=0.05), now=100)

    assert round(watch.pause(100), 3) == 0.05
    assert watch.pause(101) == 0


def test_wall_time_counts_from_the_start() -> None:
    watch = Watch(Limits(timeout=10), now=100)

    assert watch.look(109.9, output=0, growth=1) is None
    assert watch.look(110, output=0, growth=2) == "timeout"


def test_silence_counts_from_the_last_growth_that_was_seen() -> None:
    watch = Watch(Limits(timeout=1000, silence=10), now=100)

    assert watch.look(105, output=1, growth="a") is None
    assert watch.look(114, output=1, growth="a") is None
    assert watch.look(115, output=1, growth="a") == "silence"


def test_growth_breaks_the_silence() -> None:
    watch = Watch(Limits(timeout=1000, silence=10), now=100)
    watch.look(105, output=1, growth="a")

    assert watch.look(115, output=2, growth="b") is None


def test_without_a_limit_on_silence_nothing_is_silent() -> None:
    watch = Watch(Limits(timeout=1000), now=100)

    assert watch.look(999, output=0, growth=None) is None


def test_output_may_reach_its_limit_and_not_pass_it() -> None:
    watch = Watch(Limits(timeout=1000, output=5), now=100)

    assert watch.look(101, output=5, growth=1) is None
    assert watch.look(101, output=6, growth=2) == "output"


def test_memory_and_processes_may_reach_their_limits_and_not_pass_them() -> None:
    watch = Watch(Limits(timeout=1000, memory=5, processes=3), now=100)

    assert watch.look(101, output=0, growth=1, use=Use(memory=5, processes=3)) is None
    assert watch.look(102, output=0, growth=2, use=Use(memory=6, processes=3)) == "memory"
    assert watch.look(102, output=0, growth=3, use=Use(memory=5, processes=4)) == "processes"


def test_what_was_watched_before_goes_on_where_it_was() -> None:
    watch = Watch(Limits(timeout=10, silence=5), now=100, ran=8, silent=4, seen="a")

    assert watch.look(100.9, output=0, growth="a") is None
    assert watch.look(101, output=0, growth="a") == "silence"
    assert watch.look(102, output=0, growth="b") == "timeout"


@pytest.mark.parametrize(
    ("limit", "more"),
    [
        ({"timeout": 0.05}, "100ms"),
        ({"timeout": 45.0}, "90s"),
        ({"silence": 1800.0}, "1h"),
        ({"silence": None}, ""),
        ({"memory": 512 << 20}, "1GiB"),
        ({"output": 1001}, "2KiB"),
        ({"processes": 600_000}, "999999"),
    ],
)
def test_twice_a_limit_is_said_as_it_can_be_typed(limit: dict[str, Any], more: str) -> None:
    said: dict[str, Any] = {"timeout": 1.0, **limit}

    assert twice(Limits(**said), next(iter(limit))) == more


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ({"timeout": 90.0}, "90 s"),
        ({"silence": 0.5}, "0.5 s"),
        ({"memory": 8 << 30}, "8 GiB"),
        ({"memory": 1536 << 20}, "1536 MiB"),
        ({"output": 64 << 10}, "64 KiB"),
        ({"output": 1001}, "1001 bytes"),
        ({"processes": 1000}, "1000"),
    ],
)
def test_the_value_of_a_limit_is_told_with_its_unit(limit: dict[str, Any], told: str) -> None:
    said: dict[str, Any] = {"timeout": 1.0, **limit}

    assert Limits(**said).told(next(iter(limit))) == told
