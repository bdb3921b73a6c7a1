"""Snapshots: everything that a builder left, by the base's rules, and nothing that its clone says."""

import os
import socket
import subprocess
from pathlib import Path

import msgspec
import pytest

from punchlist.errors import RefusedError
from punchlist.model.jobs import Change
from tests.workspaces import Desk, state_of, write


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    files = {
        "app.py": "print(1)\n",
        "lib/util.py": "x = 1\n",
        "gone.txt": "bye\n",
        ".gitignore": "*.log\n/build/\n!keep.log\n",
        "lib/.gitignore": "*.tmp\n!special.log\n",
        "tracked.log": "a log that the base tracks\n",
    }
    return Desk(tmp_path, files=files)


def test_an_untouched_clone_gives_the_tree_of_its_base(desk: Desk) -> None:
    desk.build()

    snapshot = desk.snapshot()

    assert snapshot.tree == desk.base_tree()
    assert snapshot.changes == ()
    assert snapshot.diff == ""
    assert desk.engine("rev-parse", "refs/attempts/A1^") == desk.base()


def test_changes_are_told_with_their_modes(desk: Desk) -> None:
    clone = desk.build()
    write(clone / "app.py", "print(2)\n")
    write(clone / "run.sh", "#!/bin/sh\n")
    (clone / "run.sh").chmod(0o755)
    (clone / "gone.txt").unlink()
    (clone / "lib/util.py").unlink()
    (clone / "lib/util.py").symlink_to("/etc/passwd")

    snapshot = desk.snapshot()

    assert snapshot.changes == (
        Change(path="app.py", how="modified", old_mode="100644", new_mode="100644"),
        Change(path="gone.txt", how="deleted", old_mode="100644", new_mode="000000"),
        Change(path="lib/util.py", how="type", old_mode="100644", new_mode="120000"),
        Change(path="run.sh", how="added", old_mode="000000", new_mode="100755"),
    )
    assert "-print(1)\n+print(2)\n" in snapshot.diff
    assert desk.show(snapshot.tree, "lib/util.py") == b"/etc/passwd"


def test_the_same_content_gives_the_same_tree_and_commit_however_it_came_about(desk: Desk) -> None:
    first = desk.build(step="T1.1")
    write(first / "app.py", "print(2)\n")
    write(first / "new.py", "n\n")
    second = desk.build(step="T1.2")
    write(second / "new.py", "other\n")
    desk.snapshot(attempt="A1", step="T1.2")
    desk.git("add", "-A", cwd=second)
    desk.git("commit", "-qm", "mine", cwd=second)
    write(second / "new.py", "n\n")
    write(second / "app.py", "print(2)\n")

    one, two = desk.snapshot(attempt="A2", step="T1.1"), desk.snapshot(attempt="A3", step="T1.2")

    assert (one.tree, one.commit) == (two.tree, two.commit)


def test_ignored_files_are_left_out_by_the_rules_of_the_base(desk: Desk) -> None:
    clone = desk.build()
    for name in ("x.log", "build/out", "lib/a.tmp", "lib/x.log", "deep/er/y.log"):
        write(clone / name, "ignored")
    for name in ("keep.log", "lib/special.log", "sub/build/in", "a.tmp"):
        write(clone / name, "kept")
    write(clone / "tracked.log", "changed\n")

    snapshot = desk.snapshot()

    assert {change.path for change in snapshot.changes} == {
        "keep.log",
        "lib/special.log",
        "sub/build/in",
        "a.tmp",
        "tracked.log",
    }


def test_an_edited_gitignore_hides_and_smuggles_nothing_and_is_recorded(desk: Desk) -> None:
    clone = desk.build()
    write(clone / ".gitignore", "*.py\n!*.log\n!build\n")
    write(clone / "deep/.gitignore", "*\n")
    write(clone / "deep/new.py", "found\n")
    write(clone / "x.log", "still ignored")
    write(clone / "build/y", "still ignored")

    paths = {change.path for change in desk.snapshot().changes}

    assert paths == {".gitignore", "deep/.gitignore", "deep/new.py"}


def test_nothing_planted_in_the_clone_runs_or_blinds_the_engine(desk: Desk) -> None:
    clone = desk.build()
    trap = desk.root / "trap"
    run = f"touch {trap}; cat"
    for key in ("filter.x.clean", "filter.x.smudge", "filter.x.process", "core.fsmonitor", "core.sshCommand"):
        desk.git("config", key, run, cwd=clone)
    for key in ("diff.external", "core.alternateRefsCommand", "merge.x.driver", "core.pager", "gpg.program"):
        desk.git("config", key, run, cwd=clone)
    desk.git("config", "filter.x.required", "true", cwd=clone)
    desk.git("config", "core.worktree", "/tmp", cwd=clone)
    desk.git("config", "core.excludesFile", str(clone / "all"), cwd=clone)
    desk.git("config", "core.autocrlf", "true", cwd=clone)
    desk.git("config", "core.fileMode", "false", cwd=clone)
    write(clone / ".git/hooks/reference-transaction", f"#!/bin/sh\ntouch {trap}\n")
    (clone / ".git/hooks/reference-transaction").chmod(0o755)
    write(clone / ".git/info/exclude", "*\n")
    write(clone / ".git/info/attributes", "* filter=x diff=x\n")
    write(clone / ".gitattributes", "* filter=x merge=x text eol=crlf ident working-tree-encoding=UTF-16\n")
    write(clone / "all", "*\n")
    trap.unlink(missing_ok=True)
    write(clone / "new.py", "low $Id$\r\nline\n")
    (clone / "app.py").chmod(0o755)

    desk.workspace.prepare(desk.project, desk.folder())
    snapshot = desk.snapshot()

    assert {change.path for change in snapshot.changes} == {".gitattributes", "all", "new.py", "app.py"}
    assert desk.show(snapshot.tree, "new.py") == b"low $Id$\r\nline\n"
    assert not trap.exists()


def test_what_an_agent_does_with_git_in_its_clone_does_not_matter(desk: Desk) -> None:
    clone = desk.build()
    write(clone / "one.py", "1\n")
    desk.git("add", "one.py", cwd=clone)
    desk.git("commit", "-qm", "one", cwd=clone)
    write(clone / "two.py", "2\n")
    desk.git("stash", "--include-untracked", "-q", cwd=clone)
    desk.git("checkout", "-q", "--orphan", "other", cwd=clone)
    desk.git("rm", "-q", "--cached", "-r", ".", cwd=clone)
    blob = desk.git("hash-object", "-w", "one.py", cwd=clone)
    desk.git("update-index", "--add", "--cacheinfo", f"100644,{blob},phantom", cwd=clone)
    desk.git("commit", "-qm", "history rewritten", cwd=clone)

    assert {change.path for change in desk.snapshot().changes} == {"one.py"}


def test_marks_on_the_clones_index_hide_nothing(desk: Desk) -> None:
    clone = desk.build()
    desk.git("update-index", "--assume-unchanged", "app.py", cwd=clone)
    desk.git("update-index", "--skip-worktree", "gone.txt", cwd=clone)
    write(clone / "app.py", "print(2)\n")
    (clone / "gone.txt").unlink()

    assert {change.path for change in desk.snapshot().changes} == {"app.py", "gone.txt"}


def test_a_change_of_the_same_size_and_time_is_seen(desk: Desk) -> None:
    clone = desk.build()
    facts = (clone / "app.py").stat()
    write(clone / "app.py", "print(7)\n")
    os.utime(clone / "app.py", ns=(facts.st_atime_ns, facts.st_mtime_ns))

    assert {change.path for change in desk.snapshot().changes} == {"app.py"}


def test_locks_that_a_killed_git_left_stop_nothing(desk: Desk) -> None:
    clone = desk.build()
    for name in ("index.lock", "HEAD.lock", "config.lock", "refs/heads/punchlist/T1.1.lock", "packed-refs.lock"):
        write(clone / ".git" / name, "")
    for name in ("work/T1.1/build.index.lock", "git/acme.git/refs/attempts/A1.lock"):
        write(desk.root / ".punchlist" / name, "")
    write(clone / "new.py", "n\n")

    desk.build()
    snapshot = desk.snapshot()

    assert {change.path for change in snapshot.changes} == {"new.py"}
    desk.git("add", "-A", cwd=clone)
    desk.git("commit", "-qm", "works again", cwd=clone)


@pytest.mark.parametrize(
    "name",
    [
        "new\nline.txt",
        "tab\t.txt",
        "ümläut.txt",
        '"quoted".txt',
        "back\\slash",
        "*",
        "[a]?.txt",
        "-rf",
        " lead",
        "trail ",
        ":(top)x",
    ],
)
def test_odd_file_names_are_kept(desk: Desk, name: str) -> None:
    clone = desk.build()
    write(clone / name, "odd\n")
    write(clone / "dir" / name / name, "odd\n")

    snapshot = desk.snapshot()

    assert {change.path for change in snapshot.changes} == {name, f"dir/{name}/{name}"}
    exam = desk.exam(snapshot.tree)
    assert (exam / "dir" / name / name).read_text() == "odd\n"


def test_names_that_are_no_utf8_are_kept_and_told_escaped(desk: Desk) -> None:
    clone = desk.build()
    name = os.fsdecode(b"caf\xe9 \xff.txt")
    write(clone / name, "odd\n")

    snapshot = desk.snapshot()

    assert [change.path for change in snapshot.changes] == ["caf\\xe9 \\xff.txt"]
    assert msgspec.json.encode(snapshot), "it can be recorded"
    assert (desk.exam(snapshot.tree) / name).read_text() == "odd\n"


def test_bytes_are_kept_whatever_attributes_say(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path / "",
        files={".gitattributes": "* text=auto eol=crlf\n*.id ident\n", "unix.txt": "a\n", "dos.bat": "a\n"},
    )
    clone = desk.build()
    content = bytes(range(256)) + b"\r\n\n$Id$\r"

    assert (clone / "unix.txt").read_bytes() == b"a\n"
    assert desk.snapshot().changes == ()
    for name in ("mixed.txt", "mixed.id", "lone"):
        write(clone / name, content)
    snapshot = desk.snapshot()
    exam = desk.exam(snapshot.tree)

    assert {change.path for change in snapshot.changes} == {"mixed.txt", "mixed.id", "lone"}
    assert [(exam / name).read_bytes() for name in ("mixed.txt", "mixed.id", "lone")] == [content] * 3


def test_a_nested_repository_is_recorded_as_its_files(desk: Desk) -> None:
    clone = desk.build()
    write(clone / "vendor/dep/deep.py", "d\n")
    write(clone / "vendor/dep/inner/deeper.py", "e\n")
    write(clone / "vendor/dep/x.log", "ignored\n")
    desk.git("init", "-q", cwd=clone / "vendor/dep")
    desk.git("init", "-q", cwd=clone / "vendor/dep/inner")
    desk.git("-C", "inner", "commit", "-q", "--allow-empty", "-m", "x", cwd=clone / "vendor/dep")
    desk.git("init", "-q", cwd=clone / "lib")
    desk.git("init", "-q", str(clone / "empty"))
    write(clone / "lib/new.py", "n\n")

    snapshot = desk.snapshot()

    assert {change.path for change in snapshot.changes} == {
        "vendor/dep/deep.py",
        "vendor/dep/inner/deeper.py",
        "lib/new.py",
    }
    assert {change.new_mode for change in snapshot.changes} == {"100644"}
    assert (clone / "vendor/dep/.git").is_dir()


def test_a_repository_in_place_of_a_file_is_no_submodule(desk: Desk) -> None:
    clone = desk.build()
    (clone / "app.py").unlink()
    desk.git("init", "-q", str(clone / "app.py"))
    write(clone / "app.py/in", "i\n")
    desk.git("add", ".", cwd=clone / "app.py")
    desk.git("commit", "-q", "-m", "x", cwd=clone / "app.py")

    snapshot = desk.snapshot()

    assert {(change.path, change.how, change.new_mode) for change in snapshot.changes} == {
        ("app.py", "deleted", "000000"),
        ("app.py/in", "added", "100644"),
    }


def test_an_added_submodule_is_recorded_as_files(desk: Desk) -> None:
    clone = desk.build()
    desk.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(desk.repo), "sub", cwd=clone)

    snapshot = desk.snapshot()

    assert ".gitmodules" in desk.paths(snapshot.tree)
    assert "sub/app.py" in desk.paths(snapshot.tree)
    assert {change.new_mode for change in snapshot.changes} == {"100644"}


def test_folders_links_and_files_may_change_into_one_another(desk: Desk) -> None:
    clone = desk.build()
    outside = desk.root / "outside"
    write(outside / "util.py", "from outside\n")
    (clone / "lib/util.py").unlink()
    (clone / "lib/.gitignore").unlink()
    (clone / "lib").rmdir()
    (clone / "lib").symlink_to(outside)
    (clone / "app.py").unlink()
    write(clone / "app.py/main.py", "m\n")

    snapshot = desk.snapshot()

    facts = {(change.path, change.how, change.new_mode) for change in snapshot.changes}
    assert facts == {
        ("app.py", "deleted", "000000"),
        ("app.py/main.py", "added", "100644"),
        ("lib", "added", "120000"),
        ("lib/.gitignore", "deleted", "000000"),
        ("lib/util.py", "deleted", "000000"),
    }


def test_what_is_neither_file_nor_link_is_left_out(desk: Desk) -> None:
    clone = desk.build()
    os.mkfifo(clone / "pipe")
    (clone / "empty/folder").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(clone)
        listening.bind("sock")
        os.chdir(here)
        snapshot = desk.snapshot()

    assert snapshot.changes == ()


def test_files_that_nobody_may_read_are_recorded_all_the_same(desk: Desk) -> None:
    clone = desk.build()
    write(clone / "app.py", "print(2)\n")
    write(clone / "closed/in.txt", "i\n")
    (clone / "app.py").chmod(0)
    (clone / "closed").chmod(0)

    snapshot = desk.snapshot()

    assert {change.path for change in snapshot.changes} == {"app.py", "closed/in.txt"}


def test_caches_are_left_out_unless_the_base_tracks_them(desk: Desk) -> None:
    desk.commit({"pkg/target/kept.txt": "1\n", "app.py": "print(1)\n"})
    clone = desk.build()
    for name in (
        "__pycache__/a.pyc",
        "lib/__pycache__/b.pyc",
        ".pytest_cache/x",
        "node_modules/m/index.js",
        "target/bin",
    ):
        write(clone / name, "cache")
    write(clone / "pkg/target/kept.txt", "2\n")
    write(clone / "pkg/target/new.txt", "new\n")
    write(clone / "pkg/target/__pycache__/c.pyc", "cache")

    assert {change.path for change in desk.snapshot().changes} == {"pkg/target/kept.txt", "pkg/target/new.txt"}


def test_a_long_diff_is_cut_and_says_so(desk: Desk) -> None:
    clone = desk.build()
    write(clone / "big.txt", "all work and no play\n" * 50_000)

    snapshot = desk.snapshot()

    assert 150_000 < len(snapshot.diff) < 210_000
    assert snapshot.diff.endswith("[the diff is longer: what follows was cut]\n")


def test_a_snapshot_leaves_the_clone_as_it_is(desk: Desk) -> None:
    clone = desk.build()
    write(clone / "new.py", "n\n")
    desk.git("add", "new.py", cwd=clone)
    before = state_of(clone)

    desk.snapshot()
    desk.build()

    assert state_of(clone) == before


def test_a_snapshot_without_a_clone_is_refused(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="no clone"):
        desk.snapshot()


def test_the_diff_between_two_snapshots_is_a_patch_that_applies(desk: Desk) -> None:
    clone = desk.build()
    write(clone / "app.py", "print(2)\n")
    first = desk.snapshot()
    write(clone / "app.py", "print(3)\n")
    write(clone / "new.py", "n\n")
    second = desk.snapshot(attempt="A2")

    patch = desk.workspace.diff(desk.project, first.commit, second.tree)

    exam = desk.exam(first.tree)
    subprocess.run(["git", "apply"], input=patch, text=True, cwd=exam, check=True)
    assert (exam / "app.py").read_text() == "print(3)\n"
    assert (exam / "new.py").read_text() == "n\n"
