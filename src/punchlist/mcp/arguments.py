"""Arguments against the schema that clients were shown: closed, exact, and every problem in one answer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from punchlist.errors import MOST_SHOWN, DefinitionError, Problem, invalid
from punchlist.mcp.prose import prose_problems
from punchlist.mcp.tool import Arguments, Tool
from punchlist.model.allowed import allowed
from punchlist.model.json import Json
from punchlist.model.parse import MOST_VALUES, parse, values_in
from punchlist.model.parts import in_order, steps_of

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

_SHOWN = 80
_VALIDATORS: "dict[str, tuple[Mapping[str, Json], Draft202012Validator]]" = {}


def check(tool: Tool, arguments: Arguments) -> None:
    """Raise DefinitionError with every problem of `arguments`, each with its path; nothing is coerced or dropped.

    Where the record behind them is refused, too, and nothing else is wrong, the tool's verb says so itself: it also
    knows what the fields mean.
    """
    if (size := values_in({**arguments})) > MOST_VALUES:
        too_many = Problem("", f"it holds {size:,} values", f"at most {MOST_VALUES:,}", "Send less at once.")
        raise invalid([too_many], what=f"the call of {tool.name}")
    problems = list(_against_schema(tool, arguments))
    seen = {each.where for each in problems}
    problems += [each for each in prose_problems(arguments, tool.schema) if each.where not in seen]
    if not problems:
        return
    deeper = [placed(each) for each in _against_record(tool, arguments)]
    own = [each for each in problems if not any(is_same(each.where, other.where) for other in deeper)]
    if deeper and not own:
        return
    raise invalid(in_order([*own, *deeper], {**arguments}), what=f"the call of {tool.name}")


def placed(problem: Problem) -> Problem:
    """Return a problem at the argument in question, where it stands at the object that lacks it or has it."""
    where = f"{problem.where}.{problem.field}" if problem.where else problem.field
    return problem._replace(where=where, field="") if problem.field else problem


def is_same(where: str, other: str) -> bool:
    """Say whether two problems are told of one place: of the same, or of one within the other.

    What is told of the whole call, that there are more problems say, stands for none of the others.
    """
    one, two = steps_of(where), steps_of(other)
    return bool(one and two) and one[: len(two)] == two[: len(one)]


def _against_schema(tool: Tool, arguments: Arguments) -> Iterator[Problem]:
    schema, validator = _validator(tool)
    try:
        for error in validator.iter_errors(dict(arguments)):
            yield from (_of_a_person(each, tool, arguments=arguments) for each in _problems(error, dict(schema)))
    except ValueError:  # the validator's own bound on nesting
        yield Problem("", "it is nested too deeply", hint="Flatten it.")


def _of_a_person(problem: Problem, tool: Tool, *, arguments: Arguments) -> Problem:
    """Return the problem; that of an argument which only a person may give, with what they do."""
    hint = tool.theirs.get(problem.where)
    if hint is None:
        return problem
    hint = hint.replace("{project}", str(arguments.get("project", "PROJECT"))[:_SHOWN])
    return problem._replace(message="only a person may change it", allowed="", hint=hint)


def _against_record(tool: Tool, arguments: Arguments) -> Sequence[Problem]:
    if tool.record is None:
        return ()
    known = {name: value for name, value in arguments.items() if name in _fields(tool)}
    try:
        parse(tool.record, known, what=tool.name)
    except DefinitionError as error:
        return error.problems[:MOST_SHOWN]  # without the line that there are more: the schema finds those, too
    return ()


def _validator(tool: Tool) -> "tuple[Mapping[str, Json], Draft202012Validator]":
    import jsonschema_rs

    known = _VALIDATORS.get(tool.name)
    if known is None or known[0] is not tool.schema:
        known = tool.schema, jsonschema_rs.Draft202012Validator(dict(tool.schema))
        _VALIDATORS[tool.name] = known
    return known


def _fields(tool: Tool) -> frozenset[str]:
    return frozenset(tool.record.__struct_fields__ if tool.record is not None else ())


def _problems(error: "ValidationError", schema: Json) -> Iterator[Problem]:
    path, facts = tuple(error.instance_path), error.kind.as_dict()
    rule = _rule(schema, error.schema_path)
    match error.kind.name:
        case "additionalProperties":
            known = sorted(rule.get("properties", {}))
            for name in facts["unexpected"]:
                where = _written((*path, name))
                yield Problem(where, "there is no such argument", ", ".join(known), _near(name, known))
        case "required":
            yield Problem(_written((*path, facts["property"])), "it is missing")
        case _:
            yield Problem(
                _written(path), f"saw {_shown(error.instance)}", allowed(rule, schema) or _shortened(error.message)
            )


def _written(path: Sequence[str | int]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _rule(schema: Json, path: Sequence[str | int]) -> dict[str, Any]:
    """Return the part of the schema that the last element of `path` belongs to."""
    part: Any = schema
    for each in list(path)[:-1]:
        part = part[each]
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


def _near(name: str, known: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else ""


def _shown(value: object) -> str:
    return _shortened(repr(value) if isinstance(value, str) else msgspec.json.encode(value).decode())


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
