"""The tutorial's commands are run as they stand, and print what it says that they print."""

from pathlib import Path

from tests.documented import perform
from tests.installed import Workspace

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-delivery.md"


def test_the_first_delivery_is_as_the_tutorial_says(folder: Workspace) -> None:
    performed = perform(PAGE, folder)

    assert "punchlist task start T1 --follow" in performed
