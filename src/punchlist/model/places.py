"""Limits on attempts at work at once, beyond each run's own, and what is said of one that waits for a place."""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from punchlist.model.settings import Settings


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How many attempts may be at work at once: of the workspace (None: no bound), and of each worker that has one."""

    workspace: int | None = None
    workers: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Say whether there is any limit."""
        return self.workspace is not None or bool(self.workers)


class AtWork(msgspec.Struct, frozen=True, kw_only=True):
    """How many attempts are at work, and how many of each worker."""

    all: int = 0
    workers: Mapping[str, int] = {}


def at_work(workers: Iterable[str | None]) -> AtWork:
    """Count what is at work, given the worker of each attempt; None is what no worker does."""
    each = Counter(workers)
    return AtWork(all=each.total(), workers={name: count for name, count in each.items() if name is not None})


def limits_of(settings: Settings) -> Limits:
    """Return the limits that settings say."""
    workers = {name: each.max_parallel for name, each in settings.workers.items() if each.max_parallel is not None}
    return Limits(workspace=settings.engine.max_parallel, workers=workers)


def full(limits: Limits, worker: str | None, *, now: AtWork) -> str:
    """Return which limit leaves an attempt of `worker` no place, in words; an empty text when none does."""
    if limits.workspace is not None and now.all >= limits.workspace:
        return f"the workspace has {now.all} of {limits.workspace} at work"
    most, busy = limits.workers.get(worker or ""), now.workers.get(worker or "", 0)
    if most is not None and busy >= most:
        return f"worker {worker} has {busy} of {most} at work"
    return ""
