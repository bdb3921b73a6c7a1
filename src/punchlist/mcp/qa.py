"""The tools of a reviewer: its pack, and its review, which is refused until it is complete."""

from collections.abc import Collection, Iterator

from punchlist.errors import DefinitionError, Problem, RefusedError, invalid
from punchlist.mcp.attempt import Attempt
from punchlist.mcp.records import record_schema
from punchlist.mcp.tool import Arguments, Tool, closed
from punchlist.model.parse import parse
from punchlist.model.results import Review, ReviewedCriterion, ReviewPack
from punchlist.quality.review import is_output, references
from punchlist.service.context import Answer
from punchlist.workspace.references import readings


def qa_tools(attempt: Attempt) -> tuple[Tool, ...]:
    """Return the tools of a reviewer's attempt; they need nothing but its folder."""
    return (
        Tool(
            name="get_review_pack",
            text="Read what you judge: goal, criteria, changed paths, check outputs. The folder shows the judged tree.",
            schema=closed({}),
            call=attempt.guarded("get_review_pack", lambda _: {"pack": attempt.pack()}),
            changes=False,
        ),
        Tool(
            name="record_qa_result",
            text=(
                "Hand in your review, once: every criterion of the pack, no other. `pass` needs evidence: path:line in "
                "this tree, or the id of a criterion whose check's output shows it. `fail` needs a `finding` that says "
                "what to change, and where."
            ),
            schema=record_schema(Review, without=("schema",)),
            call=attempt.guarded("record_qa_result", lambda given: _record(attempt, given)),
            changes=True,
        ),
    )


def review_problems_of(review: Review, pack: ReviewPack) -> Iterator[Problem]:
    """Yield all that a reviewer can mend before the engine looks its references up, each with its path."""
    assigned = [each.id for each in pack.criteria]
    outputs = {each.id for each in pack.checks}
    judged: dict[str, int] = {}
    for at, each in enumerate(review.criteria):
        where = f"criteria[{at}]"
        if each.id not in assigned:
            yield Problem(f"{where}.id", f"{each.id} was not asked for", ", ".join(assigned))
        elif each.id in judged:
            yield Problem(f"{where}.id", f"{each.id} is judged by criteria[{judged[each.id]}] already", "one verdict")
        judged.setdefault(each.id, at)
        if each.verdict == "fail" and not each.finding.strip():
            yield Problem(f"{where}.finding", "it is missing, and the verdict is fail", "what to change, and where")
        if each.verdict == "pass":
            yield from _evidence_problems(each, f"{where}.evidence", outputs=outputs)
    missing = [name for name in assigned if name not in judged]
    if missing:
        yield Problem("criteria", f"not judged: {', '.join(missing)}", "every criterion of the pack")


def _record(attempt: Attempt, given: Arguments) -> Answer:
    review = parse(Review, {**given, "schema": "punchlist/review/1"}, what="the review")
    problems = list(review_problems_of(review, _pack(attempt)))
    if problems:
        raise invalid(problems, what="the review")
    attempt.record(review)
    failed = [each.id for each in review.criteria if each.verdict == "fail"]
    return {"recorded": "review", "fails": [*failed], "next": "End your turn: the engine now looks up your evidence."}


def _pack(attempt: Attempt) -> ReviewPack:
    try:
        return parse(ReviewPack, attempt.pack(), what="pack.json")
    except DefinitionError as error:
        raise RefusedError(f"what is to be judged cannot be read: {error.message}", where="pack.json") from error


def _evidence_problems(each: ReviewedCriterion, where: str, *, outputs: Collection[str]) -> Iterator[Problem]:
    found = references(each)
    if not found:
        yield Problem(where, "a pass without a reference that could be looked up", _evidence(outputs))
    for reference in found:
        is_there = reference in outputs if is_output(reference) else bool(readings(reference))
        if not is_there:
            yield Problem(where, f"{reference!r} is no evidence", _evidence(outputs))


def _evidence(outputs: Collection[str]) -> str:
    ids = f", or {', '.join(sorted(outputs))} for a check's output" if outputs else ""
    return f"path:line inside the tree{ids}"
