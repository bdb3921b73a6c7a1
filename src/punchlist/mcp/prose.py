"""What people read of a call, its reasons, messages and questions: never blank, and nothing that steers a screen."""

import re
from collections.abc import Iterator, Mapping

from punchlist.errors import Problem
from punchlist.mcp.tool import Arguments
from punchlist.model.ids import CONTROLS
from punchlist.model.json import Json

NAMES = ("message", "reason", "question", "request", "text")
"""Arguments of these names are prose, whatever the tool; so is all that is given with a decision (`data`)."""
_ALLOWED = "text, its lines apart from each other, without other control characters"
_STEERS = re.compile(rf"(?![\n\t])[{CONTROLS}\u061c\ufeff]")


def prose_problems(arguments: Arguments, schema: Mapping[str, Json]) -> Iterator[Problem]:
    """Yield what is wrong with the prose of a call; a text that is empty by default may be empty."""
    properties = schema.get("properties")
    assert isinstance(properties, dict)
    for name in NAMES:
        value, rule = arguments.get(name), properties.get(name)
        if isinstance(value, str) and isinstance(rule, dict):
            odd = [*steering(value, name)]
            yield from odd
            if not odd and not value.strip() and rule.get("default") != "":
                yield Problem(name, "it is blank", "text that says something", _left_out(name, schema))
    if "data" in properties:
        yield from steering(arguments.get("data"), "data")


def steering(value: Json, where: str) -> Iterator[Problem]:
    """Yield the first character of each text in `value` that would steer a screen, or turn the direction of writing."""
    match value:
        case str():
            found = _STEERS.search(value.replace("\r\n", "\n"))
            if found is not None:
                yield Problem(where, f"it holds the control character U+{ord(found[0]):04X}", _ALLOWED)
        case dict():
            for name, each in value.items():
                yield from steering(each, f"{where}.{name}")
        case list():
            for at, each in enumerate(value):
                yield from steering(each, f"{where}[{at}]")
        case _:
            pass


def _left_out(name: str, schema: Mapping[str, Json]) -> str:
    required = schema.get("required")
    return "" if isinstance(required, list) and name in required else "Leave it out."
