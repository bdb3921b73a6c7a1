"""When a running process is looked at, and which of its limits it has passed."""

from typing import NamedTuple

from punchlist.model.jobs import FailureClass, Limits

_FIRST_LOOK = 0.1
_LONGEST_PAUSE = 1.0  # bounds how late silence is noticed, and how far output may overshoot its limit


class Use(NamedTuple):
    """What a tree of processes takes at one moment: bytes of memory, and how many processes it has."""

    memory: int = 0
    processes: int = 0


NOTHING = Use()


class Watch:
    """The limits of one process. Times are seconds of a monotonic clock; growth is any value that changes with output.

    Looks are rare: the first after 0.1 s, then at doubled distances up to one second, so a short command costs none.
    A process that somebody else watched before has run for `ran` seconds, the last `silent` of them with growth `seen`.
    """

    def __init__(
        self, limits: Limits, *, now: float, ran: float = 0.0, silent: float = 0.0, seen: object = None
    ) -> None:
        self._limits = limits
        self._started = now - ran
        self._changed = now - silent
        self._seen = seen
        self._pause = _FIRST_LOOK

    def pause(self, now: float) -> float:
        """Return how long to wait before the next look, 0 when one is due."""
        pause = min(self._pause, self._started + self._limits.timeout - now)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return max(pause, 0)

    def look(self, now: float, *, output: int, growth: object, use: Use = NOTHING) -> FailureClass | None:
        """Return the limit that is passed, if one is; silence is never found early, and at most a pause late."""
        if growth != self._seen:
            self._seen, self._changed = growth, now
        if self._limits.memory is not None and use.memory > self._limits.memory:
            return FailureClass.MEMORY
        if self._limits.processes is not None and use.processes > self._limits.processes:
            return FailureClass.PROCESSES
        if self._limits.output is not None and output > self._limits.output:
            return FailureClass.OUTPUT
        if now - self._started >= self._limits.timeout:
            return FailureClass.TIMEOUT
        if self._limits.silence is not None and now - self._changed >= self._limits.silence:
            return FailureClass.SILENCE
        return None
