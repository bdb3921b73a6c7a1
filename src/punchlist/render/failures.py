"""The JSON shape of a failure, the same for the command line and typed tools."""

from punchlist.errors import PunchlistError
from punchlist.model.json import Json

_SHOWN = 4_000
"""How many characters of a text are told: it may repeat what was given, however long that was."""


def failure(error: PunchlistError) -> dict[str, Json]:
    """Return a failure as the object under `error`: what, where, what to type next, and each of its problems."""
    return {
        "code": error.code,
        "message": _told(error.message),
        "where": _told(error.where),
        "hint": _told(error.hint),
        "problems": [
            {
                "where": _told(each.where),
                "message": _told(each.message),
                "allowed": _told(each.allowed),
                "hint": _told(each.hint),
            }
            for each in error.problems
        ],
    }


def _told(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"
