"""Verbs of steps of tasks that no run has hold of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import DefinitionError, RefusedError
from punchlist.service import starts, steps
from punchlist.service.context import Service
from tests.services import (
    created,
    is_clean,
    project_workspace,
    ready,
)

Verb = Callable[[Service], object]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with the empty project `p`; no engine ever runs."""
    return project_workspace(tmp_path / "ws")


def test_steps_are_added_changed_reordered_and_removed(service: Service) -> None:
    created(service)
    steps.add(service, "T1", document={"title": "Second", "criteria": ["b"]})
    steps.add(service, "T1", document={"title": "First", "criteria": ["a"]}, position=1)
    steps.edit(service, "T1.2", changes={"goal": "Say it shorter."})
    steps.reorder(service, "T1", order=["T1.1", "T1.3", "T1.2"])
    answer: Any = steps.remove(service, "T1.3")

    assert [(each["id"], each["needs"]) for each in answer["task"]["steps"]] == [("T1.1", []), ("T1.2", ["T1.1"])]
    assert answer["task"]["steps"][1]["goal"] == "Say it shorter."
    assert is_clean(service)


def test_a_removed_steps_number_is_never_used_again(service: Service) -> None:
    created(service)
    steps.add(service, "T1", document={"title": "Second", "criteria": ["b"]})
    steps.remove(service, "T1.2")

    answer: Any = steps.add(service, "T1", document={"title": "Third", "criteria": ["c"]})

    assert [each["id"] for each in answer["task"]["steps"]] == ["T1.1", "T1.3"]


def test_a_step_with_problems_is_refused_with_all_of_them(service: Service) -> None:
    created(service)

    with pytest.raises(DefinitionError, match="the step has 2 problems"):
        steps.add(service, "T1", document={"title": "x", "criteria": ["a"], "builder": "nobody", "needs": ["T1.7"]})


def test_a_skipped_step_is_shown_as_skipped_and_can_be_reopened(service: Service) -> None:
    name = ready(service)

    skipped: Any = steps.skip(service, f"{name}.1", reason="not now")
    reopened: Any = steps.reopen(service, f"{name}.1")

    assert skipped["task"]["steps"][0]["status"] == "skipped"
    assert (reopened["task"]["steps"][0]["status"], reopened["task"]["steps"][0]["r"]) == ("pending", 1)
    assert is_clean(service)


def test_a_cancelled_step_keeps_its_task_from_starting(service: Service) -> None:
    name = ready(service)
    steps.cancel(service, f"{name}.1")

    with pytest.raises(RefusedError, match="cannot start") as refused:
        starts.start(service, [name])

    assert "step reopen T1.1, or punchlist step skip T1.1" in str(refused.value)
