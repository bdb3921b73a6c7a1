"""A released library that no one here wrote gets two features from a spec, and the record tells how."""

import html
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.releases import unpacked
from tests.installed import Workspace
from tests.workspaces import state_of

DATA = Path(__file__).parent / "data" / "library"
LONG = 600
"""Seconds for what takes half a minute on a machine with nothing else to do."""
SHA256 = "f638ddf8a1a0d134181275fb5d58b086ead7c6a72429ad725c67503f13ba30bd"
SOURCE = ["more_itertools/more.py", "more_itertools/more.pyi", "tests/**"]
SCOPES = {"T1.1": SOURCE, "T1.2": SOURCE, "T1.3": ["docs/**", "more_itertools/more.py"]}
LATER_SCOPES = {"T2.1": SOURCE, "T2.2": ["docs/**"]}


@pytest.fixture
def library(folder: Workspace) -> Workspace:
    """A workspace with the two workers, and beside it a person's clone of the library, in the middle of their work."""
    clone = folder.root.with_name("clone")
    unpacked("more-itertools", "10.8.0", sha256=SHA256, into=clone.with_name("sdist")).rename(clone)
    folder.git("init", "--quiet", "--initial-branch=main", cwd=clone)
    folder.git("add", "--all", cwd=clone)
    folder.git("commit", "--quiet", "-m", "more-itertools 10.8.0", cwd=clone)
    in_the_middle_of_work(folder, clone)
    shutil.copytree(DATA, folder.root, dirs_exist_ok=True)
    folder.ok("init")
    return folder


def in_the_middle_of_work(person: Workspace, clone: Path) -> None:
    """Leave what a person has lying about: another branch, a stash, staged and unstaged changes, hooks, settings."""
    person.git("branch", "idea", cwd=clone)
    person.git("tag", "v10.8.0", cwd=clone)
    readme = clone / "README.rst"
    readme.write_text(readme.read_text() + "\nstashed\n")
    person.git("stash", cwd=clone)
    readme.write_text(readme.read_text() + "\nstaged\n")
    person.git("add", "README.rst", cwd=clone)
    readme.write_text(readme.read_text() + "\nnot staged\n")
    (clone / "notes.txt").write_text("not tracked\n")
    person.git("config", "alias.st", "status", cwd=clone)
    for name in ("pre-commit", "post-checkout", "pre-receive", "update", "post-receive", "reference-transaction"):
        hook = clone / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch '{clone}/hook-{name}-ran'\n")
        hook.chmod(0o755)


def contents(clone: Path) -> dict[str, str]:
    """Return a hash of everything in a clone but the branches that are published to it."""
    branches = (".git/refs/heads/punchlist", ".git/logs/refs/heads/punchlist")
    return state_of(clone, without=branches)


def scoped(workspace: Workspace, scopes: dict[str, list[str]]) -> None:
    for step, globs in scopes.items():
        file = workspace.write("scope.json", json.dumps({"scope": {"allow": globs}}))
        workspace.ok("step", "edit", step, "--file", str(file))


def delivered(workspace: Workspace, task: str) -> dict[str, Any]:
    """Approve, start and await a task; return its answer."""
    workspace.ok("approve", task, timeout=LONG)
    answer = workspace.ok("task", "start", task, "--wait", timeout=LONG)
    assert answer["task"]["status"] == "accepted", workspace.punchlist("report", task)
    return answer


def failed_rounds(workspace: Workspace, step: str) -> list[set[str]]:
    """Return the kinds of findings of each verdict on a step that was a fail, first round first."""
    verdicts = workspace.ok("step", "show", step)["step"]["verdicts"]
    assert verdicts[-1]["result"] == "pass"
    return [{each["kind"] for each in verdict["findings"]} for verdict in verdicts if verdict["result"] == "fail"]


def builders(workspace: Workspace, step: str) -> Counter[str]:
    """Count the builder's attempts on a step by how they ended."""
    attempts = workspace.ok("step", "show", step)["step"]["attempts"]
    return Counter(each["failure_class"] or each["status"] for each in attempts if each["role"] == "builder")


def published(workspace: Workspace, branch: str, *, since: str) -> list[list[str]]:
    """Return step and event of each commit of a branch, by its trailers, the first one first."""
    keys = ("Punchlist-Task", "Punchlist-Step", "Punchlist-Event")
    form = "%x1f".join(f"%(trailers:key={key},valueonly,separator=)" for key in keys)
    clone = workspace.root.with_name("clone")
    lines = workspace.git("log", "--reverse", f"--format={form}", f"{since}..{branch}", cwd=clone).splitlines()
    return [line.split("\x1f") for line in lines]


def hashes(workspace: Workspace) -> set[str]:
    lines = workspace.punchlist("events", "--json").out
    return {event["hash"] for event in json.loads(lines)["events"]}


def test_a_spec_of_two_tasks_is_delivered_to_a_released_library(library: Workspace) -> None:
    clone = library.root.with_name("clone")
    before = contents(clone)

    library.ok("project", "create", "more-itertools", "--spec", "spec.md", "--repo", "../clone", timeout=LONG)
    planned = library.ok("plan")
    scoped(library, SCOPES)
    first = delivered(library, "T1")
    scoped(library, LATER_SCOPES)
    second = delivered(library, "T2")

    assert [(task["id"], len(task["steps"])) for task in planned["tasks"]] == [("T1", 3), ("T2", 2)]
    the_first_tries_failed_as_they_should(library)
    the_branches_hold_what_was_accepted(library, first["task"], second["task"])
    the_new_functions_work(library, second["task"]["branch"])
    the_record_tells_the_story(library)
    assert contents(clone) == before
    assert list(library.home.iterdir()) == []
    assert library.processes() == {}


def the_first_tries_failed_as_they_should(workspace: Workspace) -> None:
    assert failed_rounds(workspace, "T1.1") == [{"empty", "check", "claim"}, {"check"}]
    assert failed_rounds(workspace, "T1.2") == [{"check", "claim"}, {"scope"}]
    assert failed_rounds(workspace, "T1.3") == [{"review"}]
    assert failed_rounds(workspace, "T2.1") == failed_rounds(workspace, "T2.2") == []
    assert builders(workspace, "T1.1") == {"succeeded": 3}
    assert builders(workspace, "T2.1") == {"worker": 2, "succeeded": 1}


def the_branches_hold_what_was_accepted(workspace: Workspace, first: dict[str, Any], second: dict[str, Any]) -> None:
    clone, known = workspace.root.with_name("clone"), hashes(workspace)
    of_first = published(workspace, first["branch"], since="main")
    of_second = published(workspace, second["branch"], since=first["branch"])
    assert [commit[:2] for commit in of_first] == [["T1", "T1.1"], ["T1", "T1.2"], ["T1", "T1.3"]]
    assert [commit[:2] for commit in of_second] == [["T2", "T2.1"], ["T2", "T2.2"]]
    assert {event for *_, event in of_first + of_second} <= known
    tip = workspace.git("rev-parse", first["branch"], cwd=clone).strip()
    assert first["branch"] == "punchlist/T1-a-sliding-maximum-and-chunks-that-say-what-is-wrong"
    assert (first["tip"], second["base"]) == (tip, tip)
    changed = workspace.git("diff", "--name-only", "main", second["branch"], cwd=clone).split()
    code = ["more_itertools/more.py", "more_itertools/more.pyi", "tests/test_more.py"]
    assert changed == ["docs/api.rst", "docs/versions.rst", *code]


def the_new_functions_work(workspace: Workspace, branch: str) -> None:
    clone, fresh = workspace.root.with_name("clone"), workspace.root.with_name("fresh")
    workspace.git("clone", "--quiet", "--branch", branch, str(clone), str(fresh))
    use = "import more_itertools as m; print(*m.sliding_max([5, 1, 2, 3], 2), *m.sliding_min([1, 5, 4, 3], 2))"
    python = [f"{sys.base_prefix}/bin/python3", "-c", use]
    assert subprocess.run(python, cwd=fresh, check=True, capture_output=True, text=True).stdout == "5 2 3 1 4 3\n"


STORY = (
    "nothing was changed, and the goal is still open: AC-1",
    "AssertionError: n=0 is taken",
    "ERROR: test_none (tests.test_more.ChunkedTests",
    "was changed, outside the scope of this step",
    "shorter than a window: nothing of the kind in",
)


def the_record_tells_the_story(workspace: Workspace) -> None:
    for form in ("md", "html"):
        told = html.unescape(workspace.punchlist("report", "T1", "--format", form).out)
        for sentence in STORY:
            assert sentence in told, (form, sentence)
        for step in workspace.ok("step", "list", "T1")["steps"]:
            assert step["commit"] in told
    nodes = workspace.ok("report", "T1")["run"]["nodes"]
    assert {node["status"] for node in nodes} == {"succeeded", "skipped"}
    assert workspace.ok("log", "verify")["problems"] == []
    assert workspace.ok("files", "check")["drift"] == []
