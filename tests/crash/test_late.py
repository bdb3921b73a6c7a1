"""What an attempt leaves after it is over changes nothing."""

import json
import os
import signal

from tests.disturbed import Disturbed, as_if_nothing_had_been
from tests.installed import until


def test_what_a_cancelled_worker_leaves_later_changes_nothing(disturbed: Disturbed, undisturbed: Disturbed) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")
    for pid in disturbed.held():
        os.kill(pid, signal.SIGSTOP)  # it cannot even hear that it is to end

    cancelled = disturbed.ok("cancel", "T1", "--reason", "wrong idea")
    until(lambda: not disturbed.processes(), what="the worker is gone")
    attempt = attempt_of_the_builder(disturbed)
    leave_an_answer(disturbed, attempt["id"])
    disturbed.ok("engine", "stop")
    disturbed.ok("engine", "start")
    afterwards = attempt_of_the_builder(disturbed)
    disturbed.ok("task", "reopen", "T1")
    done = disturbed.punchlist("task", "start", "T1", "--wait")

    assert cancelled["task"]["status"] == "cancelled"
    assert attempt["status"] == afterwards["status"] == "cancelled"
    assert attempt["id"] not in {each["id"] for each in disturbed.attempts() if each["status"] == "succeeded"}
    assert done.code == 0, done
    as_if_nothing_had_been(disturbed, undisturbed)


def test_a_cancelled_worker_does_not_outlive_the_engine_that_died_while_it_ended_it(
    disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")
    held = disturbed.held()
    for pid in held:
        os.kill(pid, signal.SIGSTOP)  # its end takes some seconds

    cancel = disturbed.begun("cancel", "T1", "--reason", "wrong idea")
    until(lambda: disturbed.status() == "cancelled", what="the task is cancelled")
    disturbed.kill_engine()
    survivors = disturbed.held()
    cancelled = disturbed.over(cancel)
    left = disturbed.held()
    disturbed.ok("task", "reopen", "T1")
    done = disturbed.punchlist("task", "start", "T1", "--wait")

    assert held == survivors != set()
    assert cancelled.code == 0, cancelled
    assert left == set()
    assert done.code == 0, done
    as_if_nothing_had_been(disturbed, undisturbed)


def attempt_of_the_builder(workspace: Disturbed) -> dict[str, str]:
    """Return the only attempt of the builder on the first step."""
    (attempt,) = (each for each in workspace.attempts() if each["role"] == "builder")
    return attempt


def leave_an_answer(workspace: Disturbed, attempt: str) -> None:
    """Do what the worker and its wrapper would have done, had they lived: say that all is done."""
    folder = workspace.root / ".punchlist" / "attempts" / attempt
    answer = {"schema": "punchlist/result/1", "outcome": "done", "summary": "Too late."}
    (folder / "io" / "result.json").write_text(json.dumps(answer))
    (folder / "exit").write_text("exit 0\nend\n")
    (workspace.root / ".punchlist" / "work" / "T1.1" / "build" / "counter.txt").write_text("7\n")
