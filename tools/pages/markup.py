"""The parts that every generated page is put together from: its head, tables, and types in words."""

import re
from collections.abc import Iterable, Sequence
from typing import cast

from punchlist.model.json import Json, encode

COMMAND = "python -m tools.reference_pages --write"


def page(title: str, *parts: str) -> str:
    """Return a page: its title, that it is generated, its parts."""
    made = f"<!-- Made by `{COMMAND}` from the code; what is changed here by hand is lost. -->"
    return "\n\n".join([f"# {title}", made, *(part.strip("\n") for part in parts)]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; bars in its cells are escaped, line breaks are spaces."""
    lines = [_row(headings), _row(["---"] * len(headings)), *(_row([_cell(each) for each in row]) for row in rows)]
    return "\n".join(lines)


def code(text: str) -> str:
    """Return text as code within a line."""
    return f"`{text}`"


def json_code(value: Json) -> str:
    """Return a JSON value as code within a line."""
    return code(encode(value).decode())


def summary(record: type) -> str:
    """Return what a record's docstring says, each paragraph as one line."""
    paragraphs = re.split(r"\n\s*\n", record.__doc__ or "")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def type_in_words(schema: dict[str, Json]) -> str:
    """Return the type that a JSON Schema (as msgspec makes them) describes, in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].partition("_")[0]
    if "enum" in schema:
        return ", ".join(json_code(each) for each in _list(schema["enum"]))
    if "const" in schema:
        return json_code(schema["const"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_in_words(each) for each in _schemas(schema["anyOf"])))
    return _plain_type(schema)


def _plain_type(schema: dict[str, Json]) -> str:
    kind = schema.get("type")
    if kind == "array":
        return _array(schema)
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"map to {type_in_words(values)}" if isinstance(values, dict) and values else "map"
    if kind in {"integer", "number"}:
        return _number(schema)
    names = {"string": "text", "boolean": "true or false", "null": "null"}
    return names.get(str(kind), "any JSON value")


def _array(schema: dict[str, Json]) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(type_in_words(each) for each in _schemas(schema['prefixItems']))}]"
    items = schema.get("items")
    return f"list of {type_in_words(items)}" if isinstance(items, dict) and items else "list"


def _number(schema: dict[str, Json]) -> str:
    name = "whole number" if schema["type"] == "integer" else "number"
    bounds = [("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below")]
    return " ".join([name, *(f"{word} {schema[bound]}" for bound, word in bounds if bound in schema)])


def _list(value: Json) -> list[Json]:
    return cast("list[Json]", value)


def _schemas(value: Json) -> list[dict[str, Json]]:
    return cast("list[dict[str, Json]]", _list(value))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
