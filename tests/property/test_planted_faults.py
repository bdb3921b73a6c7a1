"""Whatever faults are planted in a document, of shape and of meaning: each is told at its place, and no other."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import given, settings, strategies as st

from punchlist.engine import documents
from punchlist.engine.document_checks import Known
from punchlist.errors import DefinitionError
from punchlist.model.ids import ProjectId, TaskId
from punchlist.model.settings import parse_settings

EXAMPLES = max(300, settings().max_examples)
KNOWN = Known(workers=frozenset({"claude", "codex"}), tasks={TaskId("T3"): ()})
TASK: dict[str, Any] = {
    "title": "Let slugs keep letters of every script",
    "spec": "People expect umlauts to survive.",
    "acceptance": [{"id": "AC-1", "text": "The suite passes.", "check": "true"}, {"id": "AC-2", "text": "Documented."}],
    "steps": [
        {
            "title": "Transliterate",
            "builder": "claude",
            "scope": {"allow": ["slugger/**", "docs/**"], "deny": ["tests/conftest.py"]},
            "criteria": [
                {"id": "AC-1", "text": "It becomes ASCII.", "check": "true", "timeout": "5m"},
                {"id": "AC-2", "text": "It is readable."},
                "It is fast.",
            ],
            "context": ["README.md"],
        },
        {
            "title": "Keep Unicode on request",
            "needs": [1],
            "qa": "codex",
            "policy": {"timeout": "30m", "rework": 2},
            "criteria": [{"id": "AC-1", "text": "It stays.", "check": "true"}, {"id": "AC-2", "text": "Told."}],
        },
        {"title": "Release", "needs": [], "criteria": ["A tag is there."], "policy": {"budget": {"usd": 3}}},
    ],
    "labels": ["text"],
    "needs": ["T3"],
    "policy": {"review": "always"},
}
Place = tuple[str | int, ...]


class Fault(NamedTuple):
    """What is written where; and where that is told, with a part of what is told."""

    place: Place
    value: Any
    where: str
    part: str


TASK_FAULTS = [
    Fault(("titel",), "x", "", "unknown field 'titel'"),
    Fault(("frobnicate",), 1, "", "unknown field 'frobnicate'"),
    Fault(("title",), "two\nlines", "title", "one line"),
    Fault(("spec",), 5, "spec", "saw 5"),
    Fault(("acceptance", 0, "timeout"), "0s", "acceptance[0].timeout", "saw '0s'"),
    Fault(("acceptance", 1, "id"), "AC-1", "acceptance[1].id", "AC-1 is taken by criterion 1"),
    Fault(("acceptance", 1, "network"), True, "acceptance[1].network", "there is none"),
    Fault(("acceptance", 1, "review"), False, "acceptance[1]", "nothing could judge it"),
    Fault(("steps", 0, "title"), "", "steps[0].title", "saw ''"),
    Fault(("steps", 0, "builder"), "claud", "steps[0].builder", "Did you mean 'claude'?"),
    Fault(("steps", 0, "qa"), "No Name", "steps[0].qa", "saw 'No Name'"),
    Fault(("steps", 0, "scope", "allow", 0), "/etc/**", "steps[0].scope.allow[0]", "is absolute"),
    Fault(("steps", 0, "scope", "allow", 1), "", "steps[0].scope.allow[1]", "saw ''"),
    Fault(("steps", 0, "scope", "deny", 0), "a/../../b", "steps[0].scope.deny[0]", "leads out"),
    Fault(("steps", 0, "scope", "unlok"), [], "steps[0].scope", "unknown field 'unlok'"),
    Fault(("steps", 0, "criteria", 0, "id"), "first", "steps[0].criteria[0].id", "saw 'first'"),
    Fault(("steps", 0, "criteria", 0, "timeout"), 0, "steps[0].criteria[0].timeout", "saw 0"),
    Fault(("steps", 0, "criteria", 0, "chek"), "x", "steps[0].criteria[0]", "Did you mean 'check'?"),
    Fault(("steps", 0, "criteria", 1, "timeout"), "1m", "steps[0].criteria[1].timeout", "there is none"),
    Fault(("steps", 0, "criteria", 2), 7, "steps[0].criteria[2]", "saw 7"),
    Fault(("steps", 0, "context", 0), "~/x", "steps[0].context[0]", "is absolute"),
    Fault(("steps", 1, "needs", 0), 9, "steps[1].needs[0]", "there is no step 9"),
    Fault(("steps", 1, "qa"), "codx", "steps[1].qa", "there is no worker 'codx'"),
    Fault(("steps", 1, "policy", "rework"), -1, "steps[1].policy.rework", "at least 0"),
    Fault(("steps", 1, "policy", "timeout"), "soon", "steps[1].policy.timeout", "saw 'soon'"),
    Fault(("steps", 1, "criteria", 1, "id"), "AC-1", "steps[1].criteria[1].id", "taken by criterion 1"),
    Fault(("steps", 1, "criteria", 0, "check"), "", "steps[1].criteria[0].check", "saw ''"),
    Fault(("steps", 2, "needs"), [3], "steps[2].needs", "need each other: T12.3 → T12.3"),
    Fault(("steps", 2, "policy", "budget", "usd"), -1, "steps[2].policy.budget.usd", "greater than 0"),
    Fault(("labels", 0), "A label", "labels[0]", "lower-case"),
    Fault(("needs", 0), "T99", "needs[0]", "there is no task 'T99'"),
    Fault(("policy", "review"), "allways", "policy.review", "Did you mean 'always'?"),
]
SETTINGS: dict[str, Any] = {
    "routes": [{"label": "text", "builder": "quick", "qa": "claude"}],
    "workers": {
        "quick": {"type": "command", "argv": ["./agent"]},
        "slow": {"type": "scripted", "script": "s.yaml"},
        "third": {"type": "codex"},
    },
    "roles": {"builder": "quick", "qa": "slow", "planner": "heuristic"},
    "policy": {"timeout": "1h"},
    "budget": {"task": {"usd": 5, "tokens": 1000}},
    "web": {"port": 80},
}
SETTINGS_FAULTS = [
    Fault(("plicy",), {}, "", "Did you mean 'policy'?"),
    Fault(("routes", 0, "builder"), "qick", "routes[0].builder", "Did you mean 'quick'?"),
    Fault(("routes", 0, "qa"), "A B", "routes[0].qa", "saw 'A B'"),
    Fault(("routes", 0, "tier"), "heavy", "routes[0].tier", "light"),
    Fault(("workers", "quick"), {"type": "command"}, "workers.quick", "needs 'argv'"),
    Fault(("workers", "slow", "script"), 5, "workers.slow.script", "saw 5"),
    Fault(("workers", "third", "type"), "codx", "workers.third.type", "Did you mean 'codex'?"),
    Fault(("workers", "fourth"), {"model": "m"}, "workers.fourth", "'type' is missing"),
    Fault(("workers", "No Name"), {"type": "codex"}, "workers.No Name", "a worker's name"),
    Fault(("roles", "builder"), "nobody", "roles.builder", "there is no worker 'nobody'"),
    Fault(("roles", "qa"), [], "roles.qa", "saw []"),
    Fault(("roles", "bilder"), "quick", "roles", "Did you mean 'builder'?"),
    Fault(("policy", "timeout"), "1 hour", "policy.timeout", "saw '1 hour'"),
    Fault(("budget", "task", "usd"), 0, "budget.task.usd", "a number, greater than 0"),
    Fault(("budget", "task", "tokens"), 1.5, "budget.task.tokens", "a whole number, greater than 0"),
    Fault(("web", "port"), 99_999, "web.port", "at most 65535"),
]


def planted(document: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    found = copy.deepcopy(document)
    for fault in faults:
        part: Any = found
        for step in fault.place[:-1]:
            part = part[step]
        part[fault.place[-1]] = copy.deepcopy(fault.value)
    return found


def told(check: Callable[[dict[str, Any]], object], document: dict[str, Any]) -> list[tuple[str, str]]:
    try:
        check(document)
    except DefinitionError as error:
        return [(problem.where, str(problem)) for problem in error.problems]
    return []


def each_is_told_once(found: list[tuple[str, str]], faults: list[Fault], *, at: str = "") -> None:
    expected = [(f"{at}{fault.where}".rstrip("."), fault.part) for fault in faults]
    assert sorted(where for where, _ in found) == sorted(where for where, _ in expected)
    assert [each for each in expected if not any(where == each[0] and each[1] in text for where, text in found)] == []


def some(faults: list[Fault]) -> st.SearchStrategy[list[Fault]]:
    indices = st.lists(st.integers(0, len(faults) - 1), min_size=1, unique=True)
    return indices.map(lambda chosen: [faults[index] for index in chosen])


def new_task(document: dict[str, Any]) -> object:
    return documents.new_task(document, task=TaskId("T12"), project=ProjectId("p"), known=KNOWN, what="the task")


def new_plan(document: dict[str, Any]) -> object:
    known = Known(workers=KNOWN.workers, tasks=KNOWN.tasks, plan=(TaskId("T11"), TaskId("T12")))
    plan: dict[str, Any] = {"schema": "punchlist/plan/1", "tasks": [{"title": "First", "steps": []}, document]}
    return documents.new_tasks(plan, project=ProjectId("p"), known=known, what="the plan")


def test_the_documents_without_faults_are_taken() -> None:
    assert told(new_task, TASK) == told(new_plan, TASK) == told(parse_settings, SETTINGS) == []


@given(some(TASK_FAULTS))
@settings(max_examples=EXAMPLES)
def test_all_faults_of_a_task_are_told_at_once(faults: list[Fault]) -> None:
    each_is_told_once(told(new_task, planted(TASK, faults)), faults)


@given(some(TASK_FAULTS))
def test_all_faults_of_a_plan_are_told_at_once(faults: list[Fault]) -> None:
    each_is_told_once(told(new_plan, planted(TASK, faults)), faults, at="tasks[1].")


@given(some(SETTINGS_FAULTS))
@settings(max_examples=EXAMPLES)
def test_all_faults_of_settings_are_told_at_once(faults: list[Fault]) -> None:
    each_is_told_once(told(parse_settings, planted(SETTINGS, faults)), faults)


def test_problems_are_told_in_the_order_of_their_places() -> None:
    found = [where for where, _ in told(new_task, planted(TASK, TASK_FAULTS))]

    assert found[:5] == ["", "", "title", "spec", "acceptance[0].timeout"]
    assert found[-1] == "policy.review"
    assert [where.partition(".")[0] for where in found if where.startswith("steps")] == (
        ["steps[0]"] * 13 + ["steps[1]"] * 6 + ["steps[2]"] * 2
    )
