"""Bad input ends in one clear error, every problem named, and loses nothing."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.installed import Call, Workspace

USAGE, REFUSED, MISSING, STORE = 2, 3, 4, 5
STEP = "steps: [{title: One, criteria: [It holds.]}]"


@dataclass(frozen=True)
class Case:
    """What is typed, what is in `input.yaml`, and what must be said about it."""

    name: str
    argv: str
    code: int
    says: tuple[str, ...]
    file: bytes | str = ""


CREATE = "task create --file input.yaml"
CASES = (
    Case("an unknown field", CREATE, USAGE, ("unknown field 'titel'", "Did you mean 'title'?"),
         f"title: A\ntitel: B\n{STEP}"),
    Case("a wrong type", CREATE, USAGE, ("labels",), f"title: A\nlabels: 7\n{STEP}"),
    Case("several problems at once", CREATE, USAGE, ("'titel'", "tier", "criteria"),
         "titel: A\ntier: heavy\nsteps: [{title: One, criteria: []}]"),
    Case("a key given twice", CREATE, USAGE, ("title", "input.yaml:2"), f"title: A\ntitle: B\n{STEP}"),
    Case("text that is no YAML", CREATE, USAGE, ("input.yaml:", "YAML"), "title: [A"),
    Case("a list where a task should be", CREATE, USAGE, ("the task", "object"), "- A"),
    Case("an empty file", CREATE, USAGE, ("input.yaml",), ""),
    Case("no criteria", CREATE, USAGE, ("steps[0].criteria",), "title: A\nsteps: [{title: One, criteria: []}]"),
    Case("steps that need each other", CREATE, USAGE, ("need each other",),
         "title: A\nsteps: [{title: One, needs: [2], criteria: [x]}, {title: Two, needs: [1], criteria: [x]}]"),
    Case("a need that does not exist", CREATE, USAGE, ("7",),
         "title: A\nsteps: [{title: One, needs: [7], criteria: [x]}]"),
    Case("a criterion's id given twice", CREATE, USAGE, ("AC-1",),
         "title: A\nsteps: [{title: One, criteria: [{id: AC-1, text: x}, {id: AC-1, text: y}]}]"),
    Case("a timeout of nothing", CREATE, USAGE, ("timeout",),
         "title: A\nsteps: [{title: One, criteria: [{text: x, check: 'true', timeout: 0s}]}]"),
    Case("a scope outside the repository", CREATE, USAGE, ("../x", "/etc"),
         "title: A\nsteps: [{title: One, scope: {allow: ['../x', /etc]}, criteria: [x]}]"),
    Case("an unknown worker", CREATE, USAGE, ("nobody",),
         "title: A\nsteps: [{title: One, builder: nobody, criteria: [x]}]"),
    Case("a newline in a title", CREATE, USAGE, ("title", "one line"), f'title: "A\\nB"\n{STEP}'),
    Case("a control character in a title", CREATE, USAGE, ("title", "control characters"),
         f'title: "A\\x1b[31m"\n{STEP}'),
    Case("a title of 200 kB", CREATE, USAGE, ("title", "200 characters"), f"title: {'a' * 200_000}\n{STEP}"),
    Case("bytes that are not UTF-8", CREATE, USAGE, ("UTF-8", "0xff"), b"title: \xff\n" + STEP.encode()),
    Case("a file that is not there", "task create --file nowhere.yaml", USAGE, ("nowhere.yaml",)),
    Case("a spec that is not there", "project create other --spec nowhere.md", USAGE, ("nowhere.md",)),
    Case("a path as a project's name", "project create ../../x", USAGE, ("../../x", "hyphens")),
    Case("an absolute path as a project's name", "project create /etc", USAGE, ("/etc", "hyphens")),
    Case("a newline in a project's name", "project create 'a\nb'", USAGE, ("hyphens",)),
    Case("a project's title of two lines", "project create other --title 'a\nb'", USAGE, ("title",)),
    Case("a branch that is not there", "project create other --repo . --base nowhere", USAGE, ("nowhere",)),
    Case("a repository that is not there", "project create other --repo nowhere", USAGE, ("nowhere",)),
    Case("an unknown task", "task show T99", REFUSED, ("T99",)),
    Case("an unknown step", "step show T1.99", REFUSED, ("T1.99",)),
    Case("an unknown run", "report R99", REFUSED, ("R99",)),
    Case("an unknown gate", "decide G99 more", REFUSED, ("G99",)),
    Case("an unknown attempt", "logs A99", REFUSED, ("A99",)),
    Case("an unknown finding", "waive F99 --reason x", REFUSED, ("F99",)),
    Case("an unknown project", "project show nowhere", REFUSED, ("nowhere",)),
    Case("an id that is none", "task show 'T1; rm'", USAGE, ("T1; rm",)),
    Case("starting a draft", "task start T1", REFUSED, ("T1", "draft", "ready")),
    Case("accepting by hand", "step edit T1.1 --file input.yaml", USAGE, ("unknown field 'status'",),
         "status: accepted"),
    Case("a stale version", "task edit T1 --title B --expected-version 7", REFUSED, ("version 1", "version 7")),
    Case("reopening a draft", "task reopen T1", REFUSED, ("draft",)),
    Case("nothing to change", "task edit T1", USAGE, ("--file",)),
    Case("data that is no JSON", "decide G1 more --data {", USAGE, ("--data", "JSON")),
    Case("data that is no object", "decide G1 more --data 7", USAGE, ("--data", "object")),
    Case("an unknown verb", "tsk list", USAGE, ("'tsk'", "Did you mean 'task'?")),
    Case("an unknown option", "task list --colour", USAGE, ("--colour",)),
    Case("an option of a later part", "plan --budget 7", USAGE, ("--budget",)),
    Case("neither tasks nor --all-ready", "task start", USAGE, ("--all-ready",)),
    Case("asking without a terminal", "do 'Add CSV export'", USAGE, ("--yes",)),
    Case("a flow that is wrong", "run input.yaml", USAGE, ("input.yaml:3", "bulid"),
         "punchlist: 1\nflow: x\nnodes: {build: {run: 'true'}, review: {run: 'true', needs: [bulid]}}\n"),
    Case("an input that a flow does not have", "run input.yaml -i x=1", USAGE, ("inputs.x",),
         "punchlist: 1\nflow: x\nnodes: {build: {run: 'true'}}\n"),
    Case("an input without a value", "run input.yaml -i x", USAGE, ("NAME=VALUE",)),
    Case("a rule that is none", "run input.yaml --set policy.rewrok=1", USAGE, ("rewrok", "rework"),
         "punchlist: 1\nflow: x\nnodes: {build: {run: 'true'}}\n"),
    Case("a schema that is not there", "schema nonsense", USAGE, ("nonsense",)),
)  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace with a draft T1, which no case may change."""
    root = tmp_path_factory.mktemp("bad")
    made = Workspace(root / "here", root / "home")
    made.root.mkdir()
    made.home.mkdir()
    made.repository({"greeter.py": "def greet(name):\n    return name\n"})
    made.ok("init")
    made.write("draft.yaml", "title: Draft\nsteps: [{title: One, criteria: [It holds.]}]")
    made.ok("task", "create", "--file", "draft.yaml")
    yield made
    (task,) = made.ok("task", "list")["tasks"]
    assert (task["title"], task["status"], task["steps_total"]) == ("Draft", "draft", 1)
    assert [each["id"] for each in made.ok("project", "list")["projects"]] == ["here"]
    assert made.ok("status")["runs"] == []
    made.stop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_refused_in_words(case: Case, shared: Workspace) -> None:
    content = case.file if isinstance(case.file, bytes) else case.file.encode()
    (shared.root / "input.yaml").write_bytes(content)

    call = shared.punchlist(*words(case.argv), "-q")
    objects = shared.punchlist(*words(case.argv), "--json")

    assert call.code == case.code, call
    assert call.out == ""
    assert call.err.startswith("error: ")
    assert "Traceback" not in call.err
    for sentence in case.says:
        assert sentence in call.err, call
    assert objects.code == case.code
    assert objects.json["ok"] is False
    assert set(objects.json["error"]) == {"code", "message", "where", "hint", "problems"}


def words(line: str) -> list[str]:
    import shlex

    return shlex.split(line)


def test_validate_names_every_error_with_its_place(shared: Workspace) -> None:
    shared.write("good.yaml", "punchlist: 1\nflow: x\nnodes: {build: {run: 'true'}}\n")
    shared.write(
        "bad.yaml", "punchlist: 1\nflow: x\nnodes: {build: {rum: 'true'}, review: {run: 'true', needs: [bulid]}}\n"
    )

    call = shared.punchlist("validate", "good.yaml", "bad.yaml")
    flows = shared.punchlist("validate", "good.yaml", "bad.yaml", "--json").json["flows"]

    assert call.code == USAGE
    assert "good.yaml: ok" in call.out
    assert "bad.yaml:3:" in call.out
    assert [len(flow["errors"]) for flow in flows] == [0, 2]
    assert {"line", "column", "message", "hint"} <= set(flows[1]["errors"][0])
    assert shared.punchlist("validate", "good.yaml").code == 0


def test_a_folder_that_is_no_workspace_is_refused_with_what_to_type(folder: Workspace) -> None:
    call = folder.punchlist("task", "list")

    assert call.code == REFUSED
    assert "punchlist init" in call.err


def test_a_repository_without_commits_becomes_no_project(folder: Workspace) -> None:
    folder.git("init", "--quiet")

    begun = folder.punchlist("init")
    call = folder.punchlist("project", "create", "here", "--repo", ".")

    assert begun.code == 0, begun
    assert "No project:" in begun.out
    assert "commit" in begun.out
    assert call.code in {USAGE, REFUSED}, call
    assert "commit" in call.err


def test_approving_twice_is_refused(workspace: Workspace) -> None:
    workspace.ok("task", "create", "--file", "task.yaml")
    workspace.ok("approve", "T1", "--no-wait", "--anyway")

    call = workspace.punchlist("approve", "T1", "--no-wait")

    assert call.code == REFUSED, call
    assert "ready" in call.err


def damaged(call: Call, *sentences: str) -> None:
    assert call.code == STORE, call
    assert "Traceback" not in call.err
    for sentence in sentences:
        assert sentence in call.err, call


def database(workspace: Workspace) -> Path:
    workspace.ok("engine", "stop")
    return workspace.root / ".punchlist" / "state.db"


def test_a_store_that_is_newer_is_refused(workspace: Workspace) -> None:
    with sqlite3.connect(database(workspace)) as connection:
        connection.execute("pragma user_version = 9999")
    connection.close()

    damaged(workspace.punchlist("task", "list"), "newer")


def test_a_store_that_is_cut_off_is_an_error_and_never_an_empty_one(workspace: Workspace) -> None:
    file = database(workspace)
    file.write_bytes(file.read_bytes()[:5000])

    damaged(workspace.punchlist("task", "list"))
    damaged(workspace.punchlist("task", "create", "--file", "task.yaml"))


def test_a_store_that_is_no_database_is_an_error(workspace: Workspace) -> None:
    database(workspace).write_bytes(b"not a database " * 1000)

    damaged(workspace.punchlist("status"))
