"""The page on the files of a workspace, held to what the demo leaves behind."""

import re
from pathlib import Path

import pytest

from tests.disturbed import begun
from tests.installed import Workspace

PAGE = (Path(__file__).parents[2] / "docs/reference/files.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))


@pytest.fixture
def left(folder: Workspace) -> Path:
    call = folder.punchlist("demo", "shown")
    assert call.code == 0, call
    return folder.root / "shown"


def test_everything_below_the_state_is_on_the_page(left: Path) -> None:
    state = left / ".punchlist"

    entries = {f"{path.name}/" if path.is_dir() else path.name for path in state.iterdir()}
    attempts = {path.relative_to(attempt).as_posix() for attempt in (state / "attempts").iterdir()
                for path in attempt.rglob("*") if path.is_file()}  # fmt: skip

    assert {entry for entry in entries if not any(name.startswith(entry) for name in NAMED)} == set()
    assert attempts <= NAMED


def test_the_folders_of_a_step_in_hand_are_on_the_page(tmp_path: Path) -> None:
    busy = begun(tmp_path / "here", tmp_path / "home")
    busy.hold("review")
    busy.ok("task", "start", "T1")
    busy.until_at("review")

    works = {path.name for path in (busy.root / ".punchlist/work/T1.1").iterdir()}
    busy.stop()

    assert {each.partition(".")[0] for each in works} == {"build", "exam"}
    assert {f"work/T12.3/*.{each.partition('.')[2]}" if "." in each else f"work/T12.3/{each}/" for each in works} <= {
        *NAMED, "work/T12.3/*.index", "work/T12.3/*.rules",
    }  # fmt: skip


def test_the_generated_files_are_those_of_the_page(left: Path) -> None:
    shown = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    kinds = [line.replace("greet-people", "*").replace("greet-in-french", "*") for line in shown[1].splitlines()]
    patterns = {
        str(Path(names.split()[0]).parent / Path(name).name).replace("01-", "0*-")
        for names in kinds
        for name in names.split()
    }

    files = {path.relative_to(left / "projects") for path in (left / "projects").rglob("*") if path.is_file()}

    assert {str(path) for path in files if not any(path.match(pattern) for pattern in patterns)} == set()
    assert all(any(path.match(pattern) for path in files) for pattern in patterns)
