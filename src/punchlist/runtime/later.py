"""Work that need not be done at once, nor each time that it is asked for: done beside the loop, at leisure."""

import threading
from collections.abc import Callable
from datetime import timedelta

from punchlist.ports import Clock

_SOON = timedelta(seconds=1)
_LATEST = timedelta(minutes=2)
"""The work is not put off for longer, whatever it took by a clock that may have been set meanwhile."""
_SHARE = 20
"""The work may take one part of so many of the time."""


class Later:
    """Does `work` some time after it was asked for: once for all that asked meanwhile, the later the longer it takes.

    What was asked for and not begun when the process ends is not done.
    """

    def __init__(
        self, work: Callable[[], None], *, clock: Clock, soon: timedelta = _SOON, latest: timedelta = _LATEST
    ) -> None:
        self._work = work
        self._clock = clock
        self._soon = self._delay = soon
        self._latest = latest
        self._asked = False
        self._lock = threading.Lock()

    def ask(self) -> None:
        """Have the work done, unless it is going to be."""
        with self._lock:
            if self._asked:
                return
            self._asked = True
        timer = threading.Timer(self._delay.total_seconds(), self._do)
        timer.daemon = True
        timer.start()

    def _do(self) -> None:
        with self._lock:
            self._asked = False
        began = self._clock.now()
        self._work()
        self._delay = max(self._soon, min(_SHARE * (self._clock.now() - began), self._latest))
