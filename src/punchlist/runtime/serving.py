"""An engine as a process: the loop under asyncio, ended by SIGTERM or SIGINT between two transitions."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine

from punchlist.runtime.beside import Beside
from punchlist.runtime.lock import CALL, HAND_OVER
from punchlist.runtime.loop import Runtime

_TURN = 0.0005
"""Seconds after which a thread that computes gives way: the loop takes its turn after each call that waits."""


def serve(make: Callable[[], Runtime], beside: Callable[[Runtime], Beside], *, finishes: bool) -> bool:
    """Run an engine in this process until it has nothing to do or is stopped; False when another one has the lock.

    `beside` makes what it does for other programs. With `finishes` those are told what they are to be told before it
    ends, unless it is told to end at once: then the next engine tells them.
    """

    async def main() -> bool:
        runtime = make()
        loop = asyncio.get_running_loop()
        told = asyncio.Event()

        def stop() -> None:
            told.set()
            runtime.stop()

        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, stop)
        loop.add_signal_handler(HAND_OVER, runtime.hand_over)
        async with beside(runtime).at_work() as others:
            runtime.stays_while(lambda: not finishes and others.busy)
            runtime.tells(others.name, others.announced)

            def listen_again() -> None:
                runtime.listen_again()
                others.listen_again()

            loop.add_signal_handler(CALL, listen_again)
            served = await runtime.serve()
            if served and finishes:
                await _unless(told, others.finish())
        return served

    sys.setswitchinterval(_TURN)
    return asyncio.run(main())


async def _unless(told: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do some work, and leave it undone as soon as the process is told to end."""
    waiting, working = asyncio.ensure_future(told.wait()), asyncio.ensure_future(work)
    await asyncio.wait((waiting, working), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    working.cancel()
    if working.done():
        working.result()
