"""What the base shows of a check: goal, guard, or nothing because it cannot run here."""

from typing import Any

import msgspec
import pytest

from punchlist.model.ids import AttemptId, Commit, StepId
from punchlist.model.policy import Policy
from punchlist.model.proofs import CheckResult, Proof, ProofRow
from punchlist.model.records import Criterion, Scope, Step, Task
from punchlist.quality.proof import (
    already_holds,
    cannot_run,
    differs,
    holding,
    names_new_test,
    proof_row,
    still_of,
    unproven,
    unproven_unseen,
)

# As printed by pytest 9 and Python 3.11's unittest.
NEW_FILE = "no tests ran in 0.70s\nERROR: file or directory not found: tests/test_new.py\n"
NEW_TEST = """\
no tests ran in 0.57s
ERROR: not found: /tmp/x/tests/test_a.py::test_z
(no match in any of [<Module test_a.py>])
"""
NEW_MODULE = """\
ImportError: Failed to import test module: test_new
Traceback (most recent call last):
  File "/usr/lib/python3.11/unittest/loader.py", line 162, in loadTestsFromName
    module = __import__(module_name)
ModuleNotFoundError: No module named 'tests.test_new'

Ran 1 test in 0.000s

FAILED (errors=1)
"""
BROKEN_MODULE = NEW_MODULE.replace("'tests.test_new'", "'nothing_here'")
NO_FOLDER = "ImportError: Start directory is not importable: 'newtests'\n"
COLLECTION = "ERROR tests/test_b.py\n!!!!!!!!! Interrupted: 1 error during collection !!!!!!!!!\n1 error in 0.68s\n"
CONFTEST = "ImportError while loading conftest '/x/conftest.py'.\nE   ModuleNotFoundError: No module named 'zzz'\n"
NO_TESTS = "\n----------\nRan 0 tests in 0.000s\n\nOK\n"
USAGE = "ERROR: usage: python -m pytest [options]\npython -m pytest: error: unrecognized arguments: --zzz\n"


@pytest.mark.parametrize(
    ("code", "tail", "reason"),
    [
        (126, "", "may not be executed"),
        (127, "sh: 1: nonsense: not found", "was not found"),
        (1, "/usr/bin/python: No module named pytest\n", "not installed"),
        (4, CONFTEST, "conftest"),
        (2, COLLECTION, "could not collect"),
        (3, "INTERNALERROR> Traceback\n", "failed inside"),
        (4, NEW_FILE, "does not find"),
        (4, NEW_TEST, "does not find"),
        (4, USAGE, "refused its arguments"),
        (5, "no tests ran in 0.01s", "no tests"),
        (5, "1 deselected in 0.59s", "no tests"),
        (1, NEW_MODULE, "could not import"),
        (1, NO_FOLDER, "does not find the folder"),
        (0, NO_TESTS, "found no tests"),
        (5, "\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n", "found no tests"),
        (1, "No tests found, exiting with code 1", "found no tests"),
        (1, 'npm error Missing script: "test"\n', "npm has no such script"),
        (1, 'go: warning: "./x/..." matched no packages', "go found no packages"),
    ],
)
def test_a_check_cannot_run_for(code: int, tail: str, reason: str) -> None:
    assert reason in cannot_run(code, timed_out=False, tail=tail)


@pytest.mark.parametrize(
    ("code", "tail"),
    [
        (0, "12 passed in 0.1s"),
        (1, "1 failed, 3 passed in 0.1s"),
        (2, "usage: slug [-h]\nslug: error: unrecognized arguments: --unicode"),
        (3, ""),
        (4, "boom"),
        (1, "AssertionError: rger-caf"),
        (1, "ModuleNotFoundError: No module named 'slugger.unicode'"),
        (None, "Killed"),
    ],
)
def test_a_check_ran_when(code: int | None, tail: str) -> None:
    assert cannot_run(code, timed_out=False, tail=tail) == ""


def test_a_timeout_on_the_base_is_no_answer() -> None:
    assert cannot_run(None, timed_out=True, tail="") == "it passed its timeout"


@pytest.mark.parametrize(
    ("command", "tail"),
    [
        ("python -m pytest -q tests/test_new.py", NEW_FILE),
        ("python -m pytest -q ./tests/test_new.py::test_a", NEW_FILE.replace("new.py", "new.py::test_a")),
        ("pytest tests/test_a.py::test_z", NEW_TEST),
        ("sh -c 'cd . && pytest tests/test_new.py'", NEW_FILE),
        ("python3 -m unittest tests.test_new", NEW_MODULE),
        ("python3 -m unittest tests.test_new.Case.test_it -v", NEW_MODULE),
        ("python3 -m unittest tests/test_new.py", NEW_MODULE.replace("tests.test_new", "tests/test_new")),
        ("python3 -m unittest tests.test_new", NEW_MODULE.replace("'tests.test_new'", "'tests'")),
        ("python3 -m unittest discover -s newtests", NO_FOLDER),
        ("pytest tests/test_a.py -k new", "no tests ran in 0.01s"),
    ],
)
def test_a_check_names_a_test_that_is_to_be_written(command: str, tail: str) -> None:
    assert names_new_test(command, tail)


@pytest.mark.parametrize(
    ("command", "tail"),
    [
        ("pytest -q", COLLECTION),
        ("pytest -q -k new", "1 deselected in 0.59s"),
        ("pytest -q", "no tests ran in 0.01s"),
        ("python3 -m unittest tests.test_b", BROKEN_MODULE),
        ("make test", NEW_FILE),
    ],
)
def test_a_check_misses_something_else(command: str, tail: str) -> None:
    assert not names_new_test(command, tail)


def criterion(
    name: str = "AC-1", *, check: str | None = "make test", red_first: bool | None = None, review: bool = False
) -> Criterion:
    made = Criterion(id=name, text="It holds.", check=check, review=review)
    return made if red_first is None else msgspec.structs.replace(made, red_first=red_first)


def result(
    *, code: int | None = 1, tail: str = "", command: str = "make test", reason: str = "", cannot: bool = False
) -> CheckResult:
    return CheckResult(
        id="AC-1", passed=code == 0, attempt=AttemptId("A1"), command=command, exit_code=code, tail=tail, reason=reason,
        cannot_run=cannot,
    )  # fmt: skip


def test_red_on_the_base_is_a_goal_and_keeps_its_evidence() -> None:
    row = proof_row("T1.1", criterion(), result=result(tail="assert failed"))

    assert row == ProofRow(
        step="T1.1",
        id="AC-1",
        shows="goal",
        command="make test",
        attempt=AttemptId("A1"),
        exit_code=1,
        tail="assert failed",
    )


def test_green_on_the_base_is_a_guard() -> None:
    assert proof_row(None, criterion(), result=result(code=0)).shows == "guard"


def test_a_missing_command_cannot_run_here() -> None:
    row = proof_row("T1.1", criterion(), result=result(code=127))

    assert (row.shows, row.problem) == ("cannot_run", "cannot run here: the command was not found (exit 127)")


@pytest.mark.parametrize(
    ("reason", "said"), [("it passed its timeout", "it passed its timeout"), ("", "no reason was recorded")]
)
def test_what_the_engine_saw_cannot_run_stays_so(reason: str, said: str) -> None:
    row = proof_row("T1.1", criterion(), result=result(code=None, reason=reason, cannot=True))

    assert (row.shows, row.problem) == ("cannot_run", f"cannot run here: {said}")


def test_a_check_on_a_test_file_that_is_missing_is_a_goal() -> None:
    row = proof_row(
        "T1.1", criterion(), result=result(code=4, tail=NEW_FILE, command="pytest tests/test_new.py", cannot=True)
    )

    assert (row.shows, row.problem) == ("goal", "")


def test_a_green_check_that_found_no_tests_proves_nothing() -> None:
    assert (
        proof_row("T1.1", criterion(), result=result(code=0, tail=NO_TESTS, command="python3 -m unittest a.py")).shows
        == "cannot_run"
    )


def test_red_first_is_held_against_the_base() -> None:
    assert proof_row("T1.1", criterion(red_first=True), result=result(code=0)).problem.startswith("red_first: true")
    assert proof_row("T1.1", criterion(red_first=False), result=result()).problem.startswith("red_first: false")
    assert proof_row("T1.1", criterion(red_first=True), result=result()).problem == ""
    assert proof_row("T1.1", criterion(red_first=False), result=result(code=0)).problem == ""


def task(*criteria: Criterion, acceptance: tuple[Criterion, ...] = ()) -> Task:
    step = Step(id="T1.1", index=1, title="One", goal="", criteria=criteria, scope=Scope(), needs=())
    return Task(id="T1", project="p", title="T", spec="", acceptance=acceptance, steps=(step,))


def row(name: str, shows: str, *, step: str | None = "T1.1", problem: str = "") -> ProofRow:
    said = {"step": step, "id": name, "shows": shows, "command": "make test", "problem": problem}
    return msgspec.convert(said, ProofRow)


def proof(*rows: ProofRow, unproven: tuple[str, ...] = ()) -> Proof:
    return Proof(version=1, base=Commit("c0"), rows=rows, unproven=unproven)


def policies(review: str) -> dict[str, Policy]:
    policy = msgspec.convert({"review": review}, Policy)
    return {"": policy, "T1.1": policy}


def words(made: Task, *rows: ProofRow, review: str = "always") -> tuple[str, ...]:
    return unproven(made, rows, policies=policies(review))


def test_a_step_with_a_goal_is_proved() -> None:
    assert words(task(criterion("AC-1"), criterion("AC-2")), row("AC-1", "goal"), row("AC-2", "guard")) == ()


def test_a_step_of_guards_alone_proves_nothing() -> None:
    assert words(task(criterion()), row("AC-1", "guard")) == ("T1.1 has no goal and nothing to review",)


def test_a_criterion_for_a_reviewer_is_something_to_prove() -> None:
    assert words(task(criterion(check=None))) == ()
    assert words(task(criterion(review=True)), row("AC-1", "guard")) == ()


def test_without_review_a_criterion_without_check_is_named() -> None:
    made = task(criterion(), criterion("AC-2", check=None), acceptance=(criterion("AC-1", check=None),))

    assert words(made, row("AC-1", "goal"), review="never") == (
        "T1.1 AC-2 can only be judged by a reviewer, and policy.review is never",
        "the task's AC-1 can only be judged by a reviewer, and policy.review is never",
    )


def test_checks_that_cannot_run_contradict_or_are_missing_are_named_at_once() -> None:
    made = task(criterion("AC-1"), criterion("AC-2"), criterion("AC-3"), acceptance=(criterion(),))
    rows = (
        row("AC-1", "cannot_run", problem="cannot run here: x"),
        row("AC-2", "guard", problem="red_first: true, but"),
        row("AC-1", "guard", step=None),
    )

    assert words(made, *rows) == (
        "T1.1 AC-1 cannot run here: x",
        "T1.1 AC-2 red_first: true, but",
        "T1.1 AC-3 has a check that was not run on the base",
    )


def test_the_same_base_does_not_differ() -> None:
    rows = (row("AC-1", "goal"), row("AC-2", "guard"))

    assert differs(rows, rows) == ()


def test_a_goal_that_an_earlier_step_met_is_no_difference() -> None:
    assert differs((row("AC-1", "goal"),), (row("AC-1", "guard"),)) == ()


def test_a_guard_that_is_red_before_the_work_begins_is_a_difference() -> None:
    (said,) = differs((row("AC-1", "guard"),), (row("AC-1", "goal"),))

    assert said == "T1.1 AC-1 passed when the task was approved, and fails on the base of this step"


def test_a_check_that_cannot_run_any_more_is_a_difference_and_one_approved_so_is_none() -> None:
    now = (row("AC-1", "cannot_run", problem="cannot run here: x"),)

    assert differs((row("AC-1", "goal"),), now) == ("T1.1 AC-1 cannot run here: x",)
    assert differs(now, now) == ()
    assert differs((), now) == ()


def test_what_no_base_could_mend_is_known_without_a_proof() -> None:
    made = task(
        criterion("AC-1", red_first=False), criterion("AC-2", check=None), acceptance=(criterion("AC-1", check=None),)
    )

    assert unproven_unseen(made, policies=policies("never")) == (
        "T1.1 AC-2 can only be judged by a reviewer, and policy.review is never",
        "the task's AC-1 can only be judged by a reviewer, and policy.review is never",
    )
    assert unproven_unseen(task(criterion(red_first=False)), policies=policies("always")) == (
        "T1.1 has no goal and nothing to review",
    )


def test_a_check_that_may_be_a_goal_has_to_be_run_before_anything_is_said_of_it() -> None:
    assert unproven_unseen(task(criterion(), criterion("AC-2", red_first=True)), policies=policies("never")) == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"check": "make other"},
        {"timeout": "9m"},
        {"network": True},
        {"red_first": True},
        {"check": None, "review": True},
    ],
)
def test_a_proof_says_nothing_of_a_check_that_has_changed_since(changed: dict[str, Any]) -> None:
    before = task(criterion("AC-1"), criterion("AC-2"))
    now = task(msgspec.structs.replace(criterion("AC-1"), **changed), criterion("AC-2"))

    left = still_of(proof(row("AC-1", "goal"), row("AC-2", "guard"), unproven=("x",)), now, before=before)

    assert ([each.id for each in left.rows], left.unproven) == (["AC-2"], ())


def test_a_proof_stays_when_only_words_changed() -> None:
    before = task(criterion("AC-1"), acceptance=(criterion("AC-1"),))
    whole = proof(row("AC-1", "goal"), row("AC-1", "guard", step=None), unproven=("x",))

    assert still_of(whole, msgspec.structs.replace(before, title="other words"), before=before) == whole


def test_a_proof_of_a_check_that_was_changed_while_it_ran_says_nothing_of_it() -> None:
    now = task(criterion("AC-1", check="make other"))

    assert still_of(proof(row("AC-1", "goal")), now, before=now).rows == ()


def test_only_a_goal_that_passes_holds_already() -> None:
    approved = (row("AC-1", "goal"), row("AC-2", "guard"), row("AC-3", "goal"))
    now = (row("AC-1", "guard"), row("AC-2", "guard"), row("AC-3", "goal"))

    rows = holding(approved, now, met_by={"make test": (StepId("T1.2"), StepId("T1.3"))})

    assert [already_holds(each) for each in rows] == ["already holds, by T1.2 or T1.3", "", ""]
    assert already_holds(holding(approved, now, met_by={})[0]) == "already holds, on the base as it is now"
