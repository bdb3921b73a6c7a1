"""What an engine says of itself: lines with the time on standard error, in a file that stays small."""

import contextlib
import logging
import os
import sys
from pathlib import Path

from punchlist.runtime.logfile import LARGEST, keep_small
from punchlist.sharing import file_mode

_STREAMS = (1, 2)


class LogFile(logging.Handler):
    """Writes what an engine says to standard error, with the time; where that is the file at `path`, keeps it small."""

    def __init__(self, path: Path, *, largest: int = LARGEST) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._path = path
        self._largest = largest

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; one that cannot be written is lost, and nothing else is."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
            if _is_at(self._path) and keep_small(self._path, largest=self._largest):
                _begin(self._path)


def _is_at(path: Path) -> bool:
    there, mine = path.stat(), os.fstat(sys.stderr.fileno())
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def _begin(path: Path) -> None:
    """Let what this process prints go to a new file."""
    fresh = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, file_mode(path.parent))
    for stream in _STREAMS:
        os.dup2(fresh, stream)
    os.close(fresh)
