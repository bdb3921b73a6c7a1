"""A world: a workspace with tasks and flows, an engine that dies and comes back, people, clocks; all by a script."""

import tempfile
from collections import deque
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from punchlist.errors import StoreError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.jobs import FailureClass
from punchlist.model.state import TaskState
from punchlist.runtime.loading import load_run
from punchlist.store.sqlite import SqliteStore
from tests.runs import PROJECT, START, replace
from tests.simulation.answers import trouble
from tests.simulation.delivery import Delivery
from tests.simulation.engine import POINTS, Around, DiedError, Engine, Taken
from tests.simulation.flows import PlainFlow
from tests.simulation.laws import Laws
from tests.simulation.machine import Machine, Process
from tests.simulation.moods import limits_of
from tests.simulation.office import Office
from tests.simulation.script import Script
from tests.stored import made

_LIVES = 3
_KIND_MOST = 600
_SHOWN = 80
_WHOLE = 8
"""One seed in so many has its file looked through column by column when it ends."""
_HOUR = 3600
Life = Delivery | PlainFlow
Way = tuple[float, Callable[[Random], str]]


class World:
    """One script, lived through in one folder."""

    def __init__(self, script: Script, folder: Path) -> None:
        self.script = script
        self.trace: deque[tuple[str, object]] = deque(maxlen=_SHOWN)
        self.step = "the beginning"
        self.engines = 0
        self.engine: Engine | None = None
        self.lives: list[Life] = []
        self.laws = Laws()
        self.mood = script.mood
        self._file = folder / "state.db"
        setup = ("make ready",) if script.die("project").random() < 0.2 else ()
        self._file.write_bytes(_template())
        store = SqliteStore(self._file)
        self.office = Office(store, Machine(), project=replace(PROJECT, setup=setup), now=START)
        self.office.documented = self._documented
        self.office.limits = limits_of(script.die("limits"))
        self.around = Around(self.office, self._see, self.laws.launched)

    def live(self) -> None:
        """Make the script's choices in a world that is against it; then let a kind one bring all to its end."""
        for step in self.script.steps:
            self.step = f"step {step}"
            self._choose(self.script.die(step), step)
        self._boot() if self.engine is None else self._turn()
        for count in range(_KIND_MOST):
            self.step = f"kind {count}"
            die = self.script.die(self.step)
            undone = [each for each in self.lives if not each.is_done()]
            if not undone:
                break
            for life in undone:
                self._note("kindly", self._kindly(life, die))
            self._turn()
        assert all(each.is_done() for each in self.lives), "it never ends"
        self.check_end()

    def check_end(self) -> None:
        """Check what is left when all is over: the file tells the same as was seen, and tells it soundly."""
        with self.office.store.read() as reader:
            self.laws.end(reader, self.office.states, whole=self.script.seed % _WHOLE == 0)

    # -- one choice ---------------------------------------------------------------------------------------------------

    def _choose(self, die: Random, step: int) -> None:
        if step < (1 if self.mood.fickle else _LIVES) and (step == 0 or die.random() < 0.4):
            plain = die.random() < 0.35
            make = PlainFlow if plain and not self.mood.fickle else Delivery
            self.lives.append(make(self.office, die, self.mood))
        self.office.pass_time(die.random() * 3)
        if self.office.limits and (other := self.script.die(f"limits {step}")).random() < 0.1:
            self.office.limits = limits_of(other) or self.office.limits
        ways = self._ways()
        way = die.choices([each for _, each in ways], [weight for weight, _ in ways])[0]
        self._note("step", way(die))
        for life in self.lives:
            life.look(die)
        if self.engine is None:
            if die.random() < 0.7:
                self._boot(self._doom(die, 0.15))
        elif die.random() < 0.85:
            self.engine.dies_at = self._doom(die, 0.12)
            self._turn()

    def _ways(self) -> list[Way]:
        running = [each for each in self.office.machine.alive() if not each.hangs]
        workers = [each for each in running if not each.is_own]
        ended = [each for each in self.office.machine.processes.values() if not each.lives and not each.is_own]
        waiting = [each for each in self.lives if each.run is None]
        begun = [each for each in self.lives if each.state is not None]
        asked = [each for each in begun if each.state and each.state.run and each.state.run.open_gates]
        over = [each for each in begun if each.is_over()]
        return [
            (6.0 * bool(running), lambda die: self._end(die.choice(running), die)),
            (4.0 * bool(waiting), lambda die: die.choice(waiting).begin(die)),
            (0.2 * bool(begun), lambda die: die.choice(begun).begin(die) if begun else ""),
            (2.5 * bool(asked), lambda die: self._decide(die.choice(asked), die)),
            (
                (3.0 if self.mood.fickle else 1.6) * bool(begun),
                lambda die: self.office.send(die.choice(begun).steer(die), die),
            ),
            (1.5 * bool(over), lambda die: die.choice(over).again(die)),
            (0.3 * bool(workers), lambda die: self._vanish(die.choice(workers))),
            (0.3 * bool(workers), lambda die: self._hang(die.choice(workers))),
            (0.4 * bool(ended and self.engine), lambda die: self._late(die.choice(ended), die)),
            (1.2, self._let_time_pass),
            (0.5, self._document),
            (0.3 * bool(self.engine), lambda _die: self._stop()),
        ]

    def _doom(self, die: Random, chance: float) -> dict[str, int]:
        return {die.choice(POINTS): die.randrange(3)} if die.random() < chance else {}

    # -- what happens to processes ------------------------------------------------------------------------------------

    def _end(self, process: Process, die: Random, *, kind: bool = False) -> str:
        process.outcome = self._life_of(process).outcome(process, die, kind=kind)
        if self.engine is not None:
            self.engine.hear(process)
        return f"{process.attempt} ends: {process.outcome.status} {process.outcome.failure or ''}"

    def _vanish(self, process: Process) -> str:
        process.gone = True
        if self.engine is not None:
            self.engine.hear(process)
        return f"{process.attempt} vanishes"

    def _hang(self, process: Process) -> str:
        process.hangs = True
        return f"{process.attempt} hangs"

    def _late(self, process: Process, die: Random) -> str:
        """Let the outcome of an attempt that is over come, for the first or the second time."""
        outcome = process.outcome or self._life_of(process).outcome(process, die, kind=False)
        assert self.engine is not None
        if process.attempt in self.engine.waiting or process.outcome is None:
            process.outcome = outcome
        self.engine.outcomes.append(cmd.AttemptOver(run=process.run, outcome=outcome))
        return f"{process.attempt} is heard of, late or again: {outcome.status}"

    def _life_of(self, process: Process) -> Life:
        return next(each for each in self.lives if process.run in each.runs)

    # -- what people and clocks do ------------------------------------------------------------------------------------

    def _decide(self, life: Life, die: Random) -> str:
        state = life.state
        assert state is not None
        assert state.run is not None
        gate = state.run.gates[die.choice(sorted(state.run.open_gates))]
        said = [self.office.send(life.decision(gate, die, kind=False), die)]
        if die.random() < 0.15:  # two people at once
            said.append(self.office.send(life.decision(gate, die, kind=False), die))
        return "; ".join(said)

    def _let_time_pass(self, die: Random) -> str:
        """Let the clock jump: forward by much or little, now and then back; what hangs for an hour has timed out."""
        seconds = die.choice((1, 60, 1800, 2 * _HOUR, 2 * _HOUR, -30, -_HOUR, -24 * _HOUR))
        self.office.pass_time(seconds)
        for process in list(self.office.machine.alive()) if seconds >= _HOUR else []:
            if process.hangs:
                process.outcome = trouble(process.attempt, FailureClass.TIMEOUT)
                if self.engine is not None:
                    self.engine.hear(process)
        return f"the clock jumps by {seconds} s"

    def _document(self, die: Random) -> str:
        way = die.randrange(4)
        if way == 0:
            self.office.write_late()
            return "a document is written for an older version"
        if way == 1:
            self._hide_store()
            return "the store cannot be read for a moment"
        if way == 2 and self.lives:
            life = die.choice(self.lives)
            if isinstance(life, Delivery):
                life.edit(die)
            return "a draft is edited, if it is one"
        self.office.edit_project(spec=f"Do it well, {die.randrange(99)}.", path=die.choice(((), ("bin",))))
        return "the project is edited"

    def _hide_store(self) -> None:
        """An unreadable store is an error, never an empty one."""
        away = self._file.rename(self._file.with_suffix(".away"))
        try:
            with self.office.store.read() as reader:
                seen = len(reader.streams())
        except StoreError:
            assert not self._file.exists(), "an empty store was made in place of one that cannot be read"
        else:
            raise AssertionError(f"a store that is not there was read, with {seen} streams")
        finally:
            away.rename(self._file)

    def _kindly(self, life: Life, die: Random) -> str:
        """Do the next thing that brings a life to its end."""
        if life.is_over():
            return life.again(die)
        state = life.state
        running = [each for each in self.office.machine.alive() if each.run == life.run]
        if state is None or state.run is None:
            return "the engine comes back"
        if state.run.paused:
            return self.office.send(cmd.Resume(run=state.run.id), die)
        if running:
            return "; ".join(self._end(each, die, kind=True) for each in running)
        if state.run.open_gates:
            gate = state.run.gates[die.choice(sorted(state.run.open_gates))]
            return self.office.send(life.decision(gate, die, kind=True), die)
        self.office.pass_time(2 * _HOUR)
        return "two hours pass"

    # -- the engine ---------------------------------------------------------------------------------------------------

    def _boot(self, doom: dict[str, int] | None = None) -> None:
        self.engines += 1
        self.engine = Engine(self.around, self.engines, doom or {})
        self._note("engine", f"engine {self.engines} starts")
        self._until_it_dies(self.engine.recover)

    def _turn(self) -> None:
        assert self.engine is not None
        self._until_it_dies(self.engine.turn)

    def _stop(self) -> str:
        assert self.engine is not None
        engine = self.engine
        self._until_it_dies(engine.leave, resting=False)
        self.office.machine.lose_engine(engine.number)
        self.engine = None
        return f"engine {engine.number} is stopped"

    def _until_it_dies(self, work: Callable[[], None], *, resting: bool = True) -> None:
        engine = self.engine
        assert engine is not None
        try:
            work()
        except DiedError as point:
            self._note("engine", f"engine {engine.number} is killed {point}")
            self.office.machine.lose_engine(engine.number)
            self.engine = None
            return
        engine.dies_at = {}
        if resting:
            self._rest(engine)

    def _rest(self, engine: Engine) -> None:
        """Check what holds whenever the engine has nothing to do."""
        self.laws.rest(engine)
        for life in self.lives:
            life.check_git()
        if self.script.die(f"rest {self.step}").random() < 0.04:
            with self.office.store.read() as reader:
                for run, state in engine.states.items():
                    self.laws.file_is_memory(load_run(reader, run), state)

    # -- seeing -------------------------------------------------------------------------------------------------------

    def _see(self, taken: Taken) -> None:
        for event in taken.events:
            self._note("event", event)
        if taken.refused is not None:
            self._note("refused", f"{type(taken.command).__name__} is refused: {taken.refused}")
        assert self.engine is not None
        self.laws.see(taken, limits=self.engine.limits)
        if taken.after is not None:
            self.office.states[taken.command.run] = taken.after
        for life in self.lives:
            if isinstance(taken.command, cmd.StartRun) and taken.command.run in life.runs:
                life.hear(taken.command.run, begun=taken.after is not None)

    def _documented(self, before: TaskState, event: ev.Event, after: TaskState) -> None:
        self._note("event", event)
        self.laws.document(before, event, after)

    def _note(self, kind: str, what: object) -> None:
        self.trace.append((self.step if kind in {"step", "kindly"} else kind, what))


@cache
def _template() -> bytes:
    """Return an empty store, made once a process."""
    with tempfile.TemporaryDirectory() as folder:
        made(Path(folder)).close()
        return (Path(folder) / "state.db").read_bytes()
