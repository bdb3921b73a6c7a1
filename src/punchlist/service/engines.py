"""Verbs of the engine's process, as other processes see it."""

from typing import TYPE_CHECKING

from punchlist.errors import StoreError
from punchlist.model.json import plain

if TYPE_CHECKING:
    from punchlist.service.context import Answer, Service

_PATIENCE = 10.0


def status(service: "Service") -> "Answer":
    """Say whether an engine is at work."""
    return {"engine": plain(service.engine.status())}


def start(service: "Service") -> "Answer":
    """Start an engine in the background, unless one is at work; returns when it is.

    Raises StoreError for a store that it could not use: the reason would only stand in its log.
    """
    with service.store.read() as reader:
        reader.inbox()
    with service.engine.watch() as watch:
        service.engine.wake()
        if not service.engine.status().running and not watch.wait(_PATIENCE) and not service.engine.status().running:
            raise StoreError(
                "the engine has not begun its work",
                where=str(service.root / ".punchlist" / "engine.log"),
                hint="Look into that file, or type: punchlist engine run",
            )
    return status(service)


def stop(service: "Service") -> "Answer":
    """Ask the engine to end between two transitions, and wait for it; what ran is taken up by the next one."""
    stopped = service.engine.stop()
    return {**status(service), "stopped": stopped}
