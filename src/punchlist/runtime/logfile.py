"""Files that stay small: when the engine's log, or the outbox, has grown, it becomes the old file, and a new begins."""

import contextlib
from pathlib import Path

LARGEST = 5_000_000
"""Bytes of the log at which the next one begins."""
_OLD = ".1"


def keep_small(path: Path, *, largest: int = LARGEST) -> bool:
    """Move a file that has grown to `largest` away, in place of the one moved before; say whether that was done."""
    with contextlib.suppress(OSError):
        if path.stat().st_size >= largest:
            path.replace(path.with_name(f"{path.name}{_OLD}"))
            return True
    return False
