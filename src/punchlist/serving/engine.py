"""The process of an engine: put together, run until it has nothing to do or is told to end."""

import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from punchlist import __version__, wiring
from punchlist.dying import VARIABLE, arm
from punchlist.errors import RefusedError
from punchlist.model.outside import CALLBACKS, INBOX, OUTBOX, Moment
from punchlist.model.policy import duration
from punchlist.model.settings import FILE
from punchlist.notify.callbacks import Callback
from punchlist.ports import EngineStatus
from punchlist.render.prompts import prompt_of
from punchlist.runtime.beside import Beside
from punchlist.runtime.bugs import BugsFound
from punchlist.runtime.deliveries import Deliveries
from punchlist.runtime.later import Later
from punchlist.runtime.lines import Lines
from punchlist.runtime.lock import EngineLock, Holder
from punchlist.runtime.loop import Runtime
from punchlist.runtime.notices import Notices
from punchlist.runtime.outbox import Outbox
from punchlist.runtime.perform import Performer
from punchlist.runtime.serving import serve
from punchlist.service import crashes, lookup, plans, publishing
from punchlist.service.showing import Showing
from punchlist.serving.limits import LimitsNow
from punchlist.serving.says import LogFile
from punchlist.serving.within import EngineWithin
from punchlist.wiring import Surroundings
from punchlist.workers.calling import CalledPrograms

if TYPE_CHECKING:
    from punchlist.serving.desk import Desk


def run_engine(start: Path | None = None, *, until_idle: bool = False, until_done: bool = False) -> int:
    """Be the engine of the workspace around `start` until told to end; return the exit code.

    With `until_idle` it ends when there was nothing to do for `engine.idle_exit`, with `until_done` at once then.
    Raises RefusedError when another engine holds the lock; with `until_idle` that one will do, and this one ends.
    """
    wiring.refuse_inside("engine run")
    arm(wiring.environment().get(VARIABLE))
    folder = (start or wiring.here()).absolute()
    surroundings = Surroundings(wiring.find_workspace(folder), start=folder, environ=wiring.environment())
    idle = duration(surroundings.settings.engine.idle_exit)
    idle_exit = timedelta() if until_done else idle if until_idle else None
    if not until_done:
        logging.getLogger("punchlist").addHandler(LogFile(surroundings.state / "engine.log"))
    with ExitStack() as ends:  # the last of all processes to close the store leaves it in one file
        ends.callback(surroundings.store.close)
        served = serve(
            partial(_runtime, surroundings, idle_exit=idle_exit, managed=not until_idle),
            partial(_beside, surroundings, ends=ends),
            finishes=until_done,
        )
        if served:
            publishing.published(wiring.service_of(surroundings, actor="engine")).flush()
    if not served and not until_idle:
        holder = surroundings.engine.status()
        who = "" if holder.pid is None else f": process {holder.pid}, since {holder.since}"
        raise RefusedError(
            f"another engine runs here already{who}",
            where=str(surroundings.root),
            hint="Type: punchlist engine status",
        )
    return 0


def _runtime(surroundings: Surroundings, *, idle_exit: timedelta | None, managed: bool) -> Runtime:
    service = wiring.service_of(surroundings, actor="engine")
    publisher = publishing.published(service)
    later = Later(publisher.flush, clock=service.clock)
    performer = Performer(
        root=surroundings.root,
        workspace=surroundings.workspace,
        processes=surroundings.processes,
        workers=surroundings.worker,
        prompt=lambda job, project: prompt_of(
            job, project, template=_template, io=str(surroundings.processes.io(job.attempt))
        ),
        access=surroundings.access,
        make_tasks=lambda project, plan, key: plans.make_tasks(service, project, plan=plan, key=key),
        recall=lambda exam: lookup.at_exam(service, exam),
        python=surroundings.python,
    )
    return Runtime(
        store=surroundings.store,
        performer=performer,
        channel=surroundings.channel,
        lock=EngineLock(surroundings.state / "engine.lock"),
        holder=Holder(pid=os.getpid(), since=service.now(), version=__version__, hands_over=True, managed=managed),
        clock=service.clock,
        pages=Showing(surroundings.store, publisher, put_off=later.ask),
        idle_exit=idle_exit,
        limits=LimitsNow(surroundings.root),
    )


def _beside(surroundings: Surroundings, runtime: Runtime, *, ends: ExitStack) -> Beside:
    """Return what an engine does for other programs; the settings are read anew each time that they are asked.

    `ends` is given what is to be closed when the engine is at its end.
    """
    state, store, channel = surroundings.state, surroundings.store, surroundings.channel
    clock = wiring.SystemClock()
    status = EngineStatus(running=True, pid=os.getpid(), version=__version__)
    engine = EngineWithin(channel, name=f"lines-{os.getpid()}", status=status)
    desk = _desk(surroundings.root, engine, ends=ends)

    def moments() -> tuple[Moment, ...]:
        callbacks = wiring.read_settings(surroundings.root).callbacks
        return callbacks.on if callbacks.command or callbacks.url else ()

    return Beside(
        lock=state / "outside.lock",
        channel=channel,
        name=f"beside-{os.getpid()}",
        notices=lambda: Notices(state / INBOX, also=surroundings.root / FILE),
        lines=Lines(
            store,
            state / INBOX,
            answer=lambda line, where: desk().answer(line, where),
            settle=lambda line: desk().settle(line),
            clock=clock,
        ),
        stop_lines=engine.stop_waiting,
        outbox=Outbox(store, state / OUTBOX),
        deliveries=Deliveries(store, clock, on=moments),
        notifier=Callback(
            lambda: wiring.read_settings(surroundings.root).callbacks,
            programs=CalledPrograms(state / CALLBACKS),
            folder=surroundings.root,
            environ=wiring.environment(),
        ),
        bugs=BugsFound(store, report=lambda error, name: crashes.report(error, start=surroundings.root, asked=name)),
        changed=runtime.wake,
    )


def _template(name: str) -> str:
    return (wiring.DATA / "prompts" / f"{name}.md").read_text(encoding="utf-8")


def _desk(root: Path, engine: EngineWithin, *, ends: ExitStack) -> "Callable[[], Desk]":
    """Return what answers lines; the tools are loaded for the first one, from whichever thread that comes."""
    made: list[Desk] = []
    making = Lock()

    def desk() -> "Desk":
        with making:
            if not made:
                from punchlist.serving.desk import Desk

                made.append(Desk(root, engine=engine))
                ends.callback(made[0].close)
            return made[0]

    return desk
