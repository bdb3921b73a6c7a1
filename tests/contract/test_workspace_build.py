"""The builder's clone: made once, kept as it was left, borrowing nothing; and merges started in it."""

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.ids import Commit, StepId
from punchlist.model.jobs import Folder
from tests.workspaces import Desk, state_of, write


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, files={"app.py": "one\ntwo\nthree\n", "other.txt": "o\n"})


def advance(desk: Desk, base: Commit, files: dict[str, str]) -> Commit:
    """Move the task's branch by another step's work."""
    clone = desk.build(base, step="T1.9")
    for name, content in files.items():
        write(clone / name, content)
    return desk.integrate(base, desk.snapshot(base, attempt="A90", step="T1.9").tree)


def test_a_clone_stands_on_a_branch_at_its_base_with_history_and_tags(desk: Desk) -> None:
    desk.git("tag", "-a", "v1.0", "-m", "one")
    base = desk.commit({"more.txt": "m\n"})

    clone = desk.build()

    assert clone == desk.root / ".punchlist/work/T1.1/build"
    assert desk.git("status", "--porcelain", "--branch", cwd=clone) == "## punchlist/T1.1"
    assert desk.git("rev-parse", "HEAD", cwd=clone) == base
    assert desk.git("log", "--format=%s", cwd=clone) == "Change\nChange\nStart"
    assert desk.git("describe", cwd=clone).startswith("v1.0-1-g")
    assert desk.git("fsck", "--strict", cwd=clone) == ""


def test_a_clone_borrows_nothing_and_has_nowhere_to_push(desk: Desk) -> None:
    clone = desk.build()

    assert desk.git("remote", cwd=clone) == ""
    assert not (clone / ".git/objects/info/alternates").exists()
    links = {path.stat().st_nlink for path in clone.rglob("*") if path.is_file()}
    assert links == {1}
    shutil.rmtree(desk.repo)
    shutil.rmtree(desk.root / ".punchlist/git")
    assert desk.git("log", "-1", "--format=%s", "-p", cwd=clone).startswith("Change")


def test_a_clone_is_kept_as_the_builder_left_it(desk: Desk) -> None:
    clone = desk.build()
    write(clone / "new.py", "n\n")
    write(clone / "app.py", "changed\n")
    desk.git("add", "new.py", cwd=clone)
    desk.git("commit", "-qm", "mine", cwd=clone)
    before = state_of(clone)

    assert desk.build() == clone
    assert state_of(clone) == before


def test_a_half_made_clone_is_made_again(desk: Desk) -> None:
    write(desk.root / ".punchlist/work/T1.1/build/half", "h")

    clone = desk.build()

    assert {path.name for path in clone.iterdir()} == {".git", "app.py", "other.txt"}


def test_a_clone_of_a_step_that_starts_again_elsewhere_is_made_anew(desk: Desk) -> None:
    clone = desk.build()
    write(clone / "old.py", "o\n")
    desk.snapshot()
    desk.commit({"new.py": "n\n"})
    moved = desk.base()

    desk.build(moved)

    assert {path.name for path in clone.iterdir()} == {".git", "app.py", "other.txt", "new.py"}
    assert desk.snapshot(moved, attempt="A2").changes == ()


def test_a_clone_of_another_revision_is_made_anew_and_stays_within_one(desk: Desk) -> None:
    base, clone = desk.base(), desk.build()
    write(clone / "left.py", "l\n")
    again = msgspec.structs.replace(desk.folder(base), revision=1)

    desk.workspace.prepare(desk.project, again)
    assert {path.name for path in clone.iterdir()} == {".git", "app.py", "other.txt"}
    assert desk.snapshot(base, attempt="A2").changes == ()

    write(clone / "warm.py", "w\n")
    tip = advance(desk, base, {"theirs.py": "t\n"})
    desk.workspace.prepare(desk.project, msgspec.structs.replace(desk.folder(base, merge=tip), revision=1))
    desk.workspace.prepare(desk.project, msgspec.structs.replace(desk.folder(tip), revision=1))
    assert {path.name for path in clone.iterdir()} >= {"warm.py", "theirs.py"}


@pytest.mark.parametrize("wreck", ["gone", "link", "file", "emptied", "commondir"])
def test_a_wrecked_git_directory_is_mended_and_never_leads_elsewhere(desk: Desk, wreck: str) -> None:
    clone = desk.build()
    write(clone / "new.py", "n\n")
    git_dir = clone / ".git"
    if wreck == "commondir":
        write(git_dir / "commondir", str(desk.repo / ".git"))
    else:
        shutil.rmtree(git_dir)
    if wreck == "link":
        git_dir.symlink_to(desk.repo / ".git")
    elif wreck == "file":
        write(git_dir, f"gitdir: {desk.repo}/.git\n")
    elif wreck == "emptied":
        git_dir.mkdir()
    before = state_of(desk.repo)

    desk.build()

    assert desk.git("rev-parse", "--absolute-git-dir", cwd=clone) == str(git_dir)
    assert (clone / "new.py").exists()
    assert {change.path for change in desk.snapshot().changes} == {"new.py"}
    assert state_of(desk.repo) == before


def test_a_clone_without_a_base_or_at_an_unknown_one_is_refused(desk: Desk) -> None:
    desk.base()
    with pytest.raises(RefusedError, match="needs a base"):
        desk.workspace.prepare(desk.project, Folder(place="build", step=StepId("T1.1")))
    with pytest.raises(RefusedError):
        desk.build(Commit("1" * 40))


@pytest.mark.parametrize("step", ["../x", "T1/../../x", "", "T1.1\n", "A B"])
def test_no_name_leads_out_of_the_work_folders(desk: Desk, step: str) -> None:
    with pytest.raises(RefusedError, match="names no step"):
        desk.workspace.prepare(desk.project, Folder(place="build", step=StepId(step), base=desk.base()))


def test_the_folder_of_a_plain_flow_is_the_workspace(desk: Desk) -> None:
    assert desk.workspace.prepare(desk.project, Folder(place="run")) == desk.root


def test_a_conflict_is_left_in_the_clone_as_git_merge_would(desk: Desk) -> None:
    base = desk.base()
    clone = desk.build()
    write(clone / "app.py", "one\nmine\nthree\n")
    write(clone / "mine.py", "m\n")
    first = desk.snapshot()
    tip = advance(desk, base, {"app.py": "one\ntheirs\nthree\n", "theirs.py": "t\n"})
    assert desk.workspace.merge(desk.project, desk.merging(base, first.commit, onto=tip)).conflicts == ("app.py",)

    desk.workspace.prepare(desk.project, desk.folder(base, merge=tip))

    text = (clone / "app.py").read_text()
    assert "<<<<<<<" in text
    assert "mine" in text
    assert "theirs" in text
    assert (clone / "theirs.py").read_text() == "t\n"
    status = desk.git("status", "--porcelain", cwd=clone).splitlines()
    assert sorted(status) == ["A  theirs.py", "UU app.py"]
    assert desk.git("rev-parse", "MERGE_HEAD", cwd=clone) == tip


def test_a_resolved_conflict_is_a_change_against_the_moved_branch_alone(desk: Desk) -> None:
    base = desk.base()
    clone = desk.build()
    write(clone / "app.py", "one\nmine\nthree\n")
    desk.snapshot()
    tip = advance(desk, base, {"app.py": "one\ntheirs\nthree\n", "theirs.py": "t\n"})
    desk.workspace.prepare(desk.project, desk.folder(base, merge=tip))
    write(clone / "app.py", "one\nboth\nthree\n")
    desk.git("commit", "-qam", "resolved", cwd=clone)

    desk.workspace.prepare(desk.project, desk.folder(tip, merge=tip))
    snapshot = desk.snapshot(tip, attempt="A2")

    assert {change.path for change in snapshot.changes} == {"app.py"}
    assert "-theirs\n+both\n" in snapshot.diff
    assert desk.git("log", "--format=%s", "-1", cwd=clone) == "resolved"
    desk.workspace.prepare(desk.project, desk.folder(tip))
    assert (clone / "app.py").read_text() == "one\nboth\nthree\n"


def test_a_merge_without_a_conflict_is_ready_to_commit(desk: Desk) -> None:
    base = desk.base()
    clone = desk.build()
    write(clone / "mine.py", "m\n")
    tip = advance(desk, base, {"theirs.py": "t\n"})

    desk.workspace.prepare(desk.project, desk.folder(base, merge=tip))

    assert desk.git("status", "--porcelain", cwd=clone) == "A  theirs.py"
    desk.git("commit", "-q", "--no-edit", cwd=clone)
    assert len(desk.git("log", "-1", "--format=%P", cwd=clone).split()) == 2


def test_the_branch_may_move_under_a_step_twice(desk: Desk) -> None:
    base = desk.base()
    clone = desk.build()
    write(clone / "app.py", "one\nmine\nthree\n")
    first = advance(desk, base, {"app.py": "one\ntheirs\nthree\n"})
    desk.workspace.prepare(desk.project, desk.folder(base, merge=first))
    write(clone / "app.py", "one\nboth\nthree\n")
    desk.snapshot(first, attempt="A2")
    second = advance(desk, first, {"app.py": "one\ntheirs\nthree\nfour\n"})

    desk.workspace.prepare(desk.project, desk.folder(first, merge=second))

    assert (clone / "app.py").read_text() == "one\nboth\nthree\nfour\n"
    assert desk.snapshot(second, attempt="A3").tree != desk.workspace.tree_of(desk.project, second)


def test_a_start_of_a_merge_that_was_killed_is_done_again_from_the_builders_work(desk: Desk) -> None:
    base = desk.base()
    clone = desk.build()
    write(clone / "app.py", "one\nmine\nthree\n")
    tip = advance(desk, base, {"app.py": "one\ntheirs\nthree\n"})
    record = desk.root / ".punchlist/work/T1.1/build.json"
    (clone / ".git/MERGE_MODE").mkdir()
    desk.workspace.prepare(desk.project, desk.folder(base, merge=tip))
    done = (clone / "app.py").read_text()
    ours = desk.git("rev-parse", "HEAD", cwd=clone)

    record.write_text(f'{{"base":"{base}","merging":"{tip}","ours":"{ours}"}}', encoding="utf-8")
    desk.workspace.prepare(desk.project, desk.folder(base, merge=tip))

    assert (clone / "app.py").read_text() == done
    assert done.count("<<<<<<<") == 1


def test_a_merge_never_runs_what_was_planted_nor_writes_through_a_link(desk: Desk) -> None:
    base = desk.base()
    clone = desk.build()
    trap, victim = desk.root / "trap", desk.root / "victim"
    write(victim, "untouched\n")
    for key in ("merge.x.driver", "filter.x.smudge", "filter.x.clean", "core.fsmonitor", "core.sshCommand"):
        desk.git("config", key, f"touch {trap}; cat", cwd=clone)
    write(clone / ".gitattributes", "* merge=x filter=x\n")
    write(clone / "app.py", "one\nmine\nthree\n")
    for name in ("index", "MERGE_HEAD", "MERGE_MSG", "HEAD", f"HEAD.{os.getpid()}.new"):
        (clone / ".git" / name).unlink(missing_ok=True)
        (clone / ".git" / name).symlink_to(victim)
    shutil.rmtree(clone / ".git/refs/heads/punchlist")
    (clone / ".git/refs/heads/punchlist").symlink_to(desk.repo / ".git/refs/heads")
    tip = advance(desk, base, {"app.py": "one\ntheirs\nthree\n"})
    trap.unlink(missing_ok=True)
    before = state_of(desk.repo)

    desk.workspace.prepare(desk.project, desk.folder(base, merge=tip))

    assert not trap.exists()
    assert victim.read_text() == "untouched\n"
    assert state_of(desk.repo) == before
    assert "<<<<<<<" in (clone / "app.py").read_text()


def test_an_exam_without_a_tree_is_refused(desk: Desk) -> None:
    with pytest.raises(DefinitionError, match="needs the tree"):
        desk.workspace.prepare(desk.project, Folder(place="exam", step=StepId("T1.1")))
