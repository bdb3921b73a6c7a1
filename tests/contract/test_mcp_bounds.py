"""What tools take is bounded: numbers that the store holds, states that there are, answers no larger than the call."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import DefinitionError, PunchlistError, RefusedError
from punchlist.mcp import human
from punchlist.mcp.arguments import check
from punchlist.mcp.caller import Caller
from punchlist.mcp.tool import Tool
from punchlist.model.jobs import Role
from punchlist.model.policy import PolicyPart
from punchlist.render.failures import failure
from punchlist.service import tasks
from punchlist.service.context import Service
from tests.services import project_workspace, task
from tests.tooled import Tooled

EXACT = 2**53 - 1


@pytest.fixture
def service(tmp_path: Path) -> Service:
    made = project_workspace(tmp_path / "ws")
    tasks.create(made, "p", document=task())
    return made


@pytest.fixture
def person(service: Service) -> dict[str, Tool]:
    return {tool.name: tool for tool in human.tools(Caller(service.root, person=True))}


def called(tool: Tool, arguments: dict[str, Any]) -> PunchlistError:
    def call() -> None:
        check(tool, arguments)
        tool.call(arguments)

    with pytest.raises(PunchlistError) as refused:
        call()
    return refused.value


def test_each_whole_number_of_every_schema_has_bounds_that_json_and_the_store_hold(
    person: dict[str, Tool], tmp_path: Path
) -> None:
    roles = (Role.BUILDER, Role.QA, Role.PLANNER)
    theirs = [tool for at, role in enumerate(roles, 1) for tool in Tooled(tmp_path, role, name=f"A{at}").tools.values()]

    seen = [(tool.name, where, rule) for tool in (*person.values(), *theirs) for where, rule in _integers(tool.schema)]

    assert len(seen) > 30
    unbounded = [(name, where) for name, where, rule in seen if not _is_bounded(rule)]
    assert unbounded == []


def _integers(rule: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(rule, dict):
        if "integer" in ([kind] if isinstance(kind := rule.get("type"), str) else kind or ()):
            yield where, rule
        for name, each in rule.items():
            yield from _integers(each, f"{where}.{name}")
    elif isinstance(rule, list):
        for each in rule:
            yield from _integers(each, where)


def _is_bounded(rule: dict[str, Any]) -> bool:
    least, most = rule.get("minimum"), rule.get("maximum")
    return isinstance(least, int) and isinstance(most, int) and -EXACT <= least <= most <= EXACT


@pytest.mark.parametrize(
    ("name", "arguments", "where"),
    [
        ("read_log", {"task": "T1", "after": 2**63}, "after"),
        ("read_log", {"attempt": "A1", "start": 2**63}, "start"),
        ("get_diff", {"task": "T1", "start": 2**63}, "start"),
        ("create_step", {"task": "T1", "title": "x", "criteria": ["y"], "position": 2**70}, "position"),
        ("create_task", {"project": "p", "title": "x", "policy": {"budget": {"tokens": 2**70}}}, "policy"),
        ("update_task", {"task": "T1", "needs": [2**70]}, "needs[0]"),
        ("start_task", {"task": "T1", "expected_version": 2**64}, "expected_version"),
    ],
)
def test_a_number_beyond_all_that_is_counted_is_refused_at_its_place(
    person: dict[str, Tool], name: str, arguments: dict[str, Any], where: str
) -> None:
    error = called(person[name], arguments)

    assert isinstance(error, DefinitionError)
    assert [each.where.partition(".")[0] for each in error.problems] == [where]


@pytest.mark.parametrize("verb", ["events", "output"])
def test_the_verbs_behind_refuse_such_a_number_too(service: Service, verb: str) -> None:
    from punchlist.service import logs

    with pytest.raises(DefinitionError, match="allowed: 0 to 9007199254740991"):
        logs.events(service, after=2**63) if verb == "events" else logs.logs(service, "A1", start=2**63)


def test_a_state_that_what_is_waited_for_can_never_be_in_is_refused(person: dict[str, Tool]) -> None:
    error = called(person["wait_for"], {"ids": ["T1"], "states": ["acccepted", "failed", "building"], "timeout": 0})

    assert [(each.where, each.hint) for each in error.problems] == [
        ("states[0]", "Did you mean 'accepted'?"),
        ("states[2]", ""),
    ]


def test_a_page_after_a_task_that_is_not_there_is_refused(person: dict[str, Tool]) -> None:
    error = called(person["list_tasks"], {"after": "T99"})

    assert isinstance(error, RefusedError)
    assert error.code == "not_found"


def test_the_published_policy_has_each_rule_with_its_real_shape(person: dict[str, Tool]) -> None:
    policy: Any = person["update_project"].schema["properties"]
    rules = policy["policy"]["properties"]

    assert list(rules) == [*PolicyPart.__struct_fields__]
    assert rules["rework"] == {"type": "integer", "minimum": 0, "maximum": 1000}
    assert set(rules["review"]["enum"]) == {"always", "uncovered", "never"}
    assert rules["budget"]["additionalProperties"] is False


@pytest.mark.parametrize("wrong", [1, "not a label", ""])
@pytest.mark.parametrize("count", [15_000, 450_000])
def test_a_flood_of_problems_is_answered_soon_with_the_first_and_how_many_more(
    person: dict[str, Tool], wrong: object, count: int
) -> None:
    begun = time.perf_counter()
    error = called(person["create_task"], {"project": "p", "title": "x", "labels": [wrong] * count})
    took = time.perf_counter() - begun

    assert took < 15, "many times as long as it takes, and a third of what it took"
    assert len(error.problems) <= 101
    assert len(str(failure(error))) < 100_000
    if count < 20_000:
        assert f"{count - 100:,} more" in error.problems[-1].message
