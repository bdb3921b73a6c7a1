"""The generated files' folder on a real disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from punchlist.errors import StoreError
from punchlist.ports import Files
from punchlist.workspace.files import FolderFiles

WITHOUT_OVERRIDE = ("setpriv", "--bounding-set=-dac_override", "--") if os.geteuid() == 0 else ()
"""Nothing is read-only to the superuser unless that power is given up."""
WRITE = """
import sys
from pathlib import Path
from punchlist.workspace.files import FolderFiles
FolderFiles(Path(sys.argv[1])).write({"p/a.md": b"new"})
"""


def folder(root: Path) -> Files:
    return FolderFiles(root / "projects")


def test_only_files_that_differ_are_written(tmp_path: Path) -> None:
    files = folder(tmp_path)
    files.write({"p/a.md": b"one", "p/tasks/b.md": b"two"})
    before = (tmp_path / "projects/p/a.md").stat().st_mtime_ns

    written = files.write({"p/a.md": b"one", "p/tasks/b.md": b"three"})

    assert written == ("p/tasks/b.md",)
    assert (tmp_path / "projects/p/a.md").stat().st_mtime_ns == before
    assert files.read("p/tasks/b.md") == b"three"


def test_what_is_not_there_reads_as_nothing(tmp_path: Path) -> None:
    files = folder(tmp_path)

    assert files.read("p/a.md") is None
    assert files.listing() == ()


def test_a_listing_names_all_files_but_those_of_an_interrupted_write(tmp_path: Path) -> None:
    files = folder(tmp_path)
    files.write({"p/b.md": b"", "p/a/c.md": b""})
    (tmp_path / "projects/p/.b.md.77.punchlist-new").write_bytes(b"half")

    assert files.listing() == ("p/a/c.md", "p/b.md")


def test_removing_takes_away_the_folders_that_it_empties(tmp_path: Path) -> None:
    files = folder(tmp_path)
    files.write({"p/tasks/a.md": b"", "p/b.md": b""})

    files.remove(["p/tasks/a.md", "p/tasks/never.md"])

    assert files.listing() == ("p/b.md",)
    assert not (tmp_path / "projects/p/tasks").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "p/../../x", "p//x", "p/./x", ""])
def test_a_path_that_leaves_the_folder_is_never_touched(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match=path or "^$"):
        folder(tmp_path).write({path: b"x"})


def test_a_link_in_a_files_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    files = folder(tmp_path)
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / "projects/p").mkdir(parents=True)
    (tmp_path / "projects/p/a.md").symlink_to(victim)

    assert files.read("p/a.md") is None
    files.write({"p/a.md": b"theirs"})

    assert victim.read_bytes() == b"mine"
    assert not (tmp_path / "projects/p/a.md").is_symlink()


def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects/p").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StoreError, match="symbolic link"):
        folder(tmp_path).write({"p/a.md": b"x"})

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_the_disk_refuses_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    files = folder(tmp_path)
    files.write({"p": b"a file where a folder is needed"})

    with pytest.raises(StoreError, match="cannot be written") as refused:
        files.write({"p/a.md": b"x"})

    assert refused.value.where.endswith("p/a.md")
    assert files.read("p") == b"a file where a folder is needed"


def test_a_folder_that_is_read_only_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    files = folder(tmp_path)
    files.write({"p/a.md": b"old"})
    (tmp_path / "projects/p").chmod(0o500)

    done = subprocess.run(
        [*WITHOUT_OVERRIDE, sys.executable, "-c", WRITE, str(tmp_path / "projects")],
        capture_output=True,
        text=True,
        check=False,
    )

    (tmp_path / "projects/p").chmod(0o700)
    assert done.returncode != 0
    assert "StoreError" in done.stderr
    assert files.read("p/a.md") == b"old"
    assert files.listing() == ("p/a.md",)
