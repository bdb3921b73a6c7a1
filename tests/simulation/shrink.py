"""Shrinking a script in which a law is broken to the choices that it takes: delta debugging, after Zeller."""

from collections.abc import Callable, Sequence

from tests.simulation.play import Failure, play
from tests.simulation.script import Script

_MOST = 400
"""How many scripts are played at most to make one smaller."""
Play = Callable[[Script], Failure | None]


def shrunk(failure: Failure, *, playing: Play = play, most: int = _MOST) -> Failure:
    """Return a failure of the same law with as few choices as are found within `most` tries; at best, the same."""
    budget = most
    smallest = failure

    def fails(steps: Sequence[int]) -> bool:
        nonlocal smallest, budget
        if budget == 0:
            return False
        budget -= 1
        found = playing(failure.script.only(steps))
        if found is None or found.law != failure.law:
            return False
        smallest = found
        return True

    fails(_until(failure))
    _minimise(smallest.script.steps, fails)
    return smallest


def _until(failure: Failure) -> tuple[int, ...]:
    """Return the choices up to the one that broke the law."""
    where, _, number = failure.step.rpartition(" ")
    last = int(number) if where == "step" else failure.script.steps[-1]
    return tuple(each for each in failure.script.steps if each <= last)


def _minimise(steps: tuple[int, ...], fails: Callable[[Sequence[int]], bool]) -> None:
    """Leave out ever smaller parts, as long as the rest still fails."""
    parts = 2
    while len(steps) > 1:
        size = -(-len(steps) // parts)
        for begin in range(0, len(steps), size):
            rest = steps[:begin] + steps[begin + size :]
            if fails(rest):
                steps, parts = rest, max(parts - 1, 2)
                break
        else:
            if parts >= len(steps):
                return
            parts = min(2 * parts, len(steps))
