"""The values of templates: `${{ … }}` is CEL; what it reads is looked up by name when it is evaluated.

Types are CEL's: ints of 64 bits, doubles, strings, lists, maps. Results are JSON: whole numbers beyond ±(2^53 - 1),
bytes, times and types are refused. A macro over a map takes its keys in no defined order.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from punchlist.errors import DefinitionError
from punchlist.flow.binding import AbsentError, Binding, Lookup, bindings, reference, shown, used, value_of
from punchlist.flow.syntax import Chain, flaws, parse
from punchlist.flow.templates import OPEN, FlawError, Part, split, whole
from punchlist.model.json import Json

if TYPE_CHECKING:
    from cel_expr_python import cel

BIGGEST = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exactly."""


def references(text: str) -> frozenset[str]:
    """Return the names that a template reads.

    Of a node `nodes.<id>.<field>` (output, artifacts, tree, status, attempts), of everything else the first name:
    `inputs`, `round`, `run`, `project`, `task`, `policy`, `env`, an `as:` name. Raises DefinitionError.
    """
    try:
        return frozenset(
            reference(chain) for part in split(text) if part.expression for chain in used(parse(part.text))
        )
    except FlawError as error:
        raise DefinitionError(error.message, where=text, hint=error.hint) from None


def chains_in(value: Json) -> Iterator[Chain]:
    """Yield the names that the expressions in a value read, however deep, with their fields. Raises FlawError."""
    match value:
        case str() if OPEN in value:
            for part in split(value):
                yield from used(parse(part.text)) if part.expression else ()
        case list():
            for each in value:
                yield from chains_in(each)
        case dict():
            for each in value.values():
                yield from chains_in(each)
        case _:
            pass


def evaluate(value: Json, lookup: Lookup) -> Json:
    """Return `value` with every `${{ … }}` in it, however deep, replaced by its value.

    A string that is nothing but one expression becomes that expression's value, of whatever type. In longer text the
    value is written in: true, false and numbers as in JSON; null, a map or a list is an error. `$${{` becomes `${{`.
    `lookup` is asked for each name of `references`, once an expression, and raises KeyError for what there is not.
    Raises DefinitionError naming the expression.
    """
    match value:
        case str():
            return _text(value, lookup) if OPEN in value else value
        case list():
            return [evaluate(each, lookup) for each in value]
        case dict():
            return {key: evaluate(each, lookup) for key, each in value.items()}
        case _:
            return value


def written(part: Part, lookup: Lookup) -> str:
    """Return the value of an expression as text stands for it. Raises DefinitionError for null, a map or a list."""
    value = _program(part.text).value(lookup)
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) <= BIGGEST else repr(value)
        case _:
            hint = "Give it alone, as the whole value, or choose a part of it."
            raise _refusal(part.text, f"is {shown(value)}, which cannot stand inside text", hint=hint)


def _text(text: str, lookup: Lookup) -> Json:
    template = _template(text)
    if isinstance(template, _Program):
        return template.value(lookup)
    return "".join(written(part, lookup) if part.expression else part.text for part in template)


@functools.lru_cache(maxsize=4096)
def _template(text: str) -> "_Program | tuple[Part, ...]":
    try:
        alone = whole(text)
        return _program(alone.text) if alone else split(text)
    except FlawError as error:
        raise DefinitionError(error.message, where=text, hint=error.hint) from None


@dataclass(frozen=True, slots=True)
class _Program:
    """A compiled expression; `compiled` is None when it only names a value, which is then passed on as it is."""

    text: str
    bindings: tuple[Binding, ...]
    compiled: "cel.Expression | None"

    def value(self, lookup: Lookup) -> Json:
        data: dict[str, Json] = {}
        absent: dict[str, str] = {}
        for binding in self.bindings:
            try:
                data[binding.variable] = value_of(binding, lookup)
            except AbsentError as error:
                absent[binding.variable] = str(error)
            except KeyError:
                raise _refusal(self.text, f"there is no '{binding.reference}' here") from None
        if self.compiled is None:
            if absent:
                raise _refusal(self.text, next(iter(absent.values())))
            return next(iter(data.values()))
        return self._run(self.compiled, data, absent=absent)

    def _run(self, compiled: "cel.Expression", data: dict[str, Json], *, absent: dict[str, str]) -> Json:
        if not all(map(_whole, data.values())):
            raise _refusal(self.text, "is given text with a zero character, which CEL cuts", hint="Give it alone")
        try:
            result = compiled.eval(data=data)
        except (RuntimeError, TypeError, ValueError, OverflowError) as error:
            raise _refusal(self.text, f"is given a value that CEL cannot take: {error}") from None
        value = cast("Json | cel.Type", result.plain_value())
        if isinstance(value, str) and str(result.type()) == "ERROR":
            missing = [why for name, why in absent.items() if f'"{name}"' in value]
            raise _refusal(self.text, missing[0] if missing else value.partition(": ")[2])
        return self._json(value)

    def _json(self, value: "Json | cel.Type") -> Json:
        match value:
            case None | bool() | str():
                return value
            case int() if abs(value) <= BIGGEST:
                return value
            case float() if math.isfinite(value):
                return value
            case list():
                return [self._json(each) for each in value]
            case dict() if {*map(type, value)} <= {str}:
                return {key: self._json(value[key]) for key in sorted(value)}
            case dict():
                raise _refusal(
                    self.text, "gives a map with keys that are not text", hint="Turn them into text: string(…)"
                )
            case int() | float():
                raise _refusal(self.text, f"gives {value}, which JSON does not keep exactly")
            case _:
                why = f"gives {type(value).__name__}, which is no JSON value"
                raise _refusal(self.text, why, hint="Turn it into text: string(…)")


@functools.lru_cache(maxsize=4096)
def _program(expression: str) -> _Program:
    from cel_expr_python import cel  # a heavy package, needed only where expressions are

    try:
        variables = bindings(expression)
        if parse(expression).only and variables:
            return _Program(expression, variables, None)
    except FlawError as error:
        raise _refusal(expression, error.message, hint=error.hint) from None
    try:
        environment = cel.NewEnv(variables={binding.variable: cel.Type.DYN for binding in variables})
        return _Program(expression, variables, environment.compile(expression))
    except RuntimeError as error:
        raise _refusal(expression, flaws(expression, str(error))[0].message) from None


def _whole(value: Json) -> bool:
    """Say whether CEL takes a value whole: it would cut text at a zero character without a word."""
    match value:
        case str():
            return "\0" not in value
        case list():
            return all(map(_whole, value))
        case dict():
            return all(map(_whole, value)) and all(map(_whole, value.values()))
        case _:
            return True


def _refusal(expression: str, reason: str, *, hint: str = "") -> DefinitionError:
    return DefinitionError(f"{OPEN} {expression} }}}}: {reason}", hint=hint)
