"""The JSON Schemas of the checked records, one a node kind."""

import typing

import msgspec

from punchlist.model.flow import AnyNode
from punchlist.model.json import Json

_RECORDS: tuple[type[msgspec.Struct], ...] = typing.get_args(AnyNode)


def node_schemas() -> dict[str, dict[str, Json]]:
    """Return a closed JSON Schema (2020-12) for each kind of node, by the record's tag."""
    return {str(record.__struct_config__.tag): msgspec.json.schema(record) for record in _RECORDS}
