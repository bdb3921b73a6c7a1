"""Named points at which a test lets an engine die as if it were killed there; else nothing happens at them."""

import os
import signal
from collections.abc import Mapping

VARIABLE = "PUNCHLIST_DIE_AT"
POINTS: Mapping[str, str] = {
    "before-commit": "events, rows and answers are written, and their transaction is not committed",
    "after-commit": "they are committed, and nothing of what they ask for is done",
    "before-spawn": "the directory of an attempt is made, and its process is not started",
    "after-spawn": "its process is started, and nobody waits for it yet",
    "before-record": "an attempt is over and its outcome is known, and that is not in the record",
    "while-rendering": "a generated file is written beside its place, and not yet moved there",
    "while-integrating": "the commit of a step is made, and no branch is moved",
    "inside-git": "the task's branch is moved in the user's repository, and not in the engine's",
    "inside-migration": "a store is copied and brought to the present format, and that is not committed",
}
"""Each point → what has happened there and what has not."""

_left: dict[str, int] = {}  # how often the point is still to be passed: a fact of the process


def arm(said: str | None) -> None:
    """Let this process die at a point, `POINT` or `POINT:N` for the N-th time; nothing is said in normal use."""
    _left.clear()
    if said:
        point, _, times = said.partition(":")
        _left[point] = int(times or 1)


def reach(point: str) -> None:
    """Say that a point is reached."""
    if point in _left:
        _left[point] -= 1
        if _left[point] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
