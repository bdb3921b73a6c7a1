"""What is known of values before a flow runs: their types, what they can be, and which fields they have."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from punchlist.model.json import Json

Type = Literal["dyn", "string", "int", "bool", "list", "map"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A value: `fields` are all that a map has, None when they are not known; `item` is what a list holds.

    Where it is `open`, a map may have other fields besides, of which nothing is known.
    `values` are all that it can be, none when that is not known; `others` may be named all the same. `maybe` says of
    fields that are not always there why that is. What has a `tag` is one of the `variants`, by the value of that field.
    """

    type: Type
    fields: "Mapping[str, Shape] | None" = None
    open: bool = False
    item: "Shape | None" = None
    values: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    maybe: Mapping[str, str] = field(default_factory=dict[str, str])
    tag: str = ""
    variants: "Mapping[str, Shape]" = field(default_factory=dict[str, "Shape"])


DYN, STRING, INT = Shape("dyn"), Shape("string"), Shape("int")
BOOL = Shape("bool", values=("true", "false"))
LIST, MAP = Shape("list"), Shape("map")
NOTHING = Shape("dyn", {})
"""The output of a node that has none: null, which has no fields."""


def closed(**fields: Shape) -> Shape:
    """Return a map with exactly these fields."""
    return Shape("map", fields)


def one_of(values: Iterable[str], *, others: Iterable[str] = ()) -> Shape:
    """Return a text of which all values are known."""
    return Shape("string", values=tuple(dict.fromkeys(values)), others=tuple(others))


def either(shapes: Mapping[str, Shape], *, what: str, of: str = "") -> Shape:
    """Return the shape of a value that has one of several, which are called `what`, perhaps `of` something."""
    every = list(shapes.values())
    if not every or any(each.open or (each.fields is None and each.type in {"dyn", "map"}) for each in every):
        return DYN
    if any(each.fields is None for each in every):
        return _scalar(every)
    names = dict.fromkeys(name for each in every for name in each.fields or {})
    makers = {name: [key for key, each in shapes.items() if name in (each.fields or {})] for name in names}
    some = {name: f"only {what} {_listed(keys)}{of} has it" for name, keys in makers.items() if len(keys) < len(shapes)}
    some |= {name: why for each in every for name, why in each.maybe.items() if name not in some}
    fields = {name: _common([(shapes[key].fields or {})[name] for key in keys]) for name, keys in makers.items()}
    return Shape("map" if NOTHING not in every else "dyn", fields, maybe=some)


def _listed(keys: list[str]) -> str:
    return " or ".join(f"'{key}'" for key in keys)


def _common(every: list[Shape]) -> Shape:
    """Return what is known of a value that has any of these shapes."""
    return every[0] if all(each == every[0] for each in every) else _scalar(every)


def _scalar(every: list[Shape]) -> Shape:
    kind = every[0].type
    if any(each.type != kind for each in every):
        return DYN
    known = all(each.values for each in every)
    values = dict.fromkeys(value for each in every for value in each.values) if known else {}
    return Shape(kind, values=tuple(values))


_JSON_TYPES: Mapping[str, Shape] = {"string": STRING, "integer": INT, "boolean": BOOL, "array": LIST, "object": MAP}


def schema_shape(schema: Json) -> Shape:
    """Return what a JSON Schema tells of the values that fit it.

    The fields that it names, each perhaps missing unless it is required; of a `oneOf` that a field tells apart what can
    be read of its variants.
    """
    if not isinstance(schema, dict) or "$ref" in schema:
        return DYN
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, list):
        return one_of(map(str, values)) if values and all(isinstance(each, str) for each in values) else DYN
    variants = schema.get("oneOf")
    if isinstance(variants, list) and (found := _tagged(variants)) is not None:
        return found
    if not isinstance(schema.get("type"), str):
        return DYN
    known, record = _JSON_TYPES.get(str(schema["type"]), DYN), _variant(schema)
    if known is not MAP or record is None:
        return known
    return replace(record, open=schema.get("additionalProperties") is not False)


def _tagged(schemas: list[Json]) -> Shape | None:
    """Return variants that one required field tells apart, by a value of its own each; None for others."""
    parts = [_variant(each) for each in schemas]
    whole = [each for each in parts if each is not None]
    if len(whole) < len(parts) or not whole:
        return None
    for tag in whole[0].fields or {}:
        values = [(each.fields or {}).get(tag, DYN).values for each in whole]
        every = [value for some in values for value in some]
        if all(values) and len(set(every)) == len(every) and not any(tag in each.maybe for each in whole):
            variants = {value: each for each, some in zip(whole, values, strict=True) for value in some}
            merged = either(variants, what="variant")
            fields = {**(merged.fields or {}), tag: one_of(every)}
            return replace(merged, fields=fields, tag=tag, variants=variants)
    return None


def _variant(schema: Json) -> Shape | None:
    """Return a map, whose fields are those that its schema declares; None for a schema that declares none."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or not isinstance(properties, dict):
        return None
    required = schema.get("required")
    must = required if isinstance(required, list) else []
    fields = {name: schema_shape(each) for name, each in properties.items()}
    return Shape("map", fields, maybe={name: "its schema does not require it" for name in fields if name not in must})


@functools.cache
def record_shape(kind: type[msgspec.Struct]) -> Shape:
    """Return the shape of one of the model's records."""
    return _shape(msgspec.inspect.type_info(kind))


def _shape(kind: msgspec.inspect.Type) -> Shape:
    match kind:
        case msgspec.inspect.StructType():
            return Shape("map", {each.encode_name: _shape(each.type) for each in kind.fields})
        case msgspec.inspect.VarTupleType() | msgspec.inspect.ListType():
            return Shape("list", item=_shape(kind.item_type))
        case msgspec.inspect.BoolType():
            return BOOL
        case msgspec.inspect.IntType():
            return INT
        case msgspec.inspect.EnumType():
            return one_of(str(each.value) for each in kind.cls)
        case msgspec.inspect.LiteralType():
            return one_of(map(str, kind.values)) if all(isinstance(each, str) for each in kind.values) else DYN
        case msgspec.inspect.StrType():
            return STRING
        case _:
            return DYN
