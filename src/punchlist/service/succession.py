"""Tasks that need one another, started one after another: each as soon as all that it needs is accepted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from punchlist.errors import RefusedError, WorkerError
from punchlist.model.states import NodeStatus, TaskStatus
from punchlist.render import shapes
from punchlist.service import lookup, starts

if TYPE_CHECKING:
    from punchlist.errors import PunchlistError
    from punchlist.model.json import Json
    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Service

_MEND = {
    TaskStatus.DRAFT: "punchlist approve {0}",
    TaskStatus.WAITING: "punchlist gates",
    TaskStatus.FAILED: "punchlist retry {0} --wait",
    TaskStatus.CANCELLED: "punchlist retry {0} --wait",
}
"""What brings a task nearer to being accepted that does not come there by itself."""


class Succession:
    """Approved tasks, of which some may need others, and the runs that were started for them so far."""

    def __init__(self, service: "Service", tasks: Sequence[str]) -> None:
        self._service = service
        self._left = list(dict.fromkeys(tasks))
        self._refused: dict[str, PunchlistError] = {}
        self._tasks = tuple(self._left)
        self._runs: list[Json] = []

    def begin(self) -> None:
        """Start the tasks that need no other one any more, all or none.

        Raises as `starts.start` does, also where every task needs one that is not accepted.
        """
        self._start(self._next() or self._left)

    def go_on(self) -> "list[Json]":
        """Start the tasks that need no other one any more, and return their runs; one that is refused stays left."""
        begun: list[Json] = []
        for name in self._next():
            try:
                begun += self._start([name])
            except (RefusedError, WorkerError) as error:
                self._refused[name] = error
        return begun

    def answer(self) -> "Answer":
        """Return `{task, run}` of one task that was started, else `{tasks, runs}`; both with `not_started`."""
        with self._service.store.read() as reader:
            tasks: list[Json] = [shapes.task(lookup.task(reader, name)) for name in self._tasks]
            left: list[Json] = [self._told(reader, name) for name in self._left]
        if len(tasks) == len(self._runs) == 1:
            return {"task": tasks[0], "run": self._runs[0], "not_started": left}
        return {"tasks": tasks, "runs": self._runs, "not_started": left}

    @property
    def exit_code(self) -> int:
        """The exit code of what was not started, when all that was started holds."""
        codes = [error.exit_code for error in self._refused.values()]
        return next(iter(codes), RefusedError.exit_code) if self._left else 0

    def _next(self) -> list[str]:
        waiting = [name for name in self._left if name not in self._refused]
        if not waiting:
            return []
        with self._service.store.read() as reader:
            return [name for name in waiting if not _lacking(reader, name)]

    def _start(self, tasks: Sequence[str]) -> "list[Json]":
        answer = starts.start(self._service, tasks)
        runs = answer.get("runs")
        begun = runs if isinstance(runs, list) else [answer["run"]]
        self._left = [name for name in self._left if name not in tasks]
        self._runs += begun
        return begun

    def _told(self, reader: "Reader", name: str) -> "Answer":
        start = f"punchlist task start {name} --follow"
        if name in self._refused:
            error = self._refused[name]
            why = "; ".join([error.message, *(str(each) for each in error.problems)])
            return {"id": name, "why": why, "hint": error.hint or f"Type: {start}"}
        lacking = _lacking(reader, name)
        why = "; ".join(need.why for need in lacking) or "nobody has started it yet"
        first = ", ".join(dict.fromkeys(need.mend for need in lacking if need.mend))
        once = " and ".join(need.until for need in lacking)
        return {"id": name, "why": why, "hint": _typed(first=first, once=once, start=start)}


class _Need(NamedTuple):
    """What keeps a task from its start: why, until when, and what to type where it does not pass by itself."""

    why: str
    until: str
    mend: str


def _lacking(reader: "Reader", name: str) -> list[_Need]:
    """Return what a task needs still: a task that is accepted has a run until it is published, too."""
    found: list[_Need] = []
    for need in lookup.task(reader, name).task.needs:
        status = lookup.task(reader, need).task.status
        run = lookup.live_run(reader, need)
        if status is not TaskStatus.ACCEPTED:
            why = f"{need} is {status}, and {name} needs it accepted"
            found.append(_Need(why, f"{need} is accepted", _MEND.get(status, "").format(need)))
        elif run is not None:
            mend = "punchlist gates" if run.status is NodeStatus.WAITING else ""
            found.append(_Need(f"run {run.id} of {need} is {run.status}", f"{run.id} is over", mend))
    return found


def _typed(*, first: str, once: str, start: str) -> str:
    if first:
        return f"Type: {first}; once {once}: {start}"
    return f"Once {once}, type: {start}" if once else f"Type: {start}"
