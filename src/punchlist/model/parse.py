"""Decoding of outside data into records: closed, strict, and every problem reported at once with its path."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from punchlist.errors import DefinitionError, Problem, invalid
from punchlist.model.allowed import allowed
from punchlist.model.json import Json

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

T = TypeVar("T")
_SHOWN = 80
_VALIDATORS: "dict[type[Any], tuple[dict[str, Json], Draft202012Validator]]" = {}


def parse(kind: type[T], value: Json, *, what: str) -> T:
    """Return `value` as a record of `kind`; raises DefinitionError with all problems of `what`, each with its path."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problems = tuple(_problems(kind, value)) or (Problem("", str(error)),)
        raise invalid(problems, what=what) from None
    except RecursionError:
        raise DefinitionError(f"{what} is nested too deeply", hint="Flatten it.") from None


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


def _problems(kind: type[Any], value: Json) -> Iterator[Problem]:
    schema, validator = _validator(kind)
    try:
        for error in validator.iter_errors(value):
            yield from _flatten(error, schema)
    except ValueError:  # the validator's own bound on nesting, lower than that of the decoder
        yield Problem("", "it is nested too deeply", hint="Flatten it.")


def _validator(kind: type[Any]) -> "tuple[dict[str, Json], Draft202012Validator]":
    import jsonschema_rs

    if kind not in _VALIDATORS:
        schema: dict[str, Json] = msgspec.json.schema(kind)
        _VALIDATORS[kind] = schema, jsonschema_rs.Draft202012Validator(schema)
    return _VALIDATORS[kind]


def _flatten(error: "ValidationError", schema: Json) -> Iterator[Problem]:
    """Yield the problems behind an error: of a union of lists or objects, those of the branch that came closest."""
    branches: Sequence[Sequence[ValidationError]] = getattr(error.kind, "context", ())
    if not isinstance(error.instance, dict | list):
        branches = ()
    fitting = [branch for branch in branches if branch and not _wrong_type_here(branch, error)]
    if not fitting:
        yield _problem(error, schema)
        return
    closest = max(fitting, key=lambda branch: (max(len(each.instance_path) for each in branch), -len(branch)))
    for each in closest:
        yield from _flatten(each, schema)


def _wrong_type_here(branch: "Sequence[ValidationError]", error: "ValidationError") -> bool:
    here = list(error.instance_path)
    return any(each.kind.name == "type" and list(each.instance_path) == here for each in branch)


def _problem(error: "ValidationError", schema: Json) -> Problem:
    where, facts = _path(error.instance_path), error.kind.as_dict()
    rule = _rule(schema, error.schema_path)
    match error.kind.name:
        case "additionalProperties":
            known = sorted(rule.get("properties", {}))
            names = ", ".join(repr(name) for name in facts["unexpected"])
            return Problem(where, f"unknown field {names}", ", ".join(known), _nearest(facts["unexpected"], known))
        case "required":
            return Problem(where, f"the field {facts['property']!r} is missing")
        case _:
            described = allowed(rule, schema) or _shortened(error.message)
            return Problem(where, f"saw {_shown(error.instance)}", described)


def _rule(schema: Json, path: Sequence[str | int]) -> dict[str, Any]:
    """Return the part of the schema that the last element of `path` belongs to."""
    part: Any = schema
    for each in list(path)[:-1]:
        part = part[each]
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


def _nearest(unexpected: Sequence[str], known: Sequence[str]) -> str:
    import difflib

    near = [match for name in unexpected for match in difflib.get_close_matches(name, known, n=1)]
    return f"Did you mean {', '.join(repr(name) for name in near)}?" if near else ""


def _shown(value: object) -> str:
    return _shortened(repr(value) if isinstance(value, str) else msgspec.json.encode(value).decode())


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _path(parts: Sequence[str | int]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
