"""Hints as a client of tools is told them: the call wherever it has the tool, a command only where a person must."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from punchlist.mcp import hints
from punchlist.mcp.hints import call_for, in_tools

SOURCES = Path(hints.__file__).parents[1]
TOOLS = {tool for _, tool, _ in hints.LINES if tool}
THEIRS = TOOLS - {"approve_task", "decide"}
BY_A_PERSON = frozenset(
    {
        "config",
        "doctor",
        "events",
        "files write",
        "init",
        "log verify",
        "mcp",
        "resume",  # of whatever an attempt's output could not be written for
        "retry",  # of whatever an agent that is not there should have done
        "rework",
        "run",
        "task reopen",
        "task revise",
        "validate",  # named in the schema of a flow's file, which a person's editor shows
    }
)
"""Commands in hints that no tool does; `engine` and all that it can do are others."""


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        ("Type: punchlist retry T1, or punchlist report T1", 'Call: retry {"task": "T1"}, or get_task {"task": "T1"}'),
        ("Look again: punchlist task show T12", 'Look again: get_task {"task": "T12"}'),
        ("Type: punchlist why T1.2", 'Call: why {"step": "T1.2"}'),
        ("See there (punchlist gates).", "See there (list_gates {})."),
        (
            "If that is meant: punchlist resume R1 --from steps[T1.1].rounds[0].build --yes",
            'If that is meant: resume {"run": "R1", "from": "steps[T1.1].rounds[0].build", "invalidate": true}',
        ),
        (
            "Type: punchlist step reopen T1.1",
            'Call: set_step_status {"step": "T1.1", "status": "reopen", "reason": "…"}',
        ),
        (
            "Type: punchlist task start T1, or punchlist task revise T1",
            'Call: start_task {"task": "T1"}, or a person types punchlist task revise T1',
        ),
        ("Type: punchlist approve T1", "A person types: punchlist approve T1"),
        (
            "Or all the same: punchlist approve T1 --no-wait",
            "Or all the same: a person types punchlist approve T1 --no-wait",
        ),
        ("Type: git -C /a merge b", "A person types: git -C /a merge b"),
        ("Free some space and type the command again.", "Free some space and make the call again."),
        ("Give it with --reason TEXT", "Give it with reason"),
        ("See `punchlist doctor`.", "See `punchlist doctor`."),
        ("See `punchlist status`.", "See get_status {}."),
        ("Leave it out.", "Leave it out."),
        ("", ""),
    ],
)
def test_an_orchestrator_is_told_what_to_call_and_what_a_person_types(hint: str, told: str) -> None:
    assert in_tools(hint, THEIRS) == told


def test_a_person_with_tools_is_told_to_call_them() -> None:
    assert in_tools("Type: punchlist approve T1 --anyway", TOOLS) == 'Call: approve_task {"task": "T1", "anyway": true}'
    assert in_tools("Type: punchlist decide G1 retry", TOOLS) == 'Call: decide {"gate": "G1", "choice": "retry"}'


def test_an_agent_without_such_tools_is_told_that_a_person_types_it() -> None:
    assert in_tools("Type: punchlist task list", {"get_request"}) == "A person types: punchlist task list"


def test_every_command_in_a_hint_has_a_tool_or_is_known_as_a_person_s() -> None:
    known = BY_A_PERSON | {_verb(command) for command, _, _ in hints.LINES}

    written = [(path, verb) for path in _modules() for verb in _commands(path)]

    assert len(written) > 60
    assert [
        (path.name, verb) for path, verb in written if verb not in known and verb.partition(" ")[0] != "engine"
    ] == []


def test_a_command_is_told_from_one_that_begins_alike() -> None:
    assert call_for("task shower T1") is None
    assert call_for("task show T1.2") is None
    assert call_for("statuses") is None


def _verb(command: str) -> str:
    words = re.match(r"(?:(?:task|step|project|engine|log|files) )?[a-z]+", command)
    return words[0] if words is not None else ""


def _modules() -> Iterator[Path]:
    for path in sorted(SOURCES.rglob("*.py")):
        if path.relative_to(SOURCES).parts[0] not in {"cli", "web", "testing"}:
            yield path


def _commands(path: Path) -> Iterator[str]:
    """Yield the verbs of the commands that a module's texts name, except those of its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from (_verb(found[1]) for found in re.finditer(r"\bpunchlist ([a-z]+(?: [a-z]+)?)", node.value))
