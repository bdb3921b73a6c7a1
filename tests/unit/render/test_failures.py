"""The JSON shape of a failure."""

from punchlist.errors import Problem, RefusedError
from punchlist.render.failures import failure


def test_a_failure_is_told_as_it_was_raised() -> None:
    problem = Problem("steps[0]", "saw 'x'", "a number", "Write 1.")

    told = failure(RefusedError("it cannot be", where="T1", hint="Type: punchlist", problems=[problem]))

    assert told == {
        "code": "refused",
        "message": "it cannot be",
        "where": "T1",
        "hint": "Type: punchlist",
        "problems": [{"where": "steps[0]", "message": "saw 'x'", "allowed": "a number", "hint": "Write 1."}],
    }


def test_what_was_given_is_repeated_up_to_a_length() -> None:
    given = "x" * 10_000_000

    told = failure(RefusedError(f"there is no {given}", where=given, problems=[Problem(given, given)]))

    assert str(told["message"]).startswith("there is no xxx")
    assert str(told["message"]).endswith("x… (10,000,012 characters)")
    assert len(str(told)) < 20_000
