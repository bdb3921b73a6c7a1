"""What is kept of the environment for a run goes when the run is over: after all that could still print it is gone."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from punchlist.errors import StoreError
from punchlist.model.ids import AttemptId, RunId
from punchlist.model.states import FINAL_NODE

if TYPE_CHECKING:
    from punchlist.ports import Reader
    from punchlist.runtime.perform import Performer

_LOG = logging.getLogger("punchlist.engine")


def kept_for_nothing(performer: "Performer", reader: "Reader") -> dict[RunId, tuple[AttemptId, ...]]:
    """Return the runs that are over and for which something is still kept, each with its attempts."""
    rows = [reader.run(run) for run in performer.listed.runs()]
    over = [row.id for row in rows if row is not None and row.status in FINAL_NODE]
    return {run: tuple(each.id for each in reader.attempts(run=run)) for run in over}


async def forget(
    performer: "Performer", run: RunId, *, attempts: Sequence[AttemptId], after: Sequence["asyncio.Task[None]"]
) -> None:
    """Forget the values of a run after others that end have ended; where that fails the next engine does it."""
    if after:
        await asyncio.wait(after)
    try:
        await asyncio.to_thread(performer.forget, run, attempts)
    except StoreError as error:
        _LOG.error("the values that run %s was given are still kept: %s", run, error)
