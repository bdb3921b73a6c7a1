"""A check that the record has an answer of is not run again: same tree, same check, same set-up, in whatever run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from punchlist.model.ids import AttemptId, Digest, NodePath, RunId, StepId, TaskId, Tree
from punchlist.model.jobs import FailureClass, Folder, Limits, Outcome, ProcessJob, Role
from punchlist.model.json import Json
from punchlist.model.records import Project
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus
from punchlist.runtime.recall import exam_of, recalled
from punchlist.service import approvals, logs, projects, runs, starts, steps, tasks
from punchlist.service.context import Service
from tests.runs import PROJECT
from tests.services import BUILDER, shown, stopped, task, workspace

replace = msgspec.structs.replace
JOB = ProcessJob(
    attempt=AttemptId("A9"),
    run=RunId("R2"),
    role=Role.CHECK,
    folder=Folder(place="exam", tree=Tree("t1")),
    limits=Limits(timeout=60),
    argv=("sh", "-c", "make test"),
    network=False,
    twice=True,
)
EXAM = Digest("e" * 64)
RED: dict[str, Any] = {"status": AttemptStatus.FAILED, "failure": FailureClass.CRITERION, "exit_code": 1}
GREEN: dict[str, Any] = {"status": AttemptStatus.SUCCEEDED, "exit_code": 0}


def attempt(number: int, *, again: int = 0, **said: Any) -> AttemptState:
    name = AttemptId(f"A{number}")
    return AttemptState(
        id=name,
        run=RunId("R1"),
        node=NodePath("n"),
        role=Role.CHECK,
        again=again,
        outcome=Outcome(attempt=name, exam=EXAM, **said),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"folder": Folder(place="exam", tree=Tree("t2"))},
        {"argv": ("sh", "-c", "make other")},
        {"limits": Limits(timeout=61)},
        {"limits": Limits(timeout=60, memory=1)},
        {"sandbox": "off"},
    ],
)
def test_another_check_or_tree_is_another_exam(changes: dict[str, Any]) -> None:
    assert exam_of(replace(JOB, **changes), PROJECT) != exam_of(JOB, PROJECT)


@pytest.mark.parametrize("changes", [{"setup": ("make",)}, {"path": ("bin",)}, {"id": "other"}])
def test_another_set_up_is_another_exam(changes: dict[str, Any]) -> None:
    assert exam_of(JOB, replace(PROJECT, **changes)) != exam_of(JOB, PROJECT)


def test_the_step_and_the_run_make_no_difference() -> None:
    elsewhere = Folder(place="exam", task=TaskId("T2"), step=StepId("T2.1"), tree=Tree("t1"))

    assert exam_of(replace(JOB, run=RunId("R3"), folder=elsewhere), PROJECT) == exam_of(JOB, PROJECT)


@pytest.mark.parametrize(
    ("changes", "project"),
    [
        ({"network": True}, PROJECT),
        ({"role": Role.COMMAND}, PROJECT),
        ({"folder": Folder(place="run")}, PROJECT),
        ({}, None),
    ],
)
def test_what_depends_on_more_than_its_tree_is_no_exam(changes: dict[str, Any], project: Project | None) -> None:
    assert exam_of(replace(JOB, **changes), project) is None


def test_what_passed_is_taken_from_the_record_and_says_from_where() -> None:
    outcome = recalled(JOB, [attempt(1, **GREEN, tail="12 passed")], exam=EXAM)

    assert outcome == Outcome(
        attempt=AttemptId("A9"), **GREEN, tail="12 passed", exam=EXAM, cached_from=AttemptId("A1")
    )


@pytest.mark.parametrize(
    "said",
    [
        {"status": AttemptStatus.LOST, "failure": FailureClass.LOST},
        {"status": AttemptStatus.CANCELLED},
        {"status": AttemptStatus.TIMED_OUT, "failure": FailureClass.TIMEOUT, "passed_limit": "timeout"},
        {"status": AttemptStatus.FAILED, "failure": FailureClass.CRITERION, "exit_code": -9, "signal": 9},
        {**RED, "exit_code": 127, "tail": "sh: nonsense: not found"},
        {**GREEN, "tail": "Ran 0 tests in 0.000s\n\nOK"},
        {**GREEN, "cached_from": AttemptId("A1")},
        {"status": AttemptStatus.FAILED, "failure": FailureClass.WORKER, "exit_code": 1},
    ],
)
def test_what_says_nothing_of_the_tree_is_not_taken(said: dict[str, Any]) -> None:
    assert recalled(replace(JOB, twice=False), [attempt(2, **said)], exam=EXAM) is None


def test_a_failure_is_taken_for_the_first_of_two_only_when_the_second_was_made() -> None:
    once, twice = [attempt(1, **RED)], [attempt(1, **RED), attempt(2, again=1, **RED)]

    assert recalled(JOB, once, exam=EXAM) is None
    assert recalled(replace(JOB, twice=False), once, exam=EXAM) is not None
    first, second = recalled(JOB, twice, exam=EXAM), recalled(replace(JOB, again=1), twice, exam=EXAM)
    assert first is not None
    assert second is not None
    assert (first.cached_from, second.cached_from) == ("A1", "A2")


def test_what_was_flaky_stays_flaky() -> None:
    flaky = [attempt(1, **RED), attempt(2, again=1, **GREEN)]

    first, second = recalled(JOB, flaky, exam=EXAM), recalled(replace(JOB, again=1), flaky, exam=EXAM)

    assert first is not None
    assert second is not None
    assert (first.status, second.status) == (AttemptStatus.FAILED, AttemptStatus.SUCCEEDED)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = workspace(tmp_path / "ws", settings=BUILDER, engine=True)
    with stopped(made):
        projects.create(made, "p", spec="# What is wanted\n")
        yield made


def counted(folder: Path, command: str) -> str:
    """Return a check that leaves a line for each time that it really runs."""
    return f"echo ran >> {folder}/ran; echo so far; {command}"


def test_an_edit_runs_only_the_check_that_it_changed(service: Service, tmp_path: Path) -> None:
    slow = counted(tmp_path, "test -f made.txt")
    first = {"title": "Make it", "criteria": [{"text": "It is there.", "check": slow}]}
    tasks.create(service, None, document=task(steps=[first]))
    approvals.approve(service, "T1")
    tasks.revise(service, "T1")
    edited: Json = {"criteria": [{"text": "It is there.", "check": slow}, {"text": "It is short.", "check": "false"}]}
    steps.edit(service, "T1.1", changes=edited)

    approvals.approve(service, "T1")

    assert (tmp_path / "ran").read_text(encoding="utf-8") == "ran\n"
    again = [each for each in _checks(service) if each.outcome and each.outcome.cached_from]  # of each proof begun
    assert {(each.outcome.exit_code, each.outcome.cached_from) for each in again if each.outcome} == {(1, "A1")}
    assert all(logs.logs(service, each.id)["text"] == "so far\n" for each in again)
    assert shown(service, "T1")["steps"][0]["criteria"][0]["shows"] == "goal"


def test_a_tree_that_was_judged_is_not_judged_by_running_again_in_another_task(
    service: Service, tmp_path: Path
) -> None:
    check = {"text": "It is there.", "check": counted(tmp_path, "test -f made.txt")}
    for _ in range(2):
        made: Any = tasks.create(service, None, document=task(steps=[{"title": "Make it", "criteria": [check]}]))
        name = str(made["task"]["id"])
        approvals.approve(service, name)
        started: Any = starts.start(service, [name])
        runs.wait(service, [str(started["run"]["id"])])

    assert [shown(service, name)["status"] for name in ("T1", "T2")] == ["accepted", "accepted"]
    assert (tmp_path / "ran").read_text(encoding="utf-8") == "ran\nran\n"
    evidence = shown(service, "T2")["steps"][0]["verdict"]["criteria"][0]["evidence"]
    assert any(" cached from A" in each for each in evidence)
    assert logs.verify(service)["problems"] == []


def _checks(service: Service) -> list[AttemptState]:
    with service.store.read() as reader:
        return [each for each in reader.attempts() if each.role is Role.CHECK]
