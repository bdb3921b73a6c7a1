"""What a node gives back, as it is written: where its answer is, and the schema that this must fit."""

import re
from typing import Protocol

from punchlist.errors import DefinitionError
from punchlist.flow.document import Entries, Items, Scalar, Yaml, compose, plain
from punchlist.flow.inputs import check_schema, read_fields
from punchlist.flow.json_text import from_json
from punchlist.flow.problems import Place, Problems
from punchlist.flow.reading import Reader
from punchlist.flow.templates import OPEN
from punchlist.model.json import Json

_ANSWERS = ("json", "file")
_HELD = ("schema", "fields")
_FORMS = ("lines", "json")
_LIST = "a list, or an expression"
_LISTED = re.compile(r"[^\s${}]+\.(txt|json)")


class Texts(Protocol):
    """The files that a definition names."""

    def text(self, name: str, place: Place) -> str:
        """Return a file's text; empty, and a problem at `place`, when there is none."""
        ...


def read_answer(reader: Reader, tree: Yaml, *, around: Texts) -> dict[str, Json]:
    """Return what a command answers with: `{json: stdout}` or `{file: PATH}`, perhaps with `schema` or `fields`."""
    fields = reader.fields(tree, (*_ANSWERS, *_HELD), what="'output'")
    found: dict[str, Json] = {}
    where = [key for key in _ANSWERS if key in fields]
    if isinstance(tree, Entries) and len(where) != 1:
        seen = "both 'json' and 'file'" if where else "neither 'json' nor 'file'"
        reader.problems.add(tree.place, f"'output' has {seen}", allowed="{json: stdout} or {file: report.json}")
    if "schema" in fields and "fields" in fields:
        reader.problems.add(fields["fields"].place, "'output' has both 'schema' and 'fields'", allowed="one of them")
    if "json" in fields:
        found["json"] = reader.choice(fields["json"], ("stdout",))
    if "file" in fields:
        found["file"] = read_path(reader, fields["file"])
    if "schema" in fields:
        found["schema"] = _schema(reader, fields["schema"], around=around)
    if "fields" in fields:
        found["fields"] = dict(read_fields(reader, fields["fields"]))
    return found


def read_declared(reader: Reader, tree: Yaml, *, around: Texts) -> dict[str, Json]:
    """Return the schema of an answer: the short form of inputs a field, or `{schema: <JSON Schema, or its file>}`."""
    if isinstance(tree, Entries) and set(tree.values) == {"schema"}:
        return {"schema": _schema(reader, tree.values["schema"], around=around)}
    return dict(read_fields(reader, tree))


def read_artifacts(reader: Reader, tree: Yaml) -> dict[str, str]:
    """Return the files that a node leaves, by name: paths below its work folder."""
    entries = reader.entries(tree, empty=False)
    return {reader.name(key, "an artifact"): read_path(reader, value) for key, value in entries}


def read_list(reader: Reader, tree: Yaml) -> Json:
    """Return a list as it stands, or an expression that gives one."""
    return plain(tree) if isinstance(tree, Items) else reader.expression_or(tree, list, rule=_LIST)


def read_items(reader: Reader, tree: Yaml) -> Json:
    """Return what a `for_each` goes over: a list, an expression, or `{lines: PATH}`, `{json: PATH}` of a file."""
    if isinstance(tree, Entries):
        fields = reader.fields(tree, _FORMS, what="'for_each'")
        if len(fields) != 1:
            reader.problems.add(tree.place, "'for_each' names no file, or two", allowed="{lines: PATH} or {json: PATH}")
        return {form: read_path(reader, path) for form, path in fields.items()}
    if isinstance(tree, Scalar) and (named := _LISTED.fullmatch(tree.text)) is not None:
        return {"json" if named[1] == "json" else "lines": read_path(reader, tree)}
    if isinstance(tree, Scalar):
        return reader.expression_or(tree, list, rule=f"{_LIST}; or a file: {{lines: PATH}}, {{json: PATH}}")
    return plain(tree)


def read_path(reader: Reader, tree: Yaml) -> str:
    """Return a path below the work folder, or text with an expression that gives one."""
    path = reader.filled(tree)
    if OPEN not in path and (path.startswith("/") or ".." in path.split("/")):
        reader.wrong(tree, "a path below the work folder, such as out/report.json")
    return path


def _schema(reader: Reader, tree: Yaml, *, around: Texts) -> Json:
    """Return a JSON Schema: as it stands, or out of the file that is named."""
    if not isinstance(tree, Scalar) or not isinstance(tree.value, str):
        schema = dict(reader.json(tree))
        return check_schema(reader, schema, place=tree.place)
    name = reader.filled(tree)
    text = around.text(name, tree.place) if name else ""
    if not text:
        return {}
    try:
        value = _value(text, name)
    except DefinitionError as error:
        reader.problems.take(error.problems, at=tree.place)
        return {}
    if not isinstance(value, dict):
        reader.problems.add(tree.place, f"'{name}' holds no JSON Schema", allowed="a JSON object")
        return {}
    return check_schema(reader, value, place=tree.place)


def _value(text: str, name: str) -> Json:
    """Return the value in a file of JSON or YAML; raises DefinitionError with its problems, each with its place."""
    if (found := from_json(text)) is not None:
        return found[0]
    problems = Problems(name)
    tree = compose(text, problems)
    if tree is None or not problems.none:
        raise problems.error()
    return plain(tree)
