"""Work that is put off is done once for all who asked meanwhile."""

import queue
from datetime import UTC, datetime, timedelta

from punchlist.runtime.later import Later

PATIENCE = 30


class Still:
    """A clock on which everything takes no time at all."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)


def test_work_that_is_asked_for_twice_is_done_once_and_again_when_asked_later() -> None:
    done: queue.Queue[str] = queue.Queue()
    later = Later(lambda: done.put("done"), clock=Still(), soon=timedelta(milliseconds=50))

    later.ask()
    later.ask()

    assert done.get(timeout=PATIENCE) == "done"
    later.ask()
    assert done.get(timeout=PATIENCE) == "done"
    assert done.empty()
