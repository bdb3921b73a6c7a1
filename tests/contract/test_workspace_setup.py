"""Set-up: once per folder and hash of what it names, and what it made is neither work nor dirt."""

import os
from pathlib import Path

import msgspec
import pytest

from punchlist.model.jobs import Folder
from punchlist.ports import SetupNeed
from tests.workspaces import Desk, write

COMMANDS = ("python3 -m venv .venv", ".venv/bin/python -m pip install -r needs.txt -e .")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(
        tmp_path, files={"app.py": "print(1)\n", "needs.txt": "x\n", "pyproject.toml": "", ".gitignore": ".venv/\n"}
    )
    desk.project = msgspec.structs.replace(desk.project, setup=COMMANDS)
    return desk


def need(desk: Desk, folder: Folder) -> SetupNeed:
    return desk.workspace.setup_need(desk.project, folder)


def set_up(desk: Desk, folder: Folder, *made: str) -> None:
    """Do what the runtime does: prepare, ask, run (here: write files), record."""
    root = desk.workspace.prepare(desk.project, folder)
    needed = need(desk, folder)
    assert needed.needed
    for name in made:
        write(root / name, "made by set-up")
    desk.workspace.setup_done(desk.project, folder, needed.stamp)


def test_without_commands_nothing_is_needed(desk: Desk) -> None:
    desk.project = msgspec.structs.replace(desk.project, setup=())
    desk.build()

    assert not need(desk, desk.folder()).needed
    assert not need(desk, Folder(place="run")).needed


def test_set_up_runs_once_a_folder(desk: Desk) -> None:
    build, exam = desk.folder(), desk.exam_folder(desk.base_tree())
    set_up(desk, build, ".venv/bin/tool")

    assert not need(desk, build).needed
    desk.workspace.prepare(desk.project, exam)
    assert need(desk, exam).needed


@pytest.mark.parametrize(
    ("name", "again"), [("needs.txt", True), ("pyproject.toml", True), ("setup.py", True), ("app.py", False)]
)
def test_set_up_runs_again_when_a_file_that_it_reads_changes(desk: Desk, name: str, again: bool) -> None:
    folder = desk.folder()
    set_up(desk, folder, ".venv/bin/tool")

    write(desk.build() / name, "changed\n")

    assert need(desk, folder).needed is again


def test_set_up_runs_again_for_other_commands_or_when_what_it_made_is_gone(desk: Desk) -> None:
    folder = desk.folder()
    set_up(desk, folder, ".venv/tool", "lib.egg-info/PKG")
    other = msgspec.structs.replace(desk.project, setup=("make deps",))

    assert desk.workspace.setup_need(other, folder).needed
    set_up(desk, folder, "lib.egg-info/PKG")
    (desk.build() / "lib.egg-info/PKG").unlink()
    (desk.build() / "lib.egg-info").rmdir()
    assert need(desk, folder).needed


def test_a_failed_set_up_is_needed_again_and_what_it_half_made_is_still_its_own(desk: Desk) -> None:
    folder = desk.folder()
    clone = desk.build()
    assert need(desk, folder).needed
    write(clone / "half/made", "h")

    assert need(desk, folder).needed
    set_up(desk, folder, "whole/made")

    assert desk.snapshot().changes == ()


def test_what_set_up_made_is_left_out_of_snapshots_and_work_is_not(desk: Desk) -> None:
    folder = desk.folder()
    clone = desk.build()
    write(clone / "early.py", "before set-up\n")
    set_up(desk, folder, ".venv/bin/tool", "lib.egg-info/PKG-INFO", "new\nline", "odd [a]*/x")

    write(clone / "late.py", "after set-up\n")
    write(clone / "lib.egg-info/SOURCES", "later, inside what set-up made\n")
    write(clone / "new\nline2", "work\n")

    assert {change.path for change in desk.snapshot().changes} == {"early.py", "late.py", "new\nline2"}


def test_what_set_up_made_survives_the_cleaning_of_an_exam(desk: Desk) -> None:
    clone = desk.build()
    write(clone / "app.py", "print(2)\n")
    other = desk.snapshot().tree
    folder = desk.exam_folder(desk.base_tree())
    set_up(desk, folder, ".venv/bin/tool", "lib.egg-info/PKG-INFO", "__pycache__/app.pyc")
    exam = desk.exam(desk.base_tree())
    write(exam / "left.txt", "l")

    desk.exam(other)

    names = (".venv/bin/tool", "lib.egg-info/PKG-INFO", "__pycache__/app.pyc", "left.txt")
    assert [name for name in names if (exam / name).exists()] == [".venv/bin/tool", "lib.egg-info/PKG-INFO"]
    assert not need(desk, desk.exam_folder(other)).needed
    assert desk.workspace.exam_changes(desk.project, desk.exam_folder(other)) == ()


def test_files_of_the_tree_that_set_up_rewrote_are_restored_in_an_exam(desk: Desk) -> None:
    folder = desk.exam_folder(desk.base_tree())

    set_up(desk, folder, "needs.txt", ".venv/x")

    exam = desk.root / ".punchlist/work/T1.1/exam"
    assert (exam / "needs.txt").read_text() == "x\n"
    assert desk.workspace.exam_changes(desk.project, folder) == ()
    assert not need(desk, folder).needed


def test_a_set_up_that_rewrites_what_it_reads_is_not_needed_again(desk: Desk) -> None:
    for folder in (desk.folder(), desk.exam_folder(desk.base_tree())):
        root = desk.workspace.prepare(desk.project, folder)
        assert need(desk, folder).needed
        write(root / "needs.txt", "x==1\n")

        desk.workspace.setup_done(desk.project, folder, need(desk, folder).stamp)

        assert not need(desk, folder).needed
        desk.workspace.prepare(desk.project, folder)
        assert not need(desk, folder).needed


def test_a_clone_made_anew_is_set_up_anew(desk: Desk) -> None:
    set_up(desk, desk.folder(), ".venv/x")
    desk.commit({"app.py": "print(5)\n"})

    desk.build()

    assert need(desk, desk.folder()).needed


def test_a_file_whose_name_is_not_utf_8_does_not_keep_set_up_from_its_record(desk: Desk) -> None:
    folder = desk.folder()
    root = desk.workspace.prepare(desk.project, folder)
    (root / os.fsdecode(b"caf\xe9.txt")).write_text("hot\n", encoding="utf-8")

    set_up(desk, folder, ".venv/bin/tool")

    assert not need(desk, folder).needed
    assert [each.path for each in desk.snapshot().changes] == ["caf\\xe9.txt"]
