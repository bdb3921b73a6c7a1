"""Decoding of outside data into records: closed, strict, and every problem reported at once with its path."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import msgspec

from punchlist.errors import DefinitionError, Problem, invalid
from punchlist.model.allowed import allowed, nearest, words
from punchlist.model.json import Json, convert
from punchlist.model.parts import Meaning, Part, Path, in_order, written

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

T = TypeVar("T")
_SHOWN = 80
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
MOST_VALUES = 20_000
"""Values in which every problem is looked for: beyond, the search takes many seconds."""
_DEEPEST = 100
_LARGEST = 2**53
_AROUND = frozenset({"additionalProperties", "required", "propertyNames", "minItems", "maxItems"})
"""Rules of maps and lists that say nothing against the values in them."""
_VALIDATORS: "dict[type[Any], tuple[dict[str, Json], Draft202012Validator]]" = {}


class Shaped(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What the shape of a value comes to: its record, or why there is none; `part` is what can be looked at anyway."""

    record: T | None
    problems: tuple[Problem, ...]
    part: Part


def parse(kind: type[T], value: Json, *, what: str, meaning: Meaning | None = None) -> T:
    """Return `value` as a record of `kind`; raises DefinitionError with all problems of `what`, each with its path.

    `meaning` says what is wrong beside the shape; where only a part is ill-shaped, it sees all the others.
    """
    found = shaped(kind, value)
    problems = in_order([*found.problems, *(meaning(found.part) if meaning else ())], value)
    if problems or found.record is None:
        raise invalid(problems, what=what)
    return found.record


def shaped(kind: type[T], value: Json) -> Shaped[T]:
    """Return `value` as a record of `kind`, or all that its shape lacks."""
    try:
        record = convert(value, kind)
    except msgspec.ValidationError as error:
        return _ill_shaped(kind, value, why=error)
    except RecursionError:
        too_deep = Problem("", "it is nested too deeply", hint="Flatten it.")
        return Shaped(record=None, problems=(too_deep,), part=Part(None))
    return Shaped(record=record, problems=(), part=Part(value))


def parse_json(kind: type[T], text: bytes | str, *, what: str) -> T:
    """Return JSON text as a record of `kind`; raises DefinitionError for text that is no JSON, too."""
    return parse(kind, decode_json(text, what=what), what=what)


def decode_json(text: bytes | str, *, what: str) -> Json:
    """Return the JSON value in `text`; raises DefinitionError saying where it breaks off, or how it is too deep."""
    try:
        value: Json = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{what} is not JSON: {error}") from None
    except RecursionError:
        raise DefinitionError(f"{what} is nested too deeply", hint="Flatten it.") from None
    return value


def recordable(value: Json, *, what: str) -> Json:
    """Return a value; raises DefinitionError for what no record may hold: deep nesting, numbers that are not exact."""
    level: list[Json] = [value]
    for _ in range(_DEEPEST):
        if any(isinstance(each, int) and abs(each) >= _LARGEST for each in level):
            raise DefinitionError("a whole number is 2^53 or larger", where=what, hint="Write it as a string.")
        level = [inner for each in level for inner in _parts(each)]
        if not level:
            return value
    raise DefinitionError(f"it is nested deeper than {_DEEPEST} levels", where=what, hint="Flatten it.")


def _parts(value: Json) -> list[Json]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []


def _ill_shaped(kind: type[T], value: Json, *, why: Exception) -> Shaped[T]:
    problems: list[Problem] = []
    refused: set[Path] = set()
    schema, validator = _validator(kind)
    if (size := values_in(value)) > MOST_VALUES:
        too_many = Problem("", f"{why}; it holds {size:,} values, too many to look for more", f"up to {MOST_VALUES:,}")
        return Shaped(record=None, problems=(too_many,), part=Part(None))
    try:
        for error in (leaf for each in validator.iter_errors(value) for leaf in _leaves(each)):
            problems += _problems(error, schema)
            if error.kind.name not in _AROUND:
                refused.add(tuple(error.instance_path))
    except ValueError:  # the validator's own bound on nesting, lower than that of the decoder
        problems, refused = [Problem("", "it is nested too deeply", hint="Flatten it.")], {()}
    if not problems:
        problems, refused = [Problem("", str(why))], {()}
    part = Part(None if () in refused else value, refused=frozenset(refused))
    return Shaped(record=None, problems=tuple(problems), part=part)


def control_in(text: str) -> str:
    """Return which control character, but tabs and ends of lines, a text holds first and on which line; "" for none."""
    found = _CONTROL.search(text)
    if found is None:
        return ""
    line = text.count("\n", 0, found.start()) + 1
    return f"U+{ord(found[0]):04X} on line {line}"


def values_in(value: Json) -> int:
    """Return how many values there are in a value, itself included."""
    count, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        count += 1
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return count


def _validator(kind: type[Any]) -> "tuple[dict[str, Json], Draft202012Validator]":
    import jsonschema_rs

    if kind not in _VALIDATORS:
        schema: dict[str, Json] = msgspec.json.schema(kind)
        _VALIDATORS[kind] = schema, jsonschema_rs.Draft202012Validator(schema)
    return _VALIDATORS[kind]


def _leaves(error: "ValidationError") -> "Iterator[ValidationError]":
    """Yield what is behind an error: of a union of lists or objects, the errors of the branch that came closest."""
    branches: Sequence[Sequence[ValidationError]] = getattr(error.kind, "context", ())
    if not isinstance(error.instance, dict | list):
        branches = ()
    fitting = [branch for branch in branches if branch and not _wrong_type_here(branch, error)]
    if not fitting:
        yield error
        return
    closest = max(fitting, key=lambda branch: (max(len(each.instance_path) for each in branch), -len(branch)))
    for each in closest:
        yield from _leaves(each)


def _wrong_type_here(branch: "Sequence[ValidationError]", error: "ValidationError") -> bool:
    here = list(error.instance_path)
    return any(each.kind.name == "type" and list(each.instance_path) == here for each in branch)


def _problems(error: "ValidationError", schema: Json) -> list[Problem]:
    where, facts = written(error.instance_path), error.kind.as_dict()
    rule = _rule(schema, error.schema_path)
    match error.kind.name:
        case "additionalProperties":
            known = sorted(rule.get("properties", {}))
            unexpected: list[str] = facts["unexpected"]
            return [
                Problem(where, f"unknown field {name!r}", ", ".join(known), nearest(name, known), field=name)
                for name in unexpected
            ]
        case "propertyNames":
            name = str(facts["error"].instance)
            return [
                Problem(
                    written((*error.instance_path, name)),
                    "it cannot be called so",
                    allowed({"type": "string", **rule}, schema),
                )
            ]
        case "required":
            name = str(facts["property"])
            return [Problem(where, f"the field {name!r} is missing", field=name)]
        case _:
            described = allowed(rule, schema) or _shortened(error.message)
            hint = nearest(error.instance, words(rule, schema)) if isinstance(error.instance, str) else ""
            return [Problem(where, f"saw {_shown(error.instance)}{_hidden(error.instance)}", described, hint)]


def _rule(schema: Json, path: Sequence[str | int]) -> dict[str, Any]:
    """Return the part of the schema that the last element of `path` belongs to."""
    part: Any = schema
    for each in list(path)[:-1]:
        part = part[each]
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


def _shown(value: object) -> str:
    return _shortened(repr(value) if isinstance(value, str) else msgspec.json.encode(value).decode())


def _hidden(value: object) -> str:
    """Return which control character stands where in a text that is too long to be shown whole; mostly nothing."""
    found = control_in(value) if isinstance(value, str) and len(value) > _SHOWN else ""
    return f", with {found}" if found else ""


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
