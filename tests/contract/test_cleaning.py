"""What `gc` removes, and what it never does: the record stays whole, and every verdict keeps what it stands on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installed import Workspace, until

SETTINGS = """\
[workers.maker]
type = "command"
argv = ["sh", "-c", "echo made >> made.txt"]
[workers.breaker]
type = "command"
argv = ["sh", "-c", "echo made > other.txt; exit 3"]
[workers.judge]
type = "command"
argv = ["true"]
[roles]
builder = "maker"
qa = "judge"
[policy]
review = "never"
retries = 0
"""
TASK = """\
title: Make a file
steps:
  - title: Make it
    builder: {builder}
    criteria:
      - {{text: It is there., check: test -f made.txt}}
"""
FLOW = "punchlist: 1\nflow: f\nnodes:\n  a: {run: 'echo loud; %s'}\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    found = Workspace(tmp_path / "here", tmp_path / "home")
    found.root.mkdir()
    found.home.mkdir()
    found.write("punchlist.toml", SETTINGS)
    found.write("flow.yaml", FLOW % "true")
    found.repository({"README.md": "read me\n"}, path="code")
    found.ok("init")
    found.write("spec.md", "# What is wanted\n")
    found.ok("project", "create", "p", "--spec", "spec.md", "--repo", "code")
    yield found
    found.stop()


def delivered(workspace: Workspace, *, builder: str = "maker") -> str:
    """Deliver a task as far as its builder brings it, and return its id."""
    workspace.write("task.yaml", TASK.format(builder=builder))
    name: str = workspace.ok("task", "create", "p", "--file", "task.yaml")["task"]["id"]
    workspace.ok("approve", name)
    call = workspace.punchlist("task", "start", name, "--wait")
    assert call.code in {0, 1}, call
    return name


def attempts_of(workspace: Workspace, step: str) -> set[str]:
    return {each["id"] for each in workspace.ok("step", "show", step)["step"]["attempts"]}


def states_of(workspace: Workspace, step: str) -> set[str]:
    return {each["status"] for each in workspace.ok("step", "show", step)["step"]["attempts"]}


def folders(workspace: Workspace) -> set[str]:
    return {path.name for path in (workspace.root / ".punchlist" / "attempts").iterdir()}


def refs(workspace: Workspace) -> set[str]:
    text = workspace.git("for-each-ref", "--format=%(refname)", cwd=workspace.root / ".punchlist" / "git" / "p.git")
    return set(text.split())


def sound(workspace: Workspace) -> bool:
    """Say whether the record, the files and the engine's repository hold."""
    workspace.git("fsck", "--connectivity-only", cwd=workspace.root / ".punchlist" / "git" / "p.git")
    verified = workspace.ok("log", "verify")["problems"] == []
    return verified and bool(workspace.ok("files", "check")["drift"] == [])


def test_what_a_verdict_stands_on_stays_whatever_its_age(workspace: Workspace) -> None:
    task = delivered(workspace)
    proving, kept = {"A1"}, folders(workspace) - {"A1"}
    outputs = {name: workspace.ok("logs", name)["text"] for name in kept}
    diff = workspace.ok("diff", task)

    removed = workspace.ok("gc", "--keep-days", "0")["removed"]

    assert kept < attempts_of(workspace, f"{task}.1")
    assert (len(kept), folders(workspace), set(removed["attempts"])) == (2, kept, proving)
    assert {name: workspace.ok("logs", name)["text"] for name in kept} == outputs
    assert workspace.ok("diff", task) == diff
    assert removed["refs"] == []
    assert sound(workspace)


def test_old_files_of_the_log_and_the_outbox_go_by_their_age(workspace: Workspace) -> None:
    state = workspace.root / ".punchlist"
    for name in ("engine.log.1", "outbox.jsonl.1", "outbox.jsonl"):
        (state / name).write_text("{}\n")

    young = workspace.ok("gc", "--keep-days", "1")["removed"]["files"]
    removed = workspace.ok("gc", "--keep-days", "0")["removed"]["files"]

    assert (young, removed) == ([], ["engine.log.1", "outbox.jsonl.1"])
    assert (state / "outbox.jsonl").exists()
    assert not (state / "outbox.jsonl.1").exists()
    assert "Nothing to remove" in workspace.punchlist("gc", "--keep-days", "0").out


def test_attempts_of_runs_without_a_verdict_go_and_are_named_with_their_size(workspace: Workspace) -> None:
    workspace.ok("run", "flow.yaml", "--wait")
    shown = workspace.ok("events")["events"]

    planned = workspace.ok("gc", "--keep-days", "0", "--dry-run")
    there = folders(workspace)
    answer = workspace.ok("gc", "--keep-days", "0")

    assert (planned["removed"]["attempts"], there) == (["A1"], {"A1"})
    assert (answer["removed"], answer["dry_run"]) == (planned["removed"], False)
    assert answer["bytes"] > 0
    assert folders(workspace) == set()
    assert workspace.ok("events")["events"] == shown
    assert sound_log(workspace)


def sound_log(workspace: Workspace) -> bool:
    return bool(workspace.ok("log", "verify")["problems"] == [])


def test_what_ended_lately_stays_and_the_setting_says_what_lately_is(workspace: Workspace) -> None:
    workspace.ok("run", "flow.yaml", "--wait")

    by_default = workspace.ok("gc")["removed"]["attempts"]  # gc.keep_days is 30
    workspace.write("punchlist.toml", f"{SETTINGS}[gc]\nkeep_days = 0\n")
    by_setting = workspace.ok("gc")["removed"]["attempts"]

    assert (by_default, by_setting) == ([], ["A1"])


def test_a_failed_task_leaves_no_work_folder_and_no_snapshot_that_nobody_judged(workspace: Workspace) -> None:
    task = delivered(workspace, builder="breaker")
    work = workspace.root / ".punchlist" / "work" / f"{task}.1"
    snapshots = {name for name in refs(workspace) if name.startswith("refs/attempts/")}
    assert (work.exists(), len(snapshots)) == (True, 1)

    removed = workspace.ok("gc", "--keep-days", "0")["removed"]

    assert f"{task}.1" in removed["folders"]
    assert not work.exists()
    assert not snapshots & refs(workspace)
    assert sound(workspace)
    workspace.write("punchlist.toml", SETTINGS.replace("; exit 3", "; echo made > made.txt"))
    assert workspace.ok("retry", task)["run"]["id"]
    until(lambda: workspace.ok("task", "show", task)["task"]["status"] == "accepted", what="the task is accepted")


def test_nothing_of_a_task_that_is_not_over_is_removed_beside_a_working_engine(workspace: Workspace) -> None:
    slow = SETTINGS.replace("echo made >> made.txt", "echo begun; cat ../../../../hold > made.txt")
    workspace.write("punchlist.toml", slow)
    hold = workspace.root / "hold"
    os.mkfifo(hold)
    workspace.write("task.yaml", TASK.format(builder="maker"))
    workspace.ok("task", "create", "p", "--file", "task.yaml")
    workspace.ok("approve", "T1")
    workspace.ok("task", "start", "T1")
    until(lambda: "running" in states_of(workspace, "T1.1"), what="a builder at work")
    workspace.ok("run", "flow.yaml", "--wait")
    building = attempts_of(workspace, "T1.1")

    removed = workspace.ok("gc", "--keep-days", "0")["removed"]
    hold.write_text("made\n")
    until(lambda: workspace.ok("task", "show", "T1")["task"]["status"] == "accepted", what="the task is accepted")

    assert removed["folders"] == []
    assert not building & set(removed["attempts"])
    assert len(removed["attempts"]) >= 1
    assert sound(workspace)


def test_a_person_alone_may_clean(workspace: Workspace) -> None:
    call = workspace.punchlist("gc", "--keep-days", "0", "--json", env={"PUNCHLIST_ATTEMPT": "A1"})

    assert (call.code, call.json["error"]["code"]) == (3, "refused")


def test_the_view_says_what_went_and_that_nothing_is_left(workspace: Workspace) -> None:
    workspace.ok("run", "flow.yaml", "--wait")

    dry = workspace.punchlist("gc", "--keep-days", "0", "--dry-run").out
    done = workspace.punchlist("gc", "--keep-days", "0").out
    again = workspace.punchlist("gc", "--keep-days", "0").out

    assert "Would remove" in dry
    assert "output of 1 attempt: A1" in done
    assert again == "Nothing to remove; 0 attempts stay.\n"
