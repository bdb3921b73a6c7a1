"""A task is started of which no step is left to do: what is left is the verdict on the whole, reviewer and all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import WorkerError
from punchlist.service import approvals, projects, runs, starts, steps, tasks, why
from punchlist.service.context import Service
from tests.services import BUILDER, opened, repository, stopped, task, workspace

pytestmark = [
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*subprocess .* is still running"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A workspace with a task whose only step was skipped; the whole is to be looked at by a reviewer."""
    with stopped(workspace(tmp_path / "ws", settings=BUILDER, engine=True)) as made:
        projects.create(made, "p", spec="# Files\n", repo=str(repository(tmp_path / "p")))
        tasks.create(made, None, document=task(acceptance=["It reads well."]))
        approvals.approve(made, "T1")
        steps.skip(made, "T1.1", reason="not needed")
        yield made


def test_the_whole_is_reviewed_and_accepted_on_its_base_where_every_step_was_skipped(service: Service) -> None:
    started: Any = starts.start(service, ["T1"])

    ended: Any = runs.wait(service, [started["run"]["id"]])

    told: Any = why.why(service, "T1")["why"]
    (criterion,) = told["criteria"]
    assert ended["runs"][0]["status"] == "succeeded"
    assert told["status"] == "accepted"
    assert (told["commit"], criterion["tree"], criterion["commit"]) == (None, None, told["base"])
    assert criterion["by"] == ["qa"]


def test_without_a_reviewer_such_a_task_does_not_start(service: Service) -> None:
    settings = service.root / "punchlist.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('qa = "judge"\n', ""), encoding="utf-8")

    with pytest.raises(WorkerError) as refused:
        starts.start(opened(service.root), ["T1"])

    assert "step T1.1 has no qa, and neither have the settings" in str(refused.value)
