"""Random calls of every tool: each ends in an answer or a typed refusal, and what is refused has changed nothing."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import settings

from punchlist.errors import PunchlistError
from punchlist.mcp import human, orchestrator
from punchlist.mcp.arguments import check
from punchlist.mcp.caller import Caller
from punchlist.mcp.tool import Tool
from punchlist.service import approvals, starts, tasks
from punchlist.service.context import Answer, Service
from tests.services import Asleep, project_workspace, task, unchecked

CALLS = 25 * settings.default.max_examples if settings.default else 2_500
"""For each seed."""
FITTING: dict[str, list[Any]] = {
    "project": ["p"],
    "task": ["T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"],
    "step": [f"T{task}.{step}" for task in range(1, 6) for step in range(1, 4)],
    "run": ["R1", "R2"],
    "gate": ["G1", "G2", "G3"],
    "attempt": ["A1"],
    "ids": [["T1", "T1.1"], ["G1"], ["R1"]],
    "steps": [["T1.1"], ["T1.1", "T1.2"], ["T1.2", "T1.1"], ["T4.1", "T4.2"]],
    "needs": [[], [1], ["T1"], ["T1.1"]],
    "status": ["skip", "reopen", "cancel", ["draft"], ["ready", "failed"]],
    "policy": [{}, {"rework": 1}, {"timeout": "5m"}, {"auto_approve": True}],
    "name": ["one", "two", "three"],
    "choice": ["approve", "reject"],
    "check": ["true", "test -f made.txt"],
    "timeout": [0, 5, "30s"],
    "builder": ["maker"],
    "qa": ["judge"],
    "labels": [["a"]],
}
"""What fits an argument of that name."""
PLACES = ["p", "T1", "T2", "T3", "T1.1", "T2.1", "R1", "G1", "A1", "F1", "T99", "T1.99", "other", "../../etc", "", "T0"]
WORDS = [
    "x",
    "a\nb",
    "\x1b[31m",
    "```\n# h",
    "é" * 300,
    "skip",
    "approve",
    "30s",
    "true",
    "\u202e",
    "\x00",
    "AC-1",
    "/",
]
JUNK: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2.0,
    1.5,
    2**80,
    -(2**63),
    1e308,
    "",
    [],
    {},
    [[]],
    {"": {}},
    ["x"],
    {"a": None},
]


class Deaf(Asleep):
    """An engine that never runs; who waits for it sees at once that nothing comes."""

    def wait(self, timeout: float | None) -> bool:
        return False


class Hasty:
    """A clock on which every look costs a hundred seconds, so that no wait takes any."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(seconds=100)
        return self.time


class Fixed(Caller):
    """A client whose calls are made in one context."""

    def __init__(self, service: Service, *, person: bool) -> None:
        super().__init__(service.root, person=person)
        self.fixed = service

    @property
    def service(self) -> Service:
        return self.fixed


class Fuzz:
    """Random arguments: mostly what a schema allows, often with something wrong somewhere."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def arguments(self, tool: Tool) -> dict[str, Any]:
        found: dict[str, Any] = self.object(dict(tool.schema))
        if self.random.random() < 0.05:
            found[self.random.choice(["expected_version", "idempotency_key", "titel", "", "task", "__proto__"])] = (
                self.junk()
            )
        return found

    def of(self, schema: dict[str, Any]) -> Any:
        if self.random.random() < 0.02:
            return {} if schema.get("properties") and "additionalProperties" in schema else self.junk()
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        kind = schema.get("type", "string")
        match self.random.choice(kind) if isinstance(kind, list) else kind:
            case "object":
                return self.object(schema)
            case "array":
                return [self.of(schema["items"]) for _ in range(self.random.choice([0, 1, 1, 2, 3]))]
            case "integer":
                return self.random.choice([1, 2, 3, 5, schema.get("minimum", 0)])
            case "number":
                return self.random.choice([0, 0.5, 60])
            case "boolean":
                return self.random.random() < 0.5
            case _:
                return self.random.choice(PLACES if self.random.random() < 0.7 else WORDS)

    def object(self, schema: dict[str, Any]) -> dict[str, Any]:
        needed, known = schema.get("required", ()), schema.get("properties", {})
        return {name: self.named(name, known[name]) for name in known if self.random.random() < _odds(name, needed)}

    def named(self, name: str, schema: dict[str, Any]) -> Any:
        return self.random.choice(FITTING[name]) if name in FITTING and self.random.random() < 0.9 else self.of(schema)

    def junk(self) -> Any:
        return self.random.choice([*JUNK, *WORDS, *PLACES])


def _odds(name: str, needed: Sequence[str]) -> float:
    return 0.99 if name in needed else 0.05 if name in {"expected_version", "idempotency_key"} else 0.3


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with a draft, a proposal and a task that is being started; its engine never answers."""
    made = project_workspace(tmp_path / "ws")
    for document in (task(), unchecked(), unchecked(title="Third")):
        tasks.create(made, "p", document=document)
    approvals.approve(made, "T2", no_wait=True)
    approvals.propose(made, "T3")
    starts.start(made, ["T2"])
    deaf, clock = Deaf(), Hasty()
    outside = msgspec.structs.replace(made.outside, engine=lambda: deaf)
    return msgspec.structs.replace(made, outside=outside, clock=clock)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("person", [False, True], ids=["orchestrator", "human"])
def test_a_random_call_is_answered_or_refused_and_a_refused_one_changes_nothing(
    service: Service, person: bool, seed: int
) -> None:
    theirs = service if person else msgspec.structs.replace(service, person=False, actor="orchestrator:fuzz")
    caller = Fixed(theirs, person=person)
    tools = human.tools(caller) if person else orchestrator.tools(caller)
    fuzz = Fuzz(seed)
    answered = 0

    for number in range(CALLS):
        tool = fuzz.random.choice(tools)
        arguments = fuzz.arguments(tool)
        before = _events(service)
        said = f"seed {seed}, call {number}: {tool.name} {arguments}"
        outcome = _called(tool, arguments)
        if isinstance(outcome, PunchlistError):
            assert outcome.exit_code in {2, 3, 4, 5}, said
            assert _events(service) == before, f"{said}: {outcome}"
        else:
            msgspec.json.encode(outcome)
            answered += 1
            assert tool.changes or _events(service) == before, said

    assert answered > CALLS / 6, "most of it was refused before it reached anything"
    with service.store.read() as reader:
        assert [*reader.verify()] == []
        if not person:
            assert all(event.actor != "orchestrator:fuzz" for event in reader.events() if _is_approval(event.fact))


def _called(tool: Tool, arguments: dict[str, Any]) -> Answer | PunchlistError:
    try:
        check(tool, arguments)
        return tool.call(arguments)
    except PunchlistError as refusal:
        return refusal


def _events(service: Service) -> int:
    with service.store.read() as reader:
        head = reader.head("workspace")
        return 0 if head is None else head.n


def _is_approval(fact: object) -> bool:
    return type(fact).__name__ == "ApprovalDecided" and getattr(fact, "choice", "") == "approve"
