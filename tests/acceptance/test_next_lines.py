"""What is said to be typed next can be typed: it does what the person was about."""

from tests.installed import Workspace


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
