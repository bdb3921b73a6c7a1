"""The page of the state machines: a diagram and a list of the moves of each."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

from punchlist.model import states
from tools.pages.markup import code, page, table

S = TypeVar("S", bound=StrEnum)

_HEAD = """\
Each thing is in one of these states, and moves only along these arrows; any other move is refused with exit code 3,
and the error names what is allowed. `paused` is a flag on tasks and runs, not a state.
"""


def states_page() -> dict[str, str]:
    """Return the page by its path below the reference."""
    parts = [
        *_machine("Task", states.TASK_MOVES, start=states.TaskStatus.DRAFT, final=states.FINAL_TASK),
        *_machine("Step", states.STEP_MOVES, start=states.StepStatus.PENDING, final=states.FINAL_STEP),
        *_machine("Run and node", states.NODE_MOVES, start=states.NodeStatus.PENDING, final=states.FINAL_NODE),
        *_machine("Attempt", states.ATTEMPT_MOVES, start=states.AttemptStatus.QUEUED, final=states.FINAL_ATTEMPT),
        *_machine("Gate", states.GATE_MOVES, start=states.GateStatus.OPEN, final=_ends(states.GATE_MOVES)),
    ]
    return {"states.md": page("States", _HEAD, *parts)}


def _machine(title: str, moves: Mapping[S, frozenset[S]], *, start: S, final: frozenset[S]) -> Iterator[str]:
    yield f"## {title}"
    yield "\n".join(["```mermaid", *_diagram(moves, start=start, final=final), "```"])
    every = _ordered(moves, frozenset(moves))
    rows = ((code(state), ", ".join(code(each) for each in _ordered(moves, moves[state]))) for state in every)
    yield table(("from", "to"), ((state, to or "-") for state, to in rows))


def _diagram(moves: Mapping[S, frozenset[S]], *, start: S, final: frozenset[S]) -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    [*] --> {start}"
    for state in _ordered(moves, frozenset(moves)):
        yield from (f"    {state} --> {each}" for each in _ordered(moves, moves[state]))
    yield from (f"    {state} --> [*]" for state in _ordered(moves, final))


def _ordered(moves: Mapping[S, frozenset[S]], chosen: frozenset[S]) -> list[S]:
    """Return states in the order in which their machine names them: sets have none."""
    return [state for state in type(next(iter(moves))) if state in chosen]


def _ends(moves: Mapping[S, frozenset[S]]) -> frozenset[S]:
    return frozenset(state for state, allowed in moves.items() if not allowed)
