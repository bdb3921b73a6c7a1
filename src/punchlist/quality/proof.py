"""What a plan's checks prove before any work is done: goal, guard, or nothing, because they cannot run here."""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from punchlist.model.ids import StepId
from punchlist.model.policy import Policy
from punchlist.model.proofs import CheckResult, Proof, ProofRow, Shows
from punchlist.model.records import Criterion, Step, Task
from punchlist.quality.runners import CANNOT_RUN, NAMED_MISSING, NO_TESTS

_WORD = re.compile(r"[^\s'\"=;|&()<>`]+")


def cannot_run(exit_code: int | None, *, timed_out: bool, tail: str) -> str:
    """Return why a check could not run at all, or "" when it ran, whatever its answer.

    Asked of a green check, too: some runners end with 0 when they find no tests.
    """
    if timed_out:
        return "it passed its timeout"
    for mark in CANNOT_RUN:
        if mark.exit_code in {None, exit_code} and re.search(mark.pattern, tail, re.MULTILINE):
            return mark.reason
    return ""


def names_new_test(command: str, tail: str) -> bool:
    """Say whether a check could not run for want of a test that it names itself: one that the work has yet to write.

    That is the name that the runner says it missed, or no tests found in a file that the check names.
    """
    words = {_name(word) for word in _WORD.findall(command)}
    missing = [_name(found[1]) for pattern in NAMED_MISSING for found in re.finditer(pattern, tail, re.MULTILINE)]
    if any(_mentions(words, name) for name in missing):
        return True
    return bool(re.search(NO_TESTS, tail)) and any(".py" in word or "::" in word for word in _WORD.findall(command))


def _name(word: str) -> str:
    """Return a test's name without what runners add or leave out: `tests.test_a`, `./tests/test_a.py::test_b`."""
    path = word.partition("::")[0].removeprefix("./").removesuffix("/")
    return path.removesuffix(".py").replace("/", ".")


def _mentions(words: set[str], missing: str) -> bool:
    """Say whether a word names what is missing, something in it, or (the runner prints whole paths) the end of it."""
    return any(
        word == missing or word.startswith(f"{missing}.") or missing.endswith(f".{word}") for word in words if word
    )


def proof_row(step: str | None, criterion: Criterion, *, result: CheckResult) -> ProofRow:
    """Return what the base shows of a criterion's check: red is a goal, green a guard.

    A check that could not run shows that, unless what it misses is a test that it names: then it is a goal.
    """
    reason = _reason(result)
    shows = _shows(result, reason)
    return ProofRow(
        step=step,
        id=criterion.id,
        shows=shows,
        command=result.command,
        attempt=result.attempt,
        exit_code=result.exit_code,
        tail=result.tail,
        problem=f"cannot run here: {reason}" if shows == "cannot_run" else contradiction(criterion, shows),
    )


def _reason(result: CheckResult) -> str:
    if result.cannot_run:
        return result.reason or "no reason was recorded"
    return cannot_run(result.exit_code, timed_out=False, tail=result.tail)


def _shows(result: CheckResult, reason: str) -> Shows:
    if reason:
        return "goal" if not result.passed and names_new_test(result.command, result.tail) else "cannot_run"
    return "guard" if result.passed else "goal"


def contradiction(criterion: Criterion, shows: Shows) -> str:
    """Return how the base contradicts `red_first`, or ""."""
    if criterion.red_first is True and shows == "guard":
        return "red_first: true, but it passes on the base already"
    if criterion.red_first is False and shows == "goal":
        return "red_first: false, but it fails on the base"
    return ""


def needs_review(criterion: Criterion) -> bool:
    """Say whether a criterion asks for a reviewer by itself, whatever the policy."""
    return criterion.review or criterion.check is None


def unproven(task: Task, rows: Sequence[ProofRow], *, policies: Mapping[str, Policy]) -> tuple[str, ...]:
    """Return in words what an approval must not pass over in silence.

    `policies` holds the resolved policy of each step by its id, and the task's own under "". What is said of: steps
    with no goal and no criterion for a reviewer (`policy.review: always` alone proves nothing: on an untouched base a
    guard's text holds already), checks that cannot run or were not run, `red_first` contradicted, criteria that only a
    review could judge under `review: never`.
    """
    by_step: dict[str, dict[str, ProofRow]] = {}
    for row in rows:
        by_step.setdefault(row.step or "", {})[row.id] = row
    words = [
        words
        for step in task.steps
        for words in _about(step.id, step.criteria, rows=by_step.get(step.id, {}), policy=policies[step.id], goal=True)
    ]
    return (*words, *_about("", task.acceptance, rows=by_step.get("", {}), policy=policies[""], goal=False))


def unproven_unseen(task: Task, *, policies: Mapping[str, Policy]) -> tuple[str, ...]:
    """Return in words what nothing that the base may show could mend; `policies` as for `unproven`.

    Criteria that only a review could judge under `review: never`, and steps whose every check is declared a guard
    (`red_first: false`) with nothing to review.
    """
    rows = [
        ProofRow(step=step, id=each.id, shows="guard" if each.red_first is False else "goal", command=each.check)
        for step, criteria in (*((each.id, each.criteria) for each in task.steps), (None, task.acceptance))
        for each in criteria
        if each.check is not None
    ]
    return unproven(task, rows, policies=policies)


def unproven_step(step: Step, rows: Sequence[ProofRow], *, policy: Policy) -> tuple[str, ...]:
    """Return in words what of a step nobody approved for what it shows: what `unproven` says of it alone."""
    return tuple(_about(step.id, step.criteria, rows={row.id: row for row in rows}, policy=policy, goal=True))


def still_of(proof: Proof, task: Task, *, before: Task) -> Proof:
    """Return what a proof of a task as it was `before` says of it as it is now: nothing of a check that has changed.

    What it calls unproven stays only while nothing has changed that it was said of.
    """
    asked, asks = _checks(before), _checks(task)
    rows = tuple(
        row
        for row in proof.rows
        if (now := asks.get((row.step, row.id))) is not None
        and now == asked.get((row.step, row.id))
        and now[0] == row.command
    )
    kept = rows == proof.rows and _proved_parts(before) == _proved_parts(task)
    return msgspec.structs.replace(proof, rows=rows, unproven=proof.unproven if kept else ())


def _checks(task: Task) -> dict[tuple[str | None, str], tuple[object, ...]]:
    """Return what each check is, by step and criterion: all that its row in a proof depends on."""
    every: list[tuple[str | None, Iterable[Criterion]]] = [(each.id, each.criteria) for each in task.steps]
    return {
        (step, each.id): (each.check, each.timeout, each.network, each.red_first)
        for step, criteria in (*every, (None, task.acceptance))
        for each in criteria
        if each.check is not None
    }


def _proved_parts(task: Task) -> object:
    return (task.acceptance, task.policy, [(each.id, each.criteria, each.policy) for each in task.steps])


def _about(
    step: str, criteria: Sequence[Criterion], *, rows: Mapping[str, ProofRow], policy: Policy, goal: bool
) -> list[str]:
    words = [
        f"{_of(step, criterion.id)} {problem}"
        for criterion in criteria
        if (problem := _problem(criterion, rows.get(criterion.id), policy=policy))
    ]
    return (
        words
        if words or not goal or _proves(criteria, rows, policy=policy)
        else [f"{step} has no goal and nothing to review"]
    )


def _problem(criterion: Criterion, row: ProofRow | None, *, policy: Policy) -> str:
    if criterion.check is None:
        return "can only be judged by a reviewer, and policy.review is never" if policy.review == "never" else ""
    if row is None:
        return "has a check that was not run on the base"
    return row.problem


def _proves(criteria: Sequence[Criterion], rows: Mapping[str, ProofRow], *, policy: Policy) -> bool:
    if policy.review != "never" and any(needs_review(criterion) for criterion in criteria):
        return True
    return any(row.shows == "goal" for row in rows.values())


def differs(approved: Sequence[ProofRow], now: Sequence[ProofRow]) -> tuple[str, ...]:
    """Return in words where the base no longer shows what was approved, in a way that a person has to know of.

    A check that cannot run any more, and a guard that is red before the work begins. A goal that holds already is none:
    an earlier step met it. Neither is a check that can run again, nor one that was not approved with the others.
    """
    before: dict[tuple[str | None, str], Shows] = {(row.step, row.id): row.shows for row in approved}
    return tuple(words for row in now if (words := _difference(row, before.get((row.step, row.id)))))


def holding(
    approved: Sequence[ProofRow], now: Sequence[ProofRow], *, met_by: Mapping[str, tuple[StepId, ...]]
) -> tuple[ProofRow, ...]:
    """Return the rows of now, marked where a goal passes already; `met_by` says by command what may have met it."""
    goals = {(row.step, row.id) for row in approved if row.shows == "goal"}
    return tuple(
        msgspec.structs.replace(row, holds=True, held_by=met_by.get(row.command, ()))
        if row.shows == "guard" and (row.step, row.id) in goals
        else row
        for row in now
    )


def already_holds(row: ProofRow) -> str:
    """Return in words that a goal was met before its step began, and by which steps; "" for any other row."""
    if not row.holds:
        return ""
    return f"already holds, by {' or '.join(row.held_by)}" if row.held_by else "already holds, on the base as it is now"


def _difference(row: ProofRow, approved: Shows | None) -> str:
    name = _of(row.step or "", row.id)
    if approved in {"goal", "guard"} and row.shows == "cannot_run":
        return f"{name} {row.problem}"
    if approved == "guard" and row.shows == "goal":
        return f"{name} passed when the task was approved, and fails on the base of this step"
    return ""


def _of(step: str, criterion: str) -> str:
    return f"{step} {criterion}" if step else f"the task's {criterion}"
