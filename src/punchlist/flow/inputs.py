"""Declared values: the inputs of a flow and the short form of an output's schema, and whether a value fits one."""

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from punchlist.errors import Problem, invalid
from punchlist.flow.binding import shown
from punchlist.flow.document import Entries, Scalar, Yaml, plain
from punchlist.flow.problems import Place
from punchlist.flow.reading import Reader
from punchlist.flow.words import is_name, listed
from punchlist.model.allowed import nearest
from punchlist.model.flow import Input, InputType
from punchlist.model.json import Json, encode

if TYPE_CHECKING:
    import jsonschema_rs

TYPES: tuple[InputType, ...] = ("any", "string", "int", "float", "bool", "path", "enum", "list", "map", "task")
_KEYS = ("type", "default", "min", "max", "values", "enum", "must_exist", "schema")
_SHOWN = 300
_PYTHON: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "path": str,
    "enum": str,
    "list": list,
    "map": dict,
    "task": dict,
    "any": object,
}


def read_inputs(reader: Reader, tree: Yaml) -> dict[str, Input]:
    """Return declared inputs: `{type, default, min, max, values, must_exist, schema}`, or only the type's name.

    `{enum: [a, b]}` is short for `{type: enum, values: [a, b]}`.
    """
    return {reader.name(key, "an input"): read_input(reader, value) for key, value in reader.entries(tree)}


def read_input(reader: Reader, tree: Yaml) -> Input:
    """Return one declaration."""
    if isinstance(tree, Scalar):
        return Input(type=reader.choice(tree, TYPES))
    fields = reader.fields(tree, _KEYS, what="a declared value")
    choices = fields.get("enum") or fields.get("values")
    misread = ("type" in fields and plain(fields["type"]) not in TYPES) or (choices and not plain(choices))
    values = reader.each(choices, reader.text, empty=False) if choices else ()
    implied: InputType = "enum" if choices else "any"
    declared = Input(
        type=reader.choice(fields["type"], TYPES) if "type" in fields else implied,
        default=plain(fields["default"]) if "default" in fields else msgspec.UNSET,
        min=_bound(reader, fields.get("min")),
        max=_bound(reader, fields.get("max")),
        values=values,
        must_exist="must_exist" in fields and reader.truth(fields["must_exist"]),
        schema=check_schema(reader, reader.json(fields["schema"]), place=fields["schema"].place)
        if "schema" in fields
        else None,
    )
    if not misread:
        _check(reader, tree, declared=declared)
    return declared


def check_schema(reader: Reader, schema: dict[str, Json], *, place: Place) -> dict[str, Json]:
    """Return a JSON Schema; what is wrong with it is a problem at `place`. Nothing that it refers to is fetched."""
    try:
        _validator(encode(schema))
    except ValueError as wrong:
        reader.problems.add(place, f"it is no JSON Schema: {str(wrong).partition(chr(10))[0][:_SHOWN]}")
    return schema


def _bound(reader: Reader, tree: Yaml | None) -> int | None:
    return None if tree is None else reader.whole_number(tree, -(2**53), most=2**53)


def _check(reader: Reader, tree: Yaml, *, declared: Input) -> None:
    if (declared.type == "enum") != bool(declared.values):
        reader.problems.add(tree.place, "type enum and values go together", allowed="{type: enum, values: [a, b]}")
    if (declared.min is not None or declared.max is not None) and declared.type not in {"int", "float"}:
        reader.problems.add(tree.place, f"min and max say nothing of type {declared.type}", allowed="int, float")
    if declared.must_exist and declared.type != "path":
        reader.problems.add(tree.place, f"must_exist says nothing of type {declared.type}", allowed="path")
    if (
        declared.default is not msgspec.UNSET
        and isinstance(tree, Entries)
        and (why := unfit(declared, declared.default))
    ):
        reader.problems.add(tree.values["default"].place, f"the default is {why}", allowed=rule(declared))


def bind_inputs(declared: Mapping[str, Input], given: Mapping[str, Json], *, what: str) -> dict[str, Json]:
    """Return every declared input with its value, defaults filled in; raises DefinitionError with all problems.

    Whether a path exists is for the caller to see.
    """
    problems = tuple(input_problems(declared, given))
    if problems:
        raise invalid(problems, what=what)
    values = {name: given.get(name, each.default) for name, each in declared.items()}
    return {name: value for name, value in values.items() if value is not msgspec.UNSET}


def input_problems(declared: Mapping[str, Input], given: Mapping[str, Json]) -> Iterator[Problem]:
    """Yield what is wrong with the values that are given for declared inputs."""
    for name in given:
        if name not in declared:
            allowed = listed(declared) or "none"
            yield Problem(f"inputs.{name}", "there is no such input", allowed, nearest(name, declared))
    for name, each in declared.items():
        value = given.get(name, each.default)
        if value is msgspec.UNSET:
            yield Problem(f"inputs.{name}", "it must be given", rule(each))
        elif why := unfit(each, value):
            yield Problem(f"inputs.{name}", f"it is {why}", rule(each))


def unfit(declared: Input, value: Json) -> str:
    """Return what a value is, when it does not fit, or nothing."""
    kind = _PYTHON[declared.type]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind in {int, (int, float)}):
        return shown(value)
    if declared.values and value not in declared.values:
        return repr(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and not _within(declared, value):
        return str(value)
    if declared.schema is not None and (problem := next(schema_problems(declared.schema, value), "")):
        return f"{shown(value)}, which does not fit its schema: {problem}"
    return ""


def schema_problems(schema: Json, value: Json, *, whole: str = "the value") -> Iterator[str]:
    """Yield how a value does not fit a JSON Schema, each with its place; `whole` is what the value itself is called."""
    try:
        validator = _validator(encode(schema if isinstance(schema, dict) else bool(schema)))
    except ValueError as wrong:
        yield f"the schema that it should fit is none: {wrong}"[:_SHOWN]
        return
    for error in validator.iter_errors(value):
        yield f"{'.'.join(str(part) for part in error.instance_path) or whole}: {error.message[:_SHOWN]}"


@functools.lru_cache(maxsize=256)
def _validator(schema: bytes) -> "jsonschema_rs.Validator":
    """Return what holds values against a schema, given as JSON. Raises ValueError."""
    import jsonschema_rs

    return jsonschema_rs.validator_for(msgspec.json.decode(schema), offline=True)


def rule(declared: Input) -> str:
    """Return what may be given, in words."""
    if declared.values:
        return ", ".join(declared.values)
    bounds = [f"from {declared.min}"] if declared.min is not None else []
    bounds += [f"to {declared.max}"] if declared.max is not None else []
    return " ".join([declared.type, *bounds])


def _within(declared: Input, value: float) -> bool:
    return (declared.min is None or value >= declared.min) and (declared.max is None or value <= declared.max)


def read_fields(reader: Reader, tree: Yaml) -> dict[str, Json]:
    """Return declared fields of an answer as they are written, each in the short form of inputs."""
    for key, value in reader.entries(tree, empty=False):
        if not is_name(key.text):
            reader.name(key, "a field of an output")
        read_input(reader, value)
    return reader.json(tree)
