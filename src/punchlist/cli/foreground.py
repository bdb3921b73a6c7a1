"""Being the engine oneself: for `run --foreground`, in a container or a CI job that nothing may outlive."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import msgspec

from punchlist.cli.attach import finish, show_story
from punchlist.cli.session import Session
from punchlist.cli.views import runs as views
from punchlist.errors import RefusedError
from punchlist.ports import Engine, EngineStatus, Watch

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.service.context import Service

_SETTLED = frozenset({"succeeded", "failed", "cancelled", "waiting"})
_INTERRUPTED = 130


class UnstartedEngine:
    """The engine's process as `ports.Engine`, but never started by a verb: this process is going to be it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def wake(self) -> None:
        """Leave the command in the inbox; tell an engine that runs already."""
        if self._engine.status().running:
            self._engine.wake()

    def status(self) -> EngineStatus:
        """Say whether an engine runs."""
        return self._engine.status()

    def stop(self) -> bool:
        """Ask the engine to end."""
        return self._engine.stop()

    def hand_over(self) -> bool:
        """Ask the engine to end, and to leave what runs."""
        return self._engine.hand_over()

    def watch(self) -> AbstractContextManager[Watch]:
        """Subscribe to commits."""
        return self._engine.watch()

    def announce(self) -> None:
        """Tell subscribers of a commit."""
        self._engine.announce()


def run_here(session: Session, start: "Callable[[Service], dict[str, Json]]", *, follow: bool) -> int:
    """Commit what `start` starts, be the engine until it is over, and return its exit code.

    ^C ends the engine between two transitions; `punchlist resume` goes on. An engine that runs already does the work.
    """
    from punchlist.service import runs
    from punchlist.serving.engine import run_engine

    service = session.service
    engine = UnstartedEngine(service.engine)
    outside = msgspec.structs.replace(service.outside, engine=lambda: engine)
    answer = start(msgspec.structs.replace(service, outside=outside))
    view = _view(session, answer) if follow else None
    try:
        run_engine(session.directory, until_done=True)
    except RefusedError:
        return finish(session, answer)
    (run,) = views.runs_of(answer)
    if views.runs_of(runs.show(service, run.id))[0].status not in _SETTLED:
        session.tell(f"interrupted; to go on: punchlist resume {run.id}")
        return _INTERRUPTED
    if view is not None:
        view.join()
    return finish(session, answer)


def _view(session: Session, answer: "dict[str, Json]") -> threading.Thread:
    """Start a view beside the engine, with connections of its own."""
    beside = session.beside()
    thread = threading.Thread(target=show_story, args=(beside, answer), daemon=True)
    thread.start()
    return thread
