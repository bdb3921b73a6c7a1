"""The exam folder: exactly one tree, whatever was left there, and what differs from it afterwards."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from punchlist.errors import RefusedError
from punchlist.model.ids import Tree
from tests.workspaces import Desk, state_of, write


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, files={"app.py": "print(1)\n", "lib/util.py": "x = 1\n", ".gitignore": "*.log\n/out/\n"})


def other_tree(desk: Desk) -> Tree:
    """Return a tree with another app.py of the same size and a new file."""
    clone = desk.build()
    write(clone / "app.py", "print(2)\n")
    write(clone / "new.py", "n\n")
    return desk.snapshot().tree


def content_of(folder: Path) -> dict[str, str]:
    return {name: facts for name, facts in state_of(folder).items() if not name.startswith(".git/") and name != ".git"}


def test_an_exam_shows_exactly_its_tree(desk: Desk) -> None:
    tree = other_tree(desk)

    exam = desk.exam(tree)

    assert exam == desk.root / ".punchlist/work/T1.1/exam"
    assert {str(path.relative_to(exam)) for path in exam.rglob("*") if path.is_file() and ".git/" not in f"{path}"} == {
        "app.py",
        "lib/util.py",
        ".gitignore",
        "new.py",
    }
    assert desk.workspace.exam_changes(desk.project, desk.exam_folder(tree)) == ()


def test_an_exam_changes_from_tree_to_tree_and_back(desk: Desk) -> None:
    base, other = desk.base_tree(), other_tree(desk)
    exam = desk.exam(base)
    first = content_of(exam)

    desk.exam(other)
    assert (exam / "app.py").read_text() == "print(2)\n"
    desk.exam(base)

    assert content_of(exam) == first


def leave_read_only(exam: Path, outside: Path) -> None:
    (exam / "lib/util.py").write_text("changed", encoding="utf-8")
    (exam / "lib/util.py").chmod(0)
    write(exam / "closed/deep/file", "x")
    (exam / "closed/deep").chmod(0)
    (exam / "closed").chmod(0)
    (exam / "lib").chmod(0o500)


def leave_links_out(exam: Path, outside: Path) -> None:
    (exam / "app.py").unlink()
    (exam / "app.py").symlink_to(outside / "victim")
    (exam / "away").symlink_to(outside)
    (exam / "out").symlink_to(outside)
    (exam / "lib/__pycache__").symlink_to(outside)
    (exam / "node_modules").symlink_to(outside)


def leave_a_moved_folder(exam: Path, outside: Path) -> None:
    (exam / "lib").rename(outside / "lib")
    (exam / "lib").symlink_to(outside / "lib")


def leave_a_hard_link(exam: Path, outside: Path) -> None:
    (exam / "app.py").unlink()
    os.link(outside / "victim", exam / "app.py")


def leave_swapped_kinds(exam: Path, outside: Path) -> None:
    (exam / "app.py").unlink()
    write(exam / "app.py/in/side", "x")
    shutil.rmtree(exam / "lib")
    write(exam / "lib", "x")
    os.mkfifo(exam / "pipe")


def leave_nested_repositories(exam: Path, outside: Path) -> None:
    subprocess.run(["git", "init", "-q", str(exam / "lib")], check=True)
    subprocess.run(["git", "init", "-q", str(exam / "sub")], check=True)
    write(exam / "sub/file", "x")


def leave_another_git_directory(exam: Path, outside: Path) -> None:
    shutil.rmtree(exam / ".git")
    (exam / ".git").symlink_to(outside)


def leave_ignored_files(exam: Path, outside: Path) -> None:
    write(exam / "conftest.log", "x")
    write(exam / "out/deep/answer", "x")
    write(exam / "lib/.gitignore", "*\n")
    write(exam / "lib/answer.py", "x")


def leave_marks_on_the_index(exam: Path, outside: Path) -> None:
    subprocess.run(["git", "update-index", "--assume-unchanged", "app.py"], cwd=exam, check=True)
    facts = (exam / "app.py").stat()
    write(exam / "app.py", "print(9)\n")
    os.utime(exam / "app.py", ns=(facts.st_atime_ns, facts.st_mtime_ns))


def leave_a_deep_tree(exam: Path, outside: Path) -> None:
    here = os.open(exam, os.O_RDONLY)
    name = "deeper" * 40  # longer as a whole than any path may be
    for _ in range(30):
        os.mkdir(name, dir_fd=here)
        there = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)


LEFT = [
    leave_read_only,
    leave_links_out,
    leave_a_moved_folder,
    leave_a_hard_link,
    leave_swapped_kinds,
    leave_nested_repositories,
    leave_another_git_directory,
    leave_ignored_files,
    leave_marks_on_the_index,
    leave_a_deep_tree,
]


@pytest.mark.parametrize("leave", LEFT, ids=lambda each: each.__name__)
@pytest.mark.parametrize("again", ["same tree", "other tree"])
def test_an_exam_is_clean_again_after(desk: Desk, leave: Callable[[Path, Path], None], again: str) -> None:
    tree, other = desk.base_tree(), other_tree(desk)
    expected = content_of(desk.exam(other if again == "other tree" else tree))
    exam = desk.exam(tree)
    outside = desk.root / "outside"
    write(outside / "victim", "untouched\n")

    leave(exam, outside)
    desk.exam(other if again == "other tree" else tree)

    assert content_of(exam) == expected
    assert (outside / "victim").read_text() == "untouched\n"
    assert desk.git("rev-parse", "--absolute-git-dir", cwd=exam) == str(exam / ".git")
    assert desk.git("status", "--porcelain", cwd=exam) == ""


def test_an_exam_that_is_a_link_itself_is_replaced(desk: Desk) -> None:
    tree = desk.base_tree()
    exam = desk.exam(tree)
    outside = desk.root / "outside"
    exam.rename(outside)
    exam.symlink_to(outside)
    before = state_of(outside)

    desk.exam(tree)

    assert not exam.is_symlink()
    assert (exam / "app.py").read_text() == "print(1)\n"
    assert state_of(outside) == before


def test_what_one_trees_checks_cached_is_gone_when_another_tree_is_examined(desk: Desk) -> None:
    base, other = desk.base_tree(), other_tree(desk)
    exam = desk.exam(base)
    for name in (
        "__pycache__/app.pyc",
        "lib/__pycache__/util.pyc",
        ".pytest_cache/x",
        "node_modules/m/i.js",
        "target/b",
    ):
        write(exam / name, "cache")

    desk.exam(base)
    assert (exam / "lib/__pycache__/util.pyc").exists()
    desk.exam(other)

    names = ("__pycache__", "lib/__pycache__", ".pytest_cache", "node_modules/m/i.js", "target/b")
    assert [name for name in names if (exam / name).exists()] == []


def test_the_git_of_an_exam_knows_history_and_tags_and_is_renewed_when_touched(desk: Desk) -> None:
    desk.git("tag", "-a", "v2.0", "-m", "two")
    tree = other_tree(desk)
    exam = desk.exam(tree)
    assert desk.git("describe", cwd=exam).startswith("v2.0-1-g")
    assert desk.git("rev-parse", "HEAD^{tree}", cwd=exam) == tree

    desk.git("config", "core.hooksPath", "/evil", cwd=exam)
    write(exam / ".git/hooks/post-checkout", "x")
    desk.git("commit", "-q", "--allow-empty", "-m", "x", cwd=exam)
    desk.exam(tree)

    assert "evil" not in (exam / ".git/config").read_text()
    assert not (exam / ".git/hooks").exists()
    assert desk.git("describe", cwd=exam).startswith("v2.0-1-g")


def test_an_untouched_exam_is_left_alone(desk: Desk) -> None:
    tree = desk.base_tree()
    exam = desk.exam(tree)
    before = {path: path.lstat().st_ctime_ns for path in exam.rglob("*")}

    desk.exam(tree)

    assert {path: path.lstat().st_ctime_ns for path in exam.rglob("*")} == before


def test_a_tree_that_no_commit_of_the_engine_has_can_be_examined(desk: Desk) -> None:
    blob = desk.engine("rev-parse", f"{desk.base()}:app.py")
    done = subprocess.run(
        ["git", f"--git-dir={desk.root}/.punchlist/git/acme.git", "mktree"],
        input=f"100644 blob {blob}\tonly.py\n",
        text=True,
        capture_output=True,
        check=True,
    )

    exam = desk.exam(done.stdout.strip())

    assert content_of(exam).keys() == {"only.py"}


def test_changes_in_an_exam_are_told_but_for_ignored_files_and_caches(desk: Desk) -> None:
    tree = other_tree(desk)
    folder = desk.exam_folder(tree, base=desk.base())
    exam = desk.exam(tree)
    write(exam / "app.py", "print(3)\n")
    (exam / "new.py").unlink()
    (exam / "lib/util.py").chmod(0o755)
    write(exam / "notes\n.txt", "n")
    write(exam / "x.log", "ignored")
    write(exam / "out/x", "ignored")
    write(exam / "lib/__pycache__/util.pyc", "cache")

    assert desk.workspace.exam_changes(desk.project, folder) == ("app.py", "lib/util.py", "new.py", "notes\n.txt")


def test_a_new_file_in_an_exam_whose_name_is_not_utf_8_is_told_escaped(desk: Desk) -> None:
    exam = desk.exam(desk.base_tree())
    (exam / os.fsdecode(b"caf\xe9.txt")).write_text("hot\n", encoding="utf-8")

    assert desk.workspace.exam_changes(desk.project, desk.exam_folder(desk.base_tree())) == ("caf\\xe9.txt",)


def test_ignore_rules_written_into_an_exam_hide_no_change(desk: Desk) -> None:
    tree = desk.base_tree()
    exam = desk.exam(tree)
    write(exam / ".gitignore", "*\n")
    write(exam / "answer.py", "a")
    write(exam / ".git/info/exclude", "*\n")

    assert desk.workspace.exam_changes(desk.project, desk.exam_folder(tree)) == (".gitignore", "answer.py")


def test_changes_of_an_exam_that_was_never_prepared_are_refused(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="not prepared"):
        desk.workspace.exam_changes(desk.project, desk.exam_folder(desk.base_tree()))


def test_references_resolve_only_within_the_tree(desk: Desk) -> None:
    desk.commit({"docs/a b.md": "one\ntwo", "odd:name": "x\n", "empty": ""})
    tree = desk.base_tree()
    expected = {
        "app.py": True,
        "app.py:1": True,
        "app.py:2": False,
        "app.py:0": False,
        "app.py:1-1": True,
        "app.py:1-2": False,
        "app.py:x": False,
        "docs/a b.md:2": True,
        "docs/a b.md:3": False,
        "odd:name": True,
        "odd:name:1": True,
        "empty": True,
        "empty:1": False,
        "lib": False,
        "lib/": False,
        "./app.py": False,
        "**/app.py:1": True,
        "**/app.py:9": False,
        "**/a b.md:2": True,
        "**/docs/a b.md:3": False,
        "**/pp.py:1": False,
        "**/../app.py": False,
        "lib/../app.py": False,
        "../ws/app.py": False,
        "/etc/passwd": False,
        "/dev/null:1": False,
        "https://example.com/app.py:1": False,
        ".git/config": False,
        "app.py\napp.py": False,
        "": False,
        ":1": False,
        "app.py:99999999999999999999": False,
        "\ud800": False,
    }

    assert desk.workspace.resolve(desk.project, tree, list(expected)) == expected
    assert desk.workspace.resolve(desk.project, tree, []) == {}


def test_damaged_indexes_and_records_of_the_engine_are_made_anew(desk: Desk) -> None:
    tree = other_tree(desk)
    exam = desk.exam(tree)
    expected = content_of(exam)
    for name in ("exam.index", "exam.json", "exam.setup.json", "build.index"):
        write(desk.root / ".punchlist/work/T1.1" / name, b"\0damaged")
    write(exam / "app.py", "print(9)\n")

    desk.exam(tree)

    assert content_of(exam) == expected
    assert desk.snapshot(attempt="A2").tree == tree
