"""What many nodes of a run say alike is held once, and what they say does not change by that."""

import msgspec

from punchlist.engine import held_once
from punchlist.model.ids import AttemptId, Digest
from punchlist.model.jobs import Outcome
from punchlist.model.json import Json, decode, encode
from punchlist.model.states import AttemptStatus


def said(name: str, result: Json) -> Outcome:
    """Return an outcome as it is read: it shares nothing with another one."""
    outcome = Outcome(
        attempt=AttemptId(name),
        status=AttemptStatus.SUCCEEDED,
        output_digest=Digest("ab" * 32),
        unenforced=("sandbox", "network"),
        result=result,
    )
    return decode(encode(outcome), Outcome)


def test_outcomes_that_say_the_same_hold_the_same_values() -> None:
    one, two = (said(name, {"exit_code": 0, "stdout": "done"}) for name in ("A1", "A2"))

    first, second = held_once.outcome(one), held_once.outcome(two)

    assert (first, second) == (one, two)
    for field in ("result", "output_digest", "unenforced", "evidence"):
        assert getattr(first, field) is getattr(second, field), field
        assert getattr(one, field) is not getattr(two, field), field


def test_answers_that_are_told_apart_by_their_kind_alone_stay_apart() -> None:
    answers: list[Json] = [{"n": 1}, {"n": 1.0}, {"n": True}, {"n": "1"}]

    held = [held_once.answer(each) for each in answers]

    assert [msgspec.json.encode(each) for each in held] == [msgspec.json.encode(each) for each in answers]


def test_a_long_answer_is_left_as_it_is() -> None:
    answer: Json = {"stdout": "x" * 1000}

    assert held_once.answer(answer) is answer
