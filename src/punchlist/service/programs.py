"""What of the exchange with other programs is in trouble: their lines, what they read, whom they asked to be called."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from punchlist.model.json import convert
from punchlist.model.outside import BUGS, INBOX, OUTBOX, Bugs, InboxCursor, OutboxCursor

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.ports import Reader


class Trouble(NamedTuple):
    """One thing that does not work at present: where, what was seen, what to do."""

    where: str
    message: str
    hint: str


def troubles(reader: "Reader") -> Iterator[Trouble]:
    """Yield what does not work."""
    inbox, outbox = reader.cursor(INBOX), reader.cursor(OUTBOX)
    if inbox is not None and (problem := convert(inbox, InboxCursor).problem):
        yield Trouble(INBOX, problem, "Make it a plain file that can be read; its lines are taken then.")
    if outbox is not None and (problem := convert(outbox, OutboxCursor).problem):
        yield Trouble(OUTBOX, problem, "Make room, or make it a plain file that can be written; it catches up then.")
    if (bugs := reader.cursor(BUGS)) is not None:
        for name, report in convert(bugs, Bugs).found.items():
            message = "the engine does not do this, by a bug of punchlist"
            yield Trouble(name, f"{message}: {report}", "It is tried again once a minute, and by the next engine.")
    for delivery in reader.deliveries():
        if delivery.tries:
            message = f"the callback was told of {_run(delivery.body)} {_times(delivery.tries)} in vain"
            yield Trouble("callbacks", f"{message}: {delivery.problem}", f"It is tried again at {delivery.due}.")
    for delivery in reader.deliveries(given_up=True):
        message = f"the callback was not told of {_run(delivery.body)}, given up after {_times(delivery.tries)}"
        yield Trouble("callbacks", f"{message}: {delivery.problem}", "Look after it yourself; gc forgets it in time.")


def _run(body: "Mapping[str, Json]") -> str:
    run = body["run"]
    assert isinstance(run, dict)
    name = run["id"]
    return f"{name} ({body['on']})"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
