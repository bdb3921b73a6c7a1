"""The places that limits leave, over all runs that an engine holds, as they are in the middle of a transaction."""

from collections import Counter
from collections.abc import Iterable

from punchlist.engine.room import NONE, Room, due, may_start, next_attempt, waits_since
from punchlist.model.ids import RunId
from punchlist.model.places import Limits
from punchlist.model.state import RunState
from punchlist.model.states import FINAL_NODE


class Places:
    """Who has the places, and who comes next: the run whose attempt has waited longest.

    What is at work counts, whichever engine started it, and more than a limit that was lowered meanwhile runs to its
    end. Without any limit nothing is counted.
    """

    def __init__(self, limits: Limits, runs: Iterable[RunState]) -> None:
        self._limits = limits
        self._runs: dict[RunId, RunState] = {}
        self._waiting: set[RunId] = set()
        self._workers: Counter[str | None] = Counter()
        for run in runs if limits else ():
            self.put(run)

    def put(self, run: RunState) -> None:
        """Count a run as it is now."""
        if not self._limits:
            return
        before = self._runs.pop(run.id, None)
        if before is not None:
            self._workers.subtract(before.attempts[each].worker for each in before.live)
        self._waiting.discard(run.id)
        if run.status in FINAL_NODE:
            return
        self._runs[run.id] = run
        self._workers.update(run.attempts[each].worker for each in run.live)
        if (run.queue.entries or run.parked) and may_start(run):
            self._waiting.add(run.id)

    def beside(self, run: RunId) -> Room:
        """Return the room of a run: all that others leave, or none while others wait, too, and `next` says whose turn.

        A run alone need not ask twice.
        """
        if not self._limits:
            return Room()
        return NONE if self._waiting - {run} else self._left(run)

    def next(self, at: str) -> tuple[RunId, Room] | None:
        """Return the run whose attempt has waited longest of those for which there is room, and room for that one."""
        if not self._waiting or (self._limits.workspace is not None and self._all() >= self._limits.workspace):
            return None
        found: list[tuple[str, int, RunId]] = []
        for name in self._waiting:
            run = self._runs[name]
            attempt = next_attempt(run, due(run, at), room=self._left(name))
            if attempt is not None:
                found.append((waits_since(run, attempt), int(attempt[1:]), name))
        if not found:
            return None
        first = min(found)[-1]
        left = self._left(first)
        places = left.places if len(found) == 1 else len(self._runs[first].live) + 1
        return first, Room(places=places, workers=left.workers)

    def pass_over(self, run: RunId) -> None:
        """Ask a run no more that did not take what it was offered."""
        self._waiting.discard(run)

    def at_work(self, run: RunId) -> int:
        """Return how many attempts of a run are at work."""
        return len(self._runs[run].live) if run in self._runs else 0

    def _all(self) -> int:
        return self._workers.total()

    def _left(self, run: RunId) -> Room:
        known = self._runs.get(run)
        live = [known.attempts[each].worker for each in known.live] if known is not None else []
        most = self._limits.workspace
        return Room(
            places=None if most is None else most - self._all() + len(live),
            workers={
                name: limit - self._workers[name] + live.count(name) for name, limit in self._limits.workers.items()
            },
        )
