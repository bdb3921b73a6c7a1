"""Files that processes leave: read and kept by their content, never from outside of the work folder."""

import hashlib
from pathlib import Path

import pytest

from punchlist.errors import DefinitionError
from punchlist.workspace.left import TEXT, FolderLeft


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work" / "deep").mkdir(parents=True)
    (tmp_path / "work" / ".punchlist" / "work" / "T1").mkdir(parents=True)
    (tmp_path / "work" / ".punchlist" / "key").write_text("x")
    (tmp_path / "outside").write_text("outside")
    return tmp_path / "work"


@pytest.fixture
def left(work: Path) -> FolderLeft:
    return FolderLeft(work / ".punchlist")


def test_a_file_is_kept_once_by_its_content(left: FolderLeft, work: Path) -> None:
    (work / "a").write_text("it")
    (work / "deep" / "b").write_text("it")

    made = [left.keep(work, name, refuse=lambda _: False) for name in ("a", "deep/b")]

    digest = hashlib.sha256(b"it").hexdigest()
    assert [(each.path, each.sha256, each.size, each.text) for each in made] == [
        ("a", digest, 2, "it"),
        ("deep/b", digest, 2, "it"),
    ]
    kept = [path for path in (work / ".punchlist" / "artifacts").rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [digest]
    assert left.holds(made[0])
    assert left.digest(work, "a") == digest
    kept[0].chmod(0o600)
    kept[0].write_text("other")
    assert not left.holds(made[0])
    kept[0].unlink()
    assert not left.holds(made[0])


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\0b", b"x" * (TEXT + 1)])
def test_only_a_small_text_can_be_read_by_expressions(content: bytes, left: FolderLeft, work: Path) -> None:
    (work / "a").write_bytes(content)

    assert left.keep(work, "a", refuse=lambda _: False).text is None


def test_nothing_is_kept_of_what_is_refused(left: FolderLeft, work: Path) -> None:
    (work / "a").write_text("secret")

    with pytest.raises(DefinitionError, match="shows the value of a secret"):
        left.keep(work, "a", refuse=lambda copy: copy.read_text() == "secret")

    assert list((work / ".punchlist" / "artifacts").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere", "there is no file"),
        ("../outside", "leads out of the work folder"),
        ("link", "leads out of the work folder"),
        ("ring", "there is no file"),
        ("deep", "is no regular file"),
        (".punchlist/key", "is a file of the engine's own"),
        (".punchlist/work/T1/x", "is a file of the engine's own"),
        ("", "is no path"),
        ("a\0b", "is no path"),
    ],
)
def test_what_is_not_a_file_of_the_folder_is_refused(name: str, said: str, left: FolderLeft, work: Path) -> None:
    (work / "link").symlink_to(work.parent / "outside")
    (work / "ring").symlink_to("ring")
    (work / ".punchlist" / "work" / "T1" / "x").write_text("x")

    with pytest.raises(DefinitionError, match=said):
        left.read(work, name, most=10)
    assert left.digest(work, name) is None


def test_a_link_within_the_folder_and_a_work_folder_of_a_task_are_fine(left: FolderLeft, work: Path) -> None:
    (work / "a").write_text("it")
    (work / "here").symlink_to("a")
    task = work / ".punchlist" / "work" / "T1"
    (task / "x").write_text("of T1")

    assert left.read(work, "here", most=2) == b"it"
    assert left.read(task, "x", most=10) == b"of T1"
    with pytest.raises(DefinitionError, match="an answer holds at most"):
        left.read(work, "a", most=1)
