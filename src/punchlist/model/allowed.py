"""What a part of a JSON Schema allows, in words for the person whose document is refused."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from punchlist.model.json import Json

_PLAIN = {"boolean": "true or false", "null": "null", "array": "a list", "object": "an object"}
_NUMBERS = {"integer": "a whole number", "number": "a number"}
_NUMBER_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "greater than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}
_TEXT_BOUNDS = {"minLength": "at least", "maxLength": "at most"}


def allowed(rule: Mapping[str, Any], schema: Json) -> str:
    """Return what `rule`, a part of `schema`, allows; an empty text when it says nothing that helps."""
    match rule:
        case {"$ref": str(place)}:
            return allowed(_at(schema, place), schema)
        case {"anyOf": _}:
            options = cast("list[dict[str, Any]]", rule["anyOf"])
            each = [allowed(option, schema) for option in options if not _is_null(option)]
            return " or ".join(dict.fromkeys(text for text in each if text))
        case {"enum": _}:
            return ", ".join(str(value) for value in cast("list[object]", rule["enum"]))
        case {"const": value}:
            return str(value)
        case {"type": "string"}:
            return str(rule.get("description") or _text(rule))
        case {"type": "integer" | "number" as kind}:
            return _bounded(_NUMBERS[kind], rule, bounds=_NUMBER_BOUNDS)
        case {"type": "array"}:
            return "a list of at least one" if rule.get("minItems") == 1 else _PLAIN["array"]
        case {"type": str(kind)}:
            return _PLAIN.get(kind, kind)
        case _:
            return ""


def words(rule: Mapping[str, Any], schema: Json) -> tuple[str, ...]:
    """Return the words among which `rule` lets one choose; none when it is no such choice."""
    match rule:
        case {"$ref": str(place)}:
            return words(_at(schema, place), schema)
        case {"anyOf": _}:
            options = cast("list[dict[str, Any]]", rule["anyOf"])
            return tuple(word for option in options for word in words(option, schema))
        case {"enum": _}:
            return tuple(word for word in cast("list[object]", rule["enum"]) if isinstance(word, str))
        case _:
            return ()


def nearest(text: str, known: Iterable[str]) -> str:
    """Return the hint that names what was probably meant, or nothing."""
    import difflib

    found = difflib.get_close_matches(text, list(known), n=1)
    return f"Did you mean {found[0]!r}?" if found else ""


def _at(schema: Json, place: str) -> Mapping[str, Any]:
    part: Any = schema
    for each in place.removeprefix("#/").split("/"):
        part = part[each]
    return cast("dict[str, Any]", part)


def _is_null(option: Mapping[str, Any]) -> bool:
    return option.get("type") == "null"


def _text(rule: Mapping[str, Any]) -> str:
    bounded = _bounded("text", rule, bounds=_TEXT_BOUNDS)
    return bounded if bounded == "text" else f"{bounded} characters"


def _bounded(what: str, rule: Mapping[str, Any], *, bounds: Mapping[str, str]) -> str:
    said = [f"{word} {rule[name]}" for name, word in bounds.items() if name in rule]
    return f"{what}, {' and '.join(said)}" if said else what
