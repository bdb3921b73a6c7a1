"""The schemas of tools whose arguments are the fields of a record: made from it, so that the two cannot disagree."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from punchlist.mcp.tool import MOST, closed
from punchlist.model.json import Json

_PLACE = "#/$defs/"


def record_schema(
    kind: type[msgspec.Struct],
    *,
    without: Collection[str] = (),
    beside: Mapping[str, Json] | None = None,
    required: Collection[str] | None = None,
) -> dict[str, Json]:
    """Return the schema of a record's fields as arguments: none of `without`, and those of `beside` besides.

    `required` are the names that must be given (None: those that the record itself needs). Parts that nothing refers
    to, and what is written for readers of code, are left out.
    """
    full: dict[str, Any] = msgspec.json.schema(kind)
    parts: dict[str, Any] = full["$defs"]
    root = parts[full["$ref"].removeprefix(_PLACE)]
    properties = {name: rule for name, rule in root["properties"].items() if name not in without}
    needed = root.get("required", ()) if required is None else required
    schema: dict[str, Json] = closed(
        {**(beside or {}), **properties}, required=tuple(name for name in needed if name not in without)
    )
    used: dict[str, Json] = {name: _plain(parts[name]) for name in _reached(properties, parts)}
    whole = bounded({**schema, "$defs": used} if used else schema)
    assert isinstance(whole, dict)
    return whole


def bounded(rule: Json) -> Json:
    """Return a schema in which each whole number has its bounds, those that it lacks beyond all that is counted."""
    if isinstance(rule, list):
        return [bounded(each) for each in rule]
    if not isinstance(rule, dict):
        return rule
    if rule.get("type") != "integer":
        return {name: bounded(each) for name, each in rule.items()}
    above = rule.get("exclusiveMinimum")
    rest = {name: each for name, each in rule.items() if name != "exclusiveMinimum"}
    return {"minimum": above + 1 if isinstance(above, int) else -MOST, "maximum": MOST, **rest}


def narrowed(
    name: str,
    kind: type[msgspec.Struct],
    *,
    without: Collection[str] = (),
    instead: Mapping[str, Any] | None = None,
    required: bool = True,
) -> type[msgspec.Struct]:
    """Return a record like `kind` without some fields; `instead` gives fields another type.

    Unless `required`, any field may be left out.
    """
    fields: list[tuple[str, Any, Any]] = []
    for each in msgspec.structs.fields(kind):
        if each.name not in without:
            rule = (instead or {}).get(each.name, each.type)
            default = each.default if required else msgspec.UNSET
            fields.append((each.name, rule if required else rule | msgspec.UnsetType, msgspec.field(default=default)))
    return msgspec.defstruct(name, fields, frozen=True, forbid_unknown_fields=True, kw_only=True)


def _reached(properties: Mapping[str, Json], parts: Mapping[str, Any]) -> list[str]:
    """Return the names of the parts that the properties refer to, and those that these refer to, in that order."""
    found: list[str] = []
    waiting = [*_references(dict(properties))]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting += _references(parts[name])
    return found


def _references(rule: Json) -> Iterator[str]:
    match rule:
        case {"$ref": str(place)}:
            yield place.removeprefix(_PLACE)
        case dict():
            for each in rule.values():
                yield from _references(each)
        case list():
            for each in rule:
                yield from _references(each)
        case _:
            pass


def _plain(part: Mapping[str, Any]) -> dict[str, Json]:
    return {name: value for name, value in part.items() if name not in {"title", "description"}}
