"""The crash matrix: an engine dies at each named point, alone or with what it started, and nothing is lost or twice."""

import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache

import pytest

from punchlist.dying import POINTS, VARIABLE
from tests.disturbed import Disturbed, as_if_nothing_had_been, blow, outcomes
from tests.installed import until
from tools.pages.crash_matrix import BESIDE, NEVER_RAN

KILLED = -signal.SIGKILL
MIGRATION = "inside-migration"
IN_A_RUN = [point for point in POINTS if point != MIGRATION]  # which is where stores are migrated
WITH = ["wrapper", "worker", "all"]
TIMES = {"before-commit": 5, "after-commit": 5, "before-spawn": 5, "after-spawn": 5, "while-rendering": 20}
"""For which time a point is deadly, where it is come to often; an engine's start and what is beside come first."""
BEFORE = ("drop index attempts_live", "pragma user_version = 6")
"""How the store of this format is made one of format 6, from which migrations lead on."""


def engine_that_dies(disturbed: Disturbed, point: str, *, time: int) -> subprocess.Popen[str]:
    """Begin an engine that dies when it comes to a point for the given time."""
    disturbed.ok("engine", "stop")
    engine = disturbed.begun("engine", "run", env={VARIABLE: f"{point}:{time}"})
    until(lambda: disturbed.engine() == engine.pid, what="the engine runs")
    return engine


def died(disturbed: Disturbed, point: str, *, time: int) -> None:
    """Start the task under an engine that dies when it comes to a point for the given time."""
    engine = engine_that_dies(disturbed, point, time=time)
    disturbed.ok("task", "start", "T1")
    assert disturbed.over(engine).code == KILLED


def begin_beside(disturbed: Disturbed) -> str:
    """Start a run of one node for each way to die with the engine, and return when all are at work and are held."""
    stop, again = disturbed.root / "stop", "{max: 1, backoff: {first: 1ms}}"
    nodes = "".join(f"  {who}: {{needs: [], run: [{stop}, {who}], retry: {again}}}\n" for who in BESIDE)
    disturbed.write("beside.yaml", f"punchlist: 1\nflow: beside\npolicy: {{max_parallel: 4}}\nnodes:\n{nodes}")
    disturbed.hold(*BESIDE)
    run = disturbed.ok("run", "beside.yaml")["run"]["id"]
    for who in BESIDE:
        disturbed.until_at(who)
    return str(run)


def strike(disturbed: Disturbed) -> set[str]:
    """Kill what dies with the engine, of each attempt beside what its name says; return of which nothing was there."""
    attempts = dict(line.split() for line in disturbed.started() if line.split()[0] in BESIDE)
    parts = {who: disturbed.parts(attempts[who])[who] for who in BESIDE}
    blow([pid for pids in parts.values() for pid in pids])
    return {who for who, pids in parts.items() if not pids}


def is_over(disturbed: Disturbed, undisturbed: Disturbed, *, run: str, point: str) -> None:
    """See that what is beside ends as the matrix has it, and the task as if nothing had been."""
    disturbed.let_go("engine")
    assert disturbed.punchlist("resume", run, "--wait").code == 0
    as_if_nothing_had_been(disturbed, undisturbed)
    ended = {node: [each["status"] for each in made] for node, made in outcomes(disturbed).items()}
    assert {who: tuple(ended.pop(who)) for who in BESIDE} == BESIDE
    assert disturbed.starts() == undisturbed.starts() + Counter({who: len(each) for who, each in BESIDE.items()})
    assert counted(ended) == counted_undisturbed(undisturbed) + Counter(lost=int(point in NEVER_RAN))


def counted(ended: Mapping[str, Sequence[str]]) -> Counter[str]:
    """Count attempts by how they ended."""
    return Counter(status for statuses in ended.values() for status in statuses)


@cache
def counted_undisturbed(undisturbed: Disturbed) -> Counter[str]:
    """Count those of the task that was left alone."""
    return Counter(each["status"] for made in outcomes(undisturbed).values() for each in made)


@pytest.mark.parametrize("point", IN_A_RUN)
def test_an_engine_that_dies_while_others_are_at_work_and_with_them(
    point: str, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    engine = engine_that_dies(disturbed, point, time=TIMES.get(point, 1))
    run = begin_beside(disturbed)
    lived = engine.poll() is None
    disturbed.ok("task", "start", "T1")
    code = disturbed.over(engine).code
    none = strike(disturbed)

    again = disturbed.punchlist("resume", "T1", "--wait")

    assert (lived, code, none) == (True, KILLED, {"engine"})
    assert again.code == 0, again
    is_over(disturbed, undisturbed, run=run, point=point)


def test_an_engine_that_dies_while_it_migrates_the_store_of_attempts_at_work_and_with_them(
    disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    run = begin_beside(disturbed)
    disturbed.kill_engine()
    with closing(sqlite3.connect(disturbed.root / ".punchlist" / "state.db", isolation_level=None)) as connection:
        for statement in BEFORE:
            connection.execute(statement)
    code = disturbed.punchlist("engine", "run", env={VARIABLE: MIGRATION}).code
    none = strike(disturbed)

    started = disturbed.punchlist("task", "start", "T1", "--wait")

    assert (code, none) == (KILLED, {"engine"})
    assert started.code == 0, started
    is_over(disturbed, undisturbed, run=run, point=MIGRATION)


@pytest.mark.parametrize("which", WITH)
def test_an_engine_that_dies_with_the_attempt_that_it_has_just_started(
    which: str, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold("build")
    died(disturbed, "after-spawn", time=1)
    disturbed.until_at("build")
    parts = disturbed.parts()[which]
    blow(parts)

    again = disturbed.punchlist("resume", "T1", "--wait")

    assert parts
    assert again.code == 0, again
    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.starts() == undisturbed.starts() + Counter({"build": 1})


@pytest.mark.parametrize(("point", "time"), [("after-commit", 2), ("before-commit", 3), ("before-commit", 9)])
def test_an_engine_that_dies_at_another_commit(
    point: str, time: int, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    died(disturbed, point, time=time)

    again = disturbed.punchlist("resume", "T1", "--wait")

    assert again.code == 0, again
    as_if_nothing_had_been(disturbed, undisturbed)
    assert disturbed.starts() == undisturbed.starts()
