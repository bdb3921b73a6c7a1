"""The engine dies at any moment; afterwards the task ends as if nothing had been, and nothing is done twice."""

import os
import random
import signal
import sys
import time
from collections import Counter

import pytest

from tests.disturbed import Disturbed, as_if_nothing_had_been
from tests.installed import PATIENCE, until

REFUSED, INTERRUPTED = 3, 130
ROLES = {"build": "builder", "check": "check", "review": "qa"}


@pytest.mark.parametrize("way", ["resume {run} --wait", "engine start"])
@pytest.mark.parametrize("point", ROLES)
def test_an_engine_killed_in_the_middle_of_a(
    point: str, way: str, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold(point)
    run = disturbed.ok("task", "start", "T1")["run"]["id"]
    disturbed.until_at(point)
    held = disturbed.held()

    disturbed.killed("engine")
    survivors = disturbed.held()
    again = disturbed.begun(*way.format(run=run).split())
    disturbed.until_taken_up()
    disturbed.let_go(point)
    call = disturbed.over(again)

    assert call.code == 0, call
    assert held == survivors != set()
    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.starts() == undisturbed.starts()
    assert disturbed.endings() == undisturbed.endings()


@pytest.mark.parametrize("who", ["wrapper", "worker", "all"])
@pytest.mark.parametrize("point", ROLES)
def test_an_engine_killed_with_what_it_waited_for_in_the_middle_of_a(
    point: str, who: str, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold(point)
    disturbed.ok("task", "start", "T1")
    disturbed.until_at(point)

    disturbed.killed(who)
    call = disturbed.punchlist("resume", "T1", "--wait")

    assert call.code == 0, call
    as_if_nothing_had_been(disturbed, undisturbed)
    status = "failed" if who == "worker" else "lost"  # who outlives the worker says how that ended
    assert disturbed.endings() == undisturbed.endings() + Counter({(ROLES[point], status): 1})
    assert disturbed.starts() == undisturbed.starts() + Counter({point: 1})


def test_an_attempt_that_ends_while_no_engine_runs_is_not_run_again(
    disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")

    disturbed.killed("engine")
    disturbed.let_go("build")
    until(lambda: not disturbed.processes(), what="the worker has ended")
    call = disturbed.punchlist("resume", "T1", "--wait")

    assert call.code == 0, call
    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.starts() == undisturbed.starts()


def test_an_engine_killed_again_and_again_starts_nothing_twice(disturbed: Disturbed, undisturbed: Disturbed) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")

    for _ in range(4):  # three times lost would have asked a person
        disturbed.killed("engine")
        disturbed.ok("engine", "start")
        disturbed.until_taken_up()
    disturbed.let_go("build")

    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.starts() == undisturbed.starts()


@pytest.mark.parametrize("seed", range(3))
def test_an_engine_killed_while_it_judges_and_integrates(
    seed: int, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    chance = random.Random(seed)
    delays = [chance.uniform(0.0, 0.3) for _ in range(2)]
    sys.stdout.write(f"seed {seed}: killed {' and '.join(f'{delay:.3f} s' for delay in delays)} after a start\n")
    disturbed.hold("review")
    disturbed.ok("task", "start", "T1")

    disturbed.until_at("review")
    disturbed.let_go("review")
    for delay in delays:
        time.sleep(delay)  # the blow falls at any moment; nothing is waited for
        disturbed.kill_engine()
        disturbed.ok("engine", "start")

    as_if_nothing_had_been(disturbed, undisturbed)


def test_a_second_engine_is_refused_and_told_who_works(disturbed: Disturbed, undisturbed: Disturbed) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")
    first = disturbed.engine()

    call = disturbed.punchlist("engine", "run")
    disturbed.let_go("build")

    assert call.code == REFUSED, call
    assert f"process {first}" in call.err
    assert disturbed.engine() == first
    as_if_nothing_had_been(disturbed, undisturbed)


def test_a_second_engine_is_refused_although_the_locks_file_was_removed(
    disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")
    first = disturbed.engine()
    (disturbed.root / ".punchlist" / "engine.lock").unlink()

    call = disturbed.punchlist("engine", "run")
    disturbed.let_go("build")

    assert call.code == REFUSED, call
    assert "another engine runs here already" in call.err  # and who, once that one has made the file anew
    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.engine() == first


def test_interrupting_the_view_leaves_the_run_alone(disturbed: Disturbed, undisturbed: Disturbed) -> None:
    disturbed.hold("build")
    view = disturbed.begun("task", "start", "T1", "--follow", process_group=0)
    disturbed.until_at("build")

    os.killpg(view.pid, signal.SIGINT)
    _, said = view.communicate(timeout=PATIENCE)
    disturbed.let_go("build")

    assert view.returncode == INTERRUPTED, said
    assert "Traceback" not in said
    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.starts() == undisturbed.starts()


def test_an_engine_that_is_told_to_end_leaves_nothing_behind_and_goes_on_later(
    disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")

    stopped = disturbed.ok("engine", "stop")
    left = disturbed.processes()
    call = disturbed.punchlist("resume", "T1", "--wait")

    assert stopped["stopped"] is True
    assert left == {}
    assert call.code == 0, call
    as_if_nothing_had_been(disturbed, undisturbed)
