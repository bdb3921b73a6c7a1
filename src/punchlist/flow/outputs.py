"""Whether what an agent of a flow answered is the output that its node declares, and how it is told what to answer."""

from collections.abc import Iterator, Mapping

import msgspec

from punchlist.flow.binding import shown
from punchlist.flow.inputs import rule, schema_problems, unfit
from punchlist.model.flow import Input
from punchlist.model.json import Json, canonical, convert

_NOTE = "note"


def output_problems(declared: Mapping[str, Json], value: Json) -> tuple[str, ...]:
    """Return what is wrong with an answer, all of it; `declared` is `{schema: <JSON Schema>}` or a type a field."""
    if set(declared) == {"schema"}:
        return tuple(schema_problems(declared["schema"], value, whole="the answer"))
    if not isinstance(value, dict):
        return (f"the answer is {shown(value)}, not a map of {', '.join(declared)}",)
    return tuple(_against_fields(declared, value))


def answer_problems(output: Mapping[str, Json], value: Json) -> tuple[str, ...]:
    """Return what is wrong with a command's answer; `output` is what its node says of it."""
    if "schema" in output:
        return output_problems({"schema": output["schema"]}, value)
    fields = output.get("fields")
    return output_problems(fields, value) if isinstance(fields, dict) else ()


def form_problems(form: Mapping[str, Json], data: Mapping[str, Json]) -> tuple[str, ...]:
    """Return what is wrong with what a person filled a gate's form in with; a note may stand beside it."""
    return output_problems(form, filled(form, data))


def filled(form: Mapping[str, Json], data: Mapping[str, Json]) -> dict[str, Json]:
    """Return what a form was filled in with: defaults where nothing was said, no note that is no part of it."""
    schema = form.get("schema") if set(form) == {"schema"} else None
    if isinstance(schema, dict):
        properties = schema.get("properties")
        kept = isinstance(properties, dict) and _NOTE in properties
        return {name: value for name, value in data.items() if kept or name != _NOTE}
    defaults = {name: _field(each).default for name, each in form.items()}
    said = {name: value for name, value in data.items() if name in form or name != _NOTE}
    return {**{name: each for name, each in defaults.items() if each is not msgspec.UNSET}, **said}


def output_words(declared: Mapping[str, Json]) -> str:
    """Return what to answer, in words for the agent."""
    if set(declared) == {"schema"}:
        return f"Answer with JSON that fits this schema: {canonical(declared['schema']).decode()}"
    fields = "\n".join(f"- {name}: {rule(_field(each))}" for name, each in declared.items())
    return f"Answer with a JSON object that has these fields, and no other:\n{fields}"


def _against_fields(declared: Mapping[str, Json], value: Mapping[str, Json]) -> Iterator[str]:
    yield from (f"{name} is not asked for" for name in value if name not in declared)
    for name, each in declared.items():
        field = _field(each)
        if name not in value:
            yield f"{name} is missing; allowed: {rule(field)}"
        elif why := unfit(field, value[name]):
            yield f"{name} is {why}; allowed: {rule(field)}"


def _field(declared: Json) -> Input:
    """Return one field's declaration: a type's name, or the map that an input is declared by."""
    if not isinstance(declared, dict):
        return convert({"type": declared}, Input)
    said = {("values" if name == "enum" else name): value for name, value in declared.items()}
    return convert({"type": "enum", **said} if "values" in said else said, Input)
