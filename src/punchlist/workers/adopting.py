"""Attempts that another engine started: which process its wrapper is, if it lives, and how its end is waited for."""

import asyncio
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from punchlist.workers.clocks import Clocks
from punchlist.workers.files import LOCK, AttemptFiles
from punchlist.workers.killing import end_of, open_process
from punchlist.workers.tag import PROC
from punchlist.workers.tree import Process, Tree, marked, read_process

_HOLDS = "9"
"""The descriptor by which a wrapper holds its lock."""
_TICKS = os.sysconf("SC_CLK_TCK")


class Found(NamedTuple):
    """An attempt that lives; without a process only its lock says so, because /proc does not show its wrapper."""

    files: AttemptFiles
    wrapper: Process | None

    @contextmanager
    def end(self) -> Generator[asyncio.Future[None], None, None]:
        """Give a future that is done when the wrapper has ended; nothing is polled meanwhile."""
        pidfd = open_process(self.wrapper) if self.wrapper is not None else None
        if pidfd is None:
            yield _unlocked(self.files)
            return
        try:
            with end_of(pidfd) as ended:
                yield ended
        finally:
            os.close(pidfd)

    def times(self, clocks: Clocks) -> tuple[float, float]:
        """Return for how many seconds it has run, and for how many of them it said nothing, the machine's sleep aside.

        The silence is told by the clock of the file system alone; where that was set back or cannot be asked, it begins
        anew. When the machine slept is not known: no silence is found early, and it may be found late.
        """
        now = self.files.note_adopted()
        began = self.files.began()
        slept = max(clocks.slept - self.files.slept_before(clocks.slept), 0.0)
        if self.wrapper is not None:
            ran = clocks.boot - self.wrapper.started / _TICKS
        else:
            ran = now - began if now is not None and began else 0.0
        ran = max(ran - slept, 0.0)
        silent = now - max(began, self.files.grew()) - slept if now is not None else 0.0
        return ran, min(max(silent, 0.0), ran)


def find(files: AttemptFiles) -> Found | None:
    """Return the attempt if it lives, None when its wrapper has ended or there never was one.

    A number is believed only with its start time and the mark in its environment: it may be another program's by now.
    Where the file that says it is missing or broken, the wrapper is who holds the lock, even one that was removed.
    """
    wrapper, locked = recorded_wrapper(files), files.locked()
    if wrapper is None and (locked or files.wrapper() is None):
        wrapper = _holder(files)
    return Found(files, wrapper) if wrapper is not None or locked else None


def recorded_wrapper(files: AttemptFiles) -> Process | None:
    """Return the living process that the file `pid` names, if it is still the wrapper of this attempt."""
    recorded = files.wrapper()
    if recorded is None:
        return None
    process = read_process(recorded[0])
    same = process is not None and process.started == recorded[1] and not process.ended
    return process if same and marked(recorded[0], files.io) else None


def tree_of(files: AttemptFiles) -> Tree:
    """Return the tree of an attempt that another engine started."""
    wrapper = recorded_wrapper(files)
    return Tree(files.io, None) if wrapper is None else Tree(files.io, wrapper.pid, wrapper.started)


def why_lost(files: AttemptFiles) -> str:
    """Say what is missing of an attempt of which neither a process lives nor a whole exit record is there."""
    if not files.directory.is_dir():
        return "its folder is not there"
    if files.has_whole_exit():
        return "its exit record is not its wrapper's: something else wrote it"
    if files.has_exit():
        return "its exit record is not whole"
    recorded = files.wrapper()
    if recorded is None:
        return "it left neither an exit record nor the number of its process"
    process = read_process(recorded[0])
    if process is not None and process.started != recorded[1]:
        return f"process {recorded[0]}, which it was, is another program now, and it left no exit record"
    return "it left no exit record"


def _holder(files: AttemptFiles) -> Process | None:
    """Return the process of this attempt that holds its lock; reads all of /proc."""
    names = {Path(files.at(LOCK)), Path(files.at(f"{LOCK} (deleted)"))}
    for process in Tree(files.io, None).members():
        with suppress(OSError):  # it has ended, or is another user's
            if (PROC / str(process.pid) / "fd" / _HOLDS).readlink() in names:
                return process
    return None


def _unlocked(files: AttemptFiles) -> asyncio.Future[None]:
    """Return a future that is done when the lock is free. Its thread keeps no process from ending."""
    loop = asyncio.get_running_loop()
    freed: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not freed.done():
            freed.set_result(None)

    def wait() -> None:
        files.wait_unlocked()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=wait, daemon=True).start()
    return freed
