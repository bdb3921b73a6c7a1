"""Random calls of every tool: each ends in an answer or a typed refusal, and what is refused has changed nothing."""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import settings

from punchlist.errors import PunchlistError, StoreError
from punchlist.mcp import human, orchestrator, refusals
from punchlist.mcp.caller import Caller
from punchlist.mcp.calls import called
from punchlist.mcp.hints import call_for
from punchlist.mcp.tool import Tool
from punchlist.render.failures import failure
from punchlist.service import approvals, files, starts, tasks
from punchlist.service.context import Answer, Service
from tests.fuzz import Fuzz, shown
from tests.services import Asleep, project_workspace, task, unchecked

CALLS = 25 * settings.default.max_examples if settings.default else 2_500
"""For each seed."""
FITTING: dict[str, list[Any]] = {
    "project": ["p"],
    "task": [f"T{task}" for task in range(1, 13)],
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
SHOWN = 50_000
"""How long what is said of a refused call may be, however long the call was."""
BUT = {"remembered": "where answer <> 'null'"}
"""What of a table is as good as nothing: a key that was given back."""
ASKED = {"inbox", "counters", "sqlite_sequence", "remembered"}
"""What changes when the engine was asked for something and never answered."""
PLACES = ["p", "T1", "T2", "T3", "T1.1", "T2.1", "R1", "G1", "A1", "F1", "T99", "T1.99", "other", "../../etc", "", "T0"]


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


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with a draft, a proposal and a task that is being started; its engine never answers."""
    made = project_workspace(tmp_path / "ws")
    for document in (task(), *(unchecked(title=f"Prose {number}") for number in range(2, 9))):
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
    fuzz = Fuzz(seed, fitting=FITTING, places=PLACES)
    told = dict.fromkeys((tool.name for tool in tools), 0)
    wrong: list[str] = []

    with committed(service) as state:
        for number in range(CALLS):
            tool = fuzz.random.choice(tools)
            arguments = fuzz.arguments(tool.schema)
            before = state()
            said = f"seed {seed}, call {number}: {tool.name} {shown(arguments)}"
            outcome = _called(tool, arguments, said=said)
            told[tool.name] += not isinstance(outcome, PunchlistError)
            moved = {table for table, rows in state().items() if rows != before[table]}
            wrong += [f"{said}: {each}" for each in _wrong(tool, outcome, moved=moved)]
            wrong += [f"{said}: its hint is a command, and there is {each}" for each in _commands(outcome, tools=told)]

    assert wrong == []
    assert sum(told.values()) > CALLS / 6, "most of it was refused before it reached anything"
    assert sum(times > 0 for times in told.values()) > len(tools) / 2, told
    with service.store.read() as reader:
        assert [*reader.verify()] == []
        if not person:
            assert all(event.actor != "orchestrator:fuzz" for event in reader.events() if _is_approval(event.fact))
    assert files.check(service) == {"drift": []}


def _called(tool: Tool, arguments: dict[str, Any], *, said: str) -> Answer | PunchlistError:
    try:
        return called(tool, arguments)
    except PunchlistError as refusal:
        return refusal
    except Exception as bug:
        bug.add_note(said)
        raise


def _wrong(tool: Tool, outcome: Answer | PunchlistError, *, moved: set[str]) -> Iterator[str]:
    """Yield what a call should not have come to."""
    if not isinstance(outcome, PunchlistError):
        msgspec.json.encode(outcome)
        if moved and not tool.changes:
            yield f"a tool that looks has changed {moved}"
        return
    size = len(msgspec.json.encode(failure(outcome)))
    if outcome.exit_code not in {2, 3, 4, 5}:
        yield f"{outcome!r} is no refusal"
    if size > SHOWN:
        yield f"its refusal is {size} bytes long: {str(outcome)[:200]}"
    if moved - (ASKED if isinstance(outcome, StoreError) else set()):
        yield f"it was refused ({str(outcome)[:200]}), and has changed {moved}"


def _commands(outcome: Answer | PunchlistError, *, tools: Collection[str]) -> list[str]:
    """Return the tools that do what a hint tells the client to type."""
    if not isinstance(outcome, PunchlistError):
        return []
    error: Any = refusals.told(outcome, tools=tools)
    hints = [error["hint"], *(each["hint"] for each in error["problems"])]
    calls = [call_for(command) for hint in hints for command in hint.split("punchlist ")[1:]]
    return [tool for _, tool, _ in filter(None, calls) if tool in tools]


@contextmanager
def committed(service: Service) -> Iterator[Callable[[], dict[str, int]]]:
    """Give a look at the store from outside: what all its tables hold, looked up anew when anybody has committed."""
    with closing(sqlite3.connect(service.root / ".punchlist" / "state.db")) as connection:
        seen: dict[int, dict[str, int]] = {}

        def look() -> dict[str, int]:
            (version,) = connection.execute("pragma data_version").fetchone()
            if version not in seen:
                seen.clear()
                tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
                seen[version] = {
                    each: hash(tuple(connection.execute(f'select * from "{each}" {BUT.get(each, "")}')))
                    for each in tables
                }
            return seen[version]

        yield look


def _is_approval(fact: object) -> bool:
    return type(fact).__name__ == "ApprovalDecided" and getattr(fact, "choice", "") == "approve"
