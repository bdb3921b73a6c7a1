"""The laws: what must hold after each event, at each command, and at rest; named as the design does."""

from collections.abc import Callable, Mapping
from typing import ParamSpec

from punchlist.engine.rows import all_rows
from punchlist.engine.turn import fold
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import RunId
from punchlist.model.jobs import Job
from punchlist.model.places import Limits
from punchlist.model.rows import NodeRow
from punchlist.model.state import State, TaskState
from punchlist.ports import Reader
from punchlist.runtime.loading import load_run
from punchlist.service.verification import rows_of_run
from tests.simulation.command_laws import OF_COMMANDS, of_launch
from tests.simulation.engine import Engine, Taken
from tests.simulation.event_laws import OF_EVENTS
from tests.simulation.memory import BrokenLawError, Memory, Moment
from tests.simulation.rest_laws import OF_ENGINES, OF_STATES, no_more_start_than_the_limits_allow
from tests.simulation.task_laws import OF_TASKS, remember, remember_attempt

P = ParamSpec("P")
EACH_SO_MANY = 8


class Laws:
    """All laws over one world, and what they remember of it."""

    def __init__(self) -> None:
        self.memory = Memory()
        self._seen = 0
        self._last: dict[RunId, State] = {}

    def see(self, taken: Taken, *, limits: Limits) -> None:
        """Check a decision that was committed, event by event, and the state that it led to."""
        if taken.after is None:
            assert not taken.events, "it was refused, and something happened"
            return
        known = self._last.get(taken.command.run)
        if known is not None and taken.before.run is not known.run:
            self.file_is_memory(taken.before, known)
        self._last[taken.command.run] = taken.after
        state = taken.before
        for event in taken.events:
            state = self._see_event(state, event)
        self._seen += 1
        if self._seen % EACH_SO_MANY == 0:
            self.file_is_memory(state, taken.after)
        for law in OF_COMMANDS:
            held(law, taken, taken.after)
        held(no_more_start_than_the_limits_allow, taken, self._last, limits)
        if isinstance(taken.command, cmd.Interrupted):  # the next engine takes up what this one leaves
            return
        for state_law in OF_STATES:
            held(state_law, taken.after)

    def _see_event(self, before: State, event: ev.Event) -> State:
        after = fold(before, event)
        if isinstance(event.fact, ev.TaskFact):
            if before.task is not None and after.task is not None:
                self.document(before.task, event, after.task)
            return after
        if isinstance(event.fact, ev.RunFact):
            moment = Moment(before, event, after)
            for law in OF_EVENTS:
                held(law, moment, self.memory)
            if isinstance(event.fact, ev.AttemptStarted):
                attempt = moment.run.attempts[event.fact.attempt]
                remember_attempt(event, attempt.role, attempt.step, self.memory)
        return after

    def document(self, before: TaskState, event: ev.Event, after: TaskState) -> None:
        """Check an event of a task, whoever wrote it."""
        for law in OF_TASKS:
            held(law, before, event, after, self.memory)
        remember(event, after, self.memory)

    def launched(self, state: State, job: Job) -> None:
        """Check a job that is about to run."""
        held(every_rule_of_the_policy_is_in_the_job, state, job)

    def rest(self, engine: Engine) -> None:
        """Check what holds whenever the engine has nothing to do."""
        for law in OF_ENGINES:
            held(law, engine)

    def file_is_memory(self, told: State, known: State) -> None:
        """Check that a state that was folded anew is the one that was gone on with."""
        held(after_a_crash_state_is_recomputed_not_remembered, told, known)

    def end(self, reader: Reader, states: Mapping[RunId, State], *, whole: bool) -> None:
        """Check what the file says of the end; with `whole`, all of it, column by column."""
        held(every_command_is_answered_once, reader)
        for run, state in states.items():
            self.file_is_memory(load_run(reader, run), state)
            held(what_queries_read_is_what_the_log_folds_to, reader, state)
        if whole:
            held(revision_check_event_and_state_change_are_one_transaction, reader)


def every_rule_of_the_policy_is_in_the_job(state: State, job: Job) -> None:
    of_launch(state, job)


def after_a_crash_state_is_recomputed_not_remembered(told: State, known: State) -> None:
    assert told.run == known.run, "the log tells of another run than was gone on with"
    for name in ("task", "project"):  # of which other processes may have written more meanwhile
        same = told.heads.get(name) != known.heads.get(name) or getattr(told, name) == getattr(known, name)
        assert same, f"the log tells of another {name} than was gone on with"


def every_command_is_answered_once(reader: Reader) -> None:
    left = [row.id for row in reader.inbox()]
    assert not left, f"commands {left} are not answered"


def what_queries_read_is_what_the_log_folds_to(reader: Reader, state: State) -> None:
    run = state.run
    assert run is not None
    nodes = {row.path: row for row in all_rows(run) if isinstance(row, NodeRow)}
    assert {each.path: each for each in reader.nodes(run.id)} == nodes, f"the nodes of {run.id} are others in the file"
    attempts = {each.id: each for each in reader.attempts(run=run.id)}
    assert attempts == dict(run.attempts), f"the attempts of {run.id} are others in the file"


def revision_check_event_and_state_change_are_one_transaction(reader: Reader) -> None:
    faults = reader.verify()
    assert faults == [], f"the log is not sound: {faults[0].message}"
    for row in reader.streams():
        if row.kind == "run":
            found = list(reader.differences(rows_of_run(row, reader.events(stream=row.stream)), stream=row))
            assert found == [], f"rows and log differ: {found[0]}"


def held(law: Callable[P, None], *seen: P.args, **named: P.kwargs) -> None:
    """Check one law, and name it when it is broken."""
    try:
        law(*seen, **named)
    except AssertionError as error:
        raise BrokenLawError(law.__name__, str(error)) from error
