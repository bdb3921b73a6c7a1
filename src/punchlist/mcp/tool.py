"""What a typed tool is: its name and text, the closed schema of its arguments, and the verb that it calls."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from punchlist.model.json import Json

if TYPE_CHECKING:
    from punchlist.service.context import Answer

Arguments = Mapping[str, Json]
"""What a tool is called with, checked against its schema."""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool. `call` blocks until it is answered, may be called from any thread, and raises PunchlistError.

    `schema` is a JSON Schema (2020-12) of an object, closed at every level; it is what clients are shown. Arguments
    without the names in `apart` are held against `record`, too: its rules are longer than a model should have to read.
    `changes` says that a call may change something.
    """

    name: str
    text: str
    schema: Mapping[str, Json]
    call: "Callable[[Arguments], Answer]"
    changes: bool
    record: type[msgspec.Struct] | None = None
    apart: frozenset[str] = frozenset()


def closed(properties: Mapping[str, Json], *, required: tuple[str, ...] = ()) -> dict[str, Json]:
    """Return the schema of an object that has these properties and no others."""
    schema: dict[str, Json] = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema
