"""The JSON Schemas of all records, one file each, and the page that lists them."""

import json
from collections.abc import Iterator
from typing import cast

from punchlist.model.json import Json
from punchlist.service.schemas import schema
from tools.pages.markup import page, table

_HEAD = """\
The shapes of files and records as JSON Schema (2020-12), as `punchlist schema NAME` prints them. All are closed: an
unknown key is an error. `task-file`, `step-file`, `criterion`, `project-file`, `flow-file` and `settings` are what
people write ([an editor completes flows](../../howto/write-flows.md) by the last but one);
`step-pack`, `review-pack` and `request` are what a worker is given, `result`, `review` and `plan` what it hands back;
the rest is what the program keeps. A `node-…` is a node of a flow as it is after the check, with defaults filled in;
how it is written stands in [Flows](../flows.md).
"""


def schemas() -> dict[str, str]:
    """Return the files by their paths below the reference."""
    found = dict(_found())
    rows = ((f"[{name}]({name}.json)", _said(each)) for name, each in found.items())
    files = {f"schemas/{name}.json": _text(each) for name, each in found.items()}
    return {**files, "schemas/README.md": page("Schemas", _HEAD, table(("schema", "what it is"), rows))}


def _found() -> Iterator[tuple[str, dict[str, Json]]]:
    for name in cast("list[str]", schema()["schemas"]):
        yield name, cast("dict[str, Json]", schema(name)["schema"])


def _text(value: dict[str, Json]) -> str:
    return json.dumps(value, indent=2) + "\n"


def _said(found: dict[str, Json]) -> str:
    """Return the description of a schema, or of the definition that it refers to."""
    named = str(found.get("$ref", "")).rpartition("/")[2]
    definitions = cast("dict[str, dict[str, Json]]", found.get("$defs", {}))
    return str(definitions.get(named, found).get("description", ""))
