"""Whatever an agent calls its tools with is answered or refused; a refused call changes nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import settings

from punchlist.errors import PunchlistError
from punchlist.model.jobs import Role
from punchlist.render.failures import failure
from punchlist.workers.answers import read_answer
from punchlist.workers.files import RESULT
from tests.fuzz import Fuzz, shown
from tests.tooled import Tooled

CALLS = 50 * settings.default.max_examples if settings.default else 5_000
"""For each role."""
EACH = 20
"""Calls that are made of one attempt; then another begins, as most of them have their answer by then."""
SHOWN = 50_000
MET = {"id": "AC-1", "met": True, "evidence": "greet.py:1"}
PASS = {"id": "AC-1", "verdict": "pass", "evidence": ["greet.py:1"]}
FAIL = {"id": "AC-2", "verdict": "fail", "evidence": ["AC-1"], "finding": "It is rude."}
FITTING: dict[str, list[Any]] = {
    "outcome": ["done", "blocked", "failed"],
    "title": ["A title", "x"],
    "summary": ["It is done."],
    "question": ["Which?"],
    "task": ["T1", "T2"],
    "step": ["T1.1", "T1.2", "T2.1"],
    "project": ["greeter"],
    "needs": [[], [1], ["T1"], ["T1.1"]],
    "check": ["true", "test -f made.txt"],
    "timeout": ["30s"],
    "builder": ["maker"],
    "qa": ["judge"],
    "tier": ["light", "contract"],
    "red_first": ["auto", True, False],
    "policy": [{}, {"rework": 1}, {"timeout": "5m"}],
    "scope": [{}, {"allow": ["src/**"]}],
    "expected_version": [1, 2, 3],
    "idempotency_key": ["k1", "k2"],
}
CRITERIA: Mapping[Role, list[Any]] = {
    Role.BUILDER: [[], [MET], [MET, {"id": "AC-2", "met": False}]],
    Role.QA: [[PASS, FAIL], [PASS, {**PASS, "id": "AC-2"}], [FAIL]],
    Role.PLANNER: [["It reads well."], [{"text": "It holds.", "check": "true"}], [{"text": "It is.", "review": True}]],
}
PLACES = [
    "T1",
    "T2",
    "T1.1",
    "T2.1",
    "T99",
    "AC-1",
    "AC-2",
    "AC-99",
    "greet.py:1",
    "../../etc",
    "/etc/passwd",
    "A2",
    "",
]


@pytest.mark.parametrize("role", [Role.BUILDER, Role.QA, Role.PLANNER])
def test_a_random_call_is_answered_or_refused_and_a_refused_one_changes_nothing(role: Role, tmp_path: Path) -> None:
    fuzz = Fuzz(1, fitting={**FITTING, "criteria": CRITERIA[role]}, places=PLACES)
    wrong: list[str] = []
    told: dict[str, int] = {}

    for attempt in range(1, CALLS // EACH + 1):
        tooled = Tooled(tmp_path, role, name=f"A{attempt}")
        for number in range(EACH):
            tool = fuzz.random.choice(list(tooled.tools.values()))
            arguments = fuzz.arguments(tool.schema)
            before = left(tooled)
            outcome = called(tooled, tool.name, arguments)
            told[tool.name] = told.get(tool.name, 0) + (not isinstance(outcome, PunchlistError))
            said = f"attempt {attempt}, call {number}: {tool.name} {shown(arguments)}"
            moved = {name for name, content in left(tooled).items() if content != before.get(name)}
            wrong += [f"{said}: {each}" for each in complaints(outcome, moved=moved, changes=tool.changes)]
        given = left(tooled).get(RESULT)
        if given is not None and read_answer(role, given) is None:
            wrong.append(f"attempt {attempt}: the engine does not take its answer")

    assert wrong == []
    assert all(times > CALLS / 500 for times in told.values()), told


def complaints(outcome: Any, *, moved: set[str], changes: bool) -> list[str]:
    """Return what a call should not have come to."""
    if not isinstance(outcome, PunchlistError):
        plain = msgspec.json.decode(msgspec.json.encode(outcome)) == outcome
        return [*([] if plain else ["its answer is no JSON"]), *([] if changes or not moved else [f"it wrote {moved}"])]
    size = len(msgspec.json.encode(failure(outcome)))
    return [
        *([] if outcome.exit_code in {2, 3} else [f"{outcome!r} is no refusal"]),
        *([] if size < SHOWN else [f"its refusal is {size} bytes long"]),
        *([] if not moved else [f"it was refused ({str(outcome)[:200]}), and has changed {moved}"]),
    ]


def left(tooled: Tooled) -> dict[str, bytes]:
    """Return what is in the attempt's folder, but for the note of what was refused."""
    return {path.name: path.read_bytes() for path in tooled.io.iterdir() if path.name not in {"lock", "refused.jsonl"}}


def called(tooled: Tooled, tool: str, arguments: dict[str, Any]) -> dict[str, Any] | PunchlistError:
    try:
        return tooled.call(tool, **arguments)
    except PunchlistError as refused:
        return refused
    except Exception as bug:
        bug.add_note(f"{tool} {shown(arguments)}")
        raise
