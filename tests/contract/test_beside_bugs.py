"""A bug in what an engine does beside its loop: reported once, seen by commands, and nobody waits for it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from punchlist import wiring
from punchlist.model.outside import Delivery, Moment
from punchlist.ports import Notifier
from punchlist.runtime.beside import Beside
from punchlist.runtime.bugs import BugsFound
from punchlist.runtime.deliveries import Deliveries
from punchlist.runtime.lines import Lines
from punchlist.runtime.loop import Runtime
from punchlist.runtime.notices import Notices
from punchlist.runtime.outbox import Outbox
from punchlist.runtime.serving import serve
from punchlist.service import runs
from punchlist.service.context import Service
from punchlist.service.status import status
from punchlist.wiring import Surroundings
from tests.engines import engine_of
from tests.services import at, workspace

FLOW = "punchlist: 1\nflow: f\nnodes: {a: {run: 'true'}}\n"
MOMENTS: tuple[Moment, ...] = ("done",)


class Broken:
    """A callback with a bug, as long as it says so."""

    def __init__(self) -> None:
        self.broken = True
        self.told: list[str] = []

    async def tell(self, delivery: Delivery) -> str:
        """Tell it, or break."""
        if self.broken:
            raise LookupError("not expected")
        self.told.append(delivery.id)
        return ""


class Reports:
    """Notes what was reported."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, error: Exception, name: str) -> str:
        self.made.append(f"{name}: {error!r}")
        return "a-file.txt"


class Jammed(Outbox):
    """An outbox with a bug."""

    def write(self) -> bool:
        """Break."""
        raise LookupError("jammed")


def served(
    service: Service,
    notifier: Notifier,
    report: Callable[[Exception, str], str],
    *,
    finishes: bool,
    outbox: type[Outbox] = Outbox,
) -> bool:
    """Be an engine until there is nothing to do."""
    around = Surroundings(service.root, start=service.root, environ=os.environ)
    state, store = around.state, around.store

    def beside(runtime: Runtime) -> Beside:
        return Beside(
            lock=state / "outside.lock",
            channel=around.channel,
            name=f"beside-{os.getpid()}",
            notices=lambda: Notices(state / "inbox.jsonl"),
            lines=Lines(store, state / "inbox.jsonl", answer=lambda *_: {}, settle=lambda _: None, clock=service.clock),
            stop_lines=lambda: None,
            outbox=outbox(store, state / "outbox.jsonl"),
            deliveries=Deliveries(store, wiring.SystemClock(), on=lambda: MOMENTS),
            notifier=notifier,
            bugs=BugsFound(store, report=report),
            changed=runtime.wake,
        )

    return serve(lambda: engine_of(service), beside, finishes=finishes)


def problems(service: Service, where: str = "callbacks") -> list[dict[str, Any]]:
    return [each for each in at(status(service), "problems") if each["where"] == where]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    made = workspace(tmp_path / "w")
    (made.root / "f.yaml").write_text(FLOW, encoding="utf-8")
    runs.run(made, str(made.root / "f.yaml"))
    return made


@pytest.mark.parametrize("finishes", [False, True], ids=["in the background", "in the foreground"])
def test_a_bug_in_a_callback_is_reported_and_the_engine_ends(*, service: Service, finishes: bool) -> None:
    callback, reports = Broken(), Reports()

    ended = served(service, callback, reports, finishes=finishes)

    assert ended
    assert at(runs.show(service, "R1"), "run", "status") == "succeeded"
    assert reports.made == ["callbacks: LookupError('not expected')"]
    (problem,) = problems(service)
    assert problem["message"].endswith("by a bug of punchlist: LookupError; a report is in a-file.txt")


@pytest.mark.parametrize("finishes", [False, True], ids=["in the background", "in the foreground"])
def test_a_bug_in_the_outbox_holds_up_neither_callbacks_nor_the_end(*, service: Service, finishes: bool) -> None:
    callback, reports = Broken(), Reports()
    callback.broken = False

    ended = served(service, callback, reports, finishes=finishes, outbox=Jammed)

    assert ended
    assert reports.made == ["outbox.jsonl: LookupError('jammed')"]
    assert len(problems(service, "outbox.jsonl")) == 1
    assert len(callback.told) == 1


def test_the_next_engine_does_what_a_bug_had_kept_from_being_done(service: Service) -> None:
    callback, reports = Broken(), Reports()
    served(service, callback, reports, finishes=True)

    callback.broken = False
    served(service, callback, reports, finishes=True)

    assert len(callback.told) == 1
    assert problems(service) == []
