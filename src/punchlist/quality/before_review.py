"""The findings that need no reviewer: facts of checks, diff, scope and claim against each other."""

from collections.abc import Iterator, Set as AbstractSet

from punchlist.model.proofs import CheckResult
from punchlist.model.verdicts import Finding
from punchlist.quality.claims import contradicted
from punchlist.quality.facts import Facts
from punchlist.quality.findings import finding, gathered, waiver_of
from punchlist.quality.scope import matches, outside

TAIL_LINES = 40
TAIL_LENGTH = 4_000
PLACE_LENGTH = 80


def found_without_review(facts: Facts) -> tuple[Finding, ...]:
    """Return the deterministic findings of a tree, not yet compared with earlier rounds and waivers."""
    return (
        *_conflicts(facts),
        *_red(facts),
        *_uncovered(facts),
        *_out_of_scope(facts),
        *_empty(facts),
        *contradicted(facts, failed=_failed(facts)),
        *_asked(facts),
    )


def holds(result: CheckResult) -> bool:
    """Say whether a check's result counts as passed: a runner that found no test has not, though it may end with 0."""
    return result.passed and not result.cannot_run


def result_evidence(result: CheckResult) -> str:
    """Return the one line that points at a check's output: `A31 exit 1 sha256:…`."""
    code = f"exit {result.exit_code}" if result.exit_code is not None else "no exit code"
    output = f" sha256:{result.output_digest}" if result.output_digest else ""
    cached = f" cached from {result.cached_from}" if result.cached_from else ""
    return f"{result.attempt} {code}{output}{cached}"


def _conflicts(facts: Facts) -> Iterator[Finding]:
    for path in facts.conflicts:
        yield finding("conflict", f"{path} conflicts with what the task's branch has by now", place=path)


def _red(facts: Facts) -> Iterator[Finding]:
    for result in facts.checks:
        if not holds(result):
            evidence = [result_evidence(result)]
            yield finding("check", _told(result), criterion=result.id, evidence=evidence, output=_output(result))


def _told(result: CheckResult) -> str:
    if result.reason:
        return f"the check fails: {result.reason}"
    if result.exit_code is None:
        return "the check fails: it did not end by itself"
    return f"the check fails: exit {result.exit_code}"


def _output(result: CheckResult) -> str:
    return "\n".join(result.tail.splitlines()[-TAIL_LINES:])[-TAIL_LENGTH:].strip("\n")


def _uncovered(facts: Facts) -> Iterator[Finding]:
    checked = {result.id for result in facts.checks}
    for criterion in facts.criteria:
        if criterion.check is not None and criterion.id not in checked:
            yield finding("uncovered", "its check was not run on this tree", criterion=criterion.id)
        elif criterion.check is None and criterion.id not in facts.assigned:
            yield finding("uncovered", "it has no check, and no reviewer is asked", criterion=criterion.id)


def _out_of_scope(facts: Facts) -> Iterator[Finding]:
    if facts.changes is None:
        return
    for place, count in gathered(outside(facts.changes, facts.scope)).items():
        denied = count == 1 and any(matches(glob, place) for glob in facts.scope.deny)
        where = "inside scope.deny" if denied else "outside the scope"
        yield finding("scope", f"{place} was changed, {where} of this step", place=place)


def _empty(facts: Facts) -> Iterator[Finding]:
    if facts.changes is None or facts.changes:
        return
    failed = _failed(facts)
    still_open = [each.id for each in facts.criteria if facts.shows.get(each.id) == "goal" and each.id in failed]
    if still_open:
        yield finding("empty", f"nothing was changed, and the goal is still open: {', '.join(still_open)}")


def _asked(facts: Facts) -> Iterator[Finding]:
    for message in facts.messages:
        yield finding("human", f"a person asks: {message}", place=" ".join(message.split())[:PLACE_LENGTH])


def _failed(facts: Facts) -> AbstractSet[str]:
    """Return the criteria whose check fails, those aside that a person passed over."""
    return {red.criterion for red in _red(facts) if red.criterion and waiver_of(red, facts.waivers) is None}
