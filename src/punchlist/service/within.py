"""Inside an attempt: whoever asks there may look at the workspace, and change nothing of it."""

from collections.abc import Callable
from typing import TypeVar, cast

import msgspec

from punchlist.errors import RefusedError
from punchlist.service.context import Outside

T = TypeVar("T")

_LOOKING = {
    "store": frozenset({"read", "close"}),
    "workspace": frozenset({"diff"}),
    "engine": frozenset({"status", "watch"}),
    "files": frozenset({"read", "listing"}),
    "processes": frozenset({"tail", "io", "alive"}),
    "leftovers": frozenset({"attempts", "works", "refs", "old_files"}),
}
"""What of each port changes nothing; all else is refused, also what is added to a port later."""


def refuse_within(attempt: str | None, verb: str) -> None:
    """Refuse what goes past the ports, and changes something, inside an attempt."""
    if attempt is not None:
        raise _refused(attempt, verb)


def looking(outside: Outside, *, attempt: str | None) -> Outside:
    """Return the ways to the ports; inside an attempt those through which nothing can be changed.

    No verb need ask for that: each changes things by a port, and the port refuses.
    """
    if attempt is None:
        return outside
    return msgspec.structs.replace(
        outside,
        store=_only(outside.store, "store", attempt=attempt),
        workspace=_only(outside.workspace, "workspace", attempt=attempt),
        engine=_only(outside.engine, "engine", attempt=attempt),
        files=_only(outside.files, "files", attempt=attempt),
        processes=_only(outside.processes, "processes", attempt=attempt),
        leftovers=_only(outside.leftovers, "leftovers", attempt=attempt),
    )


class _Looking:
    """A port of which nothing can be reached but what changes nothing."""

    def __init__(self, opened: Callable[[], object], port: str, *, attempt: str) -> None:
        self._opened = opened
        self._port = port
        self._attempt = attempt

    def __getattr__(self, name: str) -> object:
        if name not in _LOOKING[self._port]:
            raise _refused(self._attempt, "this")
        return getattr(self._opened(), name)


def _only(opened: Callable[[], T], port: str, *, attempt: str) -> Callable[[], T]:
    return lambda: cast("T", _Looking(opened, port, attempt=attempt))


def _refused(attempt: str, verb: str) -> RefusedError:
    return RefusedError(
        f"inside attempt {attempt} nothing of a workspace can be changed, and {verb} would; looking is fine",
        hint="Say in the result what should be done: it is for the engine, or for a person in a terminal of their own.",
    )
