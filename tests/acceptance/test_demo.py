"""The demo delivers a sample from a spec to accepted commits, by itself."""

import pytest

from tests.installed import PROGRAM, Workspace

STORY = (
    f"$ {PROGRAM} plan",
    "T1.1  Greet in French and German",
    "must start failing",
    "must stay passing",
    "T1.1   building by scripted-builder, try 0.0",
    "T1.1     AC-2: fail, exit 1: KeyError: 'de'",
    "T1.1   verdict on 0.0: fail",
    "T1.1   rework",
    "T1.1   building by scripted-builder, try 0.1",
    "T1.1   verdict on 0.1: pass",
    "T1.1   accepted as commit",
    "T1.2   reviewing by scripted-qa, try 0.0",
    "The README does not mention greet_all()",
    "T1.2   rework",
    "T1.2   accepted as commit",
    "T1     accepted",
    "Greet several people",
    "Punchlist-Event: ",
    "Where to look next:",
)


@pytest.fixture
def demo(folder: Workspace) -> Workspace:
    call = folder.punchlist("demo", "shown", timeout=60)
    assert call.code == 0, call
    return folder


def test_the_demo_tells_the_whole_loop_in_order(folder: Workspace) -> None:
    call = folder.punchlist("demo", timeout=60)

    assert call.code == 0, call
    rest = call.out
    for line in STORY:
        assert line in rest, f"{line!r} is not there, or too early:\n{call.out}"
        rest = rest.partition(line)[2]
    assert not folder.ok("-C", "punchlist-demo", "engine", "status")["engine"]["running"]


def test_what_the_demo_says_to_type_next_can_be_typed(folder: Workspace) -> None:
    call = folder.punchlist("demo", "shown", timeout=60)
    hints = call.out.partition("Where to look next:\n")[2].splitlines()

    for hint in hints:
        words = hint.partition("#")[0].split()
        if words[0] == "git":
            assert "greet_all" in folder.git(*words[1:])
        else:
            assert words[0] == str(PROGRAM), f"it is not on PATH, and so called by its file: {hint}"
            assert folder.punchlist(*words[1:]).code == 0, hint


def test_the_demo_is_recorded_as_any_task_is(demo: Workspace) -> None:
    at = ("-C", "shown")

    task = demo.ok(*at, "task", "show", "T1")["task"]
    step = demo.ok(*at, "step", "show", "T1.1")["step"]

    assert task["status"] == "accepted"
    assert [each["status"] for each in task["steps"]] == ["accepted", "accepted"]
    assert [each["result"] for each in step["verdicts"]] == ["fail", "pass"]
    assert demo.ok(*at, "log", "verify")["problems"] == []
    assert demo.ok(*at, "files", "check")["drift"] == []
    assert demo.git("log", "--format=%s", "main", cwd=demo.root / "shown/greeter").splitlines() == ["Greet"]
    assert demo.git("status", "--porcelain", cwd=demo.root / "shown/greeter") == ""


def test_the_demo_can_be_run_twice_and_inside_a_repository(folder: Workspace) -> None:
    folder.repository({"README.md": "# mine\n"})
    folder.write("punchlist-demo/mine.txt", "mine")
    folder.git("add", "--all")
    folder.git("commit", "--quiet", "-m", "Mine")

    call = folder.punchlist("demo", timeout=60)

    assert call.code == 0, call
    assert (folder.root / "punchlist-demo-2" / "greeter").is_dir()
    assert folder.git("status", "--porcelain") == ""


def test_the_demo_leaves_a_folder_that_is_not_empty_alone(folder: Workspace) -> None:
    folder.write("full/mine.txt", "mine")

    call = folder.punchlist("demo", "full")

    assert call.code == 3
    assert "not empty" in call.err
    assert [path.name for path in (folder.root / "full").iterdir()] == ["mine.txt"]
