"""What a typed tool is: its name and text, the closed schema of its arguments, and the verb that it calls."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from punchlist.errors import Problem
from punchlist.model.json import Json

if TYPE_CHECKING:
    from punchlist.service.context import Answer

Arguments = Mapping[str, Json]
"""What a tool is called with, checked against its schema."""

MOST = 999_999_999
"""The largest whole number that a call may give: far beyond all that is counted, and exact to every reader."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the person in front of a client is asked: the text, the form's flat schema, and what an answer does.

    `answered` raises PunchlistError; what it returns is laid over the answer of the call that led to the question.
    """

    text: str
    form: Mapping[str, Json]
    answered: "Callable[[Arguments], Answer]"


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool. `call` blocks until it is answered, may be called from any thread, and raises PunchlistError.

    `schema` is a JSON Schema (2020-12) of an object, closed at every level; it is what clients are shown. `changes`
    says that a call may change something, `waits` that it may take as long as what it waits for; then it may be
    abandoned. `record`, when there is one, is what the verb parses the fields of that name as: stricter than a model
    should have to read. `theirs` are the arguments that only a person may give, each with the hint for it, in which
    `{project}` stands for that argument. `question` says what of an answer a person can be asked right there, if the
    client can ask.
    `faults` tells what is wrong by what there is with arguments that are refused, which may be of any shape; it changes
    nothing.
    """

    name: str
    text: str
    schema: Mapping[str, Json]
    call: "Callable[[Arguments], Answer]"
    changes: bool
    waits: bool = False
    record: type[msgspec.Struct] | None = None
    theirs: Mapping[str, str] = {}
    question: "Callable[[Answer], Question | None] | None" = None
    faults: Callable[[Arguments], Sequence[Problem]] | None = None


def closed(properties: Mapping[str, Json], *, required: tuple[str, ...] = ()) -> dict[str, Json]:
    """Return the schema of an object that has these properties and no others."""
    schema: dict[str, Json] = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema
