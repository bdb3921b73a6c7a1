"""Asking before something is undone: what would be is listed, and on a terminal a person may agree there and then."""

import sys
from typing import TYPE_CHECKING, Protocol

import click

from punchlist.cli.session import Session
from punchlist.errors import RefusedError

if TYPE_CHECKING:
    from punchlist.model.json import Json

YES = click.option("--yes", "-y", is_flag=True, help="Do not ask before anything is invalidated.")
_INVALIDATES = "invalidates"


class Undoing(Protocol):
    """A verb that may undo more than what was named; without `yes` it refuses to, and lists it."""

    def __call__(self, *, yes: bool) -> "dict[str, Json]":
        """Do it; raises RefusedError (`invalidates`)."""
        ...


def agreed(session: Session, verb: Undoing, *, yes: bool) -> "dict[str, Json]":
    """Return the answer of `verb`, when a person agrees to what it undoes.

    Without a terminal to ask on, what it was refused with stands: it lists what would be undone, and what to type.
    """
    try:
        return verb(yes=yes)
    except RefusedError as error:
        if error.code != _INVALIDATES or session.json or not sys.stdin.isatty():
            raise
        session.tell(f"{error.message}.")
    if not click.confirm("Do it?", default=False, err=True):
        raise RefusedError("not agreed to: everything is as it was")
    return verb(yes=True)
