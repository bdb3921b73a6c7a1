"""A machine that sleeps while an attempt is at work: its sleep is no part of any limit, whichever engine watches."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from punchlist.model.jobs import Limits
from punchlist.ports import Exit
from punchlist.workers.clocks import Clocks, clocks_now
from tests.attempts import Attempts, Orphaned, orphaned

NIGHT = 8 * 3600.0
HOUR = 3600.0
Left = Callable[[Clocks], Orphaned]


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Left]:
    """Leave an attempt behind, to be adopted by an engine whose clocks have gone on by so much."""
    with ExitStack() as ends:

        def leave(later: Clocks) -> Orphaned:
            def clocks() -> Clocks:
                now = clocks_now()
                return Clocks(boot=now.boot + later.boot, awake=now.awake + later.awake)

            return ends.enter_context(orphaned(Attempts(tmp_path, clocks=clocks), "echo said; READY; HELD; exit 5"))

        yield leave


def aged(attempt: Orphaned, by: float) -> None:
    """Let its last word have been so long ago, by the clock of the file system."""
    for name in ("stdout", "stderr", "request.json"):
        path = attempt.attempts.directory() / name
        os.utime(path, (time.time() - by, time.time() - by))


def test_a_night_of_sleep_is_no_part_of_an_adopted_attempt_s_time(left: Left) -> None:
    attempt = left(Clocks(boot=NIGHT, awake=0))
    aged(attempt, NIGHT)

    ended = attempt.adopted(attempt.go_on, limits=Limits(timeout=HOUR, silence=HOUR))

    assert isinstance(ended, Exit)
    assert (ended.code, ended.limit) == (5, None)


@pytest.mark.parametrize(("limits", "passed"), [((HOUR, None), "timeout"), ((9 * HOUR, HOUR), "silence")])
def test_a_night_in_which_nobody_watched_and_nothing_slept_counts(
    left: Left, limits: tuple[float, float | None], passed: str
) -> None:
    attempt = left(Clocks(boot=NIGHT, awake=NIGHT))
    aged(attempt, NIGHT)

    ended = attempt.adopted(limits=Limits(timeout=limits[0], silence=limits[1]))

    assert isinstance(ended, Exit)
    assert ended.limit == passed


def test_what_is_awake_of_a_night_counts(left: Left) -> None:
    attempt = left(Clocks(boot=NIGHT, awake=2 * HOUR))

    ended = attempt.adopted(limits=Limits(timeout=HOUR))

    assert isinstance(ended, Exit)
    assert ended.limit == "timeout"


def test_sleep_before_an_attempt_began_is_not_taken_off(tmp_path: Path) -> None:
    asleep_before = Attempts(tmp_path, clocks=lambda: Clocks(boot=NIGHT + 5, awake=5))

    asleep_before.run("true")

    request = msgspec.json.decode((asleep_before.directory() / "request.json").read_bytes())
    assert request["slept"] == NIGHT
