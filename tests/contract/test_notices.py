"""Notices of the kernel: of a file that is written, made later, replaced or removed; nothing without a change."""

import resource
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from punchlist.errors import StoreError
from punchlist.runtime.notices import Notices


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inbox.jsonl"


@pytest.fixture
def notices(path: Path) -> Iterator[Notices]:
    found = Notices(path)
    yield found
    found.close()


def told(notices: Notices) -> bool:
    """Say whether a notice waits, and take it."""
    ready, _, _ = select.select([notices.fileno()], [], [], 0)
    notices.take()
    return bool(ready)


def test_a_file_that_is_made_later_and_written_is_noticed_each_time(notices: Notices, path: Path) -> None:
    before = told(notices)

    path.touch()
    made = told(notices)
    quiet = told(notices)
    with path.open("a") as file:
        file.write("a line\n")
    written = told(notices)

    assert (before, made, quiet, written) == (False, True, False, True)


def test_another_file_in_its_place_is_noticed_and_so_is_what_is_written_to_it(notices: Notices, path: Path) -> None:
    path.write_text("first\n")
    told(notices)
    fresh = path.with_name("fresh")
    fresh.write_text("second\n")
    told(notices)

    fresh.replace(path)
    replaced = told(notices)
    path.write_text("third\n")

    assert (replaced, told(notices)) == (True, True)


def test_what_is_written_beside_it_is_not_noticed(notices: Notices, path: Path) -> None:
    beside = path.with_name("state.db-wal")
    beside.touch()
    told(notices)

    beside.write_text("much\n")

    assert not told(notices)


def test_a_file_elsewhere_is_followed_and_what_is_made_beside_it_is_not(tmp_path: Path) -> None:
    also = tmp_path / "settings" / "punchlist.toml"
    also.parent.mkdir()
    also.touch()
    notices = Notices(tmp_path / "inbox.jsonl", also=also)
    try:
        also.with_name("fresh").write_text("[engine]\n")
        beside = told(notices)
        also.write_text("[engine]\n")
        written = told(notices)
        also.with_name("fresh").replace(also)
        replaced = told(notices)
        also.write_text("again\n")
        again = told(notices)
    finally:
        notices.close()

    assert (beside, written, replaced, again) == (False, True, True, True)


def test_where_the_kernel_has_none_left_it_is_said(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))

    try:
        with pytest.raises(StoreError, match="the kernel gives no notices: Too many open files"):
            Notices(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
