"""The pure parts of the workspace: ignore rules as one list, set-up's inputs, references, commit bytes."""

import hashlib
from pathlib import Path, PurePosixPath

import pytest

from punchlist.errors import DefinitionError, RefusedError, StoreError
from punchlist.model.ids import Commit, Tree
from punchlist.workspace.git import At, Ran, failed
from punchlist.workspace.heads import is_ref
from punchlist.workspace.publishing import signature
from punchlist.workspace.references import Reference, readings
from punchlist.workspace.repository import Signature, commit_bytes, commit_id
from punchlist.workspace.rules import caches, exactly, folders_of, is_under, literal, patterns, rooted, tracked_caches
from punchlist.workspace.setups import named_files


@pytest.mark.parametrize(
    ("rule", "folder", "expected"),
    [
        (b"*.log", "", b"*.log"),
        (b"*.log", "a", b"/a/**/*.log"),
        (b"!*.log", "a/b", b"!/a/b/**/*.log"),
        (b"/out", "a", b"/a/out"),
        (b"out/", "a", b"/a/**/out/"),
        (b"x/y", "a", b"/a/x/y"),
        (b"**/y", "a", b"/a/**/y"),
        (b"out/  ", "a", b"/a/**/out/  "),
        (b"out\\ ", "a", b"/a/**/out\\ "),
        (b"*.log", "a [b]*", b"/a\\ \\[b]\\*/**/*.log"),
    ],
)
def test_a_rule_of_a_folder_is_written_from_the_root(rule: bytes, folder: str, expected: bytes) -> None:
    assert rooted(rule, folder) == expected


def test_deeper_rules_come_later_and_comments_and_blanks_are_dropped() -> None:
    ignores = {"a/b": b"three\n", "": b"\xef\xbb\xbf# no\none\r\n\n  \n", "a": b"two"}

    lines = patterns(ignores, tracked=()).splitlines()

    assert lines[len(caches().every) :] == [b"one", b"/a/**/two", b"/a/b/**/three"]


def test_a_cache_folder_that_the_base_tracks_is_none() -> None:
    tracked = ["a/target/x/node_modules/y", "b.py", "target"]

    assert tracked_caches(tracked) == {"a/target", "a/target/x/node_modules"}
    assert b"!/a/target/" in patterns({}, tracked=tracked).splitlines()


def test_every_stale_cache_is_a_cache() -> None:
    assert "__pycache__" in caches().stale < caches().every
    assert "node_modules" in caches().every - caches().stale


def test_exact_patterns_leave_out_names_that_cannot_be_told() -> None:
    assert exactly(["a*/", "new\nline", "b c"]) == b"/a\\*/\n/b\\ c\n"
    assert literal("a\\?[") == b"a\\\\\\?\\["


def test_folders_and_what_lies_below_them() -> None:
    assert folders_of(["a/b/c", "d", "a/e"]) == {"a", "a/b"}
    assert is_under("a/b/c", {"a/b"})
    assert is_under("a", {"a"})
    assert not is_under("ab", {"a"})


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("pip install -r needs.txt", {"needs.txt", "pyproject.toml", "requirements.txt"}),
        (".venv/bin/pip3.11 install -e '.[test]'", {"setup.py", "setup.cfg"}),
        ("tool --file=deps/list.txt", {"deps/list.txt"}),
        ("npm ci", {"package.json", "package-lock.json"}),
        ("cd web && yarn", {"yarn.lock"}),
        ("./setup.sh fast", {"setup.sh"}),
        ("unbalanced 'quote file.txt", {"file.txt"}),
        ("cargo fetch", {"Cargo.toml", "Cargo.lock"}),
    ],
)
def test_the_files_that_a_command_reads_are_found(command: str, files: set[str]) -> None:
    assert files <= named_files([command])


def test_no_file_outside_the_folder_is_ever_named() -> None:
    found = named_files(["cat ../secret /etc/passwd ~/x --x=/abs a/../../b"])

    assert not [path for path in found if ".." in path or PurePosixPath(path).is_absolute() or path.startswith("~")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.py", [Reference("a.py")]),
        ("a.py:3", [Reference("a.py", (3, 3)), Reference("a.py:3")]),
        ("a.py:3-5", [Reference("a.py", (3, 5)), Reference("a.py:3-5")]),
        ("a:b:3", [Reference("a:b", (3, 3)), Reference("a:b:3")]),
        ("../a.py:3", []),
        ("/a.py", []),
        ("a//b", []),
        ("", []),
    ],
)
def test_a_reference_is_read_as_path_and_lines(text: str, expected: list[Reference]) -> None:
    assert list(readings(text)) == expected


def test_a_commit_is_the_same_bytes_for_the_same_values() -> None:
    author = Signature("A <B>\n", "a@b\n", 5)

    content = commit_bytes(Tree("t" * 40), parents=[Commit("p" * 40)], author=author, message="m\n")

    who = b"A B <a@b> 5 +0000"
    assert content == b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\nm\n" % (b"t" * 40, b"p" * 40, who, who)
    assert commit_id(content, like="p" * 40) == hashlib.sha1(b"commit %d\0" % len(content) + content).hexdigest()
    assert len(commit_id(content, like="p" * 64)) == 64


@pytest.mark.parametrize(
    ("author", "at", "expected"),
    [
        ("A B <a@b>", "2026-01-01T00:00:00Z", Signature("A B", "a@b", 1767225600)),
        ("A B", "2026-01-01T01:00:00.999+01:00", Signature("A B", "punchlist@localhost", 1767225600)),
    ],
)
def test_a_signature_is_read_from_author_and_time(author: str, at: str, expected: Signature) -> None:
    assert signature(author, at) == expected


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(DefinitionError, match="offset"):
        signature("A <a@b>", "2026-01-01T00:00:00")


@pytest.mark.parametrize("name", ["main", "punchlist/T1-x", "v1.0", "ümläut"])
def test_what_git_takes_is_a_branch(name: str) -> None:
    assert is_ref(name)


@pytest.mark.parametrize(
    ("err", "reason"),
    [
        (b"hint: x\nfatal: it broke\nhint: y\n", "fatal: it broke"),
        (b"just words\n", "just words"),
        (b"", "exit code 1"),
    ],
)
def test_the_reason_is_gits_last_line_that_tells(err: bytes, reason: str) -> None:
    assert Ran(1, b"", err).reason == reason


@pytest.mark.parametrize("said", ["No space left on device", "Read-only file system", "Disk quota exceeded"])
def test_a_disk_that_takes_no_more_is_an_error_of_the_store(said: str) -> None:
    ran = Ran(128, b"", f"error: unable to write file: {said}\nfatal: it broke\n".encode())

    error = failed(["add", "-u"], ran, at=At(git_dir=Path("/git")), failure=RefusedError)

    assert isinstance(error, StoreError)
    assert str(error).startswith(f"/git: git add: {said.lower()}")
