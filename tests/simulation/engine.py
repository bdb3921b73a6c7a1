"""The loop of the design, a step at a time: take, decide, commit, launch; it may die between any two.

What decides, folds, says what is wanted, loads and keeps is what is shipped. What an engine remembers dies with it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from punchlist.engine import decide as deciding, rows as row_making, wanted as wanting
from punchlist.engine.retry import stamp
from punchlist.engine.room import Room
from punchlist.engine.turn import Context
from punchlist.errors import PunchlistError, RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import AttemptId, RunId
from punchlist.model.jobs import FailureClass, Job, Outcome, Role
from punchlist.model.places import Limits
from punchlist.model.rows import InboxRow
from punchlist.model.state import State
from punchlist.model.states import FINAL_NODE, AttemptStatus
from punchlist.ports import Reader, Writer
from punchlist.runtime import loading
from punchlist.runtime.places import Places
from tests.simulation.machine import Process
from tests.simulation.office import Office

POINTS = (
    "before the transaction",
    "after decide, before commit",
    "after commit, before launch",
    "before a launch",
    "after a launch, before its record",
)
_MOST = 40
"""How often one wake-up may lead to another transaction: more is a timer that rings for ever."""


class DiedError(Exception):
    """The engine is killed at this point."""


@dataclass(frozen=True)
class Taken:
    """One input, and what was decided on it."""

    before: State
    command: cmd.RunCommand
    actor: str
    row: int | None = None
    after: State | None = None
    events: tuple[ev.Event, ...] = ()
    refused: PunchlistError | None = None


@dataclass
class Around:
    """What is around an engine, and stays when it goes."""

    office: Office
    see: Callable[[Taken], None]
    launched: Callable[[State, Job], None]


@dataclass
class Engine:
    """One engine from its start to its end, whichever it is. `dies_at` is how often it still passes a point."""

    around: Around
    number: int
    dies_at: dict[str, int] = field(default_factory=dict[str, int])
    states: dict[RunId, State] = field(default_factory=dict[RunId, State])
    wake_at: dict[RunId, str] = field(default_factory=dict[RunId, str])
    waiting: set[AttemptId] = field(default_factory=set[AttemptId])
    outcomes: list[cmd.AttemptOver] = field(default_factory=list[cmd.AttemptOver])
    decided_at: dict[RunId, str] = field(default_factory=dict[RunId, str])
    limits: Limits = field(default_factory=Limits)
    places: Places = field(default_factory=lambda: Places(Limits(), ()))
    leaves: bool = False
    seen_at: str = ""

    def recover(self) -> None:
        """Take over what the last engine left: the record says what was running, the machine what became of it."""
        with self.around.office.store.read() as reader:
            for row in reader.runs(live=True):
                self.states[row.id] = loading.load_run(reader, row.id)
        live = {each for state in self.states.values() if state.run is not None for each in state.run.live}
        for process in self.around.office.machine.alive():
            if process.attempt not in live:
                self.around.office.machine.kill(process.attempt)
        for state in list(self.states.values()):
            assert state.run is not None
            want = wanting.wanted(state, list(state.run.live))
            self._arm(state.run.id, want.wake_at)
            for attempt in want.start:
                self._take_over(state, attempt)
        self._apply([], [cmd.TimePassed(run=run) for run in self.states])
        self.turn()

    def turn(self) -> None:
        """Apply what has come in until nothing is left."""
        for _ in range(_MOST):
            outcomes, self.outcomes = self.outcomes, []
            inputs: list[cmd.RunCommand] = [*outcomes, *self._due()]
            with self.around.office.store.read() as reader:
                rows = reader.inbox()
            if not (inputs or rows):
                return
            self._apply(rows, inputs)
        raise AssertionError("a timer rings for ever")

    def leave(self) -> None:
        """End as one is asked to: what runs is stopped, and queued again."""
        self.leaves = True
        live = [run for run, state in self.states.items() if state.run is not None and state.run.live]
        self._apply([], [cmd.Interrupted(run=run) for run in live])

    def hear(self, process: Process) -> None:
        """Hear that a process has ended, if this engine waits for it; what it left is in its exit record anyway."""
        if process.attempt in self.waiting:
            self.waiting.discard(process.attempt)
            outcome = process.outcome or _lost(process.attempt)
            self.outcomes.append(cmd.AttemptOver(run=process.run, outcome=outcome))

    def _due(self) -> list[cmd.TimePassed]:
        before, self.seen_at = self.seen_at, stamp(self.around.office.now)
        if self.seen_at < before:
            return [cmd.TimePassed(run=run) for run in self.states]
        return [cmd.TimePassed(run=run) for run, at in self.wake_at.items() if at <= self.seen_at]

    def _apply(self, rows: Sequence[InboxRow], inputs: Sequence[cmd.RunCommand]) -> None:
        """Decide on all in one transaction; then let what was decided happen."""
        batch: list[Taken] = []
        states: dict[RunId, State] = {}
        self.limits = self.around.office.limits
        self.places = Places(self.limits, (state.run for state in self.states.values() if state.run is not None))
        self._pass("before the transaction")
        with self.around.office.store.write() as writer:
            for command in inputs:
                batch.append(self._decide(writer, command, states=states, actor="engine"))
                assert batch[-1].refused is None, f"an input of the engine's own is refused: {batch[-1].refused}"
            batch.extend(self._answer(writer, row, states=states) for row in rows)
            batch.extend(self._offered(writer, states=states))
            self._pass("after decide, before commit")
        for each in batch:
            self.around.see(each)
        self._pass("after commit, before launch")
        self.states.update(states)
        for run, state in states.items():
            told = [event for each in batch if each.command.run == run for event in each.events]
            self._want(state, wanting.wanted(state, wanting.changed_attempts(told), decided_at=self.decided_at[run]))
            if state.run is not None and state.run.status in FINAL_NODE:
                del self.states[run]

    def _offered(self, writer: Writer, *, states: dict[RunId, State]) -> Iterator[Taken]:
        """Give free places to those who wait for one, unless the engine is about to end."""
        while not self.leaves and (found := self.places.next(stamp(self.around.office.now))) is not None:
            run, room = found
            taken = self._decide(writer, cmd.TimePassed(run=run), states=states, actor="engine", room=room)
            assert any(isinstance(each.fact, ev.AttemptStarted) for each in taken.events), f"{run} takes no place"
            yield taken

    def _decide(
        self,
        writer: Writer,
        command: cmd.RunCommand,
        *,
        states: dict[RunId, State],
        actor: str,
        row: int | None = None,
        room: Room | None = None,
    ) -> Taken:
        try:
            state = self._state(writer, command, states=states)
        except RefusedError as error:
            return Taken(State(), command, actor, row, refused=error)
        at, room = stamp(self.around.office.now), room or self.places.beside(command.run)
        context = Context(at=at, actor=actor, allocate=writer.allocate, room=room)
        try:
            decided = deciding.decide(state, command, context)
            if isinstance(command, cmd.StartRun):
                writer.open_stream(command.stream, kind="run", local=command.run)
        except PunchlistError as error:
            return Taken(state, command, actor, row, refused=error)
        stored = writer.append(decided.events)
        writer.put(row_making.rows_of(decided.state, stored))
        assert decided.state.run is not None
        self.places.put(decided.state.run)
        self.decided_at[command.run] = at
        states[command.run] = decided.state
        return Taken(state, command, actor, row, after=decided.state, events=decided.events)

    def _answer(self, writer: Writer, row: InboxRow, *, states: dict[RunId, State]) -> Taken:
        command = msgspec.convert(row.command, cmd.InboxCommand)
        taken = self._decide(writer, command, states=states, actor=row.actor, row=row.id)
        writer.answer(row.id, refused=taken.refused is not None, answer=str(taken.refused or ""))
        return taken

    def _state(self, reader: Reader, command: cmd.RunCommand, *, states: dict[RunId, State]) -> State:
        if isinstance(command, cmd.StartRun):
            fresh = State(heads=State().heads.set("run", ev.Head(command.stream)))
            return loading.with_documents(reader, fresh, task=command.task, project=command.project)
        known = states.get(command.run) or self.states.get(command.run)
        if known is not None and loading.is_current(reader, known):
            return known
        return loading.load_run(reader, command.run)

    def _want(self, state: State, want: wanting.Wanted) -> None:
        assert state.run is not None
        self._arm(state.run.id, want.wake_at)
        for attempt in want.kill:
            self.waiting.discard(attempt)
            self.around.office.machine.kill(attempt)
        for attempt in want.start:
            self._launch(state, attempt)

    def _arm(self, run: RunId, at: str | None) -> None:
        self.wake_at.pop(run, None)
        if at is not None:
            self.wake_at[run] = at

    def _launch(self, state: State, attempt: AttemptId) -> None:
        assert state.run is not None
        self._pass("before a launch")
        job = wanting.job_of(state, attempt)
        self.around.launched(state, job)
        self.around.office.machine.launch(state.run.id, job, engine=self.number)
        self.waiting.add(attempt)
        self._pass("after a launch, before its record")

    def _take_over(self, state: State, attempt: AttemptId) -> None:
        """Wait for what still runs, take the exit record of what ended, give up what is gone, do own work again."""
        assert state.run is not None
        process = self.around.office.machine.processes.get(attempt)
        if state.run.attempts[attempt].role is Role.ENGINE:
            self._launch(state, attempt)
        elif process is not None and process.lives:
            self.waiting.add(attempt)
        elif process is not None and process.outcome is not None:
            self.outcomes.append(cmd.AttemptOver(run=state.run.id, outcome=process.outcome))
        else:
            self.outcomes.append(cmd.AttemptOver(run=state.run.id, outcome=_lost(attempt)))

    def _pass(self, point: str) -> None:
        left = self.dies_at.get(point)
        if left == 0:
            raise DiedError(point)
        if left is not None:
            self.dies_at[point] = left - 1


def _lost(attempt: AttemptId) -> Outcome:
    return Outcome(attempt=attempt, status=AttemptStatus.LOST, failure=FailureClass.LOST, reason="it is gone")
