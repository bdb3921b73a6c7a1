"""What a reviewer's tools take: a whole review, or every problem of it at once."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.jobs import Role
from punchlist.model.results import Review
from punchlist.quality.review import review_problems
from tests.tooled import REVIEW_PACK, Tooled

PASS = {"id": "AC-1", "verdict": "pass", "evidence": ["AC-1", "src/greet.py:3-9"]}
FAIL = {"id": "AC-2", "verdict": "fail", "finding": "greet.py:1 says Oi; say Hello."}


@pytest.fixture
def tooled(tmp_path: Path) -> Tooled:
    return Tooled(tmp_path, Role.QA)


def problems(tooled: Tooled, *criteria: dict[str, Any], **arguments: Any) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionError) as raised:
        tooled.call("record_qa_result", criteria=[*criteria], **arguments)
    assert not (tooled.io / "result.json").exists()
    return [(each.where, each.message) for each in raised.value.problems]


def test_a_reviewer_has_these_tools_and_no_others(tooled: Tooled) -> None:
    assert [*tooled.tools] == ["get_review_pack", "record_qa_result"]


def test_the_pack_is_given_as_it_is(tooled: Tooled) -> None:
    assert tooled.call("get_review_pack") == {"pack": REVIEW_PACK}


def test_a_whole_review_is_what_the_engine_takes_it_for(tooled: Tooled) -> None:
    said = tooled.call("record_qa_result", criteria=[PASS, FAIL], suggestions=["Add a farewell."])

    review = msgspec.convert(tooled.outcome().result, Review)
    assert said["fails"] == ["AC-2"]
    assert review_problems(review, ["AC-1", "AC-2"]) == ()
    assert review.suggestions == ("Add a farewell.",)


def test_a_review_that_leaves_criteria_out_is_refused(tooled: Tooled) -> None:
    assert problems(tooled, PASS) == [("criteria", "not judged: AC-2")]
    assert problems(tooled) == [("criteria", "not judged: AC-1, AC-2")]


def test_every_problem_of_a_review_is_named_at_once(tooled: Tooled) -> None:
    found = problems(
        tooled,
        {"id": "AC-9", "verdict": "fail", "finding": "Anything."},
        {"id": "AC-1", "verdict": "pass"},
        {"id": "AC-1", "verdict": "fail"},
        {"id": "AC-2", "verdict": "pass", "evidence": ["AC-2", "../x.py:1", "/etc/passwd", "ok.py:1"]},
    )

    assert found == [
        ("criteria[0].id", "AC-9 was not asked for"),
        ("criteria[1].evidence", "a pass without a reference that could be looked up"),
        ("criteria[2].id", "AC-1 is judged by criteria[1] already"),
        ("criteria[2].finding", "it is missing, and the verdict is fail"),
        ("criteria[3].evidence", "'AC-2' is no evidence"),
        ("criteria[3].evidence", "'../x.py:1' is no evidence"),
        ("criteria[3].evidence", "'/etc/passwd' is no evidence"),
    ]


def test_a_review_of_the_wrong_shape_is_refused_with_its_paths(tooled: Tooled) -> None:
    found = problems(tooled, {"id": "AC-1", "verdict": "accepted", "by": "me"}, {"verdict": "pass"}, approved=True)

    assert {where.partition(".")[0] for where, _ in found} >= {"approved", "criteria[0]", "criteria[1]"}


def test_a_pack_that_is_none_is_said_so(tmp_path: Path) -> None:
    tooled = Tooled(tmp_path, Role.QA, pack={"schema": "punchlist/review-pack/1"})

    with pytest.raises(RefusedError, match="what is to be judged cannot be read"):
        tooled.call("record_qa_result", criteria=[PASS])
