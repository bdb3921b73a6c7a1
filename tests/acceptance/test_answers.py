"""Answers in JSON have the shapes of the contract, and in words what a person needs."""

import re
from pathlib import Path

from tests.acceptance.conftest import GREETER
from tests.installed import Workspace

REFUSED = 3
TASK_LINE = {"id", "project", "title", "status", "steps_accepted", "steps_total", "waits_for"}


def test_a_repository_becomes_the_first_project(folder: Workspace) -> None:
    folder.repository(GREETER)

    made = folder.ok("init")

    assert Path(made["workspace"]["root"]) == folder.root
    assert made["project"]["id"] == "here"
    assert made["project"]["base"] == "main"
    assert "punchlist" not in folder.git("status", "--short", "--", ".punchlist")
    assert folder.ok("project", "list")["projects"][0]["id"] == "here"


def test_a_folder_becomes_an_empty_workspace_with_a_repository_a_project(folder: Workspace) -> None:
    folder.ok("init")
    folder.write("spec.md", "# Anything\n")

    made = folder.ok("project", "create", "acme-api", "--spec", "spec.md")["project"]

    assert made["spec"] == "# Anything\n"
    assert folder.git("-C", "repos/acme-api", "rev-list", "--count", "HEAD").strip() == "1"


def test_documents_have_their_shapes(workspace: Workspace) -> None:
    made = workspace.ok("task", "create", "--file", "task.yaml")["task"]
    assert (made["id"], made["status"], made["version"]) == ("T1", "draft", 1)
    assert [step["id"] for step in made["steps"]] == ["T1.1", "T1.2"]
    assert [each["id"] for each in made["steps"][0]["criteria"]] == ["AC-1"]
    assert made["steps"][1]["needs"] == ["T1.1"]
    assert made["steps"][1]["criteria"][0]["review"] is True

    assert set(workspace.ok("task", "list")["tasks"][0]) >= TASK_LINE
    assert workspace.ok("task", "show", "T1")["task"]["title"] == "Greet in French"
    assert set(workspace.ok("step", "show", "T1.1")["step"]) >= {"id", "title", "criteria", "attempts", "verdicts"}
    assert [step["id"] for step in workspace.ok("step", "list", "T1")["steps"]] == ["T1.1", "T1.2"]
    assert set(workspace.ok("status")) >= {"engine", "running", "waiting", "problems"}
    assert workspace.ok("why", "T1")["why"]["waits_for"]["command"] == "punchlist approve T1"
    assert workspace.ok("gates")["gates"] == []
    assert set(workspace.ok("log", "verify")) >= {"streams", "events", "problems"}
    assert {row["name"] for row in workspace.ok("doctor")["checks"]} >= {"git"}
    assert {row["key"] for row in workspace.ok("config")["settings"]} >= {"policy.rework", "roles.planner"}
    assert set(workspace.ok("events", "T1")["events"][0]) >= {"seq", "at", "kind", "actor", "data", "hash"}
    assert "task-file" in workspace.ok("schema")["schemas"]
    assert workspace.ok("schema", "task-file")["schema"]["$schema"].endswith("2020-12/schema")
    assert re.fullmatch(r"\d+\.\d+.*", workspace.ok("version")["version"])
    assert workspace.ok("--version") == workspace.ok("version")
    assert workspace.punchlist("--version", "status").code == 2


def test_a_draft_can_be_changed_by_its_version(workspace: Workspace) -> None:
    workspace.ok("task", "create", "--file", "task.yaml")

    edited = workspace.ok("task", "edit", "T1", "--title", "Greet in two languages", "--expected-version", "1")["task"]
    added = workspace.ok("step", "add", "T1", "--title", "Test it", "--criterion", "There is a test.")["task"]
    ordered = workspace.ok("step", "reorder", "T1", "T1.1", "T1.3", "T1.2")["task"]
    removed = workspace.ok("step", "remove", "T1.2")["task"]

    assert (edited["title"], edited["version"]) == ("Greet in two languages", 2)
    assert [step["title"] for step in added["steps"]] == ["Take a language", "Say so", "Test it"]
    assert [step["id"] for step in ordered["steps"]] == ["T1.1", "T1.3", "T1.2"]
    assert [step["id"] for step in removed["steps"]] == ["T1.1", "T1.3"]
    stale = workspace.punchlist("task", "edit", "T1", "--title", "Late", "--expected-version", "1", "--json")
    assert (stale.code, stale.json["error"]["code"]) == (REFUSED, "conflict")


def test_a_document_may_come_from_standard_input(workspace: Workspace) -> None:
    task = (workspace.root / "task.yaml").read_bytes()

    assert workspace.ok("task", "create", "--file", "-", stdin=task)["task"]["id"] == "T1"


def test_the_same_key_makes_one_task(workspace: Workspace) -> None:
    first = workspace.ok("task", "create", "--file", "task.yaml", "--key", "one")["task"]["id"]
    again = workspace.ok("task", "create", "--file", "task.yaml", "--key", "one")["task"]["id"]

    assert first == again
    assert len(workspace.ok("task", "list")["tasks"]) == 1


def test_the_workspace_is_found_from_below_and_by_c(workspace: Workspace, tmp_path: Path) -> None:
    workspace.ok("task", "create", "--file", "task.yaml")
    below = workspace.root / "tests"

    assert workspace.ok("task", "show", "T1", cwd=below)["task"]["title"] == "Greet in French"
    assert workspace.ok("-C", str(workspace.root), "task", "list", cwd=tmp_path)["tasks"][0]["id"] == "T1"
    assert workspace.ok("task", "list", "-C", str(below), cwd=tmp_path)["tasks"][0]["id"] == "T1"
    assert workspace.ok("-C", "here", "task", "create", "--file", "task.yaml", cwd=tmp_path)["task"]["id"] == "T2"


def test_a_person_reads_tables_and_what_to_type(workspace: Workspace) -> None:
    assert workspace.punchlist("task", "list").out.startswith("No tasks: punchlist task create")
    workspace.ok("task", "create", "--file", "task.yaml")
    workspace.ok("approve", "T1")

    listed = workspace.punchlist("task", "list").out.splitlines()
    status = workspace.punchlist()

    assert listed[0].split() == ["TASK", "PROJECT", "STATUS", "STEPS", "TITLE"]
    assert listed[1].split()[:4] == ["T1", "here", "ready", "0/2"]
    assert status.out.partition("The engine")[0] == workspace.punchlist("status").out.partition("The engine")[0]
    assert "punchlist task start T1" in status.out
    assert "\x1b" not in status.out


def test_completion_knows_verbs_and_ids(workspace: Workspace) -> None:
    workspace.ok("task", "create", "--file", "task.yaml")

    def completed(words: str) -> list[str]:
        count = len(words.split(" ")) - 1
        answer = {"_PUNCHLIST_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
        return [line.partition(",")[2] for line in workspace.punchlist(env=answer).out.splitlines()]

    assert completed("punchlist ta") == ["task"]
    assert completed("punchlist task sh") == ["show"]
    assert completed("punchlist task show ") == ["T1"]
    assert completed("punchlist step show T1.") == ["T1.1", "T1.2"]
    assert completed("punchlist completion f") == ["fish"]
    for shell in ("bash", "zsh", "fish"):
        assert "_PUNCHLIST_COMPLETE" in workspace.punchlist("completion", shell).out


def test_a_reader_that_goes_away_is_no_error(workspace: Workspace) -> None:
    reading = workspace.begun("schema", "--json")
    assert reading.stdout is not None
    reading.stdout.close()
    assert reading.stderr is not None
    assert reading.stderr.read() == ""
    assert reading.wait() in {0, 141}
    reading.stderr.close()
