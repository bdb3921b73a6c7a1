from punchlist.model.jobs import Limits
from punchlist.workers.limits import Watch


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
