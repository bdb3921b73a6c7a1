"""The decisions of one transaction: what commands, outcomes and timers come to, before any of it counts."""

import contextlib
import logging
from collections.abc import Callable

import msgspec

from punchlist.engine.decide import decide
from punchlist.engine.retry import stamp
from punchlist.engine.room import Room
from punchlist.engine.rows import rows_of
from punchlist.engine.turn import Context
from punchlist.errors import DefinitionError, PunchlistError, RefusedError, StoreError
from punchlist.model import commands as cmd
from punchlist.model.events import Event, Head
from punchlist.model.ids import AttemptId, RunId
from punchlist.model.json import Json, convert
from punchlist.model.places import Limits
from punchlist.model.rows import InboxRow
from punchlist.model.state import State
from punchlist.ports import Clock, Reader, Writer
from punchlist.render.failures import failure
from punchlist.runtime.loading import is_current, load_run, with_documents
from punchlist.runtime.places import Places

_LOG = logging.getLogger("punchlist.engine")


class Batch:
    """The decisions of one transaction, and what they led to; nothing of it counts before the commit."""

    def __init__(
        self, states: dict[RunId, State], clock: Clock, *, limits: Limits, nonce_digest: Callable[[AttemptId], str]
    ) -> None:
        self._known = states
        self._clock = clock
        self._nonce_digest = nonce_digest
        self._places = Places(limits, (state.run for state in states.values() if state.run is not None))
        self.states: dict[RunId, State] = {}
        self.events: dict[RunId, list[Event]] = {}
        self.decided_at: dict[RunId, str] = {}

    def decide(self, writer: Writer, command: cmd.RunCommand, *, actor: str, room: Room | None = None) -> State:
        """Decide on one command within the transaction; raises PunchlistError, and then it has left no trace."""
        state = self._state(writer, command)
        at, room = stamp(self._clock.now()), room or self._places.beside(command.run)
        context = Context(at=at, actor=actor, allocate=writer.allocate, room=room, nonce_digest=self._nonce_digest)
        try:
            decided = decide(state, command, context)
        except PunchlistError:
            raise
        except Exception as error:
            _LOG.exception("run %s", command.run)
            raise RefusedError(f"a bug of punchlist: {error!r}; see the engine's log") from error
        if isinstance(command, cmd.StartRun):
            writer.open_stream(command.stream, kind="run", local=command.run)
        stored = writer.append(decided.events)
        writer.put(rows_of(decided.state, stored))
        assert decided.state.run is not None
        self._places.put(decided.state.run)
        self.states[command.run] = decided.state
        self.decided_at[command.run] = at
        self.events.setdefault(command.run, []).extend(stored)
        return decided.state

    def offer(self, writer: Writer) -> None:
        """Give the places that are free by now to the runs that wait for one, each to the one that waits longest."""
        while (found := self._places.next(stamp(self._clock.now()))) is not None:
            run, room = found
            before = self._places.at_work(run)
            self.take(writer, cmd.TimePassed(run=run), room=room)
            if self._places.at_work(run) <= before:
                self._places.pass_over(run)

    def take(self, writer: Writer, command: cmd.RunCommand, *, room: Room | None = None) -> None:
        """Apply an input of the engine's own. A run that cannot take it fails, so that the others go on.

        What fails even then is logged and passed over: its attempt is found again at the next start.
        """
        try:
            self.decide(writer, command, actor="engine", room=room)
        except StoreError:
            raise
        except PunchlistError as error:
            _LOG.exception("run %s cannot take %s", command.run, type(command).__name__)
            with contextlib.suppress(RefusedError):
                self.decide(writer, cmd.Fail(run=command.run, reason=str(error)), actor="engine")

    def answer(self, writer: Writer, row: InboxRow) -> None:
        """Apply a command of the inbox and mark it as applied or refused, in the same transaction.

        An error of the store is no answer: it ends the transaction, and the command stays where it is.
        """
        try:
            command: cmd.InboxCommand = convert(row.command, cmd.InboxCommand)
            self.decide(writer, command, actor=row.actor)
        except StoreError:
            raise
        except msgspec.ValidationError as error:
            writer.answer(row.id, refused=True, answer=_error(DefinitionError(f"not a command: {error}")))
        except PunchlistError as error:
            writer.answer(row.id, refused=True, answer=_error(error))
        else:
            writer.answer(row.id, refused=False, answer={"run": command.run})

    def _state(self, reader: Reader, command: cmd.RunCommand) -> State:
        if isinstance(command, cmd.StartRun):
            fresh = State(heads=State().heads.set("run", Head(command.stream)))
            return with_documents(reader, fresh, task=command.task, project=command.project)
        known = self.states.get(command.run) or self._known.get(command.run)
        if known is not None and is_current(reader, known):
            return known
        return load_run(reader, command.run)


def _error(error: PunchlistError) -> Json:
    return {"error": {**failure(error), "exit_code": error.exit_code}}
