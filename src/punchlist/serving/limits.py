"""The limits on attempts at work at once, as the settings' file has them now."""

import logging
from pathlib import Path

from punchlist import wiring
from punchlist.errors import PunchlistError
from punchlist.model.places import Limits, limits_of
from punchlist.model.settings import FILE

_LOG = logging.getLogger("punchlist.engine")


class LimitsNow:
    """Reads the limits whenever the file is another one than it was; one that cannot be read leaves the last ones."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: tuple[int, ...] | None = None
        self._limits = Limits()

    def __call__(self) -> Limits:
        """Return the limits in force."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self._limits = limits_of(wiring.read_settings(self._root))
            except PunchlistError as error:
                _LOG.error("the limits stay as they were: %s", error)
        return self._limits

    def _look(self) -> tuple[int, ...]:
        """Return what differs from one file to the next; nothing without a file."""
        try:
            found = (self._root / FILE).stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
