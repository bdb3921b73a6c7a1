"""What the person in front of a client reads: bounded, and what others wrote in quotes that nothing gets out of."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from punchlist.mcp import forms
from punchlist.render.quoted import quoted

GATE: dict[str, Any] = {
    "id": "G1",
    "kind": "blocked",
    "about": "T1.1",
    "opened_by": "orchestrator:chat",
    "message": "Which one?",
    "choices": [{"name": "answer"}, {"name": "skip"}],
    "shows_digest": "d" * 64,
}


def task(steps: int, *, title: str = "Write", check: str = "true") -> dict[str, Any]:
    criterion = {"id": "AC-1", "text": "It holds.", "check": check, "shows": None, "network": False}
    made = [{"id": f"T1.{each}", "title": title, "scope": {}, "criteria": [criterion]} for each in range(1, steps + 1)]
    terms = {"repo": "repos/p", "base": "main", "rules": []}
    known: dict[str, Any] = {"id": "T1", "title": title, "project": "p", "acceptance": [], "proof": None}
    return {**known, "steps": made, "terms": terms}


@given(text=st.text(max_size=300))
def test_a_quoted_text_is_one_visible_line_that_reads_back(text: str) -> None:
    shown = quoted(text, most=300)

    assert len(shown.splitlines()) == 1
    assert json.loads(shown) == text
    assert all(each.isprintable() or each in "\u200c\u200d" for each in shown)


def test_a_text_that_is_cut_says_how_long_it_is_and_where_all_of_it_is() -> None:
    assert quoted("x" * 11, most=10, elsewhere="punchlist task show T1") == (
        '"xxxxxxxxxx" (the first 10 of 11 characters; all: punchlist task show T1)'
    )
    assert quoted("x" * 1_011, most=10) == '"xxxxxxxxxx" (the first 10 of 1,011 characters)'


@pytest.mark.parametrize(("steps", "left"), [(500, "more steps"), (2, None)])
def test_a_long_plan_is_cut_at_a_step_and_the_rest_is_counted(steps: int, left: str | None) -> None:
    text = forms.proposal(GATE, task(steps), waiting=False)
    shown = [line for line in text.splitlines() if line.startswith("Step ")]
    cut = [line for line in text.splitlines() if line.startswith("… and")]

    assert len(text) < 10_000
    assert cut == ([f"… and {500 - len(shown)} more steps: punchlist task show T1"] if left else [])
    assert text.splitlines()[-1].startswith(f"Digest: {'d' * 64}.")


def test_a_check_that_is_cut_is_told_to_be() -> None:
    text = forms.proposal(GATE, task(1, check=f"true{' ' * 700}; rm -rf /"), waiting=True)

    assert "(the first 600 of 714 characters; all: punchlist task show T1) not run on the base yet." in text
    assert "Its checks are still being run on the base; approving waits for them." in text


def test_a_proposal_that_lacks_proof_says_that_it_will_be_refused() -> None:
    lacking = {**task(1), "proof": {"unproven": ["T1.1 has no goal and nothing to review"]}}

    assert "approving here will be refused" in forms.proposal(GATE, lacking, waiting=False)


@given(message=st.text(max_size=200))
def test_what_any_other_gate_says_stays_in_its_quotes(message: str) -> None:
    lines = forms.asked({**GATE, "message": message}).splitlines()

    assert lines == [
        "G1 waits for a decision: it is of kind blocked, about T1.1.",
        f"It says: {quoted(message, most=1000)}",
        "Choose answer or skip.",
        f"Digest: {'d' * 64}. What you choose holds for what has this digest, and for nothing else.",
    ]
