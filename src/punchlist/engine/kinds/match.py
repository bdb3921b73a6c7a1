"""`match`: one of its cases, each a group of its own; those that are not taken are skipped."""

from punchlist.engine.cases import taken_case
from punchlist.engine.kinds import groups
from punchlist.engine.turn import Here, Kind


def _begin(here: Here) -> None:
    taken_case(here)  # no case for its value fails the match, not one of the cases
    groups.begin(here)


MATCH = Kind(begin=_begin, child_over=groups.child_over)
