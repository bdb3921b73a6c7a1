"""Accepted trees on the task's branch: by compare-and-swap, published, redone safely; and merges."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from punchlist.errors import ConflictError, DefinitionError, RefusedError
from punchlist.model.ids import Commit, Tree
from tests.workspaces import BRANCH, Desk, state_of, write

MESSAGE = "Add it\n\nPunchlist-Task: T1\nPunchlist-Event: ümläut\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, files={"app.py": "one\ntwo\nthree\n", "other.txt": "o\n"})


def built(desk: Desk, base: Commit, files: dict[str, str], *, step: str = "T1.1", attempt: str = "A1") -> Tree:
    clone = desk.build(base, step=step)
    for name, content in files.items():
        write(clone / name, content)
    return desk.snapshot(base, attempt=attempt, step=step).tree


def test_the_commit_is_exactly_as_planned(desk: Desk) -> None:
    base = desk.base()
    tree = built(desk, base, {"new.py": "n\n"})

    commit = desk.integrate(base, tree, message=MESSAGE)

    facts = desk.git("log", "-1", "--format=%T|%P|%an <%ae> %at|%cn <%ce> %ct|%B", BRANCH)
    who = "A Builder <builder@example.com> 1767323045"
    assert facts == f"{tree}|{base}|{who}|{who}|{MESSAGE}".strip()
    assert desk.git("rev-parse", BRANCH) == commit == desk.engine("rev-parse", f"refs/heads/{BRANCH}")


def test_integrating_twice_gives_the_same_commit_and_changes_nothing(desk: Desk) -> None:
    base = desk.base()
    job = desk.integration(base, built(desk, base, {"new.py": "n\n"}))
    commit = desk.workspace.integrate(desk.project, job)
    before = state_of(desk.repo)

    assert desk.workspace.integrate(desk.project, job) == commit
    assert state_of(desk.repo) == before


def test_an_integration_cut_between_the_two_repositories_is_finished(desk: Desk) -> None:
    base = desk.base()
    job = desk.integration(base, built(desk, base, {"new.py": "n\n"}))
    commit = desk.workspace.integrate(desk.project, job)

    desk.engine("update-ref", "-d", f"refs/heads/{BRANCH}")
    write(desk.root / f".punchlist/git/acme.git/refs/heads/{BRANCH}.lock", "")
    assert desk.workspace.integrate(desk.project, job) == commit
    assert desk.engine("rev-parse", f"refs/heads/{BRANCH}") == commit

    desk.git("branch", "-D", BRANCH)
    assert desk.workspace.integrate(desk.project, job) == commit
    assert desk.git("rev-parse", BRANCH) == commit


def test_a_branch_that_has_moved_is_refused_and_left(desk: Desk) -> None:
    base = desk.base()
    first = desk.integrate(base, built(desk, base, {"a.py": "a\n"}))
    late = built(desk, base, {"b.py": "b\n"}, step="T1.2", attempt="A2")

    with pytest.raises(ConflictError, match=f"is at {first}, not at {base}"):
        desk.integrate(base, late)
    assert desk.git("rev-parse", BRANCH) == first

    second = desk.integrate(first, late)
    assert desk.git("rev-parse", f"{BRANCH}~1") == first
    assert desk.git("rev-parse", BRANCH) == second


def test_of_two_at_once_one_wins(desk: Desk) -> None:
    base = desk.base()
    trees = [built(desk, base, {f"{n}.py": "x\n"}, step=f"T1.{n}", attempt=f"A{n}") for n in (1, 2, 3, 4)]

    def attempt(tree: Tree) -> str:
        try:
            return desk.integrate(base, tree)
        except RefusedError:
            return "refused"

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(attempt, trees))

    assert ended.count("refused") == 3
    assert desk.git("rev-parse", BRANCH) in ended


def test_a_branch_that_is_checked_out_is_refused_before_anything_moves(desk: Desk) -> None:
    base = desk.base()
    first = desk.integrate(base, built(desk, base, {"a.py": "a\n"}))
    desk.git("checkout", "-q", BRANCH)
    before = state_of(desk.repo)
    job = desk.integration(first, built(desk, first, {"b.py": "b\n"}, attempt="A2"))

    with pytest.raises(RefusedError, match=r"checked out in[\s\S]*switch -"):
        desk.workspace.integrate(desk.project, job)

    assert state_of(desk.repo) == before
    assert desk.engine("rev-parse", f"refs/heads/{BRANCH}") == first
    desk.git("checkout", "-q", "main")
    assert desk.workspace.integrate(desk.project, job) == desk.git("rev-parse", BRANCH)


def test_commits_of_others_on_the_branch_are_never_overwritten(desk: Desk) -> None:
    base = desk.base()
    desk.git("checkout", "-q", "-b", BRANCH)
    theirs = desk.commit({"theirs.py": "t\n"})
    desk.git("checkout", "-q", "main")

    with pytest.raises(RefusedError, match=rf"it is at {theirs}[\s\S]*branch -m"):
        desk.integrate(base, built(desk, base, {"a.py": "a\n"}))

    assert desk.git("rev-parse", BRANCH) == theirs
    assert desk.engine("for-each-ref", "refs/heads/") == ""


def test_a_branch_in_the_way_of_the_name_is_told(desk: Desk) -> None:
    base = desk.base()
    desk.git("branch", "punchlist")

    with pytest.raises(RefusedError, match="could not be published"):
        desk.integrate(base, built(desk, base, {"a.py": "a\n"}))


@pytest.mark.parametrize("branch", ["../evil", "-x", "a..b", "", "refs/heads/a b"])
def test_a_name_that_is_no_branch_is_refused(desk: Desk, branch: str) -> None:
    base = desk.base()

    with pytest.raises(DefinitionError, match="cannot be the name of a branch"):
        desk.workspace.integrate(desk.project, desk.integration(base, desk.base_tree(), branch=branch))


def test_an_unknown_tree_is_refused(desk: Desk) -> None:
    with pytest.raises(RefusedError):
        desk.integrate(desk.base(), Tree("1" * 40))


def test_parallel_work_on_other_places_merges(desk: Desk) -> None:
    base = desk.base()
    tip = desk.integrate(base, built(desk, base, {"app.py": "zero\none\ntwo\nthree\n", "a.py": "a\n"}))
    built(desk, base, {"app.py": "one\ntwo\nthree\nfour\n"}, step="T1.2", attempt="A2")
    mine = Commit(desk.engine("rev-parse", "refs/attempts/A2"))

    merged = desk.workspace.merge(desk.project, desk.merging(base, mine, onto=tip))

    assert merged.tree is not None
    assert merged.conflicts == ()
    exam = desk.exam(merged.tree)
    assert (exam / "app.py").read_text() == "zero\none\ntwo\nthree\nfour\n"
    assert desk.git("log", "-1", "--format=%P", cwd=exam) == tip
    assert desk.integrate(tip, merged.tree) == desk.git("rev-parse", BRANCH)


def test_parallel_work_on_the_same_place_conflicts_by_path(desk: Desk) -> None:
    base = desk.base()
    tip = desk.integrate(base, built(desk, base, {"app.py": "one\nA\nthree\n", "new": "a\n", "ok": "1\n"}))
    built(desk, base, {"app.py": "one\nB\nthree\n", "new": "b\n"}, step="T1.2", attempt="A2")
    mine = Commit(desk.engine("rev-parse", "refs/attempts/A2"))

    merged = desk.workspace.merge(desk.project, desk.merging(base, mine, onto=tip))

    assert (merged.tree, merged.conflicts) == (None, ("app.py", "new"))


def test_a_published_branch_is_there_and_not_merged(desk: Desk) -> None:
    base = desk.base()
    commit = desk.integrate(base, built(desk, base, {"a.py": "a\n"}))
    desk.git("branch", "-D", BRANCH)

    assert desk.workspace.publish(desk.project, desk.publication(commit, "branch")) is False
    assert desk.git("rev-parse", BRANCH) == commit
    assert desk.git("rev-parse", "main") == base


def test_a_merge_into_a_branch_that_is_checked_out_is_refused_with_the_command(desk: Desk) -> None:
    base = desk.base()
    commit = desk.integrate(base, built(desk, base, {"a.py": "a\n"}))

    with pytest.raises(RefusedError, match=rf"git -C {desk.repo} merge {BRANCH}"):
        desk.workspace.publish(desk.project, desk.publication(commit, "merge"))
    assert desk.git("rev-parse", "main") == base

    desk.git("merge", "-q", BRANCH)
    assert desk.workspace.publish(desk.project, desk.publication(commit, "merge")) is True


def test_a_merge_moves_the_base_branch_forward(desk: Desk) -> None:
    base = desk.base()
    commit = desk.integrate(base, built(desk, base, {"a.py": "a\n"}))
    desk.git("checkout", "-q", "--detach")

    assert desk.workspace.publish(desk.project, desk.publication(commit, "merge")) is True
    assert desk.workspace.publish(desk.project, desk.publication(commit, "merge")) is True

    assert desk.git("rev-parse", "main") == commit


def test_a_merge_into_a_moved_base_is_a_merge_commit(desk: Desk) -> None:
    base = desk.base()
    commit = desk.integrate(base, built(desk, base, {"a.py": "a\n"}))
    moved = desk.commit({"b.py": "b\n"})
    desk.git("checkout", "-q", "--detach")

    assert desk.workspace.publish(desk.project, desk.publication(commit, "merge")) is True

    assert desk.git("log", "-1", "--format=%P", "main") == f"{moved} {commit}"
    assert set(desk.git("ls-tree", "--name-only", "main").split()) >= {"a.py", "b.py"}


def test_a_merge_that_conflicts_with_a_moved_base_is_refused(desk: Desk) -> None:
    base = desk.base()
    commit = desk.integrate(base, built(desk, base, {"app.py": "mine\n"}))
    moved = desk.commit({"app.py": "theirs\n"})
    desk.git("checkout", "-q", "--detach")

    with pytest.raises(RefusedError, match=r"changed the same places: app\.py"):
        desk.workspace.publish(desk.project, desk.publication(commit, "merge"))
    assert desk.git("rev-parse", "main") == moved


def test_a_bare_repository_takes_the_merge(desk: Desk) -> None:
    bare = desk.root / "bare.git"
    desk.git("clone", "--quiet", "--bare", str(desk.repo), str(bare))
    desk.project = msgspec.structs.replace(desk.project, repo="bare.git")
    base = desk.base()
    commit = desk.integrate(base, built(desk, base, {"a.py": "a\n"}))

    assert desk.workspace.publish(desk.project, desk.publication(commit, "merge")) is True
    assert desk.git("rev-parse", "main", cwd=bare) == commit


def test_a_pull_request_is_refused_by_name(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="pull request is not part of this version"):
        desk.workspace.publish(desk.project, desk.publication(desk.base(), "pr"))


@pytest.mark.parametrize(
    ("author", "at"), [("A <a@b>", "yesterday"), ("A <a@b>", "2026-01-01T00:00:00"), ("<a@b>", "2026-01-01T00:00:00Z")]
)
def test_an_author_or_time_that_is_none_is_refused(desk: Desk, author: str, at: str) -> None:
    job = msgspec.structs.replace(desk.integration(desk.base(), desk.base_tree()), author=author, at=at)

    with pytest.raises(DefinitionError):
        desk.workspace.integrate(desk.project, job)


def test_a_name_cannot_forge_a_commit(desk: Desk) -> None:
    job = desk.integration(desk.base(), desk.base_tree())
    job = msgspec.structs.replace(job, author="A\ncommitter Evil", message="x\n")

    commit = desk.workspace.integrate(desk.project, job)

    assert desk.git("log", "-1", "--format=%an|%cn", commit) == "Acommitter Evil|Acommitter Evil"
