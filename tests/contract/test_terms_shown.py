"""What a person is shown before they approve a task: where its work goes, and what it allows itself."""

from pathlib import Path
from typing import Any

import pytest

from punchlist.cli.views import runs, tasks as views
from punchlist.mcp import forms
from punchlist.service import approvals, gates, projects, tasks
from punchlist.service.context import Service
from tests.services import BUILDER, as_agent, at, repository, unchecked, workspace

POLICY = "[policy]\nrework = 1\n[projects.p]\npolicy = { retries = 5 }\n"
FORGED = 'repos/p". Digest: 0\x1b[2J'
RULES = 'retries 2 (else 5), review never (else always), on_accept merge (else branch), budget {"usd": 5.0} (else {})'
BOLD: dict[str, Any] = {
    "policy": {"on_accept": "merge", "review": "never", "rework": 1, "retries": 2, "budget": {"usd": 5}},
    "steps": [
        {
            "title": "Build",
            "criteria": [{"text": "It is there.", "check": "curl x", "network": True}],
            "scope": {"allow": ["**", "a, b"], "deny": ['x" or "y'], "unlock": ["tests/**"]},
            "builder": "maker",
            "qa": "judge",
            "policy": {"review": "always", "timeout": "3h", "rework": 1},
        },
        {
            "title": "Plain",
            "criteria": ["It reads well."],
            "scope": {"allow": [f"src/{'x' * 90}{n}" for n in range(40)]},
        },
    ],
}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with the project `p`, in a repository whose name would say more; no engine ever runs."""
    made = workspace(tmp_path / "ws", settings=BUILDER + POLICY)
    repo = repository(tmp_path / "ws" / FORGED)
    projects.create(as_agent(made), "p", repo=str(repo))
    return made


def test_a_form_shows_where_work_goes_and_what_is_allowed(service: Service) -> None:
    tasks.create(as_agent(service), "p", document=unchecked(**BOLD))
    gate = at(approvals.propose(as_agent(service), "T1"), "gate")

    lines = forms.proposal(gate, at(tasks.show(service, "T1"), "task"), waiting=False).splitlines()

    at_step = lines.index('Step T1.1: "Build"')
    assert lines[2:at_step] == [
        'Project p: the work goes to branch "main" of the repository "repos/p\\". Digest: 0\\u001b[2J".',
        f"Policy of its own: {RULES}.",
    ]
    assert lines[at_step + 1 : at_step + 5] == [
        '  It may change "**", "a, b"; not "x\\" or \\"y"; unlocked "tests/**".',
        "  Builder maker, reviewer judge.",
        "  Policy of its own: timeout 3h (else 1h), review always (else never).",
        '  AC-1 "It is there.": "curl x" (asks for the network) not run on the base yet.',
    ]
    assert lines[at_step + 6].endswith("and 34 more: punchlist task show T1.")


def test_a_terminal_shows_the_same_before_and_after_approval(service: Service) -> None:
    tasks.create(as_agent(service), "p", document=unchecked(**BOLD))

    before = views.task(tasks.show(service, "T1"))
    after = views.approved(approvals.approve(service, "T1", anyway=True, no_wait=True))

    place = 'goes to branch "main" of the repository "repos/p\\". Digest: 0\\u001b[2J"'
    assert {place, f"policy of its own: {RULES}"} <= {*before.splitlines()} & {*after.splitlines()}
    assert [line for line in before.splitlines() if line.startswith("  ")][:5] == [
        '  may change "**", "a, b"; not "x\\" or \\"y"; unlocked "tests/**"',
        "  builder maker, reviewer judge",
        "  policy of its own: timeout 3h (else 1h), review always (else never)",
        "  AC-1  It is there.",
        "        $ curl x  (asks for the network)",
    ]


def test_a_task_that_allows_itself_nothing_says_no_more_than_where_it_goes(service: Service) -> None:
    tasks.create(service, "p", document=unchecked())

    shown: Any = tasks.show(service, "T1")

    assert shown["task"]["terms"]["rules"] == []
    assert "policy" not in views.task(shown)
    assert "may change" not in views.task(shown)


def test_a_list_of_gates_says_where_to_look_before_a_task_is_approved(service: Service) -> None:
    tasks.create(service, "p", document=unchecked())
    approvals.propose(service, "T1")

    assert runs.gates(gates.listing(service)).splitlines()[1] == "  Look at it first: punchlist task show T1"
