"""A task of two steps that a test can disturb, and the same one that nobody has disturbed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disturbed import PROJECT, Disturbed, begun

collect_ignore = [] if os.geteuid() == 0 else ["test_full.py"]  # nobody else can mount a disk


@pytest.fixture
def disturbed(tmp_path: Path) -> Iterator[Disturbed]:
    """A workspace with a task that is ready to be started."""
    made = begun(tmp_path / PROJECT, tmp_path / "home")
    yield made
    made.stop()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disturbed]:
    """The same task, delivered without anything happening to it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    made = begun(folder / PROJECT, folder / "home")
    made.ok("task", "start", "T1", "--wait")
    yield made
    made.stop()
