"""When another round makes no sense."""

import msgspec
import pytest

from punchlist.model.ids import AttemptId, Digest, Tree
from punchlist.model.states import FindingStatus
from punchlist.model.verdicts import Finding, Verdict
from punchlist.quality.findings import finding
from punchlist.quality.rework import masked, stagnates


def verdict(tree: str, *findings: Finding, attempt: str | None = None, passed: bool = False) -> Verdict:
    return Verdict(
        result="pass" if passed else "fail", tree=Tree(tree), commit=None, criteria=(), findings=findings,
        reason_code="", next_action="", checks_digest=Digest(""), attempt=AttemptId(attempt) if attempt else None,
    )  # fmt: skip


def red(output: str, *, criterion: str = "AC-1") -> Finding:
    return finding("check", "the check fails: exit 1", criterion=criterion, output=output)


def test_no_round_and_one_round_do_not_stagnate() -> None:
    assert stagnates([]) == ""
    assert stagnates([verdict("t1", red("x"))]) == ""


def test_a_tree_that_any_earlier_round_was_judged_on_stagnates() -> None:
    rounds = [verdict("t1", red("x")), verdict("t2", red("y")), verdict("t1", red("z"))]

    assert stagnates(rounds) == "the tree is the one that round 1 was judged on"
    assert stagnates([verdict("t1", red("x"))], trees=[Tree("t1")]) == "the tree was judged in an earlier round"


def test_a_round_that_passes_does_not_stagnate() -> None:
    assert stagnates([verdict("t1", red("x")), verdict("t1", passed=True)]) == ""


def test_judging_one_attempt_again_is_no_new_round() -> None:
    assert stagnates([verdict("t1", red("x"), attempt="A1"), verdict("t1", red("y"), attempt="A1")]) == ""


def test_the_same_findings_with_the_same_output_twice_running_stagnate() -> None:
    one = verdict("t1", red("at 0x7f3a in 0.12s\nE  assert 1 == 2"))
    two = verdict("t2", red("at 0x8e21 in 3.40s\nE  assert 1 == 2"))

    assert stagnates([one, two]) == "the same findings are open with the same output in two rounds running"


@pytest.mark.parametrize(
    "other",
    [
        (red("another output"),),
        (red("same"), red("same", criterion="AC-2")),
        (msgspec.structs.replace(red("same"), state=FindingStatus.WAIVED), red("same", criterion="AC-2")),
    ],
)
def test_a_round_that_shows_something_else_goes_on(other: tuple[Finding, ...]) -> None:
    assert stagnates([verdict("t1", red("same")), verdict("t2", *other)]) == ""


def test_the_same_again_but_not_running_goes_on() -> None:
    assert stagnates([verdict("t1", red("a")), verdict("t2", red("b")), verdict("t3", red("a"))]) == ""


def test_a_check_that_says_nothing_is_no_sign_of_standing_still() -> None:
    assert stagnates([verdict("t1", red("")), verdict("t2", red(""))]) == ""


def test_the_same_path_outside_the_scope_twice_running_stagnates() -> None:
    outside = finding("scope", "x was changed", place="x")

    assert stagnates([verdict("t1", outside), verdict("t2", outside)]) != ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-21T10:00:00.123Z done", "<time> done"),
        ("12 passed in 0.45s", "12 passed in <time>"),
        ("at 10:11:12,345 and 3 minutes", "at <time> and <time>"),
        ("<A object at 0x7f00aa>", "<A object at <address>>"),
        ('File "/tmp/w1/src/a.py", line 3', 'File "<path>", line 3'),
        ("src/a.py: 1/2 = 0.5", "src/a.py: 1/2 = 0.5"),
    ],
)
def test_times_addresses_and_paths_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown
