"""A part of the state folder stands on a disk that becomes full: a named failure, and nothing lost."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path

import pytest

from tests.disturbed import Disturbed
from tests.installed import until

NO_ROOM = "No space left on device"
BIGGEST = 4096


@contextmanager
def disk(folder: Path, *, size: str) -> Iterator[Path]:
    """Let a folder be on a small disk of its own within the block."""
    beside = folder.with_name(f"{folder.name}.beside")
    beside.mkdir()
    folder.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", f"{folder}/.", beside], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    try:
        subprocess.run(["cp", "-a", f"{beside}/.", folder], check=True)
        yield folder
        shutil.rmtree(beside)
        subprocess.run(["cp", "-a", f"{folder}/.", beside], check=True)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
    shutil.rmtree(folder)
    beside.rename(folder)


def fill(folder: Path) -> Path:
    """Leave no room on the disk of a folder; the file that takes it may be removed."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, BIGGEST, 1):
            with pytest.raises(OSError, match=NO_ROOM):
                write_on(file, bytes(size))
    return filler


def write_on(file: RawIOBase, block: bytes) -> None:
    """Write a block over and over, until that fails."""
    while True:
        file.write(block)


@pytest.mark.parametrize(("part", "says"), [("attempts", NO_ROOM), ("git", "out of diskspace")])
def test_a_disk_without_room_ends_in_a_named_failure_and_the_task_goes_on_when_there_is_some(
    part: str, says: str, disturbed: Disturbed, undisturbed: Disturbed
) -> None:
    disturbed.ok("engine", "stop")
    with disk(disturbed.root / ".punchlist" / part, size="16m") as folder:
        filler = fill(folder)
        call = disturbed.punchlist("task", "start", "T1", "--wait")
        why = disturbed.punchlist("why", "T1")
        filler.unlink()
        disturbed.ok("engine", "stop")
    again = disturbed.punchlist("retry", "T1", "--wait")

    assert call.code == 1, (call, why)
    assert says in f"{call.out}{call.err}{why.out}", (call, why)
    assert again.code == 0, again
    assert disturbed.status() == "accepted"
    assert disturbed.trees() == undisturbed.trees()
    assert disturbed.ok("log", "verify")["problems"] == []


def test_generated_files_without_room_stop_nothing_and_are_mended(disturbed: Disturbed, undisturbed: Disturbed) -> None:
    disturbed.ok("engine", "stop")
    with disk(disturbed.root / ".punchlist" / "projects", size="4m") as folder:
        filler = fill(folder)
        call = disturbed.punchlist("task", "start", "T1", "--wait")
        log = (disturbed.root / ".punchlist" / "engine.log").read_text(encoding="utf-8")
        filler.unlink()
        disturbed.ok("engine", "stop")
        disturbed.ok("engine", "start")
        until(lambda: disturbed.punchlist("files", "check").code == 0, what="the files are mended")
        disturbed.ok("engine", "stop")

        assert call.code == 0, call
        assert "generated files are behind the record" in log
        assert NO_ROOM in log
        assert disturbed.trees() == undisturbed.trees()
