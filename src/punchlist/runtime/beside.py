"""What an engine does for other programs while it works: takes their lines, writes what they read, calls them back."""

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

from punchlist.errors import DefinitionError, RefusedError, StoreError
from punchlist.model.outside import CALLBACKS, INBOX, OUTBOX, Delivery
from punchlist.ports import Notifier
from punchlist.runtime.bugs import BugsFound
from punchlist.runtime.channel import Channel
from punchlist.runtime.deliveries import Deliveries
from punchlist.runtime.lines import Lines
from punchlist.runtime.notices import Notices
from punchlist.runtime.outbox import Outbox
from punchlist.sharing import file_mode

_LOG = logging.getLogger("punchlist.engine")
_SHARE = 20
"""Writing may take one part of so many of the time: under a heavy run many events are written at once."""
_LONGEST = 2.0
_RETRY = 60.0
"""Seconds after which what could not be read or written is tried again, though nothing was announced."""
_WAIT = 1.0
_WAITING = "lines that wait for their answer"


class _Part(NamedTuple):
    """Part of the work: what it is called, what does it once and says how long to wait at most, what wakes it."""

    name: str
    do: Callable[[], Awaitable[float | None]]
    called: asyncio.Event


class Beside:
    """The work of an engine that no run waits for; nothing of it is done in the loop itself.

    A bug in one part of it is reported, and neither holds up the others nor keeps the engine from its end.
    When it ends, a line that is being taken is left to the next engine unless it can be
    answered at once, and what was committed is written. One process of a workspace does this at a time: the one that
    holds `lock`. `changed` is called when `busy` may have changed, and at each notice:
    the settings may have.
    """

    def __init__(
        self,
        *,
        lock: Path,
        channel: Channel,
        name: str,
        notices: Callable[[], Notices],
        lines: Lines,
        stop_lines: Callable[[], None],
        outbox: Outbox,
        deliveries: Deliveries,
        notifier: Notifier,
        bugs: BugsFound,
        changed: Callable[[], None],
    ) -> None:
        self._lock = lock
        self._channel = channel
        self.name = name
        self._open_notices = notices
        self._lines = lines
        self._stop_lines = stop_lines
        self._outbox = outbox
        self._deliveries = deliveries
        self._notifier = notifier
        self._bugs = bugs
        self._changed = changed
        self._committed, self._to_take = asyncio.Event(), asyncio.Event()
        self._to_send, self._sent = asyncio.Event(), asyncio.Event()
        self._to_settle = asyncio.Event()
        self._pending = 0
        self._writing = self._asked = self._stuck = False
        self._held: int | None = None
        self._hearing = ExitStack()

    @property
    def busy(self) -> bool:
        """Whether somebody is, or may be, still to be told: an engine that has nothing else to do stays for it."""
        writing = self._writing or self._committed.is_set()
        telling = self._pending > 0 and not self._bugs.hinders(CALLBACKS)
        answering = self._lines.due is not None and not self._bugs.hinders(_WAITING)
        self._asked = telling or answering or writing
        return self._asked

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[Self]:
        """Do it within the block: what is to be told of runs is what happens from its beginning on."""
        async with AsyncExitStack() as stack:
            stack.enter_context(self._hearing)
            self._listen()
            with suppress(StoreError):  # then lines are looked for when something is announced
                notices = self._open_notices()
                stack.callback(notices.close)
                stack.enter_context(_readable(notices.fileno(), lambda: self._noticed(notices)))
            stack.callback(self._disown)
            await self._own()
            parts = (
                _Part(INBOX, self._take, self._to_take),
                _Part(_WAITING, self._settle, self._to_settle),
                _Part(OUTBOX, self._write, self._committed),
                _Part(CALLBACKS, self._send, self._to_send),
            )
            working = [asyncio.create_task(self._keep_at(part)) for part in parts]
            try:
                yield self
            finally:
                await self._end(working)

    def listen_again(self) -> None:
        """Listen at a new socket, and look about: the folder of the one before may have been removed."""
        try:
            self._listen()
        except StoreError as error:
            _LOG.error("%s", error)
        self._committed.set()

    def _listen(self) -> None:
        self._hearing.close()
        watching = self._hearing.enter_context(self._channel.watch(self.name))

        def heard() -> None:
            watching.wait(0)
            self.announced()

        self._hearing.enter_context(_readable(watching.fileno(), heard))

    async def _end(self, working: Sequence[asyncio.Task[None]]) -> None:
        """End the work, and write what was committed."""
        self._stop_lines()
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        if self._held is not None and not self._bugs.hinders(OUTBOX):
            while await self._once(OUTBOX, self._written):
                pass

    async def finish(self) -> None:
        """See that all is told once: the engine ends as soon as its run does, and may be the last for a while."""
        if self._held is not None:
            await self._once(_WAITING, self._settled)
            await self._once(OUTBOX, self._written)
            self._to_send.set()
            while not self._stuck and any(not each.tries for each in await self._waiting()):
                await self._sent.wait()
                self._sent.clear()

    # -- who does this, and what wakes it -----------------------------------------------------------------------------

    async def _own(self) -> bool:
        """Say whether this process is the one that does all this; one that ended this moment may still be at it."""
        if self._held is None:
            mode = file_mode(self._lock.parent)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            self._held = descriptor
            await self._tried(self._bugs.begin)
            await self._recorded()
        return True

    def _disown(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    async def _owning(self) -> None:
        while not await self._own():  # noqa: ASYNC110 - nobody tells when a lock is let go
            await asyncio.sleep(_WAIT)

    def announced(self) -> None:
        """Take up what was committed; to be called within the loop."""
        self._committed.set()
        if self._lines.waits:
            self._to_settle.set()
        if self._lines.has_news():
            self._to_take.set()

    def _noticed(self, notices: Notices) -> None:
        notices.take()
        self._to_take.set()
        self._changed()

    # -- the work -----------------------------------------------------------------------------------------------------

    async def _keep_at(self, part: _Part) -> None:
        """Do a part of the work again and again, as long as the engine is there."""
        while True:
            try:
                await self._owning()
                within = await part.do()
                if self._bugs.hinders(part.name):
                    await self._tried(lambda: self._bugs.over(part.name))
            except Exception as error:  # noqa: BLE001 - as in the loop: the record says what happened, and it goes on
                if part.name == CALLBACKS:
                    part.called.clear()  # it may have asked for more itself, and would do nothing else
                await self._broke(part.name, error)
                within = _RETRY
            await _called(part.called, within=within)

    async def _once(self, name: str, do: Callable[[], Awaitable[bool]]) -> bool:
        """Do something of a part at the end of the engine, which no bug is to keep from ending."""
        try:
            return await do()
        except Exception as error:  # noqa: BLE001 - as above
            await self._broke(name, error)
            return False

    async def _broke(self, name: str, error: Exception) -> None:
        """Report a bug, and let nobody wait for what it keeps from being done."""
        if not self._bugs.hinders(name):
            _LOG.error("%s is not done, by a bug of punchlist", name, exc_info=error)
        await self._tried(lambda: self._bugs.note(name, error))
        self._stuck = self._stuck or name == CALLBACKS
        self._sent.set()
        self._changed()

    async def _take(self) -> float | None:
        done = await self._tried(self._lines.take)
        self._to_settle.set()
        self._committed.set()
        return None if done else _RETRY

    async def _settle(self) -> float | None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        done = await self._settled()
        await asyncio.sleep(min(_SHARE * (loop.time() - began), _LONGEST))
        return self._lines.due if done else _RETRY

    async def _settled(self) -> bool:
        """Answer the lines that wait for what has come about; say whether that could be done."""
        answered: list[bool] = []
        done = await self._tried(lambda: answered.append(self._lines.settle()))
        if any(answered):
            self._committed.set()
        self._changed()
        return done

    async def _write(self) -> float | None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            if not await self._written():
                await asyncio.sleep(min(_SHARE * (loop.time() - began), _LONGEST))
                return _RETRY if self._outbox.problem else None

    async def _send(self) -> float | None:
        self._stuck = False
        waits = [_RETRY]  # a clock may be set meanwhile
        self._to_send.clear()
        waiting = await self._waiting()
        for delivery in waiting:
            left = self._deliveries.until_due(delivery).total_seconds()
            if left > 0:
                waits.append(left)
            elif await self._tell(delivery):
                self._to_send.set()  # look again: it may be due later, or others may have come
            else:
                self._stuck = True  # it would be told again and again
                break
        self._note(len(waiting))
        self._sent.set()
        return min(waits) if waiting else None

    async def _tell(self, delivery: Delivery) -> bool:
        """Tell it once; say whether what became of that could be written down."""
        problem = await self._notifier.tell(delivery)
        if problem:
            _LOG.warning("the callback was told %s in vain: %s", delivery.id, problem)
        return await self._tried(lambda: self._deliveries.told(delivery, problem=problem))

    async def _waiting(self) -> list[Delivery]:
        waiting: list[Delivery] = []
        await self._tried(lambda: waiting.extend(self._deliveries.waiting()))
        return waiting

    async def _written(self) -> bool:
        """Write what was committed; say whether more waits."""
        self._writing = True
        more: list[bool] = []
        try:
            await self._recorded()
            await self._tried(lambda: more.append(self._outbox.write()))
        finally:
            self._writing = False
        if self._asked:
            self._changed()
        return any(more)

    async def _recorded(self) -> None:
        new: list[bool] = []
        await self._tried(lambda: new.append(self._deliveries.record()))
        if any(new):
            self._note(self._pending + 1)
            self._to_send.set()

    def _note(self, pending: int) -> None:
        self._pending = pending
        self._changed()

    async def _tried(self, work: Callable[[], None]) -> bool:
        """Do what the disk or the store may keep from being done now, in a thread; say whether it was done."""
        try:
            await _aside(work)
        except (StoreError, RefusedError, DefinitionError) as error:
            _LOG.error("what other programs are told is behind the record: %s", error)
            return False
        return True


@contextmanager
def _readable(descriptor: int, act: Callable[[], None]) -> Generator[None]:
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, act)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)


async def _called(event: asyncio.Event, *, within: float | None) -> None:
    """Wait until an event is set, or for so many seconds, and clear it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    event.clear()


async def _aside(work: Callable[[], None]) -> None:
    """Do blocking work in a thread. Cancelling waits for it, so that nothing is left half-done."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
