"""The tools of a builder: its pack, its progress, its question, its result."""

from collections import Counter
from collections.abc import Iterator, Sequence

from punchlist.errors import Problem, invalid
from punchlist.mcp.attempt import Attempt
from punchlist.mcp.records import record_schema
from punchlist.mcp.tool import Arguments, Tool, closed
from punchlist.model.json import Json
from punchlist.model.parse import parse
from punchlist.model.results import Result
from punchlist.service.context import Answer

_SCHEMA = "punchlist/result/1"
_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": 2000}
_END = "End your turn: the engine now judges what you left in your folder."


def builder_tools(attempt: Attempt) -> tuple[Tool, ...]:
    """Return the tools of a builder's attempt; they need nothing but its folder."""
    return (
        Tool(
            name="get_step_pack",
            text="Read the step you build: goal, criteria, scope, policy and, on rework, the verdict that failed.",
            schema=closed({}),
            call=attempt.guarded("get_step_pack", lambda _: {"pack": attempt.pack()}),
            changes=False,
        ),
        Tool(
            name="record_builder_result",
            text=(
                "Hand in your result, once, when you are done. It is a claim: your folder is what is judged. "
                "`blocked` needs a `question`; `failed` needs a `summary` that says why."
            ),
            schema=record_schema(Result, without=("schema",)),
            call=attempt.guarded("record_builder_result", lambda given: _record(attempt, given)),
            changes=True,
        ),
        Tool(
            name="report_progress",
            text="Say in a line what you are doing, on long work: it shows that you are alive.",
            schema=closed({"text": _TEXT}, required=("text",)),
            call=attempt.guarded("report_progress", lambda given: _report(attempt, given)),
            changes=True,
        ),
        Tool(
            name="ask",
            text=(
                "Ask a person what you cannot go on without. It is your answer to the step: end your turn afterwards, "
                "and you are called again with what they say."
            ),
            schema=closed(
                {"question": {"type": "string", "minLength": 1, "maxLength": 20_000}}, required=("question",)
            ),
            call=attempt.guarded("ask", lambda given: _ask(attempt, given)),
            changes=True,
        ),
    )


def _record(attempt: Attempt, given: Arguments) -> Answer:
    result = parse(Result, {**given, "schema": _SCHEMA}, what="the result")
    problems = [*_outcome_problems(result), *_claim_problems(result, _assigned(attempt))]
    if problems:
        raise invalid(problems, what="the result")
    attempt.record(result)
    return {"recorded": "result", "outcome": result.outcome, "next": _END}


def _report(attempt: Attempt, given: Arguments) -> Answer:
    attempt.report({"text": given["text"]})
    return {"recorded": "progress"}


def _ask(attempt: Attempt, given: Arguments) -> Answer:
    """Leave a result that is blocked on the question: the same end, whether a builder asks by tool or by file."""
    asked = parse(Result, {"schema": _SCHEMA, "outcome": "blocked", "question": given["question"]}, what="the question")
    attempt.record(asked)
    return {"recorded": "question", "outcome": "blocked", "next": "End your turn: a person answers, then you go on."}


def _assigned(attempt: Attempt) -> Sequence[str]:
    """Return the ids of the step's criteria; nothing where the pack has none, as of a flow's own builder."""
    criteria = attempt.pack().get("criteria")
    return [str(each["id"]) for each in criteria if isinstance(each, dict)] if isinstance(criteria, list) else ()


def _outcome_problems(result: Result) -> Iterator[Problem]:
    if result.outcome == "blocked" and not result.question.strip():
        yield Problem("question", "it is missing, and the outcome is blocked", "what you need to know to go on")
    if result.outcome == "failed" and not (result.summary.strip() or result.notes.strip()):
        yield Problem("summary", "it is missing, and the outcome is failed", "why it cannot be done")


def _claim_problems(result: Result, assigned: Sequence[str]) -> Iterator[Problem]:
    seen: Counter[str] = Counter()
    for at, claim in enumerate(result.criteria):
        if claim.id not in assigned:
            yield Problem(f"criteria[{at}].id", f"{claim.id} is no criterion of this step", ", ".join(assigned))
        elif seen[claim.id]:
            yield Problem(f"criteria[{at}].id", f"{claim.id} is claimed twice", "one claim for each criterion")
        seen[claim.id] += 1
