"""The page of settings: every key of `punchlist.toml` with its values, its default, and whether it is in force."""

from collections.abc import Iterator
from typing import cast

import msgspec

from punchlist.model.json import Json, plain
from punchlist.model.policy import Policy
from punchlist.model.settings import BUILT_IN, IN_FORCE, NOT_IN_FORCE, Settings
from tools.pages.markup import code, json_code, page, table, type_in_words
from tools.pages.settings_meanings import MEANINGS

_HEAD = """\
All settings stand in `punchlist.toml` in the workspace, in TOML; every key is optional. An unknown key, a wrong
value, and a role that names a worker that there is not are errors, all told at once. `punchlist config` prints each
key with its resolved value and where it comes from, and says which are not in force yet. How to:
[Settings](../howto/settings.md).
"""
_POLICY = """\
A rule of policy may be said in several places. The outermost is the default; over it are laid, in this order,
`[policy]`, the project's `policy`, the task's and the step's; a run of a flow of your own has `[policy]`, the flow's
`policy`, then `--set`. A run freezes its policy when it starts.
"""
_WORKERS = (
    f"Workers of the types {', '.join(map(code, IN_FORCE))} can be started by this version; the other types are "
    "accepted, and refused by name when they are to be started. "
    f"{', '.join(map(code, BUILT_IN))} need no table: there the type has the worker's name."
)
_ABOUT = {"policy": _POLICY, "workers": _WORKERS}

Schema = dict[str, Json]


def settings() -> dict[str, str]:
    """Return the page by its path below the reference; raises KeyError for a key whose meaning is not said."""
    parts = [part for name in Settings.__struct_fields__ for part in _section(name)]
    return {"settings.md": page("Settings", _HEAD, *parts)}


def _section(name: str) -> Iterator[str]:
    root = _properties(_DEFINITIONS["Settings"])[name]
    prefix, record = _record_at(name, root)
    yield f"## {prefix}"
    yield str(record["description"])
    if name in _ABOUT:
        yield _ABOUT[name]
    rows = [_row(key, field) for key, field in _leaves(prefix, record)]
    yield table(("key", "value", "default", "in force", "meaning"), rows)


def _record_at(name: str, schema: Schema) -> tuple[str, Schema]:
    """Return a table's key as a person writes it, and the record that it holds."""
    if schema.get("type") == "array":
        return f"{name}[]", _resolved(cast("Schema", schema["items"]))
    if "additionalProperties" in schema:
        return f"{name}.NAME", _resolved(cast("Schema", schema["additionalProperties"]))
    return name, _resolved(schema)


def _leaves(prefix: str, record: Schema) -> Iterator[tuple[str, Schema]]:
    for name, field in _properties(record).items():
        key, inside = f"{prefix}.{name}", _resolved(field)
        if "properties" in inside and inside["title"] == "QueuePolicy":
            yield from _leaves(key, inside)
        else:
            yield key, field


def _row(key: str, field: Schema) -> tuple[str, ...]:
    return code(key), _value(field), _default(key), _in_force(key), MEANINGS[_meaning_of(key)]


def _meaning_of(key: str) -> str:
    return key.removeprefix("projects.NAME.") if ".policy." in key and key.startswith("projects.") else key


def _value(field: Schema) -> str:
    branches = cast("list[Schema]", field.get("anyOf", [field]))
    said = [_value_of(each) for each in branches if each.get("type") != "null"]
    return " or ".join(said)


def _value_of(field: Schema) -> str:
    inside = _resolved(field)
    if "properties" in inside:
        return f"table with {', '.join(code(each) for each in _properties(inside))}"
    if inside.get("type") == "string" and "description" in inside:
        return str(inside["description"])
    return type_in_words(inside)


def _default(key: str) -> str:
    table_name, _, rest = key.partition(".")
    record: object = Policy() if table_name == "policy" else getattr(Settings(), table_name, None)
    for name in rest.split("."):
        record = getattr(record, name, None)
    value = plain(record)
    return "-" if value in (None, [], {}) else json_code(value)


def _in_force(key: str) -> str:
    wanted = key.replace("[]", "").replace("NAME", "*").split(".")
    for pattern, values in NOT_IN_FORCE.items():
        parts = pattern.split(".")
        if wanted[: len(parts)] == parts:
            return f"all but {', '.join(json_code(each) for each in values)}" if values else "not yet"
    return "yes"


def _properties(record: Schema) -> dict[str, Schema]:
    return cast("dict[str, Schema]", record["properties"])


def _resolved(schema: Schema) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else _DEFINITIONS[str(reference).rpartition("/")[2]]


_DEFINITIONS = cast("dict[str, Schema]", msgspec.json.schema_components([Settings])[1])
