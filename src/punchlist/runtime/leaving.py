"""Work folders that nobody comes back to: moved away as soon as their step or task is accepted, then removed."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence

from punchlist.errors import StoreError
from punchlist.model import events as ev
from punchlist.model.ids import RunId
from punchlist.model.state import State
from punchlist.model.states import StepStatus, TaskStatus
from punchlist.ports import Workspace

_LOG = logging.getLogger("punchlist.engine")


class Leaving:
    """Clears the work folders of what is accepted; git has all that was in them, and a step opened again begins anew.

    To move a folder away costs nothing and is done at once, so that what is opened again never meets it; to remove it
    may take a while, and is done beside the loop. What a crash keeps from being removed, the next engine removes.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._sweeping: asyncio.Task[None] | None = None
        self._more = False

    def leave(self, states: Mapping[RunId, State], events: Mapping[RunId, Sequence[ev.Event]]) -> None:
        """Clear the folders of what the runs' events made accepted."""
        names = [name for run, told in events.items() for name in _accepted(states[run], told)]
        for name in names:
            try:
                self._workspace.leave(name)
            except StoreError as error:
                _LOG.error("the work folders of %s stay where they are: %s", name, error)
        if names:
            self.sweep()

    def sweep(self) -> None:
        """Have removed what was moved away."""
        self._more = True
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        while self._more:
            self._more = False
            try:
                await asyncio.to_thread(self._workspace.sweep)
            except StoreError as error:
                _LOG.error("work folders that nobody needs are still there: %s", error)


def _accepted(state: State, events: Iterable[ev.Event]) -> Iterable[str]:
    for event in events:
        match event.fact:
            case ev.StepClosed(step=step, status=StepStatus.ACCEPTED):
                yield step
            case ev.TaskMoved(status=TaskStatus.ACCEPTED) if state.task is not None:
                yield state.task.task.id
            case _:
                pass
