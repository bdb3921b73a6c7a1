"""Laws of the verdict over any facts."""

import msgspec
from hypothesis import given, strategies as st

from punchlist.model.ids import AttemptId, FindingId, Tree
from punchlist.model.jobs import Change
from punchlist.model.proofs import CheckResult
from punchlist.model.records import Criterion, Scope
from punchlist.model.results import Claim, Result, ReviewedCriterion
from punchlist.model.verdicts import Waiver
from punchlist.quality.facts import Facts
from punchlist.quality.findings import blocks, ledger
from punchlist.quality.verdict import clean, deterministic, judge

IDS = ["AC-1", "AC-2", "AC-3"]
BOOLS = st.booleans()
CLAIM = Result(schema="punchlist/result/1", outcome="done", criteria=(Claim(id="AC-1", met=True),))


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    criteria = tuple(
        Criterion(id=name, text="t", check="c" if draw(BOOLS) else None) for name in IDS[: draw(st.integers(1, 3))]
    )
    ids = [each.id for each in criteria]
    checks = tuple(
        CheckResult(
            id=each.id, passed=draw(BOOLS), attempt=AttemptId("A1"), command="c", exit_code=1, cannot_run=draw(BOOLS)
        )
        for each in criteria
        if each.check and draw(st.integers(0, 9))
    )
    reviewed = st.builds(
        ReviewedCriterion,
        id=st.sampled_from(IDS),
        verdict=st.sampled_from(["pass", "fail"]),
        evidence=st.sampled_from([(), ("a:1",), ("b:1",), ("AC-1",)]),
        finding=st.sampled_from(["", "mend it"]),
    )
    return Facts(
        criteria=criteria,
        tree=Tree("t"),
        commit=None,
        shows={name: draw(st.sampled_from(["goal", "guard", "cannot_run"])) for name in ids},
        checks=checks,
        assigned=tuple(draw(st.lists(st.sampled_from(ids), unique=True))),
        review=draw(st.none() | st.lists(reviewed, max_size=4).map(tuple)),
        evidence={"a:1": True, "b:1": False},
        exam_changed=draw(st.sampled_from([(), ("x",)])),
        changes=draw(st.sampled_from([None, (), (Change(path="a", how="added", old_mode="", new_mode=""),)])),
        scope=draw(st.sampled_from([Scope(), Scope(deny=("a",))])),
        claim=draw(st.sampled_from([None, CLAIM])),
        conflicts=draw(st.sampled_from([(), (), ("y",)])),
    )  # fmt: skip


def waivers_for(seen: Facts) -> tuple[Waiver, ...]:
    return tuple(
        Waiver(finding=FindingId("F1"), fingerprint=found.fingerprint, criterion=found.criterion, by="Ann", reason="r")
        for found in judge(seen).findings
    )


def with_waivers(seen: Facts) -> Facts:
    return msgspec.structs.replace(seen, waivers=waivers_for(seen))


@given(facts())
def test_a_pass_is_earned_criterion_by_criterion(seen: Facts) -> None:
    verdict = judge(seen)

    if verdict.result == "pass":
        green = {each.id for each in seen.checks if each.passed and not each.cannot_run}
        red = {each.id for each in seen.checks} - green
        reviewed = {each.id for each in seen.review or ()}
        assert verdict.findings == ()
        assert not red
        assert all(each.id in green for each in seen.criteria if each.check)
        assert all(each.id in reviewed for each in seen.criteria if not each.check)
        assert set(seen.assigned) <= reviewed
        assert all(each.verdict == "pass" for each in seen.review or ())
        assert not seen.conflicts
        assert not seen.exam_changed


@given(facts())
def test_what_does_not_pass_says_why(seen: Facts) -> None:
    verdict = judge(seen)

    assert (verdict.result == "fail") == any(blocks(found) for found in verdict.findings)
    assert [each.id for each in verdict.criteria] == [each.id for each in seen.criteria]
    assert len({found.fingerprint for found in verdict.findings}) == len(verdict.findings)
    assert all(found.id is None and found.text and found.fingerprint for found in verdict.findings)
    assert all(each.finding for each in verdict.criteria if each.verdict == "fail")
    assert verdict.next_action.endswith(".")


@given(facts())
def test_what_is_found_before_the_review_is_found_after_it(seen: Facts) -> None:
    assert set(deterministic(seen)) <= set(judge(seen).findings)
    assert clean(seen) == (not deterministic(seen))


@given(facts())
def test_waiving_everything_passes_but_for_conflicts_and_what_is_only_seen_then(seen: Facts) -> None:
    after = seen
    for _ in range(3):
        after = with_waivers(after)
    verdict = judge(after)

    assert (verdict.result == "fail") == bool(seen.conflicts)
    assert verdict.result == "fail" or verdict.reason_code == ("waived" if verdict.findings else "all_pass")


@given(facts())
def test_the_same_tree_judged_again_repeats_its_findings(seen: Facts) -> None:
    first = judge(seen)
    again = judge(msgspec.structs.replace(seen, previous=ledger([first])))

    assert {found.state for found in again.findings} <= {"repeated"}
    assert [found.fingerprint for found in again.findings] == [found.fingerprint for found in first.findings]
