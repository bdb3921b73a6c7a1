"""Engines in the process of a test: the real loop over a real workspace, with a performer or a clock of the test's."""

import os
from datetime import timedelta

from punchlist.ports import Clock
from punchlist.runtime.lock import EngineLock, Holder
from punchlist.runtime.loop import Runtime
from punchlist.runtime.perform import Performer
from punchlist.service.context import Service
from punchlist.service.publishing import published
from punchlist.service.showing import Showing
from punchlist.wiring import Surroundings


class Working(Performer):
    """A performer of a workspace's attempts; what tests change of it they override."""

    def __init__(self, service: Service) -> None:
        self.around = Surroundings(service.root, start=service.root, environ=os.environ)
        super().__init__(
            root=self.around.root,
            workspace=self.around.workspace,
            processes=self.around.processes,
            workers=self.around.worker,
            prompt=lambda job, _: job.prompt,
            access=lambda *_: {},
            make_tasks=lambda *_: [],
            recall=lambda _: [],
        )


def engine_of(
    service: Service,
    performer: Performer | None = None,
    *,
    clock: Clock | None = None,
    look: timedelta = timedelta(minutes=1),
) -> Runtime:
    """Return an engine of the workspace that ends as soon as it has nothing to do."""
    around = Surroundings(service.root, start=service.root, environ=os.environ)
    return Runtime(
        store=around.store,
        performer=performer or Working(service),
        channel=around.channel,
        lock=EngineLock(around.state / "engine.lock"),
        holder=Holder(pid=os.getpid(), since=service.now(), version="1"),
        clock=clock or service.clock,
        pages=Showing(around.store, published(service), put_off=lambda: None),
        idle_exit=timedelta(),
        look=look,
    )
