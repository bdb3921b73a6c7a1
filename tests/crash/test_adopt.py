"""What is asked of an attempt that another engine started is done as if this one had."""

import os
import signal
from collections import Counter

import pytest

from tests.disturbed import Disturbed, as_if_nothing_had_been, blow
from tests.installed import until


@pytest.fixture
def adopted(disturbed: Disturbed) -> Disturbed:
    """A task whose builder was started by an engine that was killed, and is waited for by another one."""
    disturbed.write("punchlist.toml", (disturbed.root / "punchlist.toml").read_text() + '\n[policy]\ntimeout = "12s"\n')
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")
    disturbed.killed("engine")
    disturbed.ok("engine", "start")
    disturbed.until_taken_up()
    return disturbed


def test_an_exit_that_was_written_in_its_name_is_not_believed(disturbed: Disturbed, undisturbed: Disturbed) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")
    (builder,) = (each for each in disturbed.attempts() if each["role"] == "builder")
    disturbed.kill_engine()
    (disturbed.root / ".punchlist" / "attempts" / builder["id"] / "exit").write_text("exit 0\nend\n")
    blow(disturbed.held())

    disturbed.ok("engine", "start")
    as_if_nothing_had_been(disturbed, undisturbed)

    assert disturbed.endings()["builder", "lost"] == 1
    assert disturbed.starts() == undisturbed.starts() + Counter({"build": 1})


def test_it_can_be_cancelled(adopted: Disturbed, undisturbed: Disturbed) -> None:
    for pid in adopted.held():
        os.kill(pid, signal.SIGSTOP)  # it cannot even hear that it is to end

    adopted.ok("cancel", "T1", "--reason", "wrong idea")
    until(lambda: not adopted.processes(), what="the worker is gone")

    assert [each["status"] for each in adopted.attempts() if each["role"] == "builder"] == ["cancelled"]
    adopted.ok("task", "reopen", "T1")
    assert adopted.punchlist("task", "start", "T1", "--wait").code == 0
    as_if_nothing_had_been(adopted, undisturbed)


def test_it_ends_for_its_time_as_it_would_have(adopted: Disturbed, undisturbed: Disturbed) -> None:
    as_if_nothing_had_been(adopted, undisturbed)

    (ended,) = (each for each in adopted.attempts() if each["status"] == "timed_out")
    assert (ended["role"], ended["failure_class"]) == ("builder", "timeout")
    assert adopted.starts() == undisturbed.starts() + Counter({"build": 1})


def test_it_may_finish_while_the_task_is_paused_and_nothing_new_starts(
    adopted: Disturbed, undisturbed: Disturbed
) -> None:
    adopted.ok("pause", "T1")
    adopted.let_go("build")
    until(lambda: adopted.endings()["builder", "succeeded"], what="the builder has ended")
    meanwhile = adopted.starts()
    adopted.ok("resume", "T1")

    as_if_nothing_had_been(adopted, undisturbed)
    assert meanwhile == {"build": 1}
    assert adopted.starts() == undisturbed.starts()


def test_an_engine_that_is_told_to_end_stops_it_and_it_is_made_again(
    adopted: Disturbed, undisturbed: Disturbed
) -> None:
    adopted.ok("engine", "stop")
    left = adopted.processes()
    adopted.ok("engine", "start")

    assert left == {}
    as_if_nothing_had_been(adopted, undisturbed)
    assert adopted.endings()["builder", "cancelled"] == 1
