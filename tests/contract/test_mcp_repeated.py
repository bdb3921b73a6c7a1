"""A key makes a change once, whoever else gives it at the same time; a version holds until the change is made."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import ConflictError, RefusedError
from punchlist.service import lookup, projects, runs, starts, steps, tasks
from punchlist.service.context import Answer, Service
from punchlist.service.once import Seen, as_it_is, once
from punchlist.service.repeating import UNREPEATABLE, Repeatable
from tests.clients import client, talked
from tests.installed import Workspace
from tests.services import BUILDER, JUDGE, created, project_workspace, unchecked

STEP: dict[str, Any] = {"title": "Make it", "criteria": [{"text": "It is there.", "check": "test -f made.txt"}]}
SPEC = "# A file\n\n## Make it\n\n- It must be there.\n"
SAME: dict[str, dict[str, Any]] = {
    "remove_step": {"step": "T1.2"},
    "reorder_steps": {"task": "T1", "steps": ["T1.3", "T1.1"]},
    "set_step_status": {"step": "T1.3", "status": "skip", "reason": "not needed"},
    "propose_approval": {"task": "T1"},
    "plan_project": {"project": "p"},
    "start_task": {"task": "T2"},
    "pause_task": {"task": "T2"},
    "resume": {"task": "T2"},
    "cancel": {"task": "T2"},
    "retry": {"task": "T2"},
}
"""Calls that may follow each other; most of them would be refused, or do something else, the second time."""
CALL = Repeatable("k", "cancel", {"task": "T1"})


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a draft `T1` of three steps, and `T2`, which is approved."""
    made = Workspace(tmp_path / "ws", tmp_path / "home")
    made.home.mkdir()
    made.write("tools/judge", JUDGE).chmod(0o755)
    made.write("punchlist.toml", BUILDER.replace("echo made", "sleep 1; echo made"))
    made.ok("init")
    made.ok("project", "create", "p", "--spec", str(made.write("spec.md", SPEC)))
    yield made
    made.stop()


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with a draft; no engine ever runs."""
    made = project_workspace(tmp_path / "ws")
    created(made)
    return made


def test_of_the_same_calls_at_one_time_one_acts(workspace: Workspace) -> None:
    async def talk() -> dict[str, list[dict[str, Any]]]:
        async with client(workspace, name="a") as one, client(workspace, name="b") as two:
            await one.ok("create_task", project="p", title="Edit", steps=[STEP, STEP, STEP])
            await one.ok("create_task", project="p", title="Make", steps=[STEP])
            workspace.ok("approve", "T2")
            return {
                tool: await asyncio.gather(*(chat.ok(tool, **given, idempotency_key=tool) for chat in (one, two)))
                for tool, given in SAME.items()
            }

    answers = talked(talk)

    assert len(workspace.ok("gates")["gates"]) == 1
    assert [task["id"] for task in workspace.ok("task", "list")["tasks"]] == ["T1", "T2", "T3"]
    assert [event["kind"] for event in workspace.ok("events", "T1")["events"]].count("StepClosed") == 1
    for tool, (one, two) in answers.items():
        assert one.keys() == two.keys(), tool
        assert one.get("run", {}).get("id") == two.get("run", {}).get("id"), tool


def test_a_call_that_died_once_it_had_acted_does_not_act_again(service: Service) -> None:
    def act(calling: Service) -> Answer:
        tasks.cancel(calling, "T1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        once(service, CALL, act=act, again=never)

    answer = once(service, CALL, act=lambda _: never(""), again=lambda about: as_it_is(service, about))

    assert answer == as_it_is(service, "T1")


def test_a_call_that_was_refused_may_be_made_again(service: Service) -> None:
    def start(calling: Service) -> Answer:
        return starts.start(calling, ["T1"])

    with pytest.raises(RefusedError, match="T1"):
        once(service, CALL, act=start, again=never)

    answer = once(service, CALL, act=lambda calling: tasks.cancel(calling, "T1"), again=never)

    assert once(service, CALL, act=start, again=never) == answer


def test_the_one_that_comes_second_answers_what_the_first_does(service: Service) -> None:
    first: list[Answer] = []

    def act(calling: Service) -> Answer:
        first.append(once(service, CALL, act=lambda other: steps.skip(other, "T1.1"), again=never))
        return tasks.cancel(calling, "T1")

    answer = once(service, CALL, act=act, again=never)

    assert [answer] == first == [as_it_is(service, "T1")]


@pytest.mark.parametrize("key", ["k", None])
def test_a_version_holds_until_the_change_is_made(service: Service, key: str | None) -> None:
    def act(calling: Service) -> Answer:
        tasks.edit(service, "T1", changes={"title": "Changed meanwhile"})
        return runs.cancel(calling, "T1")

    seen = Seen("T1", _version(tasks.show(service, "T1")))

    with pytest.raises(ConflictError):
        once(service, Repeatable(key, "cancel", {}), act=act, again=never, seen=seen)

    task = tasks.show(service, "T1")["task"]
    assert isinstance(task, dict)
    assert (task["title"], task["status"]) == ("Changed meanwhile", "draft")


def test_a_project_that_changed_meanwhile_gets_no_task_made_for_what_it_was(service: Service) -> None:
    def act(calling: Service) -> Answer:
        projects.edit(service, "p", changes={"title": "Changed meanwhile"})
        return tasks.create(calling, "p", document=unchecked())

    with service.store.read() as reader:
        seen = Seen("p", lookup.project(reader, "p").version)

    with pytest.raises(ConflictError):
        once(service, UNREPEATABLE, act=act, again=never, seen=seen)

    with service.store.read() as reader:
        assert [line.id for line in reader.tasks(None)] == ["T1"]


def never(_about: str) -> Answer:
    raise AssertionError("it acts once")


def _version(answer: Answer) -> int:
    task = answer["task"]
    assert isinstance(task, dict)
    assert isinstance(task["version"], int)
    return task["version"]
