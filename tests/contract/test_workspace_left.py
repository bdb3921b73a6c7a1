"""Work folders that nobody comes back to are moved away at once, removed in the end, and made anew when needed."""

from pathlib import Path

import pytest

from tests.workspaces import Desk, write


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, files={"app.py": "one\n"})


def folders(desk: Desk) -> set[str]:
    """The names of the work folders, what is moved away included."""
    work = desk.root / ".punchlist" / "work"
    return {each.relative_to(work).as_posix() for each in [*work.glob("T*"), *work.glob(".left/*")]}


def test_the_folders_of_a_step_are_moved_away_and_then_removed(desk: Desk) -> None:
    clone = desk.build()
    exam = desk.exam(desk.base_tree())
    (exam / "locked").mkdir(mode=0o500)
    (clone / "out").symlink_to(desk.repo)

    desk.workspace.leave("T1.1")
    moved = folders(desk)
    desk.workspace.sweep()

    assert moved == {".left/T1.1-0"}
    assert folders(desk) == set()
    assert (desk.repo / "app.py").read_text() == "one\n"


def test_a_step_that_was_left_begins_anew_while_its_old_folders_are_still_there(desk: Desk) -> None:
    write(desk.build() / "draft.txt", "half a thought\n")

    desk.workspace.leave("T1.1")
    clone = desk.build()
    desk.workspace.leave("T1.1")

    assert not (clone / "draft.txt").exists()
    assert folders(desk) == {".left/T1.1-0", ".left/T1.1-1"}


def test_what_was_never_worked_on_has_nothing_to_leave(desk: Desk) -> None:
    desk.workspace.leave("T9.9")
    desk.workspace.sweep()

    assert folders(desk) == set()
