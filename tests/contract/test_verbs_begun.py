"""Verbs that meet a run which began while they looked: they steer it, and never change its document beside it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from punchlist.errors import RefusedError
from punchlist.ports import Reader, Store, Writer
from punchlist.service import approvals, gates, logs, projects, runs, starts, steps, tasks
from punchlist.service.context import Service
from tests.services import BUILDER, at, shown, stopped, task, workspace

# An engine outlives who started it, also when that is this process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*subprocess .* is still running"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SLOW = BUILDER.replace("echo made > made.txt", "sleep 60")


class Overtaken:
    """A store in which `meanwhile` happens once, before the first change: after whoever changes it has looked."""

    def __init__(self, store: Store, meanwhile: Callable[[], None]) -> None:
        self._store = store
        self._meanwhile = [meanwhile]

    def read(self) -> AbstractContextManager[Reader]:
        return self._store.read()

    def write(self) -> AbstractContextManager[Writer]:
        while self._meanwhile:
            self._meanwhile.pop()()
        return self._store.write()

    def close(self) -> None:
        self._store.close()


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Service]:
    """A workspace with the ready task T1 of two steps, whose builder does not end by itself; its engine is ended."""
    with stopped(workspace(tmp_path / "ws", settings=SLOW, engine=True)) as made:
        projects.create(made, "p", spec="# Files\n")
        more = [*task()["steps"], {"title": "More", "criteria": ["It is there still."], "needs": []}]
        tasks.create(made, None, document=task(steps=more))
        approvals.approve(made, "T1")
        yield made


def overtaken(service: Service) -> Service:
    """The same workspace for somebody whom the engine overtakes with the start of T1."""

    def begin() -> None:
        starts.start(service, ["T1"])
        with service.engine.watch() as watch:
            while not runs_of(service):
                watch.wait(5)

    store = Overtaken(service.store, begin)
    return msgspec.structs.replace(service, outside=msgspec.structs.replace(service.outside, store=lambda: store))


def runs_of(service: Service) -> dict[str, str]:
    """What delivers T1, with its status."""
    with service.store.read() as reader:
        return {each.id: each.status for each in reader.runs() if each.purpose == "deliver"}


def test_a_task_cancelled_while_the_engine_takes_it_up_ends_with_its_run(slow: Service) -> None:
    answer = tasks.cancel(overtaken(slow), "T1", reason="enough")

    assert at(answer, "task", "status") == "cancelled"
    assert set(runs_of(slow).values()) == {"cancelled"}
    assert logs.verify(slow)["problems"] == []


def test_a_task_revised_while_the_engine_takes_it_up_is_a_draft_without_a_run(slow: Service) -> None:
    answer = tasks.revise(overtaken(slow), "T1", reason="think again")

    assert at(answer, "task", "status") == "draft"
    assert set(runs_of(slow).values()) == {"cancelled"}
    assert logs.verify(slow)["problems"] == []


def test_a_step_skipped_while_the_engine_takes_its_task_up_is_skipped_by_the_run(slow: Service) -> None:
    answer = steps.skip(overtaken(slow), "T1.1", reason="by hand")

    assert at(answer, "task", "steps", 0, "status") == "skipped"
    assert set(runs_of(slow).values()) == {"running"}


def test_rework_asked_while_the_engine_takes_the_task_up_is_asked_of_the_run(slow: Service) -> None:
    answer = gates.rework(overtaken(slow), "T1.2", message="use the helper")

    assert at(answer, "task", "status") == "running"
    assert logs.verify(slow)["problems"] == []


def test_rework_beside_steps_that_are_over_badly_is_refused_and_keeps_nothing(slow: Service) -> None:
    run: Any = starts.start(slow, ["T1"])
    steps.cancel(slow, "T1.1", reason="not this way")
    steps.cancel(slow, "T1.2", reason="nor this")
    runs.wait(slow, [run["run"]["id"]])
    before = shown(slow, "T1")

    with pytest.raises(RefusedError) as refused:
        gates.rework(slow, "T1.1", message="use the helper")

    assert "T1.2: is cancelled" in str(refused.value)
    assert "punchlist step reopen T1.2" in str(refused.value)
    assert shown(slow, "T1") == before
    assert len(runs_of(slow)) == 1
