import pytest

from punchlist.errors import DefinitionError
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import FailureClass, Role, Usage
from punchlist.model.states import AttemptStatus
from punchlist.ports import Exit
from punchlist.workers.answers import last_lines, outcome_of, read_answer, read_refused, read_usage

A1 = AttemptId("A1")


def test_the_facts_of_an_end_are_kept_whatever_came_of_it() -> None:
    ended = Exit(code=2, stderr=b"no\n", output_digest="ab", unenforced=("sandbox",), usage=b'{"output_tokens": 3}')

    outcome = outcome_of(A1, Role.BUILDER, ended=ended)

    assert (outcome.attempt, outcome.exit_code, outcome.tail, outcome.output_digest) == (A1, 2, "no", "ab")
    assert outcome.unenforced == ("sandbox",)
    assert outcome.usage == Usage(output_tokens=3)


def test_an_end_without_a_record_is_lost() -> None:
    outcome = outcome_of(A1, Role.BUILDER, ended=Exit(code=None))

    assert (outcome.status, outcome.failure) == (AttemptStatus.LOST, FailureClass.LOST)


def test_a_builder_whose_files_were_removed_has_not_said_that_it_is_done() -> None:
    gone = "its folder /w/A1 was removed while it ran"

    outcome = outcome_of(A1, Role.BUILDER, ended=Exit(code=0, gone=gone))

    assert (outcome.status, outcome.failure) == (AttemptStatus.FAILED, FailureClass.WORKER)
    assert outcome.reason == f"exit 0; {gone}, and its answer with it"


@pytest.mark.parametrize("limit", ["timeout", "silence", "output", "memory"])
def test_a_limit_goes_before_exit_code_and_result(limit: str) -> None:
    ended = Exit(
        code=0, limit=limit, stdout=b"last words\n", result=b'{"schema": "punchlist/result/1", "outcome": "done"}'
    )

    outcome = outcome_of(A1, Role.BUILDER, ended=ended)

    assert (outcome.status, outcome.failure, outcome.passed_limit) == (
        AttemptStatus.TIMED_OUT,
        FailureClass(limit),
        limit,
    )
    assert "limit" in outcome.reason
    assert outcome.reason.endswith("last words")


def test_a_signal_that_has_no_name_is_still_a_number() -> None:
    assert (
        outcome_of(A1, Role.BUILDER, ended=Exit(code=None, signal=99)).reason
        == "killed by signal 99 (unknown), no output"
    )


def test_a_blocked_builder_without_a_question_gives_its_summary() -> None:
    result = b'{"schema": "punchlist/result/1", "outcome": "blocked", "summary": "No access."}'

    outcome = outcome_of(A1, Role.BUILDER, ended=Exit(code=0, result=result))

    assert (outcome.failure, outcome.reason) == (FailureClass.BLOCKED, "No access.")


def test_a_review_is_taken_as_it_is() -> None:
    review = b'{"schema": "punchlist/review/1", "criteria": [{"id": "AC-1", "verdict": "pass", "evidence": "a.py:1"}]}'

    assert read_answer(Role.QA, review) == {
        "schema": "punchlist/review/1",
        "criteria": [{"id": "AC-1", "verdict": "pass", "evidence": "a.py:1"}],
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "nested"),
        (b"[" * 101 + b"]" * 101, "nested deeper than 100 levels"),
        (b"9007199254740992", "2^53"),
        (b'{"a": [-9007199254740992]}', "2^53"),
        (b"1e999", "not JSON"),
        (b"NaN", "not JSON"),
        (b" " * ((4 << 20) + 1), "larger than 4 MiB"),
    ],
)
def test_what_no_record_may_hold_is_refused_for_every_role(content: bytes, said: str) -> None:
    for role in (Role.BUILDER, Role.QA, Role.PLANNER, Role.NODE):
        with pytest.raises(DefinitionError, match=said.replace("^", r"\^")):
            read_answer(role, content)


@pytest.mark.parametrize("content", [b"true", b"null", b"1.5", b'"text"', b"[" * 100 + b"]" * 100, b"9007199254740991"])
def test_a_node_may_answer_any_json_within_bounds(content: bytes) -> None:
    assert read_answer(Role.NODE, content) == read_answer(Role.COMMAND, content)


@pytest.mark.parametrize(
    "content",
    [b"", b"7", b'{"input_tokens": -1}', b'{"input_tokens": "many"}', b'{"cost": 1}', b"\xff", None, b"[" * 10_000],
)
def test_usage_that_cannot_be_read_is_unknown_and_not_nothing(content: bytes | None) -> None:
    assert read_usage(content) is None


def test_usage_that_is_left_out_stays_unknown() -> None:
    assert read_usage(b'{"microdollars": 0}') == Usage(microdollars=0)


def test_the_last_lines_are_those_of_standard_error_where_it_speaks() -> None:
    assert last_lines(Exit(code=1, stdout=b"out", stderr=b"a\nb\nc\n\n"), count=2) == "b\nc"
    assert last_lines(Exit(code=1, stdout=b"caf\xc3\xa9 \xff\n")) == "café \N{REPLACEMENT CHARACTER}"
    assert last_lines(Exit(code=1)) == ""


def test_what_typed_tools_refused_is_part_of_the_outcome() -> None:
    line = b'{"tool": "record_builder_result", "code": "refused", "message": "A1 has its\\nanswer already"}'

    outcome = outcome_of(A1, Role.BUILDER, ended=Exit(code=0, refused=line))

    assert outcome.refused == ("record_builder_result: A1 has its answer already",)
    assert outcome.status is AttemptStatus.SUCCEEDED


def test_refusals_that_cannot_be_read_are_passed_over_and_those_that_can_are_bounded() -> None:
    whole = b'{"tool": "t", "message": "' + b"m" * 1000 + b'"}\n'
    content = b'\xff\n7\n{"tool": 1}\n' + b"[" * 100_000 + b"\n" + whole * 50 + whole[:20]

    found = read_refused(content)

    assert len(found) == 20
    assert {len(each) for each in found} == {300}
    assert read_refused(None) == ()
