"""Which processes belong to an attempt, found in /proc: its session, its descendants, and whatever carries its mark."""

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from punchlist.workers.environment import MARK
from punchlist.workers.wrapper import own_wrappers

PROC = Path("/proc")


class Process(NamedTuple):
    """One line of the process table; pid and start time (clock ticks since boot) together are never used again."""

    pid: int
    parent: int
    session: int
    started: int
    ended: bool


class Tree(NamedTuple):
    """What identifies the processes of an attempt.

    `wrapper` is its pid while that cannot have become someone else's: a child that is not yet collected, or a process
    with the recorded start time. `since` is its start; 0 when unknown.
    """

    io: Path
    wrapper: int | None
    since: int = 0

    def members(self) -> list[Process]:
        """Return the living processes of the attempt, its wrapper included; reads all of /proc."""
        table = {process.pid: process for process in map(read_process, _pids()) if process is not None}
        seeds = {pid for pid in table if _mark(pid) == str(self.io)}
        seeds |= self.strays(table)
        if self.wrapper is not None:
            seeds.add(self.wrapper)
        return [table[pid] for pid in family(table, seeds, apart=os.getpid()) if not table[pid].ended]

    def strays(self, table: Mapping[int, Process]) -> set[int]:
        """Return the orphans, given to the engine as their reaper, that belong to this attempt and to no other."""
        if self.wrapper is None:
            return set()
        others = [table[pid] for pid in own_wrappers() - {self.wrapper} if pid in table]
        return {process.pid for process in orphans(table.values()) if self._owns(process, others)}

    def _owns(self, orphan: Process, others: Collection[Process]) -> bool:
        mark = _mark(orphan.pid)
        if mark is not None or orphan.session == self.wrapper:
            return mark == str(self.io) or orphan.session == self.wrapper
        # It wiped its environment and left its session: it is ours when nobody else who still runs can have started it.
        return orphan.started >= self.since and not any(other.started <= orphan.started for other in others)


def family(table: Mapping[int, Process], seeds: Iterable[int], *, apart: int) -> set[int]:
    """Return the seeds with all their descendants and all members of their sessions, again and again until none is new.

    `apart` is the engine: neither it nor its session is ever part of a family.
    """
    own = table[apart].session if apart in table else 0
    found: set[int] = set()
    new = {pid for pid in seeds if pid in table and pid != apart}
    while new:
        found |= new
        sessions = {table[pid].session for pid in found} - {own, 0}
        new = {
            process.pid
            for process in table.values()
            if (process.parent in found or process.session in sessions) and process.pid not in found | {apart, 1}
        }
    return found


def orphans(processes: Iterable[Process]) -> list[Process]:
    """Return the children of this process that it did not start itself.

    What the engine starts without the wrapper, such as git, stays in the engine's session; no attempt is ever in it.
    """
    here, session = os.getpid(), os.getsid(0)
    own = own_wrappers()
    return [each for each in processes if each.parent == here and each.session != session and each.pid not in own]


def own_children() -> list[Process] | None:
    """Return the children of this process, cheaply; None when the kernel does not tell."""
    children: list[Process] = []
    try:
        for task in os.listdir(PROC / "self/task"):  # noqa: PTH208 - names alone, on the way of every command
            for pid in (PROC / "self/task" / task / "children").read_bytes().split():
                process = read_process(int(pid))
                if process is not None:
                    children.append(process)
    except FileNotFoundError:
        return None
    return children


def read_process(pid: int) -> Process | None:
    """Return what /proc says of a process, None when there is none."""
    try:
        text = (PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    words = text[text.rindex(b")") + 2 :].split()  # the name before it may hold anything
    return Process(pid, int(words[1]), int(words[3]), int(words[19]), words[0] in {b"Z", b"X"})


def marks() -> set[str]:
    """Return what living processes say of the attempt that they belong to."""
    return {mark for mark in map(_mark, _pids()) if mark is not None}


def reap(orphan: Process) -> None:
    """Take an ended orphan out of the process table."""
    with suppress(ChildProcessError):
        os.waitpid(orphan.pid, os.WNOHANG)


def _mark(pid: int) -> str | None:
    """Return the attempt that a process says it belongs to; None when it says nothing or is another user's."""
    try:
        variables = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    prefix = MARK.encode() + b"="
    return next((os.fsdecode(each.removeprefix(prefix)) for each in variables if each.startswith(prefix)), None)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208 - names alone
