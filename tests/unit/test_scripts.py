import pytest

from punchlist.errors import DefinitionError
from punchlist.workers.script import ReviewTurn, Situation, Turn, When, fits, read_script, review_of, turn_for

HERE = Situation(role="builder", step="T1.2", title="Say hello", round=1, criteria=("AC-1", "AC-2"))


@pytest.mark.parametrize(
    "when",
    [
        When(),
        When(role="builder"),
        When(step=2),
        When(step="T1.2"),
        When(step="Say hello"),
        When(criterion="AC-2"),
        When(round=1),
        When(round=(0, 1)),
        When(role="builder", step=2, criterion="AC-1", round=1),
    ],
)
def test_a_turn_fits_when_all_that_it_says_holds(when: When) -> None:
    assert fits(when, HERE)


@pytest.mark.parametrize(
    "when",
    [
        When(role="qa"),
        When(step=1),
        When(step="T1.1"),
        When(step="say hello"),
        When(criterion="AC-3"),
        When(round=0),
        When(round=()),
        When(role="builder", step=2, criterion="AC-1", round=0),
    ],
)
def test_a_turn_does_not_fit_when_anything_that_it_says_does_not_hold(when: When) -> None:
    assert not fits(when, HERE)


def test_the_first_turn_that_fits_is_taken() -> None:
    script = read_script(
        "turns: [{when: {role: qa}, print: a}, {when: {round: 1}, print: b}, {print: c}]", what="s.yaml"
    )

    assert turn_for(script, HERE, what="s.yaml").print == "b"
    assert turn_for(script, Situation(role="planner"), what="s.yaml").print == "c"


def test_without_a_turn_that_fits_the_situation_is_told() -> None:
    script = read_script("turns: [{when: {role: qa}}]", what="s.yaml")

    with pytest.raises(DefinitionError) as caught:
        turn_for(script, HERE, what="s.yaml")

    for part in ("s.yaml", "'builder'", "'T1.2'", "'Say hello'", "round 1", "Add a turn"):
        assert part in str(caught.value)


def test_all_problems_of_a_script_are_named_at_once() -> None:
    text = "{turns: [{wen: {role: qa}}, {when: {role: boss}}, {run: {command: x}}], more: 1}"

    with pytest.raises(DefinitionError) as caught:
        read_script(text, what="s.yaml")

    for part in ("'wen'", "turns[1].when.role", "'exit'", "'more'"):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["/etc/passwd", "../a", "a/../../b", "a/..", "", "."])
def test_a_file_outside_the_work_folder_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError, match="inside the work folder"):
        read_script(f"turns: [{{append: {{'{name}': x}}, delete: ['{name}']}}]", what="s.yaml")


@pytest.mark.parametrize(
    "text", ["- a", "7", "", "a: [b", "turns: &t [*t]", "{[1, 2]: 3}", "turns: !!python/name:os.system x"]
)
def test_what_is_no_script_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match=r"s\.yaml"):
        read_script(text, what="s.yaml")


@pytest.mark.parametrize("depth", [300, 100_000])
def test_a_script_that_is_nested_too_deeply_is_refused(depth: int) -> None:
    with pytest.raises(DefinitionError, match="nested too deeply"):
        read_script(f"turns: {'[' * depth}{']' * depth}", what="s.yaml")


def test_a_turn_may_say_nothing() -> None:
    assert read_script("turns: [{}]", what="s.yaml").turns == (Turn(),)


def test_all_means_the_criteria_of_the_pack_that_do_not_fail() -> None:
    pack = {
        "criteria": [{"id": "AC-1"}, {"id": "AC-2"}, {"id": "AC-3"}],
        "checks": [{"id": "AC-1"}],
        "changes": ["deleted b.py", "modified a.py"],
    }

    review = review_of(ReviewTurn(pass_="all", fail={"AC-2": "Too slow."}, suggestions=("Tidy up.",)), pack)

    assert review == {
        "schema": "punchlist/review/1",
        "criteria": [
            {"id": "AC-2", "verdict": "fail", "finding": "Too slow."},
            {"id": "AC-1", "verdict": "pass", "evidence": ["AC-1"]},
            {"id": "AC-3", "verdict": "pass", "evidence": ["a.py:1"]},
        ],
        "suggestions": ["Tidy up."],
    }


def test_a_review_may_leave_criteria_out_and_give_its_own_evidence() -> None:
    review = review_of(
        ReviewTurn(pass_=("AC-1",), evidence="README.md:3"), {"criteria": [{"id": "AC-1"}, {"id": "AC-2"}]}
    )

    assert review["criteria"] == [{"id": "AC-1", "verdict": "pass", "evidence": ["README.md:3"]}]


def test_a_review_in_full_is_taken_as_it_is() -> None:
    review = review_of(ReviewTurn(criteria=({"id": "AC-9", "verdict": "maybe"},)), {})

    assert review["criteria"] == [{"id": "AC-9", "verdict": "maybe"}]
