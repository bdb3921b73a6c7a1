"""Ending a tree of processes so that nothing of it survives, and waiting for ends without threads or polling."""

import asyncio
import os
import signal
from collections.abc import Coroutine, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple, TypeVar

from punchlist.workers.tree import Process, Tree, orphans, own_children, read_process, reap

T = TypeVar("T")

_LAST_WORD = 1.0  # how long to wait for what SIGKILL was sent to, before looking again for what is left
_WAITED_FOR = 200


class Grace(NamedTuple):
    """Seconds that a tree is given after SIGINT, and then after SIGTERM, before SIGKILL."""

    interrupt: float = 2.0
    terminate: float = 3.0


GRACE = Grace()
AT_ONCE = Grace(interrupt=0.0, terminate=0.0)
"""For what endangers the machine as long as it lives: it hears SIGINT and SIGTERM, and has no time to heed them."""


async def kill(tree: Tree, grace: Grace) -> None:
    """End all of `tree`, and return when none of it is left: SIGINT, SIGTERM, then SIGKILL as long as anything lives.

    The wrapper is asked nothing: it ends, and leaves its record, when its command has ended, or it gets SIGKILL.
    """
    for sign, patience in ((signal.SIGINT, grace.interrupt), (signal.SIGTERM, grace.terminate)):
        if not await _send(sign, tree, patience=patience, spare=tree.wrapper):
            return
    await _kill_now(tree)


async def kill_rest(tree: Tree, grace: Grace) -> None:
    """End what a command left behind: no SIGINT, which background jobs of a shell ignore anyway."""
    if await _send(signal.SIGTERM, tree, patience=grace.terminate, spare=tree.wrapper):
        await _kill_now(tree)


def has_rest(tree: Tree) -> bool:
    """Say, at little cost, whether an ended command may have left processes behind; collects orphans that have ended.

    True when it cannot be told. Only a process that is the reaper of its orphans may ask.
    """
    while (children := own_children()) is not None:
        if tree.strays({process.pid: process for process in children if not process.ended}):
            return True
        if not reap_orphans(children):
            return False  # else look again: what had just ended may have left a process of its own
    return True


def reap_orphans(children: Sequence[Process]) -> int:
    """Take orphans that have ended out of the process table, and return how many that were."""
    return sum(reap(orphan) for orphan in orphans(children) if orphan.ended)


@contextmanager
def end_of(pidfd: int) -> Generator[asyncio.Future[None], None, None]:
    """Give a future that is done when the process has ended; works for processes that are not children, too."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def readable() -> None:
        loop.remove_reader(pidfd)
        if not ended.done():
            ended.set_result(None)

    loop.add_reader(pidfd, readable)
    try:
        yield ended
    finally:
        loop.remove_reader(pidfd)


def open_process(process: Process) -> int | None:
    """Return a descriptor of exactly this process, None when it has ended and its number may be another's."""
    try:
        pidfd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    now = read_process(process.pid)
    if now is not None and now.started == process.started and not now.ended:
        return pidfd
    os.close(pidfd)
    return None


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` without letting a cancellation interrupt it; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


async def _kill_now(tree: Tree) -> None:
    """Stop all of it, then end it: what is stopped neither forks faster than it is found nor sees another one end."""
    while await asyncio.to_thread(_stop, tree):
        await _send(signal.SIGKILL, tree, patience=_LAST_WORD, spare=None)


def _stop(tree: Tree) -> bool:
    """Stop the tree, again and again until nothing new is found in it; return whether there was anything."""
    known: set[tuple[int, int]] = set()
    stopped = False
    while new := [each for each in tree.members() if (each.pid, each.started) not in known]:
        for process in new:
            known.add((process.pid, process.started))
            pidfd = open_process(process)
            if pidfd is not None:
                stopped |= _signal(pidfd, signal.SIGSTOP)
                os.close(pidfd)
    return stopped


async def _send(sign: signal.Signals, tree: Tree, *, patience: float, spare: int | None) -> bool:
    """Send a signal to the tree and wait until those who got it have ended; return whether there were any at all.

    Of very many only the first are waited for: a descriptor each is needed.
    """
    members = await asyncio.to_thread(tree.members)
    with ExitStack() as stack:
        ends: list[asyncio.Future[None]] = []
        for process in members:
            pidfd = open_process(process)
            if pidfd is None:
                continue
            told = process.pid == spare or _signal(pidfd, sign)
            if told and len(ends) < _WAITED_FOR:
                stack.callback(os.close, pidfd)
                ends.append(stack.enter_context(end_of(pidfd)))
            else:
                os.close(pidfd)
        if ends:
            await asyncio.wait(ends, timeout=patience)
    return bool(ends)


def _signal(pidfd: int, sign: signal.Signals) -> bool:
    """Send a signal; return False for a process of another user, which cannot be waited for to obey."""
    try:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, sign)
    except PermissionError:
        return False
    return True
