"""A script: the choices of a seed, each with a die of its own, so that leaving one out changes none of the others."""

import random
from collections.abc import Iterable

import msgspec

from tests.simulation.moods import Mood

_FICKLE = 45
"""Where people change their minds, that takes time."""


class Script(msgspec.Struct, frozen=True):
    """A seed, and which of its choices are made."""

    seed: int
    steps: tuple[int, ...]

    @staticmethod
    def of(seed: int) -> "Script":
        """Return all choices of a seed: most worlds are short, for many of them find more than a few long ones."""
        whole = Script(seed, ())
        length = whole.die("length").choice((6, 10, 14, 18, 24, 40))
        return whole.only(range(_FICKLE if whole.mood.fickle else length))

    @property
    def mood(self) -> Mood:
        """The mood of its world."""
        return Mood.of(self.die("mood"))

    def die(self, step: object) -> random.Random:
        """Return the die of one choice."""
        return random.Random(f"{self.seed}/{step}")

    def only(self, steps: Iterable[int]) -> "Script":
        """Return the script with these choices alone."""
        return Script(self.seed, tuple(steps))


def told(steps: Iterable[int]) -> str:
    """Return choices as they are typed: `0-3,7`."""
    spans: list[list[int]] = []
    for step in sorted(steps):
        if spans and step == spans[-1][1] + 1:
            spans[-1][1] = step
        else:
            spans.append([step, step])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans) or "none"


def read(text: str) -> tuple[int, ...]:
    """Return the choices that `told` names; raises ValueError for another text."""
    if text == "none":
        return ()
    ends = [[int(each) for each in span.split("-")] for span in text.split(",")]
    return tuple(step for span in ends for step in range(span[0], span[-1] + 1))
