"""What came of an attempt, read from the facts of its end: the rules that all workers share."""

import signal

import msgspec

from punchlist.errors import DefinitionError
from punchlist.model.ids import AttemptId, Digest
from punchlist.model.jobs import FailureClass, Outcome, Role, Usage
from punchlist.model.json import Json, convert, decode, plain
from punchlist.model.parse import decode_json, parse, recordable
from punchlist.model.results import Plan, Result, Review
from punchlist.model.states import AttemptStatus
from punchlist.ports import Exit
from punchlist.workers.files import RESULT_LIMIT

TAIL_LINES = 20
_TAIL_CHARACTERS = 4000
_REASON_LINES = 5
_REFUSED_LINES = 20
_REFUSED_CHARACTERS = 300
_LARGEST = 2**53
_WHERE = "io/result.json"

_SHAPES: dict[Role, type[Result] | type[Review] | type[Plan]] = {
    Role.BUILDER: Result,
    Role.QA: Review,
    Role.PLANNER: Plan,
}
_SAID: dict[FailureClass, str] = {
    FailureClass.TIMEOUT: "it passed its time limit",
    FailureClass.SILENCE: "it passed its limit on silence: no output and no progress",
    FailureClass.OUTPUT: "it passed its limit on output",
    FailureClass.MEMORY: "it passed its memory limit",
    FailureClass.PROCESSES: "it passed its limit on processes",
}


class _UsageFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`io/usage.json`: all numbers are deltas of this attempt; what is unknown is left out."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    microdollars: int | None = None


def outcome_of(attempt: AttemptId, role: Role, *, ended: Exit) -> Outcome:
    """Return the outcome of a process by its end and the result file that it left.

    A limit, a signal or an exit code other than 0 decides before any result does. A builder that leaves no result is
    done without claims; another role's missing result, and any that is not of its schema, is a failure of class worker.
    """
    facts = _facts(attempt, ended)
    stopped = _stopped(ended)
    if stopped is not None:
        status, failure, reason = stopped
        return msgspec.structs.replace(facts, status=status, failure=failure, reason=reason)
    try:
        answer = read_answer(role, ended.result)
    except DefinitionError as error:
        bad = msgspec.structs.replace(facts, bad_output=True)
        return _failed(bad, FailureClass.WORKER, reason=f"bad output: {error}")
    return _answered(facts, role, answer=answer)


def read_answer(role: Role, content: bytes | None) -> Json:
    """Return the typed answer of a role as JSON values; raises DefinitionError with all problems.

    No content is an empty "done" for a builder, None for a flow's own node, and a problem for the others.
    """
    if content is None:
        return _absent(role)
    if len(content) > RESULT_LIMIT:
        raise DefinitionError("the result is larger than 4 MiB", where=_WHERE, hint="Put large output into files.")
    value = decode_json(content, what=_WHERE)
    recordable(value, what=_WHERE)
    shape = _SHAPES.get(role)
    return value if shape is None else plain(parse(shape, value, what=_WHERE))


def read_usage(content: bytes | None) -> Usage | None:
    """Return what `io/usage.json` says, or None: a file that cannot be read counts as unknown, never as 0."""
    if content is None:
        return None
    try:
        usage = decode(content, _UsageFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    numbers = msgspec.structs.asdict(usage)
    return Usage(**numbers) if all(each is None or 0 <= each < _LARGEST for each in numbers.values()) else None


class _Refused(msgspec.Struct, frozen=True):
    """A line of `io/refused.jsonl`."""

    tool: str
    message: str


def read_refused(content: bytes | None) -> tuple[str, ...]:
    """Return the first refusals that typed tools noted, each in one bounded line; what cannot be read is passed over.

    The file lies in the agent's half of the folder: it is evidence of what was tried, and nothing rests on it.
    """
    found: list[str] = []
    for line in (content or b"").splitlines():
        if len(found) == _REFUSED_LINES:
            break
        try:
            refused = decode(line, _Refused)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        found.append(" ".join(f"{refused.tool}: {refused.message}".split())[:_REFUSED_CHARACTERS])
    return tuple(found)


def last_lines(ended: Exit, *, count: int = TAIL_LINES) -> str:
    """Return the last lines of standard error, or of standard output when that is empty."""
    for stream in (ended.stderr, ended.stdout):
        lines = stream.decode(errors="replace").rstrip().splitlines()
        if lines:
            return "\n".join(lines[-count:])[-_TAIL_CHARACTERS:]
    return ""


def _stopped(ended: Exit) -> tuple[AttemptStatus, FailureClass | None, str] | None:
    """Return status, class and reason of an end that no result can change; None for a plain exit 0."""
    if ended.limit is not None:
        limit = FailureClass(ended.limit)
        said = _SAID.get(limit, f"it passed its limit on {limit}")
        return AttemptStatus.TIMED_OUT, limit, _with_lines(f"{said} ({ended.bound}) and was ended", ended)
    if ended.signal is not None:
        said = f"killed by signal {ended.signal} ({_signal_name(ended.signal)})"
        return AttemptStatus.FAILED, FailureClass.WORKER, _with_lines(said, ended)
    if ended.code is None:
        return AttemptStatus.LOST, FailureClass.LOST, "it ended without a record of how"
    if ended.gone:
        said = f"exit {ended.code}; {ended.gone}, and its answer with it"
        return AttemptStatus.FAILED, FailureClass.WORKER, said
    if ended.code != 0:
        return AttemptStatus.FAILED, FailureClass.WORKER, _with_lines(f"exit {ended.code}", ended)
    return None


def _answered(facts: Outcome, role: Role, *, answer: Json) -> Outcome:
    outcome = msgspec.structs.replace(facts, result=answer)
    if role is not Role.BUILDER:
        return outcome
    result = convert(answer, Result)
    match result.outcome:
        case "done":
            return outcome
        case "blocked":
            return _failed(
                outcome, FailureClass.BLOCKED, reason=result.question or result.summary or "it asked nothing"
            )
        case "failed":
            return _failed(
                outcome, FailureClass.WORKER, reason=result.summary or result.notes or "it says that it failed"
            )


def _facts(attempt: AttemptId, ended: Exit) -> Outcome:
    return Outcome(
        attempt=attempt,
        status=AttemptStatus.SUCCEEDED,
        exit_code=ended.code,
        signal=ended.signal,
        tail=last_lines(ended),
        output_digest=Digest(ended.output_digest) if ended.output_digest else None,
        unenforced=ended.unenforced,
        usage=read_usage(ended.usage),
        passed_limit=ended.limit,
        refused=read_refused(ended.refused),
    )


def _failed(outcome: Outcome, failure: FailureClass, *, reason: str) -> Outcome:
    return msgspec.structs.replace(outcome, status=AttemptStatus.FAILED, failure=failure, reason=reason)


def _absent(role: Role) -> Json:
    match role:
        case Role.BUILDER:
            return {"schema": "punchlist/result/1", "outcome": "done"}
        case Role.QA | Role.PLANNER:
            answer = "review" if role is Role.QA else "plan"
            raise DefinitionError(f"it left no {answer}", where=_WHERE, hint="PUNCHLIST_RESULT is the path to write.")
        case _:
            return None


def _with_lines(said: str, ended: Exit) -> str:
    lines = last_lines(ended, count=_REASON_LINES)
    return f"{said}; its last lines:\n{lines}" if lines else f"{said}, no output"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
