"""What is kept of programs beside the engine: how far their files were read and written, what they are to be told."""

from typing import Literal

import msgspec

from punchlist.model.json import Json

INBOX = "inbox.jsonl"
"""The file of commands in the state folder, and the name of its cursor."""
OUTBOX = "outbox.jsonl"
"""The file of events and answers there, and the name of its cursor."""
CALLBACKS = "callbacks"
"""The name of the cursor of what callbacks were to be told."""
BUGS = "bugs"
"""The name of the cursor of what a bug keeps from being done."""

Moment = Literal["done", "failed", "waiting"]
"""What of a run a callback may be told."""


class InboxCursor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far the inbox file was taken: up to byte `offset`; `digest` is of the `tail` bytes before it.

    `skipping`: a line that was refused by its size has not come to its end yet. `problem` is why the file cannot be
    read at present.
    """

    offset: int = 0
    tail: int = 0
    digest: str = ""
    skipping: bool = False
    problem: str = ""


class OpenLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the inbox file that is answered later: when what it waits for has come about, which `note` names.

    `until` is when it is answered at the latest, if there is such a time.
    """

    name: str | int
    verb: str
    args: dict[str, Json]
    note: dict[str, Json]
    until: str | None = None


class OutboxCursor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far the outbox file was written: the last event and reply in it, and its size in bytes after them.

    `problem` is why it cannot be written at present; it catches up later.
    """

    seq: int = 0
    reply: int = 0
    size: int = 0
    problem: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer on its way to the outbox file: one line, which stands there behind the event numbered `after`."""

    number: int
    after: int
    line: str


class CallbackCursor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last event that was looked at for what callbacks are to be told."""

    seq: int


class Bugs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bug of this program keeps an engine from doing, by its name (a file's, or `callbacks`), and the report."""

    found: dict[str, str]


class Delivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that a callback is to be told; `id` is the same however often it is told.

    It is told when `due` is past; `tries` counts in vain, `problem` is what became of the last one. `given_up` says
    since when it is not tried any more.
    """

    id: str
    body: dict[str, Json]
    due: str
    tries: int = 0
    problem: str = ""
    given_up: str = ""
