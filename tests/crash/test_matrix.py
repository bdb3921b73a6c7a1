"""The crash matrix: an engine dies at each named point, alone or with what it started, and nothing is lost or twice."""

import contextlib
import os
import signal
from collections import Counter

import pytest

from punchlist.dying import POINTS, VARIABLE
from tests.disturbed import Disturbed, as_if_nothing_had_been
from tests.installed import until

KILLED = -signal.SIGKILL
IN_A_RUN = [point for point in POINTS if point != "inside-migration"]  # which is where stores are migrated
WITH = ["the wrapper", "the worker", "all of it"]
TIMES = {"before-commit": 4, "after-commit": 4, "while-rendering": 20}
"""For which time a point is deadly, of those that an engine comes to often; the first commit is its own start."""


def died(disturbed: Disturbed, point: str, *, time: int) -> None:
    """Start the task under an engine that dies when it comes to a point for the given time."""
    disturbed.ok("engine", "stop")
    engine = disturbed.begun("engine", "run", env={VARIABLE: f"{point}:{time}"})
    until(lambda: disturbed.engine() == engine.pid, what="the engine runs")
    disturbed.ok("task", "start", "T1")
    assert disturbed.over(engine).code == KILLED


def kill_what_lives(disturbed: Disturbed, which: str) -> bool:
    """Kill of an attempt that lives on what is named, at one blow; return whether any did."""
    held = disturbed.held()
    wrappers = {int(path.read_text().split()[0]) for path in disturbed.root.glob(".punchlist/attempts/*/pid")} & held
    killed = {"the wrapper": wrappers, "the worker": held - wrappers, "all of it": held}[which]
    for sign in (signal.SIGSTOP, signal.SIGKILL):
        for pid in killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
    return bool(killed)


@pytest.mark.parametrize("point", IN_A_RUN)
def test_an_engine_that_dies(point: str, disturbed: Disturbed, undisturbed: Disturbed) -> None:
    died(disturbed, point, time=TIMES.get(point, 1))

    again = disturbed.punchlist("resume", "T1", "--wait")

    assert again.code == 0, again
    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.starts() == undisturbed.starts()


@pytest.mark.parametrize("which", WITH)
def test_an_engine_that_dies_when_it_has_started_an_attempt_and_with_it(
    which: str, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold("build")
    died(disturbed, "after-spawn", time=1)
    disturbed.until_at("build")
    lived = kill_what_lives(disturbed, which)

    again = disturbed.punchlist("resume", "T1", "--wait")

    assert lived
    assert again.code == 0, again
    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.starts() == undisturbed.starts() + Counter({"build": 1})


@pytest.mark.parametrize(
    ("point", "time"), [("after-commit", 2), ("before-commit", 3), ("after-commit", 6), ("before-commit", 9)]
)
def test_an_engine_that_dies_at_another_commit(
    point: str, time: int, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    died(disturbed, point, time=time)

    again = disturbed.punchlist("resume", "T1", "--wait")

    assert again.code == 0, again
    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.starts() == undisturbed.starts()
