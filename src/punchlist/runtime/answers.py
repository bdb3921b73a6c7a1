"""What a process leaves for those after it: its answer in JSON, on standard output or in a file, and artifacts."""

from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from punchlist.errors import DefinitionError
from punchlist.model.jobs import Answer, Artifact, FailureClass, ListJob, Outcome, ProcessJob
from punchlist.model.json import Json, convert
from punchlist.model.parse import decode_json, recordable
from punchlist.model.states import AttemptStatus
from punchlist.ports import Exit, Left, Processes

LIMIT = 4 << 20
"""The bytes of an answer: it is part of the record, and is read whole."""
_STDOUT = "standard output"
_LINES = 5


class Read(Protocol):
    """Gives what a file of the work folder holds, of at most so many bytes; raises DefinitionError."""

    def __call__(self, name: str, *, most: int) -> bytes:
        """Return the content."""
        ...


class Taking:
    """Takes what processes leave in one work folder, without the values of secrets."""

    def __init__(self, left: Left, processes: Processes, *, work: Path) -> None:
        self._left = left
        self._processes = processes
        self._work = work

    def taken(self, job: ProcessJob, outcome: Outcome, ended: Exit) -> Outcome:  # noqa: PLR0917 - asked, came, how
        """Return the outcome with the answer and the artifacts that were asked for; blocking."""
        if job.answer is not None:
            outcome = with_answer(outcome, job.answer, ended=ended, read=partial(self._read, job))
        if job.artifacts and outcome.status is AttemptStatus.SUCCEEDED:
            return self._with_artifacts(job, outcome)
        return outcome

    def _read(self, job: ProcessJob, name: str, *, most: int) -> bytes:
        return self._processes.covered(job, self._left.read(self._work, name, most=most))

    def _with_artifacts(self, job: ProcessJob, outcome: Outcome) -> Outcome:
        made: dict[str, Artifact] = {}
        problems: list[str] = []
        for name, path in job.artifacts.items():
            try:
                refuse = partial(self._processes.gives_away, job)
                made[name] = self._left.keep(self._work, path, refuse=refuse)
            except DefinitionError as error:
                problems.append(f"artifact {name!r}: {error.message}")
        if problems:
            return bad_output(outcome, "; ".join(problems))
        return msgspec.structs.replace(outcome, artifacts=made)


def listed_items(left: Left, processes: Processes, job: ListJob, *, work: Path) -> Outcome:  # noqa: PLR0917 - by what
    """Return the items in a file of the workspace; raises DefinitionError when it holds none such."""
    refuse_changed(left, work, job)
    content = processes.covered(job, left.read(work, job.path, most=LIMIT))
    what = repr(job.path)
    if job.form == "json":
        items = recordable(decode_json(content, what=what), what=what)
        if not isinstance(items, list):
            raise DefinitionError(f"{what} holds no list", hint="Write a JSON list: [1, 2]")
    else:
        try:
            lines = content.decode().splitlines()
        except UnicodeDecodeError as error:
            raise DefinitionError(f"{what} is not UTF-8: {error.reason} at byte {error.start}") from None
        items = list[Json](line for line in lines if line.strip())
    return Outcome(attempt=job.attempt, status=AttemptStatus.SUCCEEDED, result={"items": items}, used=job.uses)


def refuse_changed(left: Left, work: Path, job: ProcessJob | ListJob) -> None:  # noqa: PLR0917 - of what, where, for what
    """Raise DefinitionError when an artifact that a job is to use is not any more what it was when it was made."""
    changed = [pin for pin in job.uses if left.digest(work, pin.path) != pin.sha256]
    if changed:
        pin = changed[0]
        raise DefinitionError(
            f"artifact {pin.name!r} of node {pin.node} is not what {pin.attempt} made: {pin.path} was changed since",
            where=str(work / pin.path),
            hint=f"Put it back (a copy is .punchlist/artifacts/{pin.sha256[:2]}/{pin.sha256}), or make it again: "
            f"punchlist resume {job.run} --from {pin.node}",
        )


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


class _Raised(msgspec.Struct, frozen=True):
    """What a function raised, and whether that was to import it, to call it, or to write what it returned."""

    type: str
    message: str
    when: Literal["import", "call", "return"]


class _Called(msgspec.Struct, frozen=True):
    """What `data/call_function.py` leaves."""

    returned: Json = None
    raised: _Raised | None = None


def of_function(outcome: Outcome, ended: Exit) -> Outcome:
    """Return the outcome of a function that was called: its value as the answer, or what it raised.

    What cannot be imported is a failure of class `definition`: to try again changes nothing.
    """
    if outcome.status not in {AttemptStatus.SUCCEEDED, AttemptStatus.FAILED}:
        return outcome
    try:
        called = _called(ended.result)
    except DefinitionError as error:
        return bad_output(outcome, str(error)) if outcome.status is AttemptStatus.SUCCEEDED else outcome
    if called.raised is not None:
        failure = FailureClass.DEFINITION if called.raised.when == "import" else FailureClass.WORKER
        said = f"{called.raised.type}: {called.raised.message}".rstrip(": ")
        reason = f"what it returned is no JSON: {said}" if called.raised.when == "return" else said
        lines = "\n".join(outcome.tail.splitlines()[-_LINES:])
        return msgspec.structs.replace(
            outcome, status=AttemptStatus.FAILED, failure=failure, reason=f"{reason}; its last lines:\n{lines}"
        )
    if outcome.status is not AttemptStatus.SUCCEEDED:
        return outcome
    result = outcome.result if isinstance(outcome.result, dict) else {}
    return msgspec.structs.replace(outcome, result={**result, "answer": called.returned})


def _called(left: bytes | None) -> _Called:
    if left is None:
        raise DefinitionError("the interpreter ended before the function returned")
    if len(left) > LIMIT:
        hint = "Leave large values in a file, and name it under `artifacts:`."
        raise DefinitionError(f"it returned more than {LIMIT >> 20} MiB, the most that an answer holds", hint=hint)
    value = decode_json(left, what="what it returned")
    try:
        called = convert(value, _Called)
    except msgspec.ValidationError as error:
        raise DefinitionError(f"what it returned cannot be read: {error}") from None
    return msgspec.structs.replace(called, returned=recordable(called.returned, what="what it returned"))


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
        return recordable(decode_json(read(asked.file, most=LIMIT), what=repr(asked.file)), what=asked.file)
    if ended.gone:
        raise DefinitionError(f"{ended.gone}, and {_STDOUT} with it")
    if ended.written > LIMIT:
        raise DefinitionError(
            f"{_STDOUT} has {ended.written / 1_000_000:.1f} MB; an answer holds at most {LIMIT >> 20} MiB",
            hint="Leave large values in a file, and name it under `artifacts:`.",
        )
    return recordable(decode_json(ended.stdout, what=_STDOUT), what=_STDOUT)
