"""The tutorials' commands are run as they stand, and print what they say that they print."""

from pathlib import Path

from tests.documented import perform
from tests.installed import Workspace

PAGES = Path(__file__).parents[2] / "docs" / "tutorial"


def test_the_first_delivery_is_as_the_tutorial_says(folder: Workspace) -> None:
    performed = perform(PAGES / "first-delivery.md", folder)

    assert "punchlist task start T1 --follow" in performed


def test_the_first_flow_is_as_the_tutorial_says(folder: Workspace) -> None:
    performed = perform(PAGES / "first-flow.md", folder)

    assert "punchlist flow graph release.yaml" in performed
