"""Soak: `python -m tests.simulation.soak` plays seeds on all cores until one breaks a law, or as long as it may."""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice

from tests.simulation.play import Failure, play
from tests.simulation.script import Script
from tests.simulation.shrink import shrunk

CHUNK = 25
_TELL = 10.0


def first_failure(seeds: Iterable[int]) -> Failure | None:
    """Play seeds one after the other, and return the first that breaks a law."""
    return next((found for seed in seeds if (found := play(Script.of(seed))) is not None), None)


def main(arguments: Sequence[str]) -> int:
    """Play, print progress, stop at the first failure: shrunk, with the command that replays it."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.soak", description=__doc__)
    parser.add_argument(
        "--first", type=int, default=1000 * int(time.time()), help="the first seed (default: a new one)"
    )
    parser.add_argument("--seeds", type=int, help="how many seeds (default: as many as the hours last)")
    parser.add_argument("--hours", type=float, help="how long at most (default: 1, or as long as the seeds take)")
    asked = parser.parse_args(arguments)
    hours = asked.hours if asked.hours is not None else 1.0 if asked.seeds is None else float("inf")
    began = time.monotonic()
    _say(f"from seed {asked.first} on")
    last = None if asked.seeds is None else asked.first + asked.seeds
    chunks = _chunks(asked.first, last, until=began + hours * 3600)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        played, failure = _play(pool, chunks, began=began)
    seconds = time.monotonic() - began
    if failure is None:
        _say(f"{played} seeds from {asked.first} on, {seconds:.0f} s: every law held")
        return 0
    _say(str(shrunk(failure)))
    return 1


def _chunks(first: int, last: int | None, *, until: float) -> Iterator[range]:
    while (last is None or first < last) and time.monotonic() < until:
        end = first + CHUNK if last is None else min(first + CHUNK, last)
        yield range(first, end)
        first = end


def _play(pool: ProcessPoolExecutor, chunks: Iterator[range], *, began: float) -> tuple[int, Failure | None]:
    """Keep every process busy, and no more than that waiting, so that the first failure ends it soon."""
    busy: dict[Future[Failure | None], int] = {}
    played, told_at = 0, began
    while True:
        for chunk in islice(chunks, 2 * (os.cpu_count() or 1) - len(busy)):
            busy[pool.submit(first_failure, chunk)] = len(chunk)
        if not busy:
            return played, None
        for ended in wait(busy, return_when=FIRST_COMPLETED).done:
            played += busy.pop(ended)
            if (failure := ended.result()) is not None:
                for each in busy:
                    each.cancel()
                return played, failure
        if time.monotonic() - told_at > _TELL:
            told_at = time.monotonic()
            _say(f"{played} seeds, {played / (told_at - began):.0f} a second")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
