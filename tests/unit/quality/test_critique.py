"""What a planner is told of its plan."""

from typing import Any

import msgspec
import pytest

from punchlist.model.ids import CriterionId, StepId
from punchlist.model.proofs import ProofRow, Shows
from punchlist.model.results import Plan
from punchlist.quality.critique import MOST, critique

CHECKED = {"text": "It greets.", "check": "make test"}
SOUND: dict[str, Any] = {"title": "Greet", "goal": "It greets.", "criteria": [CHECKED]}


def plan(*steps: dict[str, Any], **task: Any) -> Plan:
    whole = {"title": "Greeter", "steps": [*steps], **task}
    return msgspec.convert({"schema": "punchlist/plan/1", "tasks": [whole]}, Plan)


def found(made: Plan, **said: Any) -> list[tuple[str, str]]:
    return [(each.kind, each.where) for each in critique(made, **{"asked": "", **said})]


def row(shows: Shows, *, step: str | None = "T9.1", problem: str = "", tail: str = "") -> ProofRow:
    return ProofRow(
        step=None if step is None else StepId(step),
        id=CriterionId("AC-1"),
        shows=shows,
        command="make test",
        problem=problem,
        tail=tail,
    )


def test_a_sound_plan_gets_no_remark() -> None:
    assert critique(plan(SOUND), asked="It must greet.", proofs={0: [row("goal")]}) == ()


def test_remarks_are_numbered_and_say_how_to_mend() -> None:
    first, second = critique(plan({**SOUND, "criteria": ["It greets.", "It is polite."]}), asked="")

    assert (first.id, second.id) == ("P1", "P2")
    assert str(first) == (
        'P1 tasks[0].steps[0].criteria[0]: T1.1 AC-1 "It greets." has no check. '
        "Give it a command that fails before the work, or say `review: true` where only a reader can tell."
    )


def test_a_task_without_steps_is_told() -> None:
    assert found(plan()) == [("no_steps", "tasks[0]")]


def test_a_criterion_needs_a_check_unless_it_says_that_it_is_for_a_reviewer() -> None:
    read = {"text": "It reads well.", "review": True}

    assert found(plan({**SOUND, "criteria": [read]}, acceptance=[read])) == []
    assert found(plan({**SOUND, "criteria": [CHECKED, {"text": "It is polite."}]}, acceptance=["All is well."])) == [
        ("no_check", "tasks[0].acceptance[0]"),
        ("no_check", "tasks[0].steps[0].criteria[1]"),
    ]


def test_a_step_has_to_say_its_goal() -> None:
    assert found(plan({**SOUND, "goal": " \n"})) == [("no_goal", "tasks[0].steps[0].goal")]


def test_a_step_of_guards_alone_has_nothing_to_do() -> None:
    guard = {**CHECKED, "red_first": False}

    assert found(plan({**SOUND, "criteria": [guard]})) == [("no_goal", "tasks[0].steps[0]")]
    assert found(plan({**SOUND, "criteria": [guard, {**CHECKED, "review": True}]})) == []


@pytest.mark.parametrize(("shows", "said"), [("goal", []), ("guard", [("no_goal", "tasks[0].steps[0]")])])
def test_what_the_base_showed_goes_before_what_might_be(shows: Shows, said: list[tuple[str, str]]) -> None:
    assert found(plan(SOUND), proofs={0: [row("goal", step=None), row(shows)]}) == said


def test_steps_that_may_run_at_once_should_not_change_the_same() -> None:
    src = {**SOUND, "title": "B", "scope": {"allow": ["src/**"]}, "needs": []}

    assert found(plan(SOUND, src)) == [("overlap", "tasks[0].steps[1].scope")]
    assert found(plan(SOUND, {**src, "needs": [1]})) == []
    assert found(plan({**SOUND, "scope": {"allow": ["docs"]}}, src)) == []


def test_steps_that_come_after_each_other_through_others_do_not_run_at_once() -> None:
    assert found(plan(SOUND, SOUND, {**SOUND, "needs": ["T1.2"]})) == []
    assert found(plan({**SOUND, "needs": [3]}, {**SOUND, "needs": [1]}, {**SOUND, "needs": []})) == []


def test_a_need_of_a_step_that_is_not_there_is_passed_over() -> None:
    assert found(plan(SOUND, {**SOUND, "needs": [9]})) == [("overlap", "tasks[0].steps[1].scope")]


def plan_of(*tasks: dict[str, Any]) -> Plan:
    """A plan of tasks with one step each, from their needs and the step's scope."""
    made = [{"title": "T", "steps": [{**SOUND, **said.pop("step", {})}], **said} for said in map(dict, tasks)]
    return msgspec.convert({"schema": "punchlist/plan/1", "tasks": made}, Plan)


def scoped(*allow: str, **said: Any) -> dict[str, Any]:
    return {**said, "step": {"scope": {"allow": [*allow]}}}


def test_tasks_that_do_not_need_each_other_should_not_name_the_same_path() -> None:
    told = critique(plan_of(scoped("src/*.py"), scoped("docs/**"), scoped("src/x.py")), asked="")

    (only,) = told
    assert (only.kind, only.where) == ("overlap", "tasks[2].steps[0].scope")
    assert only.text == 'T1.1 and T3.1 are built apart, and both may change what "src/*.py" and "src/x.py" name'
    assert only.mend == "Let T3 need T1, or give them scopes apart."
    assert "Let T9 need T4" in str(critique(plan_of(scoped("a"), scoped("a")), asked="", tasks=["T4", "T9"])[0])


@pytest.mark.parametrize("needs", [[1], ["T1"], ["T2"]])
def test_tasks_that_come_after_each_other_may_name_the_same_path(needs: list[Any]) -> None:
    chain = plan_of(scoped("src/**"), {**scoped("docs/**"), "needs": [1]}, scoped("src/x.py", needs=needs))

    assert found(chain) == []
    assert found(plan_of(scoped("a", needs=["T7"]), scoped("a", needs=[9]))) == [("overlap", "tasks[1].steps[0].scope")]


def test_two_tasks_are_told_of_once_whatever_steps_of_theirs_overlap() -> None:
    steps = [{**SOUND, "scope": {"allow": ["src/**"]}}, {**SOUND, "scope": {"allow": ["src/x.py"]}}]
    made = plan_of({"steps": steps}, {"steps": steps}, scoped("docs/**"))

    assert [each.text.partition(" are ")[0] for each in critique(made, asked="")] == ["T1.1 and T2.1"]


def test_of_a_step_that_names_no_path_nobody_knows_what_it_changes_beside_another_task() -> None:
    assert found(plan_of({}, scoped("src/**"), {})) == []


def test_a_check_that_cannot_run_is_told_with_what_it_said() -> None:
    proofs = {0: [row("cannot_run", problem="cannot run here: exit 127", tail="sh: make: not found\n"), row("goal")]}

    (remark,) = critique(plan(SOUND), asked="", proofs=proofs)

    assert (remark.kind, remark.where) == ("cannot_run", "tasks[0].steps[0].criteria")
    assert remark.text == (
        'the check of T1.1 AC-1, "make test": cannot run here: exit 127 (it said "sh: make: not found")'
    )


def test_a_check_of_the_whole_that_cannot_run_is_told() -> None:
    proofs = {0: [row("cannot_run", step=None, problem="cannot run here: exit 127"), row("goal")]}

    assert found(plan(SOUND), proofs=proofs) == [("cannot_run", "tasks[0].acceptance")]


def test_a_sentence_that_no_criterion_speaks_of_is_told_with_its_line() -> None:
    asked = "# Greeter\n\nIt must greet people.\n\n- Farewells are translated into French.\n"
    made = plan({**SOUND, "criteria": [{"text": "It greets people.", "check": "make test"}]})

    (remark,) = critique(made, asked=asked)

    assert (remark.kind, remark.where) == ("uncovered", "line 5")
    assert remark.text == 'no criterion speaks of "Farewells are translated into French."'


def test_the_criteria_of_one_step_speak_together_and_a_check_speaks_too() -> None:
    asked = "- Farewells are translated into French by babel.\n"
    criteria = [{"text": "Farewells exist.", "check": "babel --french"}]

    assert found(plan({**SOUND, "criteria": criteria}), asked=asked) == []
    assert found(plan(SOUND, acceptance=criteria), asked=asked) == []


def test_long_texts_are_cut_and_remarks_of_one_kind_are_bounded() -> None:
    remarks = critique(plan({**SOUND, "criteria": ["x" * 1000] * (MOST + 5)}), asked="")

    assert len(remarks) == MOST
    assert max(len(each.text) for each in remarks) < 200
