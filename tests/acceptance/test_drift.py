"""Generated files are projections: a changed byte shows, and is written back from the record."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.installed import Workspace

Change = Callable[[Path, random.Random], None]


def another_byte(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    content[place] ^= chance.randrange(1, 256)
    path.write_bytes(content)


def cut_off(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def gone(path: Path, _: random.Random) -> None:
    path.unlink()


def one_byte_more(path: Path, _: random.Random) -> None:
    with path.open("ab") as file:
        file.write(b"\n")


def replaced_by_a_link(path: Path, _: random.Random) -> None:
    elsewhere = Path(str(path).partition("/.punchlist/")[0]) / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


CHANGES: tuple[Change, ...] = (
    another_byte,
    another_byte,
    another_byte,
    cut_off,
    gone,
    one_byte_more,
    replaced_by_a_link,
)


IDLE = """
[roles]
builder = "idle"
qa = "idle"
[workers.idle]
type = "command"
argv = ["true"]
"""


@pytest.fixture
def written(workspace: Workspace) -> Workspace:
    """A workspace with two tasks, whose files stand where a person can read them."""
    workspace.ok("task", "create", "--file", "task.yaml")
    workspace.ok("task", "create", "--file", "task.yaml")
    return workspace


def generated(workspace: Workspace) -> dict[Path, bytes]:
    folder = workspace.root / ".punchlist" / "projects"
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_any_change_of_a_generated_file_is_named_and_taken_back(written: Workspace) -> None:
    settled(written)
    before = generated(written)
    chance = random.Random(20261121)
    folder = written.root / ".punchlist" / "projects"

    for change in CHANGES:
        path = chance.choice(list(before))
        change(path, chance)
        call = written.punchlist("files", "check", "--json")
        told = written.punchlist("files", "check")
        mended = written.ok("files", "write")

        name = str(path.relative_to(folder))
        assert call.code == told.code == 1, (change.__name__, name)
        assert name in {each["path"] for each in call.json["drift"]}
        assert name in told.out
        assert name in mended["written"]
        assert generated(written) == before, (change.__name__, name)
        assert not path.is_symlink()
    assert len(before) >= 10
    assert written.ok("files", "check")["drift"] == []


def test_what_does_not_belong_there_is_named_and_removed(written: Workspace) -> None:
    settled(written)
    before = generated(written)
    stray = written.root / ".punchlist" / "projects" / "here" / "tasks" / "T9-made-up" / "task.md"
    stray.parent.mkdir()
    stray.write_text("# T9\n")

    call = written.punchlist("files", "check", "--json")
    mended = written.ok("files", "write")

    assert call.code == 1
    assert [each["path"] for each in call.json["drift"]] == ["here/tasks/T9-made-up/task.md"]
    assert mended["removed"] == ["here/tasks/T9-made-up/task.md"]
    assert generated(written) == before


def test_the_difference_is_shown(written: Workspace) -> None:
    settled(written)
    path = next(path for path in generated(written) if path.name == "task.md")
    path.write_text(path.read_text().replace("Greet in French", "Greet in Latin"))

    call = written.punchlist("files", "diff")

    assert "Greet in Latin" in call.out
    assert "Greet in French" in call.out


def test_generated_files_name_the_event_that_they_come_from(written: Workspace) -> None:
    settled(written)
    known = {event["hash"] for event in written.ok("events")["events"]}

    for path, content in generated(written).items():
        if path.suffix == ".json":
            value = json.loads(content)
            assert value["generated_from"] in known, path
            assert {"schema", "version"} <= value.keys(), path
        elif path.suffix == ".md":
            last = content.decode().rstrip().splitlines()[-1]
            assert last.startswith("<!--"), path
            assert any(each in last for each in known), path


def settled(workspace: Workspace) -> None:
    """Wait until the checks of the drafts have run on the base, so that nothing is written any more."""
    for task in ("T1", "T2"):
        workspace.ok("approve", task)


def test_work_goes_on_where_the_generated_files_cannot_be_written(written: Workspace) -> None:
    written.write("punchlist.toml", IDLE)
    written.ok("task", "approve", "T1", "--anyway")
    folder = next(path for path in generated(written) if path.name == "task.md").parent.parent
    folder.rename(folder.with_name("kept"))
    folder.symlink_to(folder.with_name("kept"))

    ended = written.punchlist("task", "start", "T1", "--wait", "--json")

    assert ended.json["run"]["status"] in {"waiting", "failed"}, ended
    folder.unlink()
    assert written.ok("files", "write")
    assert written.ok("files", "check")["drift"] == []
