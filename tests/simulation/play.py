"""Playing a script: to its end, or to the first law that is broken, with what a person needs to see why."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from punchlist.errors import PunchlistError
from punchlist.model import events as ev
from punchlist.model.json import plain
from tests.simulation.memory import BrokenLawError
from tests.simulation.script import Script, told
from tests.simulation.world import World

_FAST = Path("/dev/shm")
_WIDE = 170
_BREAKS = (
    AssertionError, PunchlistError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, sqlite3.Error
)  # fmt: skip


class Failure(msgspec.Struct, frozen=True):
    """A script in which a law was broken, at which of its choices, and what had happened before."""

    script: Script
    step: str
    law: str
    message: str
    trace: tuple[str, ...]

    @property
    def command(self) -> str:
        """What shows it again."""
        return f"python -m tests.simulation.replay {self.script.seed} --steps {told(self.script.steps)}"

    def __str__(self) -> str:
        last = "\n".join(f"  {line}" for line in self.trace)
        return f"{last}\nseed {self.script.seed}, {self.step}: {self.message}\nReplay: {self.command}"


def play(script: Script) -> Failure | None:
    """Live through a script; the store is a real file with the shipped settings, in memory where that can be."""
    folder = Path(tempfile.mkdtemp(prefix="punchlist-world-", dir=_FAST if _FAST.is_dir() else None))
    world: World | None = None
    try:
        world = World(script, folder)
        world.live()
    except _BREAKS as error:
        law = error.law if isinstance(error, BrokenLawError) else type(error).__name__
        trace = tuple(shown(world.trace)) if world is not None else ()
        step = world.step if world is not None else "the beginning"
        return Failure(script, step, law, str(error) or repr(error), trace)
    finally:
        if world is not None:
            world.office.store.close()
        shutil.rmtree(folder)
    return None


def shown(trace: Iterable[tuple[str, object]]) -> Iterable[str]:
    """Return what happened as lines."""
    for where, what in trace:
        yield f"{where:>8}  {_event(what) if isinstance(what, ev.Event) else what}"[:_WIDE]


def _event(event: ev.Event) -> str:
    data = plain(event.fact)
    assert isinstance(data, dict)
    said = " ".join(f"{name}={value}" for name, value in data.items() if name != "kind" and value not in ("", None, []))
    return f"{event.at[5:19]} {event.stream.removeprefix('stream-')} {event.n} {event.kind} {said}"
