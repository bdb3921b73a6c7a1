"""What is said to be typed next can be typed: it does what the person was about."""

import shlex

import pytest

from tests.installed import Workspace

WAITS = 6
LIMITED = """\
punchlist: 1
flow: limited
nodes:
  well: {run: "true", needs: []}
  over: {run: "echo first; echo last; COMMAND", needs: []}
"""


def test_where_a_project_must_be_named_the_line_is_given_with_each_name(workspace: Workspace) -> None:
    # given
    workspace.ok("project", "create", "two")

    # when
    planned = workspace.punchlist("plan", "--approve", "Add CSV export")
    edited = workspace.punchlist("project", "edit", "--title", "A b")

    # then
    assert (planned.code, edited.code) == (2, 2)
    assert planned.err.splitlines()[-1] == (
        "Type: punchlist plan here --approve 'Add CSV export', or punchlist plan two --approve 'Add CSV export'"
    )
    assert edited.err.splitlines()[-1] == (
        "Type: punchlist project edit here --title 'A b', or punchlist project edit two --title 'A b'"
    )


def test_a_repository_without_commits_becomes_a_project_by_what_is_typed_next(folder: Workspace) -> None:
    # given
    folder.git("init", "--quiet", "--initial-branch=main")
    first = folder.punchlist("init")
    status = folder.punchlist("status")
    folder.write("README.md", "read me\n")
    folder.git("add", "--all")
    folder.git("commit", "--quiet", "-m", "Begin")

    # when
    second = folder.ok("init")
    third = folder.punchlist("init")

    # then
    assert first.out.splitlines()[-1] == (
        "Next: once that is mended, punchlist init, or punchlist project create NAME --spec FILE --repo ."
    )
    assert status.out.splitlines()[0] == "There is no project yet: punchlist init"
    assert (second["project"]["id"], second["project"]["repo"]) == ("here", ".")
    assert third.code == 3


def test_a_workspace_of_its_own_without_a_project_advises_to_make_one(folder: Workspace) -> None:
    folder.ok("init")

    call = folder.punchlist()

    assert call.out.splitlines()[0] == "There is no project yet: punchlist project create NAME --spec FILE"


def test_counts_and_places_are_said_as_people_say_them(workspace: Workspace) -> None:
    # given
    workspace.git("add", "--all")
    workspace.git("commit", "--quiet", "-m", "More")
    workspace.write("more.txt", "more\n")

    # when
    made = workspace.punchlist("project", "create", "other", "--repo", ".")
    none = workspace.punchlist("gates", "--all")
    missing = workspace.punchlist("task", "create", "here", "--file", "nowhere.yaml")

    # then
    assert "1 change is not in the base: it is not committed" in made.err
    assert none.out == "There was no gate yet.\n"
    assert missing.err.count("nowhere.yaml") == 1


def test_validate_takes_what_run_takes_and_says_whether_it_holds(workspace: Workspace) -> None:
    # given
    workspace.write("wrong.yaml", "punchlist: 1\nflow: x\nnodes: {a: {run: 'true', needs: [b]}}\n")

    # when
    built_in = workspace.ok("validate", "deliver")
    wrong = workspace.punchlist("validate", "deliver", "wrong.yaml", "--json")
    unknown = workspace.punchlist("validate", "nosuch", "--json")

    # then
    assert built_in["flows"][0]["errors"] == []
    assert (wrong.code, wrong.json["ok"]) == (2, False)
    assert [bool(flow["errors"]) for flow in wrong.json["flows"]] == [False, True]
    assert (unknown.code, unknown.json["ok"]) == (2, False)
    assert "such as deliver" in unknown.json["flows"][0]["errors"][0]["hint"]


@pytest.mark.parametrize(
    ("limit", "value", "command", "raised"),
    [
        ("timeout", "200ms", "sleep 60", "400ms"),
        ("output", "4KiB", "yes | head -c 5000; echo; echo last", "8KiB"),
        ("processes", "2", "sleep 2 & sleep 2 & sleep 2 & wait", "4"),
    ],
)
def test_where_a_limit_was_passed_twice_it_is_said_why_with_a_command_that_raises_it(
    folder: Workspace, limit: str, value: str, command: str, raised: str
) -> None:
    # given
    folder.ok("init")
    folder.write("limited.yaml", LIMITED.replace("COMMAND", command))

    # when
    ran = folder.punchlist("run", "limited.yaml", "--wait", "--set", f"policy.{limit}={value}")
    why, gate = folder.punchlist("why", "R1").out, folder.punchlist("why", "G1").out
    lacking = folder.punchlist("decide", "G1", "raise")
    (line,) = (line for line in why.splitlines() if " raise " in line)
    words = shlex.split(line.partition("  the limit")[0])

    # then
    assert ran.code == WAITS, ran
    assert f"passed its {limit} limit (" in why
    assert "\n  | first\n  | last\n" in why or "\n  | last\n" in why
    assert (line in gate, words[-2:]) == (True, ["--data", f'{{"value": "{raised}"}}'])
    assert shlex.join(words[-1:]) in lacking.err
    folder.ok(*words[1:])


def test_why_a_run_failed_is_said_with_the_last_lines_and_what_tries_it_again(folder: Workspace) -> None:
    folder.ok("init")
    folder.write("limited.yaml", LIMITED.replace("COMMAND", "exit 3"))
    folder.punchlist("run", "limited.yaml", "--wait")

    why = folder.punchlist("why", "R1").out

    assert "over  failed: attempt A2: exit 3\n  | first\n  | last\n" in why
    assert "punchlist retry R1" in why
    folder.ok("retry", "R1")
