"""The JSON that a command answers with: on its standard output, or in a file of its work folder."""

from collections.abc import Callable

import msgspec

from punchlist.errors import DefinitionError
from punchlist.model.jobs import Answer, FailureClass, Outcome
from punchlist.model.json import Json
from punchlist.model.parse import decode_json, recordable
from punchlist.model.states import AttemptStatus
from punchlist.ports import Exit

LIMIT = 4 << 20
"""The bytes of an answer: it is part of the record, and is read whole."""
_STDOUT = "standard output"
Read = Callable[[str, int], bytes]


def with_answer(outcome: Outcome, asked: Answer, *, ended: Exit, read: Read) -> Outcome:
    """Return the outcome of a command with its answer; without one, a success is bad output.

    `read` gives a file of the work folder, of at most so many bytes. A command that failed has its answer all the same,
    if there is one.
    """
    if outcome.status not in {AttemptStatus.SUCCEEDED, AttemptStatus.FAILED}:
        return outcome
    try:
        answer = _answer(asked, ended=ended, read=read)
    except DefinitionError as error:
        return bad_output(outcome, str(error)) if outcome.status is AttemptStatus.SUCCEEDED else outcome
    result = outcome.result if isinstance(outcome.result, dict) else {}
    return msgspec.structs.replace(outcome, result={**result, "answer": answer})


def bad_output(outcome: Outcome, problem: str) -> Outcome:
    """Return the outcome of a process that ended well and did not leave what was asked for."""
    return msgspec.structs.replace(
        outcome,
        status=AttemptStatus.FAILED,
        failure=FailureClass.WORKER,
        reason=f"bad output: {problem}",
        bad_output=True,
    )


def _answer(asked: Answer, *, ended: Exit, read: Read) -> Json:
    if asked.file is not None:
        return recordable(decode_json(read(asked.file, LIMIT), what=repr(asked.file)), what=asked.file)
    if ended.gone:
        raise DefinitionError(f"{ended.gone}, and {_STDOUT} with it")
    if ended.written > LIMIT:
        raise DefinitionError(
            f"{_STDOUT} has {ended.written / 1_000_000:.1f} MB; an answer holds at most {LIMIT >> 20} MiB",
            hint="Leave large values in a file, and name it under `artifacts:`.",
        )
    return recordable(decode_json(ended.stdout, what=_STDOUT), what=_STDOUT)
