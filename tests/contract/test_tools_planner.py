"""How a planner's calls grow one plan, which is handed in whole, or not at all."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from punchlist.engine.document_checks import Known
from punchlist.engine.documents import new_tasks
from punchlist.errors import ConflictError, DefinitionError, RefusedError
from punchlist.model.ids import ProjectId, TaskId
from punchlist.model.jobs import Role
from punchlist.workers.answers import read_answer
from tests.tooled import REQUEST, Tooled

STEP = {"title": "Greet", "criteria": [{"text": "It greets.", "check": "make test"}]}


@pytest.fixture
def tooled(tmp_path: Path) -> Tooled:
    return Tooled(tmp_path, Role.PLANNER)


def plan(tooled: Tooled) -> Any:
    return msgspec.json.decode((tooled.io / "result.json").read_bytes())


def problems(tooled: Tooled, tool: str, **arguments: Any) -> list[tuple[str, str]]:
    before = {path.name: path.read_bytes() for path in tooled.io.iterdir() if path.suffix == ".json"}
    with pytest.raises(DefinitionError) as raised:
        tooled.call(tool, **arguments)
    assert {path.name: path.read_bytes() for path in tooled.io.iterdir() if path.suffix == ".json"} == before
    return [(each.where, each.message) for each in raised.value.problems]


def test_a_planner_has_these_tools_and_no_others(tooled: Tooled) -> None:
    assert [*tooled.tools] == ["get_request", "create_task", "create_step", "update_step"]


@pytest.mark.parametrize(
    ("tool", "where"),
    [("create_step", {"task": "T9"}), ("update_step", {"step": "T1.9"}), ("update_step", {"step": "T1.1"})],
)
def test_a_step_of_nothing_hides_no_fault_of_its_fields(tooled: Tooled, tool: str, where: dict[str, str]) -> None:
    tooled.call("create_task", title="Greet people", steps=[STEP])
    ((noun, name),) = where.items()

    found = problems(
        tooled,
        tool,
        **where,
        title="x\u200b",
        criteria=[{"text": "t", "timeout": "5m"}],
        scope={"allow": ["/etc"]},
        needs=[7] if name == "T1.1" else [],
        frobnicate=1,
    )

    missing = {("needs[0]" if name == "T1.1" else noun)}
    assert {at for at, _ in found} == {"title", "criteria[0].timeout", "scope.allow[0]", "frobnicate"} | missing
    assert len(found) == 5


def test_the_request_is_given_with_the_plan_so_far(tooled: Tooled) -> None:
    nothing = {"tasks": [], "version": 0, "complete": False, "missing": ["it has no tasks yet"]}
    assert tooled.call("get_request") == {"request": REQUEST, "plan": nothing}

    made = tooled.call("create_task", title="Greet people", steps=[STEP])

    assert tooled.call("get_request")["plan"] == {
        "tasks": [made["task"]], "version": 1, "complete": True, "missing": [],
    }  # fmt: skip


def test_tasks_and_steps_become_one_plan_with_needs_by_position(tooled: Tooled) -> None:
    tooled.call("create_task", title="Greet people")
    tooled.call("create_step", task="T1", **STEP)
    tooled.call("create_step", task="T1", title="In French", criteria=["It is French."], needs=["T1.1"])
    tooled.call("create_step", task="T1", title="In German", criteria=["It is German."], needs=[])
    made = tooled.call("create_task", title="Part", needs=["T1"], steps=[STEP, STEP], labels=["late"])

    assert made["task"] == {
        "id": "T2",
        "title": "Part",
        "needs": ["T1"],
        "steps": [
            {"id": "T2.1", "title": "Greet", "needs": []},
            {"id": "T2.2", "title": "Greet", "needs": ["T2.1"]},
        ],
    }
    assert plan(tooled) == {
        "schema": "punchlist/plan/1",
        "tasks": [
            {
                "title": "Greet people",
                "steps": [
                    STEP,
                    {"title": "In French", "criteria": ["It is French."], "needs": [1]},
                    {"title": "In German", "criteria": ["It is German."], "needs": []},
                ],
            },
            {"title": "Part", "needs": [1], "steps": [STEP, STEP], "labels": ["late"]},
        ],
    }


def test_the_engine_takes_the_plan_under_other_ids(tooled: Tooled) -> None:
    tooled.call("create_task", title="One", steps=[STEP, {**STEP, "needs": ["T1.1"]}])
    tooled.call("create_task", title="Two", needs=["T1"], steps=[STEP])
    known = Known(workers=frozenset(), plan=(TaskId("T71"), TaskId("T72")))

    answer = read_answer(Role.PLANNER, (tooled.io / "result.json").read_bytes())
    tasks = new_tasks(answer, project=ProjectId("greeter"), known=known, what="the plan")

    assert tasks[1].needs == ("T71",)
    assert tasks[0].steps[1].needs == ("T71.1",)


def test_there_is_no_answer_while_a_task_has_no_steps(tooled: Tooled) -> None:
    tooled.call("create_task", title="One", steps=[STEP])
    said = tooled.call("create_task", title="Two")

    assert (said["complete"], said["missing"]) == (False, ["T2 has no steps yet"])
    assert tooled.outcome().reason.startswith("bad output: io/result.json: it left no plan")

    tooled.call("create_step", task="T2", **STEP)
    assert tooled.outcome().status == "succeeded"


def test_a_step_is_changed_field_by_field(tooled: Tooled) -> None:
    tooled.call("create_task", title="One", steps=[STEP, {**STEP, "goal": "It greets.", "needs": []}])

    said = tooled.call("update_step", step="T1.2", goal="It greets all.", needs=["T1.1"], expected_version=1)

    assert said["step"] == {"id": "T1.2", "title": "Greet", "needs": ["T1.1"]}
    assert said["version"] == 2
    assert plan(tooled)["tasks"][0]["steps"] == [STEP, {**STEP, "goal": "It greets all.", "needs": [1]}]


def test_a_step_whose_needs_are_taken_back_needs_the_one_before(tooled: Tooled) -> None:
    tooled.call("create_task", title="One", steps=[STEP, {**STEP, "needs": []}])

    assert tooled.call("update_step", step="T1.2", needs=None)["step"]["needs"] == ["T1.1"]


@pytest.mark.parametrize(
    ("tool", "arguments", "found"),
    [
        (
            "create_task",
            {"title": "Two", "needs": ["T3", 4], "steps": [{"title": "", "criteria": [{"text": "t", "chek": "x"}]}]},
            {"needs[0]", "needs[1]", "steps[0].title", "steps[0].criteria[0]"},
        ),
        ("create_task", {"title": "Two", "needs": ["T2"]}, {"needs"}),
        ("create_task", {"title": "Two", "policy": {"rework": 9}}, {"policy"}),
        ("create_task", {"title": "Two", "steps": [{**STEP, "builder": "mine"}]}, {"steps[0]"}),
        ("create_task", {"title": "../up", "spec": 7, "extra": 1}, {"title", "spec", "extra"}),
        ("create_step", {"task": "T1", "title": "S", "criteria": [], "qa": "me"}, {"criteria", "qa"}),
        (
            "create_step",
            {"task": "T1", "title": "S", "criteria": ["c"], "needs": ["T1.2", "T2.1"], "scope": {"allow": ["/etc"]}},
            {"needs", "needs[1]", "scope.allow[0]"},
        ),
        ("update_step", {"step": "T1.1", "criteria": [{"text": "t", "check": ""}]}, {"criteria[0].check"}),
        ("update_step", {"step": "T1.1", "needs": [9], "context": ["../x"]}, {"needs[0]", "context[0]"}),
        ("update_step", {"step": "T1.1"}, {""}),
        ("update_step", {"step": "../../etc", "goal": "g"}, {"step"}),
    ],
)
def test_every_problem_is_named_by_its_path_and_the_plan_stays(
    tooled: Tooled, tool: str, arguments: dict[str, Any], found: set[str]
) -> None:
    tooled.call("create_task", title="One", steps=[STEP])

    assert {where for where, _ in problems(tooled, tool, **arguments)} == found


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("create_step", {"task": "T2", **STEP}, "there is no task T2 in this plan"),
        ("update_step", {"step": "T2.1", "goal": "g"}, "there is no task T2 in this plan"),
        ("update_step", {"step": "T1.2", "goal": "g"}, "there is no step T1.2 in this plan"),
        ("create_task", {"project": "another", "title": "Two"}, "this plan is of project greeter; saw 'another'"),
    ],
)
def test_what_is_not_of_this_plan_is_refused_and_recorded(
    tooled: Tooled, tool: str, arguments: dict[str, Any], said: str
) -> None:
    tooled.call("create_task", project="greeter", title="One", steps=[STEP])

    with pytest.raises(RefusedError, match=said):
        tooled.call(tool, **arguments)

    assert tooled.outcome().refused == (f"{tool}: {said}",)


@pytest.mark.parametrize("number", [2**53, 2**64, 10**40])
def test_a_number_that_no_record_can_hold_is_a_problem_like_any_other(tooled: Tooled, number: int) -> None:
    found = problems(tooled, "create_task", title="One", needs=[number], spec=number, expected_version=number)

    assert {where for where, _ in found} == {"needs[0]", "spec", "expected_version"}


def test_a_call_that_lacks_its_task_is_refused_however_many_problems_it_has_besides(tooled: Tooled) -> None:
    found = problems(tooled, "create_step", title="x", criteria=[[{"text": "It holds."}]] * 2000)

    assert ("criteria[2]", 'saw [{"text":"It holds."}]') in found


def test_a_call_made_for_another_version_is_a_conflict(tooled: Tooled) -> None:
    tooled.call("create_task", title="One", steps=[STEP])

    with pytest.raises(ConflictError, match="the plan is at version 1, and the call expects 0"):
        tooled.call("create_step", task="T1", expected_version=0, **STEP)

    assert len(plan(tooled)["tasks"][0]["steps"]) == 1


def test_the_same_key_again_changes_nothing(tooled: Tooled) -> None:
    first = tooled.call("create_task", title="One", steps=[STEP], idempotency_key="k")
    again = tooled.call("create_task", title="One", steps=[STEP], idempotency_key="k")

    assert again == first
    assert len(plan(tooled)["tasks"]) == 1


@pytest.mark.parametrize(
    ("tool", "arguments"), [("create_task", {"title": "Two"}), ("create_step", {"task": "T1", **STEP})]
)
def test_a_key_that_another_call_was_given_is_refused(tooled: Tooled, tool: str, arguments: dict[str, Any]) -> None:
    tooled.call("create_task", title="One", idempotency_key="k")

    with pytest.raises(RefusedError, match="the key 'k' was given to another call"):
        tooled.call(tool, **arguments, idempotency_key="k")


def test_a_server_that_starts_later_goes_on_with_the_plan(tooled: Tooled) -> None:
    tooled.call("create_task", title="One", steps=[STEP])
    tooled.tools = tooled.server()

    tooled.call("create_task", title="Two", needs=[1], steps=[STEP])

    assert [task["title"] for task in plan(tooled)["tasks"]] == ["One", "Two"]


def test_a_plan_that_another_hand_spoiled_is_said_so(tooled: Tooled) -> None:
    (tooled.io / "plan.json").write_bytes(b"{")

    with pytest.raises(RefusedError, match="the plan so far cannot be read"):
        tooled.call("create_task", title="One")


def test_nothing_is_planned_after_the_end(tooled: Tooled) -> None:
    tooled.call("create_task", title="One", steps=[STEP])
    tooled.end()

    with pytest.raises(RefusedError, match="is over"):
        tooled.call("create_step", task="T1", **STEP)

    assert len(plan(tooled)["tasks"][0]["steps"]) == 1
