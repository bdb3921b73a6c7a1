"""How long the machine has been awake: the one clock of limits on time, for attempts that are watched and adopted."""

import time
from typing import NamedTuple


class Clocks(NamedTuple):
    """Two clocks of the kernel, in seconds since the machine was started; `awake` stands still while it sleeps.

    An engine's loop goes by `awake`, and nothing of an attempt goes on in its sleep; the start of a process is told by
    `boot` alone.
    """

    boot: float
    awake: float

    @property
    def slept(self) -> float:
        """For how long it slept since it was started."""
        return max(self.boot - self.awake, 0.0)


def clocks_now() -> Clocks:
    """Return what the clocks of this machine say."""
    return Clocks(boot=time.clock_gettime(time.CLOCK_BOOTTIME), awake=time.clock_gettime(time.CLOCK_MONOTONIC))
