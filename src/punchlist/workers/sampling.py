"""What the processes of an attempt take at a moment: read from /proc, of its own processes alone."""

import os
import re
from contextlib import suppress

from punchlist.model.jobs import Limits
from punchlist.workers.limits import NOTHING, Use
from punchlist.workers.reading import read_whole
from punchlist.workers.tree import Tree

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PSS = re.compile(rb"^Pss: +([0-9]+) kB", re.MULTILINE)


def use_of(tree: Tree, limits: Limits) -> Use:
    """Return what an attempt takes, its wrapper aside; nothing is looked at where nothing of it is limited.

    Memory that processes share is counted in each of them, which is quickly read, unless that is too much: then each
    has its share of it. A process that ended meanwhile, or is another user's, counts as nothing.
    """
    if limits.memory is None and limits.processes is None:
        return NOTHING
    pids = [process.pid for process in tree.near() if process.pid != tree.wrapper]
    memory = sum(map(_resident, pids))
    if limits.memory is not None and memory > limits.memory:
        memory = sum(map(_share, pids))
    return Use(memory=memory, processes=len(pids))


def _resident(pid: int) -> int:
    with suppress(OSError, IndexError):
        return int(read_whole(f"/proc/{pid}/statm").split()[1]) * _PAGE
    return 0


def _share(pid: int) -> int:
    with suppress(OSError):
        found = _PSS.search(read_whole(f"/proc/{pid}/smaps_rollup"))
        return int(found[1]) << 10 if found is not None else 0
    return 0
