"""Keys that a JSON object says twice: every reader takes another of the values, so none may be taken."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import cast

from punchlist.model.json import Json


class _Object(dict[str, Json]):
    """An object with the names of the keys that were said more than once."""

    twice: frozenset[str] = frozenset()


def said_twice(text: bytes) -> list[str]:
    """Return the paths of keys that are said twice in a JSON text that was read already, in the order written."""
    found = False

    def kept(pairs: Sequence[tuple[str, Json]]) -> _Object:
        nonlocal found
        made = _Object(pairs)
        if len(made) != len(pairs):
            made.twice = frozenset(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
            found = True
        return made

    value = json.loads(text, object_pairs_hook=kept, parse_int=str, parse_float=str)  # as text: any size, and no cost
    return [*_paths(value, "")] if found else []


def _paths(value: Json, above: str) -> Iterator[str]:
    if isinstance(value, list):
        for at, each in enumerate(value):
            yield from _paths(each, f"{above}[{at}]")
    elif isinstance(value, dict):
        twice = cast("_Object", value).twice
        for name, each in value.items():
            path = f"{above}.{name}" if above else name
            if name in twice:
                yield path
            yield from _paths(each, path)
