"""A person's repository that changes under a workspace: the next command says what is missing, and loses nothing."""

from collections.abc import Callable

import pytest

from tests.disturbed import Disturbed, as_if_nothing_had_been

USAGE, WAITS = 2, 6
Change = Callable[[Disturbed], object]


def rename(old: str, new: str) -> Change:
    return lambda workspace: (workspace.root / old).rename(workspace.root / new)


@pytest.mark.parametrize(
    ("spoil", "mend", "says"),
    [
        (
            lambda workspace: workspace.git("branch", "-m", "main", "trunk"),
            lambda workspace: workspace.git("branch", "-m", "trunk", "main"),
            ("there is no branch 'main'; branches: trunk", "punchlist project edit here --base trunk"),
        ),
        (rename(".git", "elsewhere"), rename("elsewhere", ".git"), ("not a git repository", "--repo DIR")),
    ],
    ids=["the base branch is gone", "the repository is gone"],
)
def test_what_is_missing_is_named_before_anything_starts(
    spoil: Change, mend: Change, says: tuple[str, ...], disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    spoil(disturbed)

    calls = [
        disturbed.punchlist(*argv) for argv in (["task", "create", "--file", "task.yaml"], ["task", "start", "T1"])
    ]
    mend(disturbed)
    done = disturbed.punchlist("task", "start", "T1", "--wait")

    for call in calls:
        assert call.code == USAGE, call
        assert "Traceback" not in call.err
        for sentence in says:
            assert sentence in call.err, call
    assert [task["id"] for task in disturbed.ok("task", "list")["tasks"]] == ["T1"]
    assert done.code == 0, done
    as_if_nothing_had_been(disturbed, undisturbed)


def test_a_branch_that_somebody_else_made_is_not_overwritten(disturbed: Disturbed, undisturbed: Disturbed) -> None:
    disturbed.hold("review")
    disturbed.ok("task", "start", "T1")
    disturbed.until_at("review")
    branch = disturbed.ok("task", "show", "T1")["task"]["branch"]
    mine = disturbed.git("commit-tree", "main^{tree}", "-p", "main", "-m", "Mine").strip()
    disturbed.git("branch", branch, mine)

    disturbed.let_go("review")
    call = disturbed.punchlist("resume", "T1", "--wait")
    (gate,) = disturbed.ok("gates")["gates"]
    kept = disturbed.git("rev-parse", branch).strip()
    disturbed.git("branch", "-m", branch, "mine")
    disturbed.ok("decide", gate["id"], "retry")

    assert call.code == WAITS, call
    assert gate["kind"] == "merge"
    assert "commits of others are never overwritten" in gate["message"]
    assert kept == disturbed.git("rev-parse", "mine").strip() == mine
    as_if_nothing_had_been(disturbed, undisturbed)
