"""What a builder claims against the facts: false ones are found, honest ones and prose never are."""

from typing import Any

import pytest

from punchlist.model.ids import AttemptId, Tree
from punchlist.model.jobs import Change
from punchlist.model.json import Json
from punchlist.model.parse import parse
from punchlist.model.proofs import CheckResult
from punchlist.model.records import Criterion
from punchlist.model.results import Claim, Result
from punchlist.model.verdicts import Finding
from punchlist.quality.before_review import found_without_review
from punchlist.quality.claims import looked_up, references
from punchlist.quality.facts import Facts

CHECK = "python3 -m unittest"


def claimed(**said: Json) -> Result:
    return parse(Result, {"schema": "punchlist/result/1", "outcome": "done", **said}, what="a result")


def facts(claim: Result, *, code: int = 0, **said: Any) -> Facts:
    check = CheckResult(
        id="AC-1",
        passed=code == 0,
        attempt=AttemptId("A2"),
        command=CHECK,
        exit_code=code,
        reason="" if code == 0 else "x",
    )
    changes = (
        Change(path="src/pkg/a.py", how="modified", old_mode="100644", new_mode="100644"),
        Change(path="src/pkg/old.py", how="deleted", old_mode="100644", new_mode="000000"),
    )
    there = {"src/pkg/a.py:3", "**/src/pkg/a.py:3", "**/pkg/a.py:3", "**/a.py:3"}
    whole: dict[str, Any] = {
        "criteria": (Criterion(id="AC-1", text="It works.", check=CHECK),),
        "tree": Tree("t1"),
        "commit": None,
        "checks": (check,),
        "changes": changes,
        "claim": claim,
        "claimed": {each: each in there for each in looked_up(claim)},
    }
    return Facts(**(whole | said))


def found(claim: Result, **said: Any) -> list[Finding]:
    return [each for each in found_without_review(facts(claim, **said)) if each.kind == "claim"]


@pytest.mark.parametrize(
    ("evidence", "named"),
    [
        ("src/pkg/a.py:999", "src/pkg/a.py:999"),
        ("see the tests, `src/nowhere.py:1`", "src/nowhere.py:1"),
        ("nowhere.py:1", "nowhere.py:1"),
        ("./src/b.py:2-4", "src/b.py:2-4"),
        ("src/b.py:2:7", "src/b.py:2"),
        ("../../etc/passwd:1", "../../etc/passwd:1"),
        ("src/pkg/a.py:3\nsrc/b.py:1", "src/b.py:1"),
    ],
)
def test_evidence_that_is_not_in_the_tree_is_a_finding(evidence: str, named: str) -> None:
    (one,) = found(claimed(criteria=[{"id": "AC-1", "met": True, "evidence": evidence}]))

    assert (one.criterion, one.place) == ("AC-1", named)
    assert one.text == f"the builder says it is met on evidence that is not in its tree: {named}"


@pytest.mark.parametrize(
    "evidence",
    [
        "",
        "src/pkg/a.py:3",
        "pkg/a.py:3",
        "a.py:3",
        "The helper in src/nowhere.py:12 was what I looked at first.",
        "localhost:8080",
        "127.0.0.1:80",
        "example.com:443",
        "http://example.com:443",
        "registry.example.com/image:3",
        "/srv/me/work/src/b.py:3",
        "~/src/b.py:3",
        "tests/test_a.py::test_it",
        "12:30",
        "make test: 12 passed",
        "removed: src/pkg/old.py:9, old.py:9",
        "src/pkg/old.py:9",
        "Makefile:3",
        "exit 0",
    ],
)
def test_prose_and_places_elsewhere_are_nobody_s_business(evidence: str) -> None:
    assert found(claimed(criteria=[{"id": "AC-1", "met": True, "evidence": evidence}])) == []


def test_evidence_that_nobody_looked_up_is_not_denied() -> None:
    assert found(claimed(criteria=[{"id": "AC-1", "met": True, "evidence": "src/b.py:1"}]), claimed={}) == []


def test_evidence_for_what_is_not_met_is_not_looked_at() -> None:
    assert found(claimed(criteria=[{"id": "AC-1", "met": False, "evidence": "src/b.py:1"}])) == []


def test_a_criterion_that_the_step_does_not_have_is_a_finding() -> None:
    claim = claimed(criteria=[{"id": "AC-1", "met": True}, {"id": "AC-7", "met": True}, {"id": "AC-7", "met": False}])

    (one,) = found(claim)

    assert one.place == "AC-7"
    assert one.text == "the builder speaks of AC-7, and this step has no such criterion; it has: AC-1"


def test_a_criterion_of_the_step_that_is_not_judged_here_is_known() -> None:
    claim = claimed(criteria=[{"id": "AC-7", "met": True}])

    assert found(claim, known=("AC-1", "AC-7")) == []


def test_a_check_said_to_have_passed_that_fails_is_a_finding() -> None:
    claim = claimed(commands=[{"command": CHECK, "exit_code": 1}, {"command": f" {CHECK}\n", "exit_code": 0}])

    (one,) = found(claim, code=2)

    assert one.text == "the builder says that its check ended with 0, and here it ends with 2"


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ([{"command": CHECK, "exit_code": 0}], 0),
        ([{"command": CHECK, "exit_code": 1}], 0),
        ([{"command": CHECK, "exit_code": 0}, {"command": CHECK, "exit_code": 1}], 1),
        ([{"command": f"{CHECK} -v", "exit_code": 0}], 1),
    ],
)
def test_a_builder_that_says_what_it_saw_claims_nothing_false(commands: list[Json], code: int) -> None:
    assert found(claimed(commands=commands), code=code) == []


@pytest.mark.parametrize("outcome", ["blocked", "failed"])
def test_who_does_not_say_that_it_is_done_claims_nothing(outcome: str) -> None:
    claim = claimed(outcome=outcome, criteria=[{"id": "AC-7", "met": True, "evidence": "src/b.py:1"}])

    assert found(claim) == []


def test_each_reference_is_looked_up_once_and_in_any_folder() -> None:
    claim = claimed(
        criteria=[
            {"id": "AC-1", "met": True, "evidence": "a.py:1; a.py:1"},
            {"id": "AC-2", "met": True, "evidence": "x"},
        ]
    )

    assert looked_up(claim) == ("a.py:1", "**/a.py:1")
    assert references(Claim(id="AC-1", met=True, evidence="a.py:1, b/c.py:2-3")) == ("a.py:1", "b/c.py:2-3")
