"""What a reviewer is asked, and which of its answers can be used."""

import msgspec
import pytest

from punchlist.model.jobs import Change
from punchlist.model.records import Criterion
from punchlist.model.results import Review, ReviewedCriterion
from punchlist.quality.review import in_tree, references, review_problems, to_review

CHECKED = Criterion(id="AC-1", text="a", check="python -m pytest tests/test_new.py")
MARKED = Criterion(id="AC-2", text="b", check="make test", review=True)
READ = Criterion(id="AC-3", text="c", review=True)
ALL = (CHECKED, MARKED, READ)


def change(path: str) -> Change:
    return Change(path=path, how="added", old_mode="", new_mode="100644")


def ids(criteria: tuple[Criterion, ...]) -> list[str]:
    return [each.id for each in criteria]


def review(*criteria: dict[str, object]) -> Review:
    return msgspec.convert({"schema": "punchlist/review/1", "criteria": list(criteria)}, Review)


def test_always_asks_for_every_criterion_and_never_for_none() -> None:
    assert to_review(ALL, {}, policy_review="always", wrote=()) == ALL
    assert to_review(ALL, {}, policy_review="never", wrote=()) == ()


def test_uncovered_asks_for_what_is_marked_and_what_has_no_check() -> None:
    assert ids(to_review(ALL, {"AC-1": "goal"}, policy_review="uncovered", wrote=None)) == ["AC-2", "AC-3"]


def test_uncovered_asks_for_goals_whose_check_the_step_wrote() -> None:
    wrote = [change("tests/test_new.py")]

    assert ids(to_review(ALL, {"AC-1": "goal"}, policy_review="uncovered", wrote=wrote)) == ["AC-1", "AC-2", "AC-3"]
    assert ids(to_review(ALL, {"AC-1": "guard"}, policy_review="uncovered", wrote=wrote)) == ["AC-2", "AC-3"]


@pytest.mark.parametrize(
    ("evidence", "found"),
    [
        (["src/a.py:3"], ("src/a.py:3",)),
        (["src/a.py:3-9", "`src/b.py:1`"], ("src/a.py:3", "src/b.py:1")),
        ("src/a.py:3, AC-1; README.md", ("src/a.py:3", "AC-1", "README.md")),
        ("see src/a.py:3 and the output of AC-2.", ("src/a.py:3", "AC-2")),
        (["it looks good to me"], ()),
        (["../../etc/passwd"], ("../../etc/passwd",)),
        ("", ()),
        (["a:1", "a:1"], ("a:1",)),
    ],
)
def test_references_are_found_in(evidence: object, found: tuple[str, ...]) -> None:
    reviewed = msgspec.convert({"id": "AC-1", "verdict": "pass", "evidence": evidence}, ReviewedCriterion)

    assert references(reviewed) == found


def test_only_references_to_the_tree_are_looked_up_there() -> None:
    given = review({"id": "AC-1", "verdict": "pass", "evidence": "a.py:1, AC-1"}, {"id": "AC-2", "verdict": "fail"})

    assert in_tree(given) == ("a.py:1",)


def test_a_whole_review_has_no_problems() -> None:
    given = review(
        {"id": "AC-1", "verdict": "pass", "evidence": ["a.py:1", "AC-1"]},
        {"id": "AC-3", "verdict": "fail", "finding": "say what it does"},
    )

    assert review_problems(given, ["AC-1", "AC-3"], evidence={"a.py:1": True}) == ()
    assert review_problems(given, ["AC-1", "AC-3"]) == ()


def test_all_problems_of_a_review_are_listed_at_once() -> None:
    given = review(
        {"id": "AC-1", "verdict": "pass"},
        {"id": "AC-2", "verdict": "fail", "finding": "  "},
        {"id": "AC-2", "verdict": "pass", "evidence": "a.py:99"},
        {"id": "AC-9", "verdict": "pass", "evidence": "AC-9"},
    )

    assert review_problems(given, ["AC-1", "AC-2", "AC-3"], evidence={"a.py:99": False}) == (
        "AC-3 was not judged",
        "AC-9 was not asked for; allowed: AC-1, AC-2, AC-3",
        "AC-2 was judged 2 times",
        "AC-2 fails without a finding that says what to change",
        "AC-1 passes without evidence; give path:line, or the id of a criterion whose check shows it",
        "AC-2: evidence a.py:99 does not exist in the judged tree",
    )


def test_without_a_lookup_references_are_left_to_the_verdict() -> None:
    given = review({"id": "AC-1", "verdict": "pass", "evidence": "a.py:99"})

    assert review_problems(given, ["AC-1"]) == ()
