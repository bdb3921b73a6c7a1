"""Limits on what a whole tree of processes takes: sampled, classified, and the tree is ended at once."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from punchlist.model.jobs import FailureClass, Limits, Role
from punchlist.ports import Exit
from punchlist.service import gates, runs, status
from punchlist.workers.adopting import tree_of
from punchlist.workers.files import AttemptFiles
from punchlist.workers.sampling import use_of
from tests.attempts import Attempts, alive, orphaned, see_alive
from tests.services import stopped, workspace

MEBI = 1 << 20
HOG = "import sys, time; held = bytearray(b'x') * (int(sys.argv[1]) << 20); print('held', flush=True); time.sleep(600)"


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return f"{3_000_000 + os.getpid()}.{abs(hash(str(tmp_path))) % 1_000_000}"


def hog(megabytes: int, mark: str = "") -> str:
    return f'"{sys.executable}" -c "{HOG}" {megabytes} {mark}'


def test_a_process_that_takes_too_much_memory_is_ended_and_the_limit_named(attempts: Attempts) -> None:
    ended = attempts.sh(f"exec {hog(300)}", limits=Limits(timeout=60, memory=200 * MEBI))

    assert (ended.limit, ended.bound) == ("memory", "200 MiB")


def test_memory_is_that_of_the_whole_tree_also_of_what_left_its_session(attempts: Attempts, mark: str) -> None:
    script = f"(env -i setsid {hog(90, mark)} &) & {hog(90, mark)}"

    ended = attempts.sh(script, limits=Limits(timeout=60, memory=150 * MEBI))

    assert ended.limit == "memory", ended
    assert alive(mark) == []


def test_memory_that_processes_share_is_counted_once(attempts: Attempts) -> None:
    script = "import os, time; held = bytearray(b'x') * (150 << 20); [os.fork() for _ in range(2)]; time.sleep(1.5)"

    ended = attempts.run(sys.executable, "-c", script, limits=Limits(timeout=60, memory=300 * MEBI))

    assert (ended.code, ended.limit) == (0, None)


def test_what_has_too_many_processes_is_ended_at_once_although_it_hears_nothing(attempts: Attempts, mark: str) -> None:
    script = f"trap '' INT TERM; for each in $(seq 30); do setsid sleep {mark} & done; wait"

    ended = attempts.sh(script, limits=Limits(timeout=60, processes=20))

    assert (ended.limit, ended.bound) == ("processes", "20")
    assert alive(mark) == []


def test_as_many_processes_as_are_allowed_are_no_reason_to_end_any(attempts: Attempts) -> None:
    ended = attempts.sh("sleep 0.5 & sleep 0.5 & wait", limits=Limits(timeout=60, processes=3))

    assert (ended.code, ended.limit) == (0, None)


def test_what_another_engine_started_is_sampled_too(attempts: Attempts) -> None:
    with orphaned(attempts, f"{hog(300)} & READY; wait") as left:
        ended = left.adopted(limits=Limits(timeout=60, memory=200 * MEBI))

    assert isinstance(ended, Exit)
    assert ended.limit == "memory"


def test_nothing_is_looked_at_where_nothing_is_limited(attempts: Attempts, mark: str) -> None:
    with orphaned(attempts, f"READY; sleep {mark}"):
        see_alive(mark, count=1)
        tree = tree_of(AttemptFiles(attempts.root, attempts.job().attempt))

        none, some = use_of(tree, Limits(timeout=1)), use_of(tree, Limits(timeout=1, processes=9))

    assert none == (0, 0)
    assert some.processes == 2
    assert some.memory > 0


def test_an_agent_is_told_which_limit_it_passed_and_its_last_words(attempts: Attempts) -> None:
    outcome = attempts.perform(
        "command",
        {"argv": ["sh", "-c", f"echo working >&2; {hog(300)}"]},
        role=Role.BUILDER,
        limits=Limits(timeout=60, memory=200 * MEBI),
    )

    assert (outcome.status, outcome.failure, outcome.passed_limit) == ("timed_out", FailureClass.MEMORY, "memory")
    assert outcome.reason.startswith("it passed its memory limit (200 MiB) and was ended")
    assert "working" in outcome.reason


def test_how_much_may_be_written_is_a_rule_that_a_flow_says_too(tmp_path: Path) -> None:
    settings = '[engine]\nidle_exit = "1s"\n[policy]\noutput = "2KiB"\n'
    with stopped(workspace(tmp_path / "w", settings=settings, engine=True)) as service:
        flow = service.root / "own.yaml"
        text = "punchlist: 1\nflow: own\npolicy: {output: 4KiB}\nnodes: {many: {run: 'yes | head -c SIZE'}}\n"
        flow.write_text(text.replace("SIZE", "4096"))
        enough: Any = runs.run(service, str(flow))
        flow.write_text(text.replace("SIZE", "4097"))
        more: Any = runs.run(service, str(flow))
        runs.wait(service, [enough["run"]["id"], more["run"]["id"]])
        over: Any = runs.show(service, enough["run"]["id"])
        asked: Any = gates.listing(service)["gates"]

    assert over["run"]["status"] == "succeeded"
    assert [(each["kind"], each["run"]) for each in asked] == [("limit", more["run"]["id"])]
    assert "it passed its output limit (4 KiB)" in asked[0]["message"]


def test_a_rule_is_heeded_by_a_run_and_a_person_asked_who_raises_the_limit(tmp_path: Path) -> None:
    with stopped(workspace(tmp_path / "w", settings='[engine]\nidle_exit = "1s"\n', engine=True)) as service:
        flow = service.root / "own.yaml"
        flow.write_text('punchlist: 1\nflow: own\nnodes: {many: {run: "sleep 2 & sleep 2 & sleep 2 & wait"}}\n')

        started: Any = runs.run(service, str(flow), policy={"processes": 2, "memory": "1GiB"})
        waits: Any = runs.wait(service, [started["run"]["id"]])
        asked: Any = status.status(service)["waiting"]
        gates.decide(service, asked[0]["id"], choice="raise", data={"value": "9"})
        over: Any = runs.wait(service, [started["run"]["id"]])

    assert waits["runs"][0]["status"] == "waiting"
    assert asked[0]["kind"] == "limit"
    assert "it passed its processes limit (2)" in asked[0]["message"]
    assert over["runs"][0]["status"] == "succeeded"
