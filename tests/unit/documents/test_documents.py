"""Written tasks made whole: ids, defaults, and every problem of meaning at once."""

from typing import Any

import pytest

from punchlist.engine import documents
from punchlist.engine.document_checks import Known, find_cycle
from punchlist.errors import DefinitionError
from punchlist.model.ids import ProjectId, StepId, TaskId
from punchlist.model.records import Task
from punchlist.model.states import StepStatus
from tests.runs import TERMS

KNOWN = Known(workers=frozenset({"claude", "codex", "heuristic"}))

SLUGS: dict[str, Any] = {
    "title": "Let slugs keep letters of every script",
    "spec": "People expect umlauts to survive when they ask for it.",
    "acceptance": [
        {"id": "AC-1", "text": "The whole suite passes.", "check": "python -m pytest -q"},
        {"text": "The README says it."},
    ],
    "steps": [
        {
            "title": "Transliterate by default",
            "scope": {"allow": ["slugger/**"], "deny": ["tests/conftest.py"]},
            "criteria": [
                {"id": "AC-1", "text": "It becomes ASCII.", "check": "python -c 1"},
                {"id": "AC-2", "text": "ASCII stays.", "check": "python -m pytest -q", "red_first": False},
            ],
        },
        {
            "title": "Keep Unicode on request",
            "needs": [1],
            "builder": "claude",
            "qa": "codex",
            "policy": {"timeout": "30m", "rework": 2},
            "criteria": [{"text": "It stays.", "check": "python -c 2"}, "It is documented."],
        },
    ],
}


def made(document: dict[str, Any], *, known: Known = KNOWN) -> Task:
    return documents.new_task(document, task=TaskId("T12"), project=ProjectId("slugger"), known=known, what="task.yaml")


def problems(document: dict[str, Any], *, known: Known = KNOWN) -> list[str]:
    with pytest.raises(DefinitionError) as refused:
        made(document, known=known)
    return [str(problem) for problem in refused.value.problems]


def steps(*said: dict[str, Any]) -> dict[str, Any]:
    return {"title": "x", "steps": [{"title": f"s{n}", "criteria": ["holds"], **each} for n, each in enumerate(said)]}


def changed(task: Task, changes: dict[str, Any], *, free: int = 9) -> Task:
    return documents.changed_task(task, changes, known=KNOWN, free=free, what="the change")


def test_a_task_gets_ids_needs_and_defaults() -> None:
    task = made(SLUGS)

    assert [step.id for step in task.steps] == ["T12.1", "T12.2"]
    assert [step.needs for step in task.steps] == [(), ("T12.1",)]
    assert [each.id for each in task.acceptance] == ["AC-1", "AC-2"]
    assert [each.review for each in task.acceptance] == [False, True]
    assert [(each.id, each.check, each.review) for each in task.steps[1].criteria] == [
        ("AC-1", "python -c 2", False),
        ("AC-2", None, True),
    ]


def test_a_step_needs_the_one_before_unless_it_says_otherwise() -> None:
    task = made(steps({}, {}, {"needs": []}, {"needs": ["T12.1", 3, 1]}))

    assert [step.needs for step in task.steps] == [(), ("T12.1",), (), ("T12.1", "T12.3")]


def test_a_criterion_without_id_takes_a_number_that_is_free() -> None:
    task = made({"title": "x", "acceptance": [{"id": "AC-2", "text": "a"}, "b", "c"]})

    assert [each.id for each in task.acceptance] == ["AC-2", "AC-1", "AC-3"]


def test_two_criteria_of_one_id_are_refused() -> None:
    twice = [{"id": "AC-1", "text": "a"}, {"id": "AC-1", "text": "b"}]

    assert problems({"title": "x", "acceptance": twice}) == [
        "acceptance[1].id: AC-1 is taken by criterion 1; allowed: a number of its own"
    ]


def test_a_need_that_does_not_exist_is_refused_with_those_that_do() -> None:
    assert problems(steps({}, {"needs": [7]}, {"needs": ["T12.9"]})) == [
        "steps[1].needs[0]: there is no step 7 in this task; allowed: 1, 2, 3, T12.1, T12.3",
        "steps[2].needs[0]: there is no step 'T12.9' in this task; allowed: 1, 2, 3, T12.1, T12.2",
    ]


def test_steps_that_need_each_other_are_refused_with_the_path() -> None:
    assert problems(steps({"needs": [3]}, {}, {})) == [
        "steps[0].needs: these steps need each other: T12.1 → T12.3 → T12.2 → T12.1"
    ]


def test_a_step_that_needs_itself_is_refused() -> None:
    assert problems(steps({"needs": [1]})) == ["steps[0].needs: these steps need each other: T12.1 → T12.1"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc/**", "is absolute"),
        ("~/x", "is absolute"),
        ("../../x", "leads out of the project"),
        ("a/../b", "leads out of the project"),
        ("a\nb", "holds a control character"),
    ],
)
def test_a_path_that_leaves_the_project_is_refused(path: str, why: str) -> None:
    found = problems(steps({"scope": {"allow": [path], "deny": ["ok/**"]}, "context": [path]}))

    assert [line.partition(": ")[0] for line in found] == ["steps[0].scope.allow[0]", "steps[0].context[0]"]
    assert all(why in line for line in found)


def test_an_unknown_worker_is_refused_with_those_that_are_known() -> None:
    assert problems(steps({"builder": "nobody"})) == [
        "steps[0].builder: there is no worker 'nobody'; allowed: claude, codex, heuristic"
    ]


def test_what_says_something_of_a_check_needs_one() -> None:
    said = {"text": "a", "timeout": "1m", "network": True, "red_first": True, "review": False}

    assert [line.partition(":")[0] for line in problems({"title": "x", "acceptance": [said]})] == [
        "acceptance[0]",
        "acceptance[0].timeout",
        "acceptance[0].network",
        "acceptance[0].red_first",
    ]


def test_problems_of_all_parts_are_listed_at_once() -> None:
    document = {**steps({"needs": [5], "builder": "nobody"}), "needs": ["T99"]}

    assert len(problems(document)) == 3


def test_a_task_may_need_tasks_of_its_project() -> None:
    known = Known(workers=frozenset(), tasks={TaskId("T3"): (), TaskId("T4"): ("T3",)})

    assert made({"title": "x", "needs": ["T4", "T3", "T4"]}, known=known).needs == ("T4", "T3")


def test_a_task_of_a_plan_may_need_others_by_position() -> None:
    known = Known(workers=frozenset(), plan=(TaskId("T11"), TaskId("T12")))

    assert made({"title": "x", "needs": [1]}, known=known).needs == ("T11",)
    (told,) = problems({"title": "x", "needs": [3]}, known=known)
    assert told.startswith("needs[0]: there is no task 3 in this project; allowed: 1, 2, the id of another task.")


def test_tasks_that_need_each_other_are_refused_with_the_path() -> None:
    known = Known(workers=frozenset(), tasks={TaskId("T3"): ("T12",)})

    assert problems({"title": "x", "needs": ["T3"]}, known=known) == [
        "needs: these tasks need each other: T3 → T12 → T3"
    ]


def test_a_change_leaves_all_fields_that_it_does_not_name() -> None:
    task = made(SLUGS)

    edited = changed(task, {"title": "Another title"})

    assert edited.title == "Another title"
    assert documents.content(edited) == {**as_map(documents.content(task)), "title": "Another title"}


def test_steps_that_are_written_anew_keep_their_ids_by_place() -> None:
    task = made(steps({}, {}))
    again = [{"title": f"new {n}", "criteria": ["holds"]} for n in range(3)]

    edited = changed(task, {"steps": again}, free=7)

    assert [step.id for step in edited.steps] == ["T12.1", "T12.2", "T12.7"]
    assert [step.version for step in edited.steps] == [2, 2, 1]


def test_a_change_that_breaks_the_task_is_refused_with_every_problem() -> None:
    with pytest.raises(DefinitionError, match="the change has 2 problems"):
        changed(made(SLUGS), {"steps": steps({"needs": [4], "qa": "nobody"})["steps"]})


def test_an_added_step_is_the_last_and_needs_the_one_before() -> None:
    task = added(made(steps({}, {})), {})

    assert [step.id for step in task.steps] == ["T12.1", "T12.2", "T12.9"]
    assert task.steps[2].needs == ("T12.2",)
    assert task.steps[2].index == 9


def test_a_step_added_within_a_chain_becomes_part_of_the_chain() -> None:
    task = added(made(steps({}, {})), {}, position=2)

    assert [(step.id, step.needs) for step in task.steps] == [
        ("T12.1", ()),
        ("T12.9", ("T12.1",)),
        ("T12.2", ("T12.9",)),
    ]


def test_a_step_added_within_a_graph_leaves_the_needs_of_others() -> None:
    task = added(made(steps({}, {"needs": []})), {}, position=1)

    assert [(step.id, step.needs) for step in task.steps] == [("T12.9", ()), ("T12.1", ()), ("T12.2", ())]


def test_an_added_step_with_a_bad_need_is_refused() -> None:
    with pytest.raises(DefinitionError, match="there is no step 5 in this task"):
        added(made(steps({})), {"needs": [5]})


def test_a_changed_step_keeps_its_id_state_and_other_fields() -> None:
    task = made(SLUGS)

    edited = step_changed(task, "T12.2", {"goal": "Another goal."})

    assert edited.steps[1].goal == "Another goal."
    assert edited.steps[1].builder == "claude"
    assert [step.version for step in edited.steps] == [1, 2]
    assert edited.steps[0] == task.steps[0]


def test_a_changed_step_may_go_back_to_needing_the_one_before() -> None:
    task = made(steps({}, {"needs": []}))

    assert step_changed(task, "T12.2", {"needs": None}).steps[1].needs == ("T12.1",)


def test_a_change_that_makes_steps_need_each_other_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"T12\.1 → T12\.2 → T12\.1"):
        step_changed(made(steps({}, {})), "T12.1", {"needs": ["T12.2"]})


def test_what_needed_a_removed_step_needs_what_that_needed() -> None:
    task = documents.removed_step(made(steps({}, {}, {"needs": [1, 2]})), StepId("T12.2"))

    assert [(step.id, step.needs) for step in task.steps] == [("T12.1", ()), ("T12.3", ("T12.1",))]


def test_a_reordered_chain_is_a_chain_in_the_new_order() -> None:
    task = documents.reordered_steps(made(steps({}, {})), ["T12.2", "T12.1"], what="the order")

    assert [(step.id, step.needs) for step in task.steps] == [("T12.2", ()), ("T12.1", ("T12.2",))]


def test_a_reordered_graph_keeps_its_needs() -> None:
    task = documents.reordered_steps(made(steps({}, {"needs": []})), ["T12.2", "T12.1"], what="the order")

    assert [(step.id, step.needs) for step in task.steps] == [("T12.2", ()), ("T12.1", ())]


def test_an_order_names_every_step_once() -> None:
    with pytest.raises(DefinitionError) as refused:
        documents.reordered_steps(made(steps({}, {})), ["T12.1", "T12.1", "T12.8"], what="the order")

    assert [str(problem) for problem in refused.value.problems] == [
        "steps[2]: there is no step 'T12.8'; allowed: T12.1, T12.2",
        "steps: T12.1 is named twice; allowed: each step once",
        "steps: T12.2 is missing; allowed: each step once",
    ]


@pytest.mark.parametrize("position", [0, 4, 99])
def test_a_step_beyond_the_next_place_is_refused(position: int) -> None:
    with pytest.raises(DefinitionError, match=f"position: saw {position}, and T12 has 2 steps; allowed: 1 to 3"):
        documents.added_step(
            made(steps({}, {})),
            {"title": "One more", "criteria": ["It is."]},
            position=position,
            known=KNOWN,
            free=3,
            what="the step",
        )


def test_the_frozen_digest_is_of_what_was_agreed_and_of_nothing_else() -> None:
    task = made(SLUGS)
    replace = documents.replace
    lived = replace(task, version=9, steps=tuple(replace(s, status=StepStatus.SKIPPED, version=4) for s in task.steps))

    assert documents.frozen_digest(lived, TERMS) == documents.frozen_digest(task, TERMS)
    assert documents.frozen_digest(changed(task, {"spec": ""}), TERMS) != documents.frozen_digest(task, TERMS)


def test_no_path_of_needs_that_ends_is_a_cycle() -> None:
    assert find_cycle({"a": ("b", "c"), "b": ("c",), "c": ()}) == ()


def as_map(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value


def added(task: Task, said: dict[str, Any], *, position: int | None = None) -> Task:
    document = {"title": "New", "criteria": ["holds"], **said}
    return documents.added_step(task, document, position=position, known=KNOWN, free=9, what="step.yaml")


def step_changed(task: Task, step: str, changes: dict[str, Any]) -> Task:
    return documents.changed_step(task, StepId(step), changes=changes, known=KNOWN, what="the change")
