"""The one loop: take commands, outcomes and timers → decide → commit → perform what state now asks for → record."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from punchlist.dying import reach
from punchlist.engine.retry import stamp
from punchlist.engine.wanted import Wanted, changed_attempts, job_of, wanted
from punchlist.errors import PunchlistError, StoreError
from punchlist.model import commands as cmd
from punchlist.model.ids import AttemptId, RunId
from punchlist.model.jobs import FailureClass, Outcome
from punchlist.model.places import Limits
from punchlist.model.state import State
from punchlist.model.states import FINAL_NODE, AttemptStatus
from punchlist.ports import Clock, Store
from punchlist.runtime.batch import Batch
from punchlist.runtime.changes import Pages, changes_of
from punchlist.runtime.channel import Channel, drain
from punchlist.runtime.folders import folder_of, is_shared
from punchlist.runtime.forgetting import forget, kept_for_nothing
from punchlist.runtime.loading import lately_changed, load_run
from punchlist.runtime.lock import EngineLock, Holder
from punchlist.runtime.perform import Performer
from punchlist.runtime.watching import Watching

T = TypeVar("T")
_LOG = logging.getLogger("punchlist.engine")
_LOOK = timedelta(minutes=1)
"""How long an engine that has work waits at most before it looks about itself.

The clock may be set meanwhile, a machine that slept tells nobody, and what is recorded as at work may not be.
"""


class Runtime:
    """An engine of one workspace. It owns all runs while it holds the lock; other processes write only documents.

    `idle_exit` is how long it stays with nothing to do; None keeps it until it is stopped. `look` is the longest wait
    without a look at the clock, and at what is recorded as at work; with nothing to do there is none. `limits` is asked
    at each commit.
    """

    def __init__(
        self,
        *,
        store: Store,
        performer: Performer,
        channel: Channel,
        lock: EngineLock,
        holder: Holder,
        clock: Clock,
        pages: Pages,
        idle_exit: timedelta | None,
        look: timedelta = _LOOK,
        limits: Callable[[], Limits] = Limits,
    ) -> None:
        self._store = store
        self._performer = performer
        self._channel = channel
        self._lock = lock
        self._holder = holder
        self._clock = clock
        self._pages = pages
        self._idle_exit = idle_exit
        self._look = look
        self._limits = limits
        self._limited = Limits()
        self._seen_at = ""
        self._look_at = 0.0
        self._states: dict[RunId, State] = {}
        self._outcomes: list[cmd.AttemptOver] = []
        self._watching = Watching(performer.root, self._woken_by_files, look=look)
        self._wake_at: dict[RunId, str] = {}
        self._working: dict[AttemptId, asyncio.Task[None]] = {}
        self._folders: dict[AttemptId, str] = {}
        self._shared: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._ending: dict[asyncio.Task[None], str | None] = {}
        self._woken = asyncio.Event()
        self._hearing = contextlib.ExitStack()
        self._listens = False
        self._stopping = self._handing_over = False
        self._held: Callable[[], bool] = lambda: False
        self._told: dict[str, Callable[[], None]] = {}

    async def serve(self) -> bool:
        """Work until there is nothing to do for `idle_exit`, or until stopped; False when another has the lock.

        An error ends it as a kill would: what runs lives on, and the next engine takes it up.
        """
        if not self._lock.take(self._holder):
            return False
        try:
            with self._hearing:
                self._listen()
                await self._serve()
        except Exception:
            self._performer.let_go()
            raise
        finally:
            self._watching.end()
            self._listens = False
            self._lock.release()
        return True

    def stays_while(self, held: Callable[[], bool]) -> None:
        """Stay, with nothing to do, for as long as `held` says so; whoever changes what it says calls `wake`."""
        self._held = held

    def tells(self, name: str, announced: Callable[[], None]) -> None:
        """Call a listener of this process at each commit, and send its socket nothing."""
        self._told[name] = announced

    def wake(self) -> None:
        """Make the loop look about itself."""
        self._woken.set()

    def _woken_by_files(self) -> None:
        self._woken.set()

    def hand_over(self) -> None:
        """Ask the loop to end between two transitions, and to leave what runs alone: a newer engine takes it up."""
        self._handing_over = True
        self.stop()

    def stop(self) -> None:
        """Ask the loop to end between two transitions; what runs is stopped and queued again."""
        self._stopping = True
        self._woken.set()

    async def _serve(self) -> None:
        await self._recover()
        while await self._take_all():
            if asyncio.get_running_loop().time() >= self._look_at:
                await self._take_up()
            if not await self._wait() and self._may_leave():
                return
        await self._leave()

    def listen_again(self) -> None:
        """Listen at a new socket, and look about: who asks for it found no socket by which to poke this engine."""
        if self._listens:
            try:
                self._listen()
            except StoreError as error:
                _LOG.error("%s", error)
            self._woken.set()

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._listens = True
        self._hearing.close()
        listening = self._hearing.enter_context(contextlib.closing(self._channel.listen_as_engine()))

        def poked() -> None:
            drain(listening)
            self._woken.set()

        loop.add_reader(listening, poked)
        self._hearing.callback(loop.remove_reader, listening)

    # -- waiting ------------------------------------------------------------------------------------------------------

    async def _wait(self) -> bool:
        """Wait for a poke, an outcome or the next timer; False when the engine was idle for as long as it may be."""
        idle = not self._held() and not self._working and not self._ending and not self._wake_at and not self._live()
        timeout = self._idle_exit if idle else self._until_timer()
        try:
            async with asyncio.timeout(timeout.total_seconds() if timeout is not None else None):
                await self._woken.wait()
        except TimeoutError:
            return not idle or self._held()
        finally:
            self._woken.clear()
        return True

    def _until_timer(self) -> timedelta | None:
        if not self._wake_at:
            return self._look if self._working or self._live() else None
        first = datetime.fromisoformat(min(self._wake_at.values()))
        return min(max(first - self._clock.now(), timedelta()), self._look)

    def _may_leave(self) -> bool:
        """Let the lock go and look once more: a sender pokes first and tests the lock afterwards."""
        self._lock.release()
        return not (self._is_asked() and self._lock.take(self._holder))

    # -- taking -------------------------------------------------------------------------------------------------------

    async def _take_all(self) -> bool:
        """Apply what has come in, in as few commits as may be, until nothing is left; False when asked to stop.

        Each commit takes what the inbox holds, too. Whoever adds to it afterwards wakes the loop.
        """
        looked = False
        while not self._stopping:
            self._lock.say_who()
            outcomes, self._outcomes = self._outcomes, []
            inputs: list[cmd.RunCommand] = [*outcomes, *self._watching.take(), *self._due()]
            as_before = self._limits() == self._limited
            if not inputs and as_before and (looked or not self._is_asked()):
                return True
            await self._apply(inputs, inbox=True)
            looked = True
        return False

    def _is_asked(self) -> bool:
        with self._store.read() as reader:
            return bool(reader.inbox())

    def _due(self) -> list[cmd.TimePassed]:
        """Return the runs whose timer is due; after the clock was set back all of them: `decide` sees to that."""
        before, self._seen_at = self._seen_at, stamp(self._clock.now())
        if self._seen_at < before:
            return [cmd.TimePassed(run=run) for run in self._states]
        return [cmd.TimePassed(run=run) for run, at in self._wake_at.items() if at <= self._seen_at]

    async def _apply(self, inputs: Sequence[cmd.RunCommand], *, inbox: bool = False) -> None:
        """Decide on each input, and on what the inbox holds; commit all of it at once, and let it happen."""
        self._limited = self._limits()
        batch = Batch(self._states, self._clock, limits=self._limited, nonce_digest=self._performer.nonce_digest)
        with self._store.write() as writer:
            for command in inputs:
                batch.take(writer, command)
            for row in writer.inbox() if inbox else ():
                batch.answer(writer, row)
            if not self._stopping:
                batch.offer(writer)
            reach("before-commit")
        reach("after-commit")
        await self._follow(batch)

    async def _follow(self, batch: "Batch") -> None:
        self._states.update(batch.states)
        changes = changes_of(batch.states, batch.events)
        if changes:
            await self._show(self._pages.follow, changes)
        self._announce()
        self._performer.leaving.leave(batch.states, batch.events)
        for run, events in batch.events.items():
            state = self._states[run]
            self._want(state, wanted(state, changed_attempts(events), decided_at=batch.decided_at[run]))
            if state.run is not None and state.run.status in FINAL_NODE:
                del self._states[run]
                self._forget(run, tuple(state.run.attempts) if state.run.secrets else ())

    def _announce(self) -> None:
        self._channel.announce(but=self._told)
        for announced in self._told.values():
            announced()

    async def _show(self, write: Callable[[Sequence[T]], None], what: Sequence[T]) -> None:
        """Write generated files. They only show the record: where they cannot be, work goes on."""
        try:
            await asyncio.to_thread(write, what)
        except StoreError as error:
            _LOG.error("generated files are behind the record: %s", error)

    def _want(self, state: State, want: Wanted, *, recovering: bool = False) -> None:
        """Start and kill attempts, and arm the timer; `recovering` takes up what another engine may have started."""
        assert state.run is not None
        if want.wake_at is None:
            self._wake_at.pop(state.run.id, None)
        else:
            self._wake_at[state.run.id] = want.wake_at
        self._watching.follow(state.run.id, want.watch)
        for attempt in want.kill:
            self._kill(attempt)
        for attempt in want.start:
            self._begin(state, attempt, recovering=recovering)

    # -- performing ---------------------------------------------------------------------------------------------------

    def _begin(self, state: State, attempt: AttemptId, *, recovering: bool) -> None:
        self._working[attempt] = asyncio.create_task(self._work(state, attempt, recovering=recovering))

    async def _work(self, state: State, attempt: AttemptId, *, recovering: bool) -> None:
        """Perform an attempt and hand its outcome to the loop. Whatever goes wrong ends as a recorded outcome."""
        assert state.run is not None
        try:
            job = job_of(state, attempt)
            folder = self._folders[attempt] = folder_of(job)
            ending = [] if recovering else [each for each, used in self._ending.items() if used in {None, folder}]
            if ending:  # a killed attempt may still use the folder; whoever cancels this must not cancel its end
                await asyncio.wait(ending)
            act = self._performer.recover if recovering else self._performer.perform
            async with self._shared[folder] if is_shared(job) else contextlib.nullcontext():
                outcome = await act(job, state.project)
        except PunchlistError as error:
            outcome = _broken(attempt, FailureClass.DEFINITION, reason=str(error))
        except Exception as error:  # noqa: BLE001 - the loop goes on, and the record says what happened
            _LOG.exception("attempt %s", attempt)
            outcome = _broken(
                attempt, FailureClass.WORKER, reason=f"a bug of punchlist: {error!r}; see the engine's log"
            )
        self._working.pop(attempt, None)
        self._folders.pop(attempt, None)
        reach("before-record")
        self._outcomes.append(cmd.AttemptOver(run=state.run.id, outcome=outcome))
        self._woken.set()

    def _kill(self, attempt: AttemptId) -> None:
        working = self._working.pop(attempt, None)
        if working is not None:
            working.cancel()
        ending = asyncio.create_task(self._end(attempt, working))
        self._ending[ending] = self._folders.pop(attempt, None)  # what is left of an older engine may be anywhere
        ending.add_done_callback(self._ended)

    async def _end(self, attempt: AttemptId, working: "asyncio.Task[None] | None") -> None:
        """Wait for the end of a cancelled attempt, and see to it: a task that had not begun has ended nothing."""
        if working is not None:
            await asyncio.wait({working})
        await self._performer.settle(attempt)

    def _forget(self, run: RunId, attempts: Sequence[AttemptId]) -> None:
        """Remove what is kept of the environment for a run that is over, when nothing is left that could print it."""
        if not attempts:
            self._performer.listed.forget(run)
            return
        ending = asyncio.create_task(forget(self._performer, run, attempts=attempts, after=[*self._ending]))
        self._ending[ending] = f"values {run}"
        ending.add_done_callback(self._ended)

    def _ended(self, ending: "asyncio.Task[None]") -> None:
        self._ending.pop(ending, None)
        if not ending.cancelled() and (error := ending.exception()) is not None:
            _LOG.error("an attempt could not be ended", exc_info=error)
        self._announce()  # whoever cancels waits until nothing of it is left
        self._woken.set()

    # -- beginning and end --------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """Take over what a dead engine left: recorded state says what was running, files say what became of it."""
        with self._store.read() as reader:
            for row in reader.runs(live=True):
                self._states[row.id] = load_run(reader, row.id)
            tasks = set(lately_changed(reader))
            over = kept_for_nothing(self._performer, reader)
        self._performer.leaving.sweep()
        tasks |= {state.run.task for state in self._states.values() if state.run is not None and state.run.task}
        if tasks:
            await self._show(self._pages.mend, sorted(tasks))
        await self._take_up()
        for run, attempts in over.items():
            self._forget(run, attempts)
        await self._apply([cmd.TimePassed(run=run) for run in self._states])

    async def _take_up(self) -> None:
        """Take up what is recorded as at work and is not waited for here, and end what is at work and not recorded so.

        At the start that is all that a dead engine left; afterwards there is nothing, unless something was missed.
        """
        self._look_at = asyncio.get_running_loop().time() + self._look.total_seconds()
        alive = await asyncio.to_thread(self._performer.alive)
        waited_for = {each for each, working in self._working.items() if not working.done()}
        waited_for |= {over.outcome.attempt for over in self._outcomes}
        for stray in alive - self._live() - waited_for:
            self._kill(stray)  # its end was recorded, and then the engine died before it was gone
        for state in self._states.values():
            assert state.run is not None
            self._want(state, wanted(state, set(state.run.live) - waited_for), recovering=True)

    def _live(self) -> set[AttemptId]:
        return {attempt for state in self._states.values() if state.run is not None for attempt in state.run.live}

    async def _leave(self) -> None:
        """Stop what runs, record that it is to run again, and wait until every process is gone.

        The engine's own work on git is not stopped but waited for; the next engine finds it done. Who hands over leaves
        processes alone.
        """
        if self._handing_over:
            self._performer.let_go()
            for working in self._working.values():
                working.cancel()
            await asyncio.gather(*self._ending, *self._working.values(), return_exceptions=True)
            return
        live = [run for run, state in self._states.items() if state.run is not None and state.run.live]
        if live:
            await self._apply([cmd.Interrupted(run=run) for run in live])
        await asyncio.gather(*self._ending, *self._working.values(), return_exceptions=True)


def _broken(attempt: AttemptId, failure: FailureClass, *, reason: str) -> Outcome:
    return Outcome(attempt=attempt, status=AttemptStatus.FAILED, failure=failure, reason=reason)
