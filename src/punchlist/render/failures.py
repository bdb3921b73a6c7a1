"""The JSON shape of a failure, the same for the command line and typed tools."""

from punchlist.errors import PunchlistError
from punchlist.model.json import Json


def failure(error: PunchlistError) -> dict[str, Json]:
    """Return a failure as the object under `error`: what, where, what to type next, and each of its problems."""
    return {
        "code": error.code,
        "message": error.message,
        "where": error.where,
        "hint": error.hint,
        "problems": [
            {"where": each.where, "message": each.message, "allowed": each.allowed, "hint": each.hint}
            for each in error.problems
        ],
    }
