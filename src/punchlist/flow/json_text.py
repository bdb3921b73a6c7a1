"""JSON, as most programs write documents, read without loading YAML, which takes longer than most verbs."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from punchlist.model.json import Json

DEPTH = 60
BIGGEST = 2**53 - 1
_ODD = re.compile("[\0\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def from_json(text: str) -> "tuple[Json] | None":
    """Return the value of a JSON object or list, or None for all else: to be read, or refused with its place, as YAML.

    None, too, for what may stand in JSON and not in a definition: a key said twice, numbers that are not exact in
    JSON, more than 60 levels, surrogates and control characters.
    """
    import json

    if not text.lstrip().startswith(("{", "[")) or _ODD.search(text):
        return None
    try:
        value = json.loads(text, object_pairs_hook=_said_once, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return (value,) if _fits(value, depth=0) else None


def _said_once(pairs: "Sequence[tuple[str, Json]]") -> "dict[str, Json]":
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(pairs)
    return found


def _refused(name: str) -> NoReturn:
    raise ValueError(name)


def _fits(value: "Json", *, depth: int) -> bool:
    match value:
        case str():
            return not _ODD.search(value)
        case dict():
            return depth < DEPTH and all(
                _fits(key, depth=0) and _fits(each, depth=depth + 1) for key, each in value.items()
            )
        case list():
            return depth < DEPTH and all(_fits(each, depth=depth + 1) for each in value)
        case bool() | None:
            return True
        case int() | float():
            return abs(value) <= BIGGEST
