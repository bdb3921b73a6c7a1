"""Moods of worlds: most are mixed, some do one thing all day; what takes much of one kind is seldom met otherwise."""

from random import Random

import msgspec

from punchlist.model.jobs import FailureClass
from punchlist.model.places import Limits

TROUBLES = (
    FailureClass.WORKER,
    FailureClass.WORKER,
    FailureClass.QUOTA,
    FailureClass.BLOCKED,
    FailureClass.TIMEOUT,
    FailureClass.SILENCE,
    FailureClass.MEMORY,
    FailureClass.LOST,
    FailureClass.DEFINITION,
)
_USUAL = (FailureClass.WORKER, FailureClass.WORKER, FailureClass.WORKER, FailureClass.LOST, FailureClass.TIMEOUT)


class Mood(msgspec.Struct, frozen=True, kw_only=True):
    """How often attempts fail, in which classes, how many checks in a hundred are green, how people feel."""

    trouble: float = 0.17
    classes: tuple[FailureClass, ...] = TROUBLES
    green: int = 55
    fickle: bool = False

    @staticmethod
    def of(die: Random) -> "Mood":
        """Return the mood of a world."""
        match die.randrange(9):
            case 0 | 1:
                return Mood(trouble=0.75, classes=(die.choice(_USUAL),))
            case 2:
                return Mood(trouble=0.05, green=15)
            case 3:
                return Mood(trouble=0.02, green=10, fickle=True)
            case _:
                return Mood()


def limits_of(die: Random) -> Limits:
    """Return the limits of a workspace: most have none, and some a place or two for all of their runs."""
    if die.random() < 0.6:
        return Limits()
    return Limits(
        workspace=die.choice((None, 1, 2, 3)), workers={"coder": die.randint(1, 2)} if die.random() < 0.6 else {}
    )
