"""What the worker makes of recorded streams, part by part; `python -m tests.golden.agents.streams` writes that anew."""

import json

import pytest

from tests.agents.claude_runs import CASES
from tests.golden.agents.streams import HERE, read_outcome

EXPECTED = json.loads((HERE / "outcomes.json").read_bytes())


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_stream_has_the_outcome_that_it_had(name: str) -> None:
    assert read_outcome(name) == EXPECTED[name]


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in HERE.glob("*.jsonl")} == set(CASES) == set(EXPECTED)
