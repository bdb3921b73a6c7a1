"""The ways in which an accepted task is published."""

from typing import Literal

from punchlist.errors import DefinitionError

How = Literal["branch", "merge"]
WAYS: tuple[How, ...] = ("branch", "merge")


def way(how: str, *, where: str) -> How:
    """Return the way of publishing that `how` names; raises DefinitionError for one that this version does not have."""
    for each in WAYS:
        if how == each:
            return each
    hint = "Pull requests come with a later version." if how == "pr" else ""
    raise DefinitionError(f"saw {how!r}; allowed: {', '.join(WAYS)}", where=where, hint=hint)
