"""Lines that wait, by the store alone: kept in the transaction that takes them, forgotten in that of their answer."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from punchlist.errors import StoreError
from punchlist.model.outside import OpenLine
from punchlist.runtime.lines import Answer, Lines
from punchlist.store import SqliteStore
from tests.stored import made

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Noon:
    """A clock that stands at noon."""

    def now(self) -> datetime:
        return NOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    found = made(tmp_path)
    yield found
    found.close()


def lines(store: SqliteStore, path: Path, settle: Callable[[OpenLine], Answer | None]) -> Lines:
    """Return the lines of a file, each of which waits; it holds when, until its time is up."""

    def waits(line: bytes, _where: str) -> OpenLine:
        said = json.loads(line)
        return OpenLine(name=said["id"], verb="wait", args={}, note={}, until=said.get("until"))

    return Lines(store, path, answer=waits, settle=settle, clock=Noon())


def told(store: SqliteStore) -> list[str]:
    with store.read() as reader:
        return [json.loads(each.line)["id"] for each in reader.replies(after=0, limit=100)]


def waiting(store: SqliteStore) -> list[str | int]:
    with store.read() as reader:
        return [each.name for each in reader.open_lines().values()]


def test_a_line_is_kept_until_there_is_an_answer_and_is_then_forgotten(store: SqliteStore, tmp_path: Path) -> None:
    path, over = tmp_path / "inbox.jsonl", set[str]()
    path.write_text('{"id": "a"}\n{"id": "b"}\n')
    found = lines(store, path, lambda line: {"id": line.name} if line.name in over else None)

    found.take()
    nothing = (found.settle(), told(store), waiting(store), found.waits)
    over.add("b")
    one = (found.settle(), told(store), waiting(store), found.waits)
    over.add("a")
    last = (found.settle(), told(store), waiting(store), found.waits)

    assert nothing == (False, [], ["a", "b"], True)
    assert one == (True, ["b"], ["a"], True)
    assert last == (True, ["b", "a"], [], False)
    assert found.settle() is False


def test_what_was_answered_before_the_store_failed_is_not_answered_again(store: SqliteStore, tmp_path: Path) -> None:
    path, failing = tmp_path / "inbox.jsonl", [True]
    path.write_text('{"id": "a"}\n{"id": "b"}\n{"id": "c"}\n')

    def settle(line: OpenLine) -> Answer:
        if line.name == "b" and failing:
            failing.pop()
            raise StoreError("the disk is full")
        return {"id": line.name}

    found = lines(store, path, settle)
    found.take()
    with pytest.raises(StoreError):
        found.settle()
    before = told(store)

    another = lines(store, path, settle)
    another.take()
    another.settle()

    assert before == ["a"]
    assert told(store) == ["a", "b", "c"]
    assert waiting(store) == []


def test_the_earliest_time_of_those_that_have_one_is_when_to_look_again(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "inbox.jsonl"
    times = ("2026-11-21T12:05:00.000000Z", None, "2026-11-21T12:00:30.000000Z")
    path.write_text("".join(json.dumps({"id": n, "until": each}) + "\n" for n, each in enumerate(times)))
    over = [2]
    found = lines(store, path, lambda line: {"id": line.name} if line.name in over else None)
    none = found.due

    found.take()
    over.clear()
    found.settle()
    first = found.due
    over.append(2)
    found.settle()
    second = found.due
    over.append(0)
    found.settle()

    assert (none, first, second, found.due) == (None, 30.0, 300.0, None)
    assert found.waits
