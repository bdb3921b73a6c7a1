"""Timers of nodes: set from now on, and rung when their time has come."""

from datetime import datetime, timedelta

from punchlist.engine.progress import guarded
from punchlist.engine.retry import stamp
from punchlist.engine.scope import text_of
from punchlist.engine.turn import Here, Turn
from punchlist.errors import DefinitionError
from punchlist.model import events as ev
from punchlist.model.policy import duration


def wait_for(here: Here, length: timedelta, *, files: str = "", least: int = 0) -> None:
    """Let a node wait for so long, or until its files are there."""
    until = _after(here.turn.context.at, length)
    here.emit(ev.NodeWaits(node=here.path, until=until, files=files, least=least))


def length_of(here: Here, value: str, *, what: str) -> timedelta:
    """Return the length of time that a template gives. Raises DefinitionError for any other value."""
    text = text_of(here, value, what=what)
    try:
        return duration(text)
    except (ValueError, OverflowError):
        raise DefinitionError(f"{what} is {text!r}; allowed: 30s, 5m, 2h", where=here.path) from None


def ring(turn: Turn) -> None:
    """Let nodes go on whose time has come. After a clock was set back the others wait as long as they were to."""
    now = turn.context.at
    for path, timer in sorted(turn.run.timers.items()):
        here = turn.at(path)
        rang = turn.kinds[here.node.kind].rang
        if timer.at <= now and rang is not None:
            guarded(here, lambda rang=rang, here=here: rang(here))  # type: ignore[misc]
        elif now < timer.since and not timer.fixed:
            left = datetime.fromisoformat(timer.at) - datetime.fromisoformat(timer.since)
            here.emit(ev.NodeWaits(node=path, until=_after(now, left), files=timer.files, least=timer.least))


def _after(now: str, length: timedelta) -> str:
    try:
        return stamp(datetime.fromisoformat(now) + length)
    except OverflowError:
        return stamp(datetime.max.replace(tzinfo=datetime.fromisoformat(now).tzinfo))
