"""The generated pages of the reference, held to what the code says; and what they show can be typed."""

import re
from pathlib import Path

import pytest

from punchlist.flow.parse import parse_flow
from punchlist.model import states
from punchlist.model.gates import GATES
from tools.pages.gates import NEVER_OPENED
from tools.reference_pages import REFERENCE, ROOT, files, main

MADE = files()
ENGINE = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/punchlist/engine").rglob("*.py"))
DELIVER = (ROOT / "src/punchlist/data/flows/deliver.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(MADE, key=str), ids=str)
def test_a_page_is_as_the_code_says(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == MADE[path], "type: make pages"


def test_no_page_is_left_over() -> None:
    assert main(()) == 0


def test_every_state_and_every_move_is_drawn() -> None:
    drawn = MADE[REFERENCE / "states.md"]

    for moves in (states.TASK_MOVES, states.STEP_MOVES, states.NODE_MOVES, states.ATTEMPT_MOVES, states.GATE_MOVES):
        for state, allowed in moves.items():
            for each in allowed:
                assert f"    {state} --> {each}\n" in drawn


@pytest.mark.parametrize("kind", sorted(set(GATES) - {"approval", "exhausted"}))
def test_a_gate_that_nothing_opens_is_said_to_be_one(kind: str) -> None:
    opened = re.search(rf'ask\([^)]*"{kind}"', ENGINE) is not None or f"gate: {kind}" in DELIVER

    assert opened != (kind in NEVER_OPENED)


def test_the_flow_that_is_shown_first_is_one() -> None:
    shown = re.search(r"```yaml\n(.*?)```", MADE[REFERENCE / "flows.md"], re.DOTALL)
    assert shown is not None

    assert parse_flow(shown[1], source="shown.yaml").flow == "test-and-count"
