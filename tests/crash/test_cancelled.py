"""What is cancelled has ended when the answer comes: no process of it lives, and no commit is accepted after it."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.disturbed import Disturbed, accepted
from tests.installed import until

GIT = """\
#!/bin/sh
PATH=/usr/local/bin:/usr/bin:/bin
case " $* " in *" push "*) {root}/stop publish </dev/null ;; esac
exec {git} "$@"
"""


@pytest.fixture
def slow_git(disturbed: Disturbed, tmp_path: Path) -> dict[str, str]:
    """An environment in which git stops at the point `publish`, in the middle of an integration."""
    programs = tmp_path / "programs"
    programs.mkdir()
    git = programs / "git"
    git.write_text(GIT.format(root=disturbed.root, git=shutil.which("git")), encoding="utf-8")
    git.chmod(0o755)
    disturbed.ok("engine", "stop")
    return {"PATH": f"{programs}:{disturbed.environment['PATH']}"}


@pytest.mark.parametrize("verb", ["task cancel T1", "cancel T1", "cancel {run}", "task revise T1"])
def test_a_commit_that_is_being_made_is_accepted_before_the_answer_and_none_after(
    verb: str, disturbed: Disturbed, slow_git: dict[str, str]
) -> None:
    disturbed.hold("publish")
    run = disturbed.ok("task", "start", "T1", env=slow_git)["run"]["id"]
    disturbed.until_at("publish")

    call = disturbed.begun(*verb.format(run=run).split(), "--json")
    until(lambda: "CancelAsked" in facts(disturbed) or "TaskRevised" in facts(disturbed), what="the engine has heard")
    waits = call.poll() is None and accepted(disturbed) == []
    disturbed.let_go("publish")
    answer = disturbed.over(call)

    at_once = facts(disturbed)
    assert waits
    assert answer.code == 0, answer
    assert accepted(disturbed) == ["T1.1"]
    disturbed.ok("engine", "stop")
    assert facts(disturbed) == at_once
    assert disturbed.status() == ("draft" if "revise" in verb else "cancelled")
    assert len(disturbed.trees()) == 1
    assert disturbed.ok("log", "verify")["problems"] == []


def test_no_process_of_what_was_cancelled_lives_when_the_answer_comes(disturbed: Disturbed) -> None:
    disturbed.hold("build")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("build")
    for pid in (held := disturbed.held()):
        os.kill(pid, signal.SIGSTOP)  # it cannot even hear that it is to end: that takes some seconds

    answer = disturbed.ok("cancel", "T1")

    assert held
    assert disturbed.held() == set()
    assert answer["task"]["status"] == "cancelled"


def test_a_cancelled_run_of_a_flow_has_ended_when_the_answer_comes(disturbed: Disturbed) -> None:
    disturbed.write("slow.yaml", f"punchlist: 1\nflow: slow\nnodes:\n  wait: {{run: [{disturbed.root}/stop, build]}}\n")
    disturbed.hold("build")
    disturbed.ok("run", "slow.yaml")
    disturbed.until_at("build")

    answer = disturbed.ok("cancel", "R2")

    assert answer["run"]["status"] == "cancelled"
    assert disturbed.held() == set()


def facts(workspace: Disturbed) -> list[str]:
    """Return the kinds of all events."""
    return [each["kind"] for each in json.loads(workspace.punchlist("events", "--json").out)["events"]]
