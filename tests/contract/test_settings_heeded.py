"""Settings of a workspace that change what the program does around a run: where files go, how long the engine stays."""

from pathlib import Path

import pytest

from punchlist.service import projects
from tests.installed import until
from tests.services import BUILDER, stopped, workspace


def test_generated_files_go_to_the_folder_that_the_settings_name(tmp_path: Path) -> None:
    said = """
[files]
dir = "kept/here"
"""
    service = workspace(tmp_path / "ws", settings=f"{BUILDER}{said}")

    projects.create(service, "p", spec="")

    assert (service.root / "kept/here/p/project.md").is_file()
    assert not (service.root / "projects").exists()


# An engine outlives who started it, also when that is this process.
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_without_work_ends_after_idle_exit(tmp_path: Path) -> None:
    with stopped(workspace(tmp_path / "ws", settings=BUILDER, engine=True)) as service:
        service.engine.wake()
        until(lambda: service.engine.status().running, what="the engine runs")

        until(lambda: not service.engine.status().running, what="idle_exit is over, and the engine with it")
