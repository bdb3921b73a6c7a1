"""Work that is put off is done once for all who asked meanwhile."""

import queue
from datetime import UTC, datetime, timedelta

from punchlist.runtime.later import Later

PATIENCE = 30


class Still:
    """A clock on which everything takes no time at all."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)


class SetForward:
    """A clock that is set forward by an hour between any two looks at it."""

    def __init__(self) -> None:
        self._at = datetime(2026, 11, 21, tzinfo=UTC)

    def now(self) -> datetime:
        self._at += timedelta(hours=1)
        return self._at


def test_work_is_not_put_off_by_what_a_clock_makes_of_it_that_was_set_meanwhile() -> None:
    done: queue.Queue[str] = queue.Queue()
    later = Later(lambda: done.put("done"), clock=SetForward(), soon=timedelta(), latest=timedelta(milliseconds=50))

    for _ in range(2):
        later.ask()
        assert done.get(timeout=PATIENCE) == "done"


def test_work_that_is_asked_for_twice_is_done_once_and_again_when_asked_later() -> None:
    done: queue.Queue[str] = queue.Queue()
    later = Later(lambda: done.put("done"), clock=Still(), soon=timedelta(milliseconds=50))

    later.ask()
    later.ask()

    assert done.get(timeout=PATIENCE) == "done"
    later.ask()
    assert done.get(timeout=PATIENCE) == "done"
    assert done.empty()
