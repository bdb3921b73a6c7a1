"""Every tool that changes something: its key, and the version that was seen, hold in the transaction that acts."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from punchlist.errors import ConflictError, PunchlistError
from punchlist.mcp import human
from punchlist.mcp.caller import Caller
from punchlist.mcp.tool import Tool
from punchlist.model.ids import TaskId
from punchlist.ports import Store, Writer
from punchlist.service import approvals, projects, runs, starts, tasks
from punchlist.service.context import Service
from tests.services import BUILDER, created, ready, stopped, workspace

STEP: dict[str, Any] = {"title": "Write", "criteria": ["It reads well."]}
PATIENCE = 100


class Case(NamedTuple):
    """A call that holds once: what it is given, what it needs before, and how what it is about changes meanwhile."""

    given: dict[str, Any]
    before: Callable[[Service], object] = lambda _: None
    meanwhile: Callable[[Service], object] | None = lambda service: tasks.edit(service, "T1", changes={"spec": "x"})


def project_edited(service: Service) -> object:
    return projects.edit(service, "p", changes={"title": "Changed"})


def revised(service: Service) -> object:
    tasks.revise(service, "T2")
    return approvals.approve(service, "T2", no_wait=True)


def cancelled(service: Service) -> object:
    ready(service)
    return tasks.cancel(service, "T2")


def cancelled_again(service: Service) -> object:
    tasks.reopen(service, "T2")
    return tasks.cancel(service, "T2")


def running(service: Service) -> None:
    ready(service)
    starts.start(service, ["T2"])
    (service.root.parent / "begun").read_text(encoding="utf-8")  # a pipe: its builder is at work


def paused(service: Service) -> object:
    running(service)
    return runs.pause(service, "T2", now=True)


CASES = {
    "plan_project": Case({"project": "p"}, meanwhile=project_edited),
    "create_project": Case({"name": "q", "spec": "x"}, meanwhile=None),
    "update_project": Case({"project": "p", "title": "Another"}, meanwhile=project_edited),
    "create_task": Case({"project": "p", "title": "x", "steps": [STEP]}, meanwhile=project_edited),
    "update_task": Case({"task": "T1", "title": "Another"}),
    "create_step": Case({"task": "T1", **STEP}),
    "update_step": Case({"step": "T1.1", "title": "Another"}),
    "remove_step": Case({"step": "T1.2"}),
    "reorder_steps": Case({"task": "T1", "steps": ["T1.2", "T1.1"]}),
    "set_step_status": Case({"step": "T1.1", "status": "skip", "reason": "not needed"}),
    "propose_approval": Case({"task": "T1", "message": "look"}),
    "approve_task": Case({"task": "T1"}),
    "decide": Case({"gate": "G1", "choice": "approve"}, before=lambda service: approvals.propose(service, "T1")),
    "cancel": Case({"task": "T1"}),
    "start_task": Case({"task": "T2"}, before=ready, meanwhile=revised),
    "retry": Case({"task": "T2"}, before=cancelled, meanwhile=cancelled_again),
    "pause_task": Case({"task": "T2"}, before=running, meanwhile=lambda service: runs.pause(service, "T2")),
    "resume": Case({"task": "T2"}, before=paused, meanwhile=lambda service: runs.resume(service, "T2")),
}


ASKED_FOR = frozenset(
    {
        "ProjectCreated",
        "ProjectEdited",
        "TaskCreated",
        "TaskEdited",
        "ApprovalProposed",
        "ApprovalDecided",
        "TaskApproved",
        "TaskRevised",
        "StepClosed",
    }
)
"""Events that no engine commits by itself while a task runs."""


class Meanwhile:
    """A store in which something happens at the last moment before the first transaction that writes."""

    def __init__(self, store: Store, happens: Callable[[], object]) -> None:
        self._store = store
        self._happens: Callable[[], object] | None = happens

    def write(self) -> AbstractContextManager[Writer]:
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()
        return self._store.write()

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


class Fixed(Caller):
    """A client whose calls are made in one context."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.root, person=True)
        self.fixed = service

    @property
    def service(self) -> Service:
        return self.fixed


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A workspace with a draft of two steps, and builders that wait to be told to go on."""
    for pipe in ("begun", "hold"):
        os.mkfifo(tmp_path / pipe)
    builder = BUILDER.replace("echo made > made.txt", f"echo > {tmp_path}/begun; read go < {tmp_path}/hold")
    with stopped(workspace(tmp_path / "ws", settings=builder, engine=True)) as made:
        projects.create(made, "p", spec="# A file\n\n## Make it\n\n- It must be there.\n")
        created(made, steps=[STEP, STEP])
        yield made
        with made.store.read() as reader:
            live = [run.id for run in reader.runs(live=True)]
        for run in live:
            runs.cancel(made, run)


def tools_of(service: Service) -> dict[str, Tool]:
    return {tool.name: tool for tool in human.tools(Fixed(service))}


def test_there_is_a_case_for_every_tool_that_changes_something(service: Service) -> None:
    assert set(CASES) == {tool.name for tool in tools_of(service).values() if tool.changes}
    assert all("idempotency_key" in properties(tool) for tool in tools_of(service).values() if tool.changes)


@pytest.mark.parametrize("name", CASES)
def test_the_same_call_made_at_the_last_moment_is_the_one_that_acts(service: Service, name: str) -> None:
    case = CASES[name]
    case.before(service)
    given = {**case.given, "idempotency_key": "k"}
    first: list[Any] = []

    def same() -> None:
        first.extend((tools_of(service)[name].call(given), acts(service)))

    second = tools_of(interrupted(service, same))[name].call(given)

    answer, acted = first
    assert acts(service) == acted
    assert second.keys() == answer.keys()
    for noun in ("task", "project", "gate", "run", "step"):
        assert id_of(second, noun) == id_of(answer, noun)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.meanwhile is not None])
def test_a_change_at_the_last_moment_is_a_conflict(service: Service, name: str) -> None:
    case = CASES[name]
    case.before(service)
    assert case.meanwhile is not None
    meanwhile, seen = case.meanwhile, acts(service)
    changed: list[int] = []

    def change() -> None:
        meanwhile(service)
        changed.append(acts(service))

    versioned = {"expected_version": version_of(service, case.given)} if name != "decide" else {}

    with pytest.raises(ConflictError):
        tools_of(interrupted(service, change))[name].call({**case.given, **versioned})

    assert changed == [acts(service)]
    assert changed > [seen]


@pytest.mark.parametrize("name", ["create_project", "create_task", "propose_approval", "remove_step", "start_task"])
def test_of_threads_that_make_the_same_call_one_acts(service: Service, name: str) -> None:
    case = CASES[name]
    case.before(service)
    seen = acts(service)
    told: list[Any] = []
    start = threading.Barrier(4)

    def call() -> None:
        tool = tools_of(service)[name]
        start.wait(PATIENCE)
        try:
            told.append(tool.call({**case.given, "idempotency_key": "k"}))
        except PunchlistError as error:
            told.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(PATIENCE)

    assert [each for each in told if isinstance(each, PunchlistError)] == []
    assert len({str(id_of(each, "task") or id_of(each, "project")) for each in told}) == 1
    assert acts(service) == seen + 1


def test_a_start_that_approves_by_policy_is_no_conflict_with_itself(service: Service) -> None:
    projects.edit(service, "p", changes={"policy": {"auto_approve": True}})

    answer: Any = tools_of(service)["start_task"].call({"task": "T1", "expected_version": 1, "idempotency_key": "k"})

    assert (answer["task"]["status"], answer["run"]["id"]) == ("ready", "R1")


def test_a_repeated_call_is_answered_whatever_the_version_is_by_now(service: Service) -> None:
    given: dict[str, Any] = {"project": "p", "title": "x", "expected_version": 1, "idempotency_key": "k"}
    tool = tools_of(service)["create_task"]
    first = tool.call(given)
    project_edited(service)

    assert tool.call(given) == first


def test_a_proof_that_came_meanwhile_is_no_conflict(service: Service) -> None:
    approvals.propose(service, "T1")

    answer: Any = tools_of(service)["cancel"].call({"task": "T1", "expected_version": 1})

    assert answer["task"]["status"] == "cancelled"


def interrupted(service: Service, happens: Callable[[], object]) -> Service:
    """The same workspace, in which something happens before the next transaction that writes."""
    store: Any = Meanwhile(service.store, happens)
    return msgspec.structs.replace(service, outside=msgspec.structs.replace(service.outside, store=lambda: store))


def acts(service: Service) -> int:
    """How many changes of documents, and commands to the engine, were asked for."""
    with service.store.read() as reader:
        changes = sum(event.kind in ASKED_FOR for event in reader.events())
        return changes + len(reader.inbox(pending=False))


def version_of(service: Service, given: dict[str, Any]) -> int:
    with service.store.read() as reader:
        if "project" in given:
            return next(each.version for each in reader.projects() if each.id == given["project"])
        state = reader.task(TaskId(str(given.get("task", "T1"))))
        assert state is not None
        return state.task.version


def properties(tool: Tool) -> dict[str, Any]:
    found: Any = tool.schema["properties"]
    return dict(found)


def id_of(answer: Any, noun: str) -> object:
    value = answer.get(noun)
    return value["id"] if isinstance(value, dict) else None
