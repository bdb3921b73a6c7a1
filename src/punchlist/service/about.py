"""The verb that says which program this is."""

import platform
import sqlite3
from typing import TYPE_CHECKING

from punchlist import __version__

if TYPE_CHECKING:
    from punchlist.service.context import Answer


def version() -> "Answer":
    """Return the version of this program, of Python and of SQLite."""
    return {"version": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
