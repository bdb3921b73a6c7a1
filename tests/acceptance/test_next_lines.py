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
