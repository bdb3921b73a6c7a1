"""The verdict on one tree: what passes, what does not, and why."""

from typing import Any

import msgspec
import pytest

from punchlist.model.ids import AttemptId, Commit, Digest, FindingId, Tree
from punchlist.model.jobs import Change
from punchlist.model.json import digest
from punchlist.model.proofs import CheckResult
from punchlist.model.records import Criterion, Scope
from punchlist.model.results import Claim, Result, ReviewedCriterion
from punchlist.model.states import FindingStatus
from punchlist.model.verdicts import Finding, Judged, Verdict, Waiver
from punchlist.quality.facts import Facts
from punchlist.quality.findings import ledger
from punchlist.quality.verdict import clean, deterministic, judge

CHECKED = Criterion(id="AC-1", text="It passes.", check="make test", timeout="5m")
READ = Criterion(id="AC-2", text="It is documented.", review=True)
GREEN = CheckResult(
    id="AC-1", passed=True, attempt=AttemptId("A2"), command="make test", exit_code=0, output_digest=Digest("d0")
)
RED = msgspec.structs.replace(
    GREEN, passed=False, exit_code=1, tail="one\n\nassert 1 == 2\n", output_digest=Digest("d1")
)
CHANGE = Change(path="src/a.py", how="modified", old_mode="100644", new_mode="100644")
FACTS = Facts(
    criteria=(CHECKED, READ),
    tree=Tree("t1"),
    commit=Commit("c1"),
    shows={"AC-1": "goal"},
    checks=(GREEN,),
    assigned=("AC-2",),
    changes=(CHANGE,),
    attempt=AttemptId("A1"),
)


def passes(name: str = "AC-2", *evidence: str) -> ReviewedCriterion:
    return ReviewedCriterion(id=name, verdict="pass", evidence=evidence or ("README.md:3",))


def fails(name: str = "AC-2", *, text: str = "Say what it does.") -> ReviewedCriterion:
    return ReviewedCriterion(id=name, verdict="fail", finding=text, evidence=("src/a.py:1", "gone.py:1"))


def given(**changes: Any) -> Facts:
    """Return facts of a tree that passes, but for `changes`."""
    whole = {
        "review": (passes(),),
        "review_attempts": (AttemptId("A3"),),
        "evidence": {"README.md:3": True, "src/a.py:1": True},
    }
    return msgspec.structs.replace(FACTS, **(whole | changes))


def waive(found: Finding, **changes: str) -> Waiver:
    waiver = Waiver(
        finding=FindingId("F1"), fingerprint=found.fingerprint, criterion=found.criterion, by="Ann", reason="later"
    )
    return msgspec.structs.replace(waiver, **changes)


def kinds(verdict: Verdict) -> list[str]:
    return [found.kind for found in verdict.findings]


def judged(verdict: Verdict, name: str) -> Judged:
    return {each.id: each for each in verdict.criteria}[name]


def test_all_that_is_asked_for_passes() -> None:
    assert judge(given()) == Verdict(
        result="pass",
        tree=Tree("t1"),
        commit=Commit("c1"),
        criteria=(
            Judged(id="AC-1", verdict="pass", by=("check",), evidence=("A2 exit 0 sha256:d0",)),
            Judged(id="AC-2", verdict="pass", by=("qa",), evidence=("README.md:3",)),
        ),
        findings=(),
        reason_code="all_pass",
        next_action="Integrate the tree.",
        checks_digest=digest([["AC-1", "make test", "5m"]]),
        attempt=AttemptId("A1"),
    )


def test_a_red_check_fails_with_its_output_and_says_what_to_do() -> None:
    verdict = judge(given(checks=(RED,), review=None))

    (found,) = verdict.findings
    assert (found.kind, found.criterion, found.evidence) == ("check", "AC-1", ("A2 exit 1 sha256:d1",))
    assert (found.text, found.output) == ("the check fails: exit 1", "one\n\nassert 1 == 2")
    assert (verdict.result, verdict.reason_code) == ("fail", "checks_fail")
    assert verdict.next_action == "Make the failing checks pass: AC-1."
    assert judged(verdict, "AC-1").finding == "the check fails: exit 1"
    assert judged(verdict, "AC-2").finding == "not judged: what needs no reviewer comes first"


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"exit_code": None}, "the check fails: it did not end by itself"),
        ({"exit_code": None, "reason": "passed its timeout of 5m"}, "the check fails: passed its timeout of 5m"),
    ],
)
def test_a_check_that_did_not_end_says_so(result: dict[str, object], said: str) -> None:
    (found,) = deterministic(given(checks=(msgspec.structs.replace(RED, tail="", **result),)))

    assert found.text == said
    assert found.evidence == ("A2 no exit code sha256:d1",)


def test_a_long_output_is_cut_to_its_end() -> None:
    tail = "\n".join(f"line {number}" for number in range(100))

    (found,) = deterministic(given(checks=(msgspec.structs.replace(RED, tail=tail),)))

    assert found.output.splitlines() == [f"line {number}" for number in range(60, 100)]


def test_qa_cannot_overrule_a_failed_check() -> None:
    verdict = judge(given(checks=(RED,), assigned=("AC-1", "AC-2"), review=(passes("AC-1"), passes())))

    assert (verdict.result, judged(verdict, "AC-1").verdict) == ("fail", "fail")
    assert judged(verdict, "AC-1").by == ("check", "qa")


def test_a_check_cannot_overrule_a_failed_review() -> None:
    verdict = judge(given(assigned=("AC-1", "AC-2"), review=(fails("AC-1"), passes())))

    assert (verdict.result, verdict.reason_code) == ("fail", "review_fails")
    (found,) = verdict.findings
    assert (found.text, found.place) == ("Say what it does.", "src/a.py")
    assert found.evidence == ("src/a.py:1", "gone.py:1", "A3")


def test_a_green_check_that_found_no_tests_is_not_passed() -> None:
    verdict = judge(given(checks=(msgspec.structs.replace(GREEN, cannot_run=True, reason="unittest found no tests"),)))

    assert (verdict.result, kinds(verdict)) == ("fail", ["check"])


def test_flaky_is_a_pass_that_is_shown() -> None:
    verdict = judge(given(checks=(msgspec.structs.replace(GREEN, flaky=True),)))

    assert verdict.result == "pass"
    assert judged(verdict, "AC-1").flaky


def test_paths_outside_the_scope_are_findings_each() -> None:
    paths = ("src/a.py", "ci.yml", "src/secret.py")
    changes = tuple(msgspec.structs.replace(CHANGE, path=path) for path in paths)

    verdict = judge(given(changes=changes, scope=Scope(allow=("src/**",), deny=("src/secret.py",))))

    assert [found.text for found in verdict.findings] == [
        "ci.yml was changed, outside the scope of this step",
        "src/secret.py was changed, inside scope.deny of this step",
    ]
    assert verdict.reason_code == "out_of_scope"
    assert verdict.next_action == "Undo the changes outside the step's scope: ci.yml, src/secret.py."
    assert {each.verdict for each in verdict.criteria} == {"pass"}


def test_very_many_paths_outside_are_told_by_folder() -> None:
    changes = tuple(msgspec.structs.replace(CHANGE, path=f"lib/{number}.js") for number in range(60))
    single = msgspec.structs.replace(CHANGE, path="x.txt")

    verdict = judge(given(changes=(*changes, single), scope=Scope(allow=("src/**",))))

    assert [found.place for found in verdict.findings] == ["lib/ (60 paths)", "x.txt"]


def test_the_tasks_own_criteria_have_neither_scope_nor_emptiness() -> None:
    assert judge(given(changes=None, scope=Scope(allow=("nothing",)))).result == "pass"


def test_no_change_where_a_goal_is_open_is_a_finding() -> None:
    verdict = judge(given(changes=(), checks=(RED,), review=None))

    assert kinds(verdict) == ["check", "empty"]
    assert (verdict.reason_code, verdict.next_action) == ("empty_diff", "Make the change: nothing was changed.")


def test_no_change_where_every_goal_holds_already_passes() -> None:
    assert judge(given(changes=())).result == "pass"


def test_no_change_under_a_red_guard_is_no_finding_of_its_own() -> None:
    assert kinds(judge(given(changes=(), checks=(RED,), shows={"AC-1": "guard"}))) == ["check"]


def test_a_claim_against_the_facts_is_a_finding() -> None:
    claim = Result(
        schema="punchlist/result/1", outcome="done", criteria=(Claim(id="AC-1", met=True), Claim(id="AC-2", met=True))
    )

    verdict = judge(given(checks=(RED,), claim=claim))

    assert [(found.kind, found.criterion) for found in verdict.findings] == [("check", "AC-1"), ("claim", "AC-1")]


@pytest.mark.parametrize("changes", [{"outcome": "failed"}, {"criteria": (Claim(id="AC-1", met=False),)}])
def test_an_honest_builder_is_not_blamed(changes: dict[str, object]) -> None:
    claim = Result(schema="punchlist/result/1", outcome="done", criteria=(Claim(id="AC-1", met=True),))

    verdict = judge(given(checks=(RED,), claim=msgspec.structs.replace(claim, **changes)))

    assert kinds(verdict) == ["check"]


def test_a_criterion_that_nobody_judges_is_uncovered() -> None:
    verdict = judge(given(checks=(), assigned=(), review=None))

    assert [found.text for found in verdict.findings] == [
        "its check was not run on this tree",
        "it has no check, and no reviewer is asked",
    ]
    assert (verdict.result, verdict.reason_code) == ("fail", "uncovered")


def test_a_conflict_is_a_finding_that_nobody_can_waive() -> None:
    (found,) = judge(given(conflicts=("src/a.py",))).findings

    verdict = judge(given(conflicts=("src/a.py",), waivers=(waive(found),)))

    assert (verdict.result, verdict.reason_code, verdict.waivers) == ("fail", "conflict", ())


def test_a_review_that_did_not_come_never_passes() -> None:
    verdict = judge(given(review=None))

    assert [(found.kind, found.criterion) for found in verdict.findings] == [("uncovered", "AC-2")]
    assert verdict.result == "fail"


def test_a_review_that_misses_a_criterion_never_passes() -> None:
    verdict = judge(given(assigned=("AC-1", "AC-2")))

    assert [(found.kind, found.criterion) for found in verdict.findings] == [("uncovered", "AC-1")]


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (passes("AC-9"), "AC-9 was not asked for"),
        (passes(), "AC-2 was judged 2 times"),
        (fails(text=""), "AC-2 fails without a finding"),
    ],
)
def test_a_review_that_cannot_be_used_never_passes(extra: ReviewedCriterion, said: str) -> None:
    verdict = judge(given(review=(passes(), extra)))

    assert verdict.result == "fail"
    assert any(said in found.text for found in verdict.findings)


def test_evidence_that_does_not_exist_is_a_finding() -> None:
    verdict = judge(given(review=(passes("AC-2", "README.md:3", "../../x", "AC-9"),)))

    assert [(found.kind, found.place) for found in verdict.findings] == [("evidence", "../../x"), ("evidence", "AC-9")]
    assert (verdict.reason_code, judged(verdict, "AC-2").verdict) == ("evidence_missing", "fail")


def test_a_pass_without_evidence_is_none() -> None:
    review = (ReviewedCriterion(id="AC-2", verdict="pass", evidence="looks fine to me"),)

    (found,) = judge(given(review=review, review_attempts=())).findings

    assert (found.kind, found.evidence) == ("evidence", ())


def test_the_output_of_a_check_is_evidence() -> None:
    assert judge(given(review=(passes("AC-2", "AC-1"),))).result == "pass"


def test_a_reviewer_that_edits_what_it_judges_is_found_out() -> None:
    verdict = judge(given(exam_changed=("src/a.py",)))

    assert (verdict.result, verdict.reason_code, kinds(verdict)) == ("fail", "exam_changed", ["exam_changed"])


def test_a_waived_finding_counts_as_passed_and_is_shown() -> None:
    (found,) = judge(given(checks=(RED,), review=None)).findings
    claim = Result(schema="punchlist/result/1", outcome="done", criteria=(Claim(id="AC-1", met=True),))

    verdict = judge(given(checks=(RED,), changes=(), claim=claim, waivers=(waive(found),)))

    assert (verdict.result, verdict.reason_code, verdict.next_action) == (
        "pass",
        "waived",
        "Integrate the tree; 1 waived.",
    )
    assert judged(verdict, "AC-1") == Judged(
        id="AC-1", verdict="waived", by=("check", "human"), finding="the check fails: exit 1",
        evidence=("A2 exit 1 sha256:d1", "waived by Ann: later"),
    )  # fmt: skip
    assert [found.state for found in verdict.findings] == [FindingStatus.WAIVED]
    assert verdict.waivers == (waive(found),)


def test_a_waiver_of_another_criterion_changes_nothing() -> None:
    (found,) = judge(given(checks=(RED,), review=None)).findings

    assert judge(given(checks=(RED,), waivers=(waive(found, criterion="AC-2"),))).result == "fail"


def test_a_waived_path_outside_the_scope_passes() -> None:
    (found,) = judge(given(scope=Scope(allow=("lib/**",)))).findings

    assert judge(given(scope=Scope(allow=("lib/**",)), waivers=(waive(found),))).result == "pass"


def test_a_reviewer_is_paid_only_when_nothing_else_stands_in_the_way() -> None:
    (found,) = deterministic(given(checks=(RED,)))

    assert clean(given(review=None))
    assert not clean(given(checks=(RED,)))
    assert clean(given(checks=(RED,), waivers=(waive(found),)))


def test_between_rounds_a_finding_is_repeated_closed_or_regressed() -> None:
    first, second = judge(given(checks=(RED,), review=None)), judge(given(scope=Scope(allow=("lib/**",))))

    numbered = msgspec.structs.replace(first.findings[0], id=FindingId("F7"))
    repeated = judge(given(checks=(RED,), previous=(numbered,)))
    regressed = judge(given(checks=(RED,), previous=ledger([first, second])))

    assert [found.state for found in first.findings] == [FindingStatus.OPEN]
    assert [(found.state, found.id) for found in repeated.findings] == [(FindingStatus.REPEATED, "F7")]
    assert [found.state for found in regressed.findings] == [FindingStatus.REGRESSED]
    assert [(found.kind, found.state) for found in ledger([first, second])] == [
        ("check", FindingStatus.CLOSED),
        ("scope", FindingStatus.OPEN),
    ]


def test_what_was_not_enforced_is_told() -> None:
    assert judge(given(unenforced=("no network",))).unenforced == ("no network",)


def test_a_person_who_asks_for_more_in_the_middle_of_a_try_is_not_passed_over() -> None:
    facts = given(messages=("use the existing\nhelper",))

    verdict = judge(facts)

    assert (verdict.result, verdict.reason_code) == ("fail", "person_asks")
    assert verdict.next_action == "Change what a person asked for: use the existing helper."
    assert not clean(facts)
