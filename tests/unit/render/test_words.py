"""What is said the same way everywhere: waivers, cost, durations."""

import msgspec
import pytest

from punchlist.model.ids import AttemptId, FindingId, NodePath, RunId
from punchlist.model.jobs import Outcome, Role, Usage
from punchlist.model.state import AttemptState
from punchlist.model.states import AttemptStatus
from punchlist.model.verdicts import Waiver
from punchlist.render.words import cost, cost_words, duration, person, plural, standing

WAIVER = Waiver(finding=FindingId("F1"), fingerprint="x", criterion=None, by="human:Ann", reason="known flake")


def attempt(usage: Usage | None, *, role: Role = Role.BUILDER, ended: bool = True) -> AttemptState:
    outcome = Outcome(attempt=AttemptId("A1"), status=AttemptStatus.SUCCEEDED, usage=usage)
    return AttemptState(
        id=AttemptId("A1"), run=RunId("R1"), node=NodePath("x"), role=role, outcome=outcome if ended else None
    )


def test_waived_is_never_hidden() -> None:
    other = msgspec.structs.replace(WAIVER, by="human:Bob", reason="later")

    assert standing("accepted", []) == "accepted"
    assert standing("accepted", [WAIVER]) == "accepted, 1 waived by Ann: known flake"
    assert standing("accepted", [WAIVER, WAIVER]) == "accepted, 2 waived by Ann: known flake"
    assert standing("accepted", [WAIVER, other]) == "accepted, 2 waived by Ann: known flake; by Bob: later"
    assert standing("building", [WAIVER]) == "building"


def test_other_actors_than_people_are_shown_with_their_kind() -> None:
    assert (person("human:Ann"), person("orchestrator:chat")) == ("Ann", "orchestrator:chat")


def test_unknown_cost_stays_unknown() -> None:
    total = cost([attempt(None)])

    assert total == {
        "input_tokens": None,
        "output_tokens": None,
        "cached_tokens": None,
        "microdollars": None,
        "attempts": 1,
        "unknown": 1,
    }
    assert cost_words(total) == "unknown of 1 of 1 attempts"


def test_known_costs_are_added_and_the_unknown_ones_counted() -> None:
    total = cost(
        [attempt(Usage(input_tokens=1_000, microdollars=1_500_000)), attempt(Usage(input_tokens=2)), attempt(None)]
    )

    assert (total["input_tokens"], total["output_tokens"], total["unknown"]) == (1_002, None, 1)
    assert cost_words(total) == "1,002 tokens in, 1.50 USD; unknown of 1 of 3 attempts"


def test_checks_cost_nothing_and_what_runs_is_not_counted_yet() -> None:
    total = cost([attempt(None, role=Role.CHECK), attempt(None, ended=False)])

    assert (total["attempts"], cost_words(total)) == (0, "nothing was reported")


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-11-21T10:00:00Z", "2026-11-21T10:00:03.250Z", "3.2 s"),
        ("2026-11-21T10:00:00Z", "2026-11-21T10:01:07Z", "1 min 07 s"),
        ("2026-11-21T10:00:00Z", "2026-11-21T12:03:00+00:00", "2 h 03 min"),
        ("2026-11-21T11:00:00Z", "2026-11-21T10:00:03Z", "unknown: the clock was set back"),
        ("", "2026-11-21T10:00:00Z", ""),
        ("2026-11-21T10:00:00Z", "", ""),
    ],
)
def test_a_duration_in_words(start: str, end: str, words: str) -> None:
    assert duration(start, end) == words


def test_one_is_not_many() -> None:
    assert (plural(1, "task"), plural(0, "task"), plural(2, "task")) == ("1 task", "0 tasks", "2 tasks")
