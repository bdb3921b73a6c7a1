"""Which processes belong to an attempt, found in /proc: its session, its descendants, and what carries its marks."""

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from punchlist.model.ids import AttemptId
from punchlist.workers.environment import MARK
from punchlist.workers.reading import read_whole
from punchlist.workers.tag import PROC, attempt_of, read_tag, tag_of
from punchlist.workers.wrapper import own_wrappers


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
        """Return the living processes of the attempt, its wrapper included; reads all of /proc.

        One may start another and end before it is looked at. So what is new is looked at, too, until nothing is.
        """
        table: dict[int, Process] = {}
        seeds: set[int] = set()
        seen: set[int] = set()
        tag = tag_of(self.io)
        while new := set(_pids()) - seen:
            seen |= new
            for pid in new:
                if (process := read_process(pid)) is not None:
                    table[pid] = process
                    if marked(pid, self.io) or (tag is not None and read_tag(pid) == tag):
                        seeds.add(pid)
        seeds |= self.strays(table)
        if self.wrapper is not None:
            seeds.add(self.wrapper)
        return [table[pid] for pid in family(table, seeds, apart=os.getpid()) if not table[pid].ended]

    def near(self) -> list[Process]:
        """Return the living processes of the attempt as far as a look at it alone tells: descendants, and orphans here.

        Of an attempt that another engine started orphans are elsewhere; then all of /proc is read.
        """
        children = own_children() if self.wrapper in own_wrappers() else None
        if self.wrapper is None or children is None:
            return self.members()
        todo = [self.wrapper, *self.strays({process.pid: process for process in children if not process.ended})]
        found: dict[int, Process] = {}
        while todo:
            process = read_process(todo.pop())
            if process is not None and not process.ended and process.pid not in found:
                found[process.pid] = process
                todo += children_of(process.pid)
        return list(found.values())

    def strays(self, table: Mapping[int, Process]) -> set[int]:
        """Return the orphans, given to the engine as their reaper, that belong to this attempt and to no other."""
        if self.wrapper is None:
            return set()
        others = [table[pid] for pid in own_wrappers() - {self.wrapper} if pid in table]
        return {process.pid for process in orphans(table.values()) if self._owns(process, others)}

    def _owns(self, orphan: Process, others: Collection[Process]) -> bool:
        mark, tag = _mark(orphan.pid), read_tag(orphan.pid)
        if mark == str(self.io) or orphan.session == self.wrapper or (tag is not None and tag == tag_of(self.io)):
            return True
        if mark is not None or tag is not None:
            return False
        if os.getpid() == 1:
            return False  # the first process of a container is given strangers too, as by `docker exec`
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
    """Return the children of this process, cheaply; None when the kernel does not tell.

    They are those of its first thread: the kernel gives every orphan to that one.
    """
    here = os.getpid()
    try:
        children = read_whole(f"/proc/{here}/task/{here}/children").split()
    except OSError:
        return None
    return [process for process in map(read_process, map(int, children)) if process is not None]


def children_of(pid: int) -> list[int]:
    """Return the pids of a process's children; what ends meanwhile may be missing."""
    children: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names alone
            with suppress(OSError):
                children += map(int, read_whole(f"/proc/{pid}/task/{task}/children").split())
    return children


def read_process(pid: int) -> Process | None:
    """Return what /proc says of a process, None when there is none."""
    try:
        text = read_whole(f"/proc/{pid}/stat")
    except (FileNotFoundError, ProcessLookupError):
        return None
    words = text[text.rindex(b")") + 2 :].split()  # the name before it may hold anything
    return Process(pid, int(words[1]), int(words[3]), int(words[19]), words[0] in {b"Z", b"X"})


def alive_below(root: Path) -> frozenset[AttemptId]:
    """Return the attempts with directories in `root` of which processes live; reads all of /proc."""
    found = {pid: attempt for pid in _pids() if (attempt := _attempt(pid, root)) is not None}
    ended = {pid for pid in found if (process := read_process(pid)) is None or process.ended}
    return frozenset(attempt for pid, attempt in found.items() if pid not in ended)


def _attempt(pid: int, root: Path) -> AttemptId | None:
    """Return the attempt below `root` that a process belongs to, by its environment, or by its tag without one."""
    mark = _mark(pid)
    if mark is None:
        return attempt_of(read_tag(pid), root)
    folder = Path(mark).parent
    return AttemptId(folder.name) if folder.parent == root else None


def marked(pid: int, io: Path) -> bool:
    """Say whether a process has the attempt with this directory in its environment."""
    return _mark(pid) == str(io)


def reap(orphan: Process) -> bool:
    """Take an ended orphan out of the process table; False when it is not gone, as while a thread of it lives."""
    with suppress(ChildProcessError):
        return os.waitpid(orphan.pid, os.WNOHANG)[0] != 0
    return False


def _mark(pid: int) -> str | None:
    """Return the attempt that a process says it belongs to; None when it says nothing or is another user's."""
    try:
        variables = read_whole(f"/proc/{pid}/environ").split(b"\0")
    except OSError:
        return None
    prefix = MARK.encode() + b"="
    return next((os.fsdecode(each.removeprefix(prefix)) for each in variables if each.startswith(prefix)), None)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208 - names alone
