"""The number that everything an attempt starts inherits: unlike its environment, nobody clears it by the way.

It is the soft limit on file locks, which Linux has kept and has not heeded since 2.6: it goes through fork, exec, a new
session and another parent, and /proc shows it. A program that means to get rid of it can; see the trust boundary.
"""

import functools
import hashlib
import re
from pathlib import Path

from punchlist.model.ids import AttemptId
from punchlist.workers.reading import read_whole

PROC = Path("/proc")
NONE = "unlimited"
"""What a process has that belongs to no attempt."""
_NUMBERED = re.compile(r"A([1-9][0-9]{0,6})")
_BITS = 24
_LINE = re.compile(rb"^Max file locks +([0-9]+) ", re.MULTILINE)


def tag_of(io: Path) -> int | None:
    """Return the number of an attempt by its half of its directory; None for one that is not called `A` and a number.

    It is 62 bits long, so that as a limit it would never be in anyone's way: a one, a digest of the place, the number.
    """
    root, name = str(io).rsplit("/", 2)[:2]
    found = _NUMBERED.fullmatch(name)
    return None if found is None else _place(root) << _BITS | int(found[1])


def attempt_of(tag: int | None, root: Path) -> AttemptId | None:
    """Return which of the attempts below `root` has a number; None for one of another workspace."""
    if tag is None or tag >> _BITS != _place(str(root)):
        return None
    return AttemptId(f"A{tag & (1 << _BITS) - 1}")


def read_tag(pid: int) -> int | None:
    """Return the number that a process has inherited; None without one, or when it cannot be asked."""
    try:
        found = _LINE.search(read_whole(f"/proc/{pid}/limits"))
    except OSError:
        return None
    tag = int(found[1]) if found is not None else 0
    return tag if tag >> 61 == 1 else None


@functools.lru_cache(maxsize=64)
def _place(root: str) -> int:
    digest = hashlib.sha256(root.encode(errors="surrogateescape")).digest()
    return 1 << 37 | int.from_bytes(digest[:5], "big") & (1 << 37) - 1
