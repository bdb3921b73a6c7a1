"""Whatever an agent calls its tools with is answered or refused; a refused call changes nothing."""

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from punchlist.errors import PunchlistError
from punchlist.model.jobs import Role
from punchlist.workers.answers import read_answer
from tests.tooled import Tooled

WORDS = st.sampled_from(["", "a\nb", "\x00"]) | st.sampled_from(
    ["x", "done", "blocked", "pass", "fail", "AC-1", "AC-2", "T1", "T1.1", "T2", "../x", "greet.py:1"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | st.text(max_size=8)
FIELDS = [
    "id",
    "met",
    "verdict",
    "evidence",
    "finding",
    "text",
    "check",
    "review",
    "title",
    "criteria",
    "goal",
    "scope",
    "allow",
    "needs",
    "steps",
    "context",
    "command",
    "exit_code",
    "extra",
]
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
CRITERION = st.fixed_dictionaries(
    {"text": WORDS | VALUES}, optional={"check": WORDS, "id": WORDS, "review": st.booleans(), "red_first": VALUES}
)
STEP = st.fixed_dictionaries(
    {"title": WORDS, "criteria": st.lists(CRITERION | WORDS, max_size=2)},
    optional={"needs": st.lists(WORDS | st.integers(0, 3), max_size=2), "goal": WORDS, "builder": WORDS},
)
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "outcome": st.sampled_from(["done", "blocked", "failed"]),
    "title": st.just("A title") | WORDS,
    "criteria": st.lists(
        CRITERION
        | st.fixed_dictionaries({"id": WORDS, "met": st.booleans()})
        | st.fixed_dictionaries(
            {"id": WORDS, "verdict": WORDS}, optional={"evidence": st.lists(WORDS, max_size=2), "finding": WORDS}
        ),
        max_size=3,
    ),
    "steps": st.lists(STEP, max_size=2),
    "needs": st.lists(WORDS | st.integers(0, 3), max_size=2),
    "task": st.sampled_from(["T1", "T2", "T01"]),
    "step": st.sampled_from(["T1.1", "T1.2", "T2.1", "T0.0"]),
    "expected_version": st.integers(-1, 4),
}


@st.composite
def calls(draw: st.DrawFn, role: Role, schemas: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    made: list[tuple[str, dict[str, Any]]] = []
    for _ in range(draw(st.integers(1, 5))):
        tool = draw(st.sampled_from(sorted(schemas)))
        known = sorted(schemas[tool].get("properties", {}))
        required = schemas[tool].get("required", [])
        chosen = [name for name in known if name in required or draw(st.booleans())]
        arguments = {name: draw(LIKELY.get(name, VALUES) | VALUES) for name in chosen if draw(st.integers(0, 19))}
        if not draw(st.integers(0, 9)):
            arguments[draw(st.text(max_size=5))] = draw(VALUES)
        made.append((tool, arguments))
    return made


def state(tooled: Tooled) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in tooled.io.iterdir() if path.name not in {"lock", "refused.jsonl"}}


def called(tooled: Tooled, tool: str, arguments: dict[str, Any]) -> tuple[Any, PunchlistError | None]:
    try:
        return tooled.call(tool, **arguments), None
    except PunchlistError as refused:
        return None, refused


@pytest.mark.parametrize("role", [Role.BUILDER, Role.QA, Role.PLANNER])
@given(data=st.data())
def test_any_calls_are_answered_or_refused_and_refused_ones_change_nothing(role: Role, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tooled = Tooled(Path(folder), role)
        schemas = {name: tool.schema for name, tool in tooled.tools.items()}

        for tool, arguments in data.draw(calls(role, schemas)):
            before = state(tooled)
            answer, refused = called(tooled, tool, arguments)
            assert msgspec.json.decode(msgspec.json.encode(answer)) == answer
            assert answer is not None or (str(refused) and state(tooled) == before)

        if (tooled.io / "result.json").exists():
            assert read_answer(role, (tooled.io / "result.json").read_bytes()) is not None
