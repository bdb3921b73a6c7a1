"""What every test stands on: a home of its own, and how long property tests search."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

GIT_CONFIG = """\
[user]
    name = A Person
    email = person@example.com
[init]
    defaultBranch = main
"""
FOREIGN = ("GIT_", "PUNCHLIST_", "XDG_")

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("soak", deadline=None, print_blob=True, max_examples=20_000)
settings.load_profile("default")


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the tests a home folder with a git identity; no setting of the user's reaches them."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".gitconfig").write_text(GIT_CONFIG, encoding="utf-8")
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith(FOREIGN)]:
            environment.delenv(name)
        environment.setenv("HOME", str(folder))
        environment.setenv("GIT_CONFIG_NOSYSTEM", "1")
        yield folder
