"""The user's repository: what is asked of it, what is refused, and that a run leaves it as it was."""

import os
import stat
from pathlib import Path

import msgspec
import pytest

from punchlist.errors import DefinitionError, RefusedError, StoreError, WorkerError
from punchlist.model.ids import AttemptId, Commit
from punchlist.model.records import Project
from punchlist.workspace.adapter import GitWorkspace
from tests.workspaces import BRANCH, Desk, state_of, write


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, files={"app.py": "print(1)\n", "README": "hello\n"})


def other(desk: Desk, **fields: str) -> Project:
    return msgspec.structs.replace(desk.project, **fields)


def test_the_base_is_the_tip_of_the_base_branch(desk: Desk) -> None:
    assert desk.base() == desk.git("rev-parse", "main")

    moved = desk.commit({"app.py": "print(2)\n"})

    assert desk.base() == moved
    assert desk.workspace.tree_of(desk.project, moved) == desk.git("rev-parse", "main^{tree}")


def test_a_base_that_is_known_is_told_without_git(desk: Desk) -> None:
    without_git = GitWorkspace(root=desk.root, state=desk.root / ".punchlist", environ={"PATH": "/nonexistent"})
    with pytest.raises(WorkerError, match="git is not on PATH"):
        without_git.base(desk.project)

    known = desk.base()

    assert without_git.base(desk.project) == known


def test_a_base_that_moved_since_it_was_packed_is_the_new_one(desk: Desk) -> None:
    desk.git("pack-refs", "--all")
    packed = desk.base()

    moved = desk.commit({"app.py": "print(2)\n"})

    assert packed != moved
    assert desk.base() == moved


def test_a_base_stays_readable_after_the_user_rewrote_and_pruned_it(desk: Desk) -> None:
    lost = desk.commit({"app.py": "print('lost')\n"})
    assert desk.base() == lost

    desk.git("reset", "--quiet", "--hard", "HEAD~1")
    desk.git("reflog", "expire", "--expire=now", "--all")
    desk.git("gc", "--quiet", "--prune=now")

    assert desk.git("cat-file", "-t", "main") == "commit"
    assert (desk.build(lost) / "app.py").read_text() == "print('lost')\n"


def test_a_folder_that_is_no_repository_is_refused(desk: Desk) -> None:
    (desk.root / "plain").mkdir()

    with pytest.raises(DefinitionError, match=r"not a git repository[\s\S]*punchlist project edit"):
        desk.workspace.base(other(desk, repo="plain"))
    with pytest.raises(DefinitionError, match="no such folder"):
        desk.workspace.base(other(desk, repo="nowhere"))


def test_a_folder_inside_another_repository_is_not_taken_for_it(desk: Desk) -> None:
    (desk.repo / "inner").mkdir()

    with pytest.raises(DefinitionError, match="not a git repository"):
        desk.workspace.base(other(desk, repo="repos/acme/inner"))


def test_a_repository_without_commits_is_refused_with_the_command_to_type(desk: Desk) -> None:
    empty = desk.root / "empty"
    empty.mkdir()
    desk.git("init", "--quiet", cwd=empty)

    with pytest.raises(DefinitionError, match=r"no commits[\s\S]*git -C .*empty commit --allow-empty -m start"):
        desk.workspace.base(other(desk, repo="empty"))


def test_a_missing_base_branch_is_refused_and_the_branches_are_listed(desk: Desk) -> None:
    desk.git("branch", "develop")

    with pytest.raises(DefinitionError, match=r"no branch 'trunk'; branches: develop, main"):
        desk.workspace.base(other(desk, base="trunk"))


@pytest.mark.parametrize("name", ["main^{tree}", "main~1", "../main", "a b", "-x", "HEAD@{1}", "x.lock", "main\n"])
def test_what_cannot_be_a_branch_is_refused_as_a_base(desk: Desk, name: str) -> None:
    with pytest.raises(DefinitionError, match="cannot be the name of a branch"):
        desk.workspace.base(other(desk, base=name))


def test_submodules_and_lfs_are_refused_by_name_all_at_once(desk: Desk) -> None:
    head = desk.git("rev-parse", "HEAD")
    desk.git("update-index", "--add", "--cacheinfo", f"160000,{head},vendor/lib")
    write(desk.repo / "art/.gitattributes", "# big\n*.psd filter=lfs diff=lfs\n")
    desk.git("add", "art")
    desk.git("commit", "--quiet", "-m", "Both")

    for _ in range(2):
        with pytest.raises(RefusedError) as caught:
            desk.base()

        assert "vendor/lib: is a submodule" in str(caught.value)
        assert "art/.gitattributes: keeps files with git LFS: *.psd filter=lfs" in str(caught.value)


def test_a_linked_worktree_and_a_bare_repository_are_repositories(desk: Desk) -> None:
    desk.git("worktree", "add", "--quiet", str(desk.root / "linked"), "-b", "side")
    desk.git("clone", "--quiet", "--bare", str(desk.repo), str(desk.root / "bare.git"))

    assert desk.workspace.base(other(desk, id="linked", repo="linked")) == desk.git("rev-parse", "main")
    bare = other(desk, id="bare", repo=str(desk.root / "bare.git"))
    assert desk.workspace.base(bare) == desk.git("rev-parse", "main")
    assert desk.workspace.uncommitted(bare) == 0


def test_a_shallow_repository_is_taken_as_far_as_it_goes(desk: Desk) -> None:
    desk.git("clone", "--quiet", "--depth=1", f"file://{desk.repo}", str(desk.root / "shallow"))
    desk.project = other(desk, repo="shallow")

    clone = desk.build()
    write(clone / "new.py", "n\n")
    snapshot = desk.snapshot()
    commit = desk.integrate(desk.base(), snapshot.tree)

    assert desk.git("log", "--format=%s", cwd=clone) == "Change"
    assert desk.git("log", "--format=%s", cwd=desk.exam(snapshot.tree)) == "Add it\nChange"
    assert desk.git("rev-parse", BRANCH, cwd=desk.root / "shallow") == commit


def test_a_made_repository_has_one_empty_commit_on_main_and_is_never_made_twice(tmp_path: Path, desk: Desk) -> None:
    path = tmp_path / "new" / "one"

    desk.workspace.create_repository(path)
    first = desk.git("rev-parse", "main", cwd=path)
    desk.workspace.create_repository(path)

    assert desk.git("rev-parse", "HEAD", cwd=path) == first
    assert desk.git("log", "--format=%an <%ae>|%D", cwd=path) == "Punchlist <punchlist@localhost>|HEAD -> main"
    assert desk.git("ls-tree", "HEAD", cwd=path) == ""


def test_a_repository_is_made_inside_another_one(desk: Desk) -> None:
    desk.workspace.create_repository(desk.repo / "inner")

    assert desk.git("rev-parse", "--show-toplevel", cwd=desk.repo / "inner") == str(desk.repo / "inner")


def test_uncommitted_paths_are_counted_without_touching_the_index(desk: Desk) -> None:
    assert desk.workspace.uncommitted(desk.project) == 0
    write(desk.repo / "app.py", "print(3)\n")
    write(desk.repo / "new\nname.txt", "x")
    (desk.repo / "README").unlink()
    before = state_of(desk.repo)

    assert desk.workspace.uncommitted(desk.project) == 3
    assert state_of(desk.repo) == before


def test_the_workspace_in_a_repository_is_not_counted_as_uncommitted(tmp_path: Path, desk: Desk) -> None:
    state = desk.repo / ".punchlist"
    workspace = GitWorkspace(root=desk.repo, state=state, environ=os.environ)
    project = other(desk, repo=".")

    workspace.base(project)

    assert workspace.uncommitted(project) == 0
    assert state.is_dir()


def test_a_whole_run_leaves_the_users_repository_as_it_was_but_for_the_published_branch(desk: Desk) -> None:
    trap = desk.root / "trap"
    for hook in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction", "post-checkout"):
        write(desk.repo / ".git/hooks" / hook, f"#!/bin/sh\ntouch {trap}\n")
        (desk.repo / ".git/hooks" / hook).chmod(0o755)
    desk.git("config", "core.fsmonitor", f"touch {trap}; false")
    desk.git("config", "receive.denyNonFastForwards", "false")
    desk.git("config", "filter.x.clean", f"touch {trap}; cat")
    desk.git("config", "push.followTags", "true")
    desk.git("tag", "v1.0")
    write(desk.repo / "app.py", "print('not committed')\n")
    desk.git("add", "app.py")
    write(desk.repo / "README", "not staged\n")
    trap.unlink(missing_ok=True)
    before = state_of(desk.repo)

    base = desk.base()
    write(desk.build() / "new.py", "print(2)\n")
    snapshot = desk.snapshot()
    desk.exam(snapshot.tree)
    commit = desk.integrate(base, snapshot.tree)
    desk.workspace.publish(desk.project, desk.publication(commit, "branch"))

    ref = f".git/refs/heads/{BRANCH}"
    log = f".git/logs/refs/heads/{BRANCH}"
    new = {ref, log, ".git/refs/heads/punchlist", ".git/logs/refs/heads/punchlist"}
    after = state_of(desk.repo)
    assert {name: facts for name, facts in after.items() if name not in new} == before
    assert (desk.repo / ref).read_text().strip() == commit
    assert not trap.exists()


def test_the_users_own_configuration_and_environment_reach_no_git(
    desk: Desk, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = desk.root / "trap"
    write(home / ".config/git/attributes", "* filter=x\n")
    write(home / ".config/git/config", f'[filter "x"]\n\tclean = touch {trap}; tr a-z A-Z\n\trequired = true\n')
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"touch {trap}")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")

    workspace = GitWorkspace(root=desk.root, state=desk.root / ".punchlist", environ=os.environ)
    base = workspace.base(desk.project)
    folder = desk.folder(base)
    write(workspace.prepare(desk.project, folder) / "low.txt", "low\n")
    snapshot = workspace.snapshot(desk.project, folder, AttemptId("A1"), base)
    (home / ".config/git/attributes").unlink()
    (home / ".config/git/config").unlink()

    assert "+low\n" in snapshot.diff
    assert not trap.exists()


def test_without_git_on_path_the_error_says_so(desk: Desk) -> None:
    workspace = GitWorkspace(root=desk.root, state=desk.root / ".punchlist", environ={"PATH": "/nowhere"})

    with pytest.raises(WorkerError, match="git is not on PATH"):
        workspace.base(desk.project)


def test_a_state_folder_that_cannot_be_written_is_an_error_of_the_store(desk: Desk) -> None:
    write(desk.root / "file", "")
    workspace = GitWorkspace(root=desk.root, state=desk.root / "file", environ=os.environ)

    with pytest.raises(StoreError):
        workspace.base(desk.project)


def test_an_unknown_commit_is_refused(desk: Desk) -> None:
    desk.base()

    with pytest.raises(RefusedError):
        desk.workspace.tree_of(desk.project, Commit("1" * 40))


def test_the_private_home_is_made_for_its_owner_alone(desk: Desk) -> None:
    home = desk.workspace.home(desk.folder().project or "acme")  # type: ignore[arg-type]

    assert home == desk.root / ".punchlist/home/acme"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
