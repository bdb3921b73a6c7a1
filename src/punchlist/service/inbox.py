"""Commands for the engine: put into the inbox, and waited for without polling."""

from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, Problem, PunchlistError, RefusedError, StoreError, WorkerError
from punchlist.model import commands as cmd
from punchlist.model.json import plain
from punchlist.service.context import STATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from punchlist.model.commands import InboxCommand
    from punchlist.model.json import Json
    from punchlist.model.rows import InboxRow
    from punchlist.ports import Watch
    from punchlist.service.context import Service

_PATIENCE = 2.0
"""How many seconds without an answer pass before the engine is looked for."""
_TRIES = 3
"""How often an engine that has gone is started anew."""
_LONGEST = 10
"""How often an engine that is up, but says nothing, is waited for."""
_SAID: "Mapping[type[InboxCommand], str]" = {
    cmd.StartRun: "start {0.run}",
    cmd.Decide: "decide {0.gate} ({0.choice})",
    cmd.Pause: "pause {0.run}",
    cmd.Resume: "resume {0.run}",
    cmd.Retry: "retry {0.run}",
    cmd.Cancel: "cancel {0.run}",
    cmd.AddNodes: "add nodes to {0.run}",
    cmd.Revise: "end {0.run} and take its task back to draft",
    cmd.CloseStep: "set {0.step} to {0.status}",
    cmd.AskRework: "send {0.step} back to its builder",
    cmd.Waive: "waive {0.finding}",
}
"""What each command asks for, as a person would say it."""
_KINDS: tuple[type[PunchlistError], ...] = (DefinitionError, RefusedError, WorkerError, StoreError)


def send(service: "Service", command: "InboxCommand", *, key: str | None = None) -> "Json":
    """Send a command and return the engine's answer; raises what the engine refused it with.

    Raises StoreError when no engine takes it, as soon as that is plain: the command stays in the inbox then.
    """
    with service.engine.watch() as watch:
        with service.store.write() as writer:
            service.committing(writer, about=command.run)
            number = writer.enqueue(plain(command), at=service.now(), actor=service.actor, key=key)
        what = _SAID[type(command)].format(command)
        line = f"waiting for the engine to {what}; ^C leaves it to be done"
        with service.waits(line, left=f"the engine will {what} all the same; see: punchlist status"):
            return answer_of(_answered(service, watch, number=number))


def _answered(service: "Service", watch: "Watch", *, number: int) -> "InboxRow":
    gone = silent = 0
    service.engine.wake()
    while gone < _TRIES and silent < _LONGEST:
        with service.store.read() as reader:
            row = reader.command(number)
        if row is not None and row.state != "pending":
            return row
        if watch.wait(_PATIENCE):
            silent = 0
        elif service.engine.status().running:
            silent += 1
            service.engine.wake()
        else:
            gone += 1
            service.engine.wake()
    raise _unanswered(service, gone=gone >= _TRIES)


def _unanswered(service: "Service", *, gone: bool) -> StoreError:
    what = "no engine stays up" if gone else f"the engine has said nothing for {_LONGEST * _PATIENCE:.0f} seconds"
    return StoreError(
        f"{what}; the command stays in its inbox, and the next one that runs takes it",
        where=str(service.root / STATE / "engine.log"),
        hint="Look into that file, or type: punchlist engine run",
    )


def answer_of(row: "InboxRow") -> "Json":
    """Return the answer to a command, None while there is none; raises what it was refused with."""
    if row.state != "refused":
        return row.answer
    error = row.answer.get("error") if isinstance(row.answer, dict) else None
    if not isinstance(error, dict):
        raise RefusedError(f"command {row.id} was refused", hint="Type: punchlist events")
    kind = next((each for each in _KINDS if each.code == error.get("code")), RefusedError)
    found = kind(_text(error, "message"), where=_text(error, "where"), hint=_text(error, "hint"))
    found.code = _text(error, "code") or found.code
    problems = error.get("problems")
    found.problems = tuple(_problem(each) for each in (problems if isinstance(problems, list) else []))
    raise found


def _problem(told: "Json") -> Problem:
    if not isinstance(told, dict):  # as an engine of an earlier version wrote it
        return Problem("", str(told))
    return Problem(_text(told, "where"), _text(told, "message"), _text(told, "allowed"), _text(told, "hint"))


def _text(told: "Mapping[str, Json]", name: str) -> str:
    return str(told.get(name, ""))
