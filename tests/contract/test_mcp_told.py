"""What tools refuse is refused at its argument, with what is allowed there and the call that mends it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from punchlist.errors import DefinitionError, PunchlistError
from punchlist.mcp import human, orchestrator
from punchlist.mcp.arguments import check
from punchlist.mcp.caller import Caller
from punchlist.mcp.prose import NAMES
from punchlist.mcp.refusals import told
from punchlist.mcp.tool import Tool
from punchlist.model.jobs import Role
from punchlist.service import approvals, tasks
from punchlist.service.context import Service
from tests.services import opened, project_workspace, ready, shown, unchecked
from tests.tooled import Tooled

THREE = unchecked(steps=[{"title": name, "criteria": ["It reads well."]} for name in ("One", "Two", "Three")])
FITTING: dict[str, Any] = {"status": "skip", "choice": "approve", "outcome": "blocked", "step": "T1.1", "gate": "G1"}
ODD = ["\x1b[2J", "a\x07", "\u202egnp.exe", "one\rtwo", "\u2028", "\x00"]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with a draft of three steps, which is proposed; no engine ever runs."""
    made = project_workspace(tmp_path / "ws")
    tasks.create(made, "p", document=THREE)
    approvals.propose(made, "T1")
    return made


@pytest.fixture
def tools(service: Service) -> dict[str, Tool]:
    return tools_of(service)


def tools_of(service: Service) -> dict[str, Tool]:
    return {tool.name: tool for tool in human.tools(Caller(service.root, person=True))}


def refused(tool: Tool, **arguments: Any) -> PunchlistError:
    """Call a tool as the server does, and return what it is refused with."""

    def call() -> None:
        check(tool, arguments)
        tool.call(arguments)

    with pytest.raises(PunchlistError) as found:
        call()
    return found.value


def places(error: PunchlistError) -> list[str]:
    return [each.where for each in error.problems] or [error.where]


def demanded(tool: Tool) -> dict[str, Any]:
    """What a tool demands, each with something that fits."""
    named: Any = tool.schema.get("required", ())
    return {name: FITTING.get(name, "T1") for name in named}


def test_a_text_for_people_that_is_blank_is_refused_at_its_argument(tools: dict[str, Tool], tmp_path: Path) -> None:
    builder = Tooled(tmp_path, Role.BUILDER).tools
    found = 0
    for tool in (*tools.values(), *builder.values()):
        for name, rule in _properties(tool).items():
            if name in NAMES and rule.get("default") != "":
                found += 1
                for blank in ("", " ", "\n\t", "\u00a0"):
                    assert places(refused(tool, **{**demanded(tool), name: blank})) == [name], tool.name

    assert found >= 8


def test_a_text_for_people_that_steers_a_screen_is_refused_at_its_argument(
    tools: dict[str, Tool], tmp_path: Path
) -> None:
    builder = Tooled(tmp_path, Role.BUILDER).tools
    for tool in (*tools.values(), *builder.values()):
        for name in set(NAMES) & set(_properties(tool)):
            for odd in ODD:
                error = refused(tool, **{**demanded(tool), name: odd})
                assert (places(error), f"U+{ord(_control(odd)):04X}" in str(error)) == ([name], True), tool.name


@pytest.mark.parametrize("odd", ODD)
def test_what_is_given_with_a_decision_is_looked_through_too(tools: dict[str, Tool], odd: str) -> None:
    error = refused(tools["decide"], gate="G1", choice="reject", data={"paths": ["a", odd]})

    assert places(error) == ["data.paths[1]"]


def test_lines_and_tabs_may_stand_in_a_message(tools: dict[str, Tool], service: Service) -> None:
    given = {"gate": "G1", "choice": "reject", "message": "Two things:\r\n\t- one\n\t- two é 👩‍💻"}
    check(tools["decide"], given)
    answer: Any = tools["decide"].call(given)

    assert answer["gate"]["data"] == {"note": given["message"]}
    assert shown(service, "T1")["proposal"] is None


@pytest.mark.parametrize(
    ("name", "arguments", "where"),
    [
        ("create_step", {"task": "T1", "title": "x", "criteria": ["y"], "position": 5}, ["position"]),
        ("reorder_steps", {"task": "T1", "steps": []}, ["steps", "steps", "steps"]),
        ("reorder_steps", {"task": "T1", "steps": ["T1.1", "T1.3"]}, ["steps"]),
        ("reorder_steps", {"task": "T1", "steps": ["T1.1", "T1.2", "T1.3", "T1.1"]}, ["steps"]),
        ("reorder_steps", {"task": "T1", "steps": ["T1.1", "T1.2", "T1.3", "T9.1"]}, ["steps[3]"]),
        ("wait_for", {"ids": ["T1", "A1", "p", "F1"], "timeout": 0}, ["ids[1]", "ids[2]", "ids[3]"]),
        ("wait_for", {"ids": ["T1", "T99"], "timeout": 0}, ["ids[1]"]),
        ("wait_for", {"ids": ["G1", "T1.99"], "timeout": 0}, ["ids[1]"]),
        ("wait_for", {"ids": ["R99"], "timeout": 0}, ["ids[0]"]),
        ("list_tasks", {"project": "other"}, ["project"]),
        ("list_tasks", {"status": ["draft", "over"]}, ["status[1]"]),
        ("list_tasks", {"after": "T99"}, ["after"]),
        ("get_project", {"project": "other"}, ["project"]),
        ("get_task", {"task": "T99"}, ["task"]),
        ("get_status", {"since": "yesterday"}, ["since"]),
        ("create_task", {"project": "other", "title": "x"}, ["project"]),
        ("plan_project", {"project": "other"}, ["project"]),
        ("create_project", {"name": "p", "spec": "x"}, ["name"]),
        ("cancel", {"step": "T1.9"}, ["step"]),
        ("decide", {"gate": "G9", "choice": "approve"}, ["gate"]),
        ("list_gates", {"ask": "G9"}, ["ask"]),
        ("why", {"finding": "F9"}, ["finding"]),
        ("read_log", {"attempt": "A9"}, ["attempt"]),
    ],
)
def test_a_refusal_names_the_argument(
    tools: dict[str, Tool], name: str, arguments: dict[str, Any], where: list[str]
) -> None:
    error = refused(tools[name], **arguments)

    assert places(error) == where
    assert "punchlist " not in str(told(error, tools=tools))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    order=st.lists(st.sampled_from(["T1.1", "T1.2", "T1.3", "T1.4", "T2.1", "T1", ""]), max_size=5),
    position=st.integers(1, 9),
)
def test_an_order_or_a_place_is_taken_whole_or_refused_at_its_argument(
    service: Service, order: list[str], position: int
) -> None:
    tools = tools_of(service)
    before = shown(service, "T1")
    ids = [step["id"] for step in before["steps"]]

    if sorted(order) == sorted(ids):
        tools["reorder_steps"].call({"task": "T1", "steps": [*order]})
        assert [step["id"] for step in shown(service, "T1")["steps"]] == order
    else:
        error = refused(tools["reorder_steps"], task="T1", steps=order)
        assert isinstance(error, DefinitionError)
        assert {each.where.partition("[")[0] for each in error.problems} == {"steps"}
        assert shown(service, "T1") == before
    added: dict[str, Any] = {"task": "T1", "title": "More", "criteria": ["It reads well."], "position": position}
    if position > len(ids) + 1:
        assert places(refused(tools["create_step"], **added)) == ["position"]
    else:
        answer: Any = tools["create_step"].call(added)
        assert answer["task"]["steps"][position - 1]["id"] == answer["step"]["id"]
        tools["remove_step"].call({"step": answer["step"]["id"]})


@pytest.mark.parametrize(
    ("name", "arguments", "call"),
    [
        ("update_task", {"task": "T2", "spec": "x"}, "A person types: punchlist task revise T2"),
        ("update_task", {"task": "T1", "spec": "x", "expected_version": 99}, 'get_task {"task": "T1"}'),
        ("update_project", {"project": "p", "spec": "x", "expected_version": 99}, 'get_project {"project": "p"}'),
        ("pause_task", {"task": "T2"}, 'Call: start_task {"task": "T2"}'),
        ("get_diff", {"step": "T1.1"}, 'Call: why {"step": "T1.1"}'),
        ("resume", {"run": "R9"}, "get_status {}"),
        ("get_step", {"step": "T9.1"}, "list_tasks {}"),
        ("get_project", {"project": "q"}, 'create_project {"name": "NAME"'),
        ("propose_approval", {"task": "T1"}, 'Call: approve_task {"task": "T1"}'),
    ],
)
def test_a_refusal_says_what_to_call(service: Service, name: str, arguments: dict[str, Any], call: str) -> None:
    ready(service)
    tools = tools_of(opened(service.root))

    hint = told(refused(tools[name], **arguments), tools=tools)["hint"]

    assert call in str(hint)


def test_what_only_a_person_may_change_of_a_project_is_refused_with_what_they_do(service: Service) -> None:
    tools = {tool.name: tool for tool in orchestrator.tools(Caller(service.root, person=False))}
    given = {"project": "p", "title": "Mine", "repo": "/other", "base": "trunk", "policy": {"on_accept": "merge"}}

    error: Any = told(refused(tools["update_project"], **given), tools=tools)

    assert {each["where"]: each["hint"] for each in error["problems"]} == {
        "repo": "A person types: punchlist project edit p --repo DIR",
        "base": "A person types: punchlist project edit p --base BRANCH",
        "policy": "A person says policy under [projects.p] in punchlist.toml; the next edit of the project reads it.",
    }
    made: Any = tools["create_project"].call({"name": "q", "spec": "x", "repo": str(service.root / "repos/p")})
    assert made["project"]["repo"] == "repos/p"


def _properties(tool: Tool) -> dict[str, Any]:
    properties: Any = tool.schema["properties"]
    return dict(properties)


def _control(odd: str) -> str:
    return next(each for each in odd if not each.isprintable())
