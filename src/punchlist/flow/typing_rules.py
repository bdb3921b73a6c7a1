"""What CEL's checker says of an expression, given the types that are known of the names in it."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from punchlist.flow.binding import used
from punchlist.flow.syntax import flaws, parse
from punchlist.flow.templates import FlawError
from punchlist.flow.uses import Want
from punchlist.flow.value_shapes import Type

if TYPE_CHECKING:
    from cel_expr_python import cel

_SHARED = "punchlist_value_"
_FITTING: Mapping[Want, tuple[str, ...]] = {
    "a JSON value": ("dyn", "string", "int", "uint", "double", "bool", "list", "map", "null"),
    "true or false": ("dyn", "bool"),
    "a whole number": ("dyn", "int", "uint"),
    "a list": ("dyn", "list"),
    "a map": ("dyn", "map"),
    "a string": ("dyn", "string"),
    "text, a whole number, true or false": ("dyn", "string", "int", "uint", "bool"),
    "text": ("dyn", "string", "int", "uint", "double", "bool"),
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What CEL's checker says of an expression: the type that it gives (`dyn` when it is not known), and its flaws."""

    kind: str
    flaws: tuple[FlawError, ...] = ()


def typed(expression: str, types: Mapping[str, Type]) -> Typed:
    """Return the type that an expression gives, as CEL names it, in lower case without its parts.

    An environment takes ten times as long to make as an expression to check. Most differ in names alone, so they are
    checked under names that all share; what is wrong is then said of the expression as it is written.
    """
    if len(types) == 1 and parse(expression).only:
        return Typed(next(iter(types.values())))
    shared = _renamed(expression, [*types])
    if shared is not None:
        found = _typed(shared, tuple((_name(number), kind) for number, kind in enumerate(types.values())))
        if not found.flaws:
            return found
    return _typed(expression, tuple(sorted(types.items())))


def _renamed(expression: str, variables: Sequence[str]) -> str | None:
    """Return an expression with shared names in place of its variables; None where that cannot be done for sure."""
    if _SHARED in expression:
        return None
    found: dict[int, tuple[int, str]] = {}
    numbers = {tuple(variable.split(".")): number for number, variable in enumerate(variables)}
    for chain in used(parse(expression)):
        lengths = range(len(chain.names), 0, -1)
        length = next((each for each in lengths if chain.names[:each] in numbers), 0)
        spots = zip(chain.names[:length], chain.offsets[:length], strict=True)
        if not length or any(not expression.startswith(name, at) for name, at in spots):
            return None
        end = chain.offsets[length - 1] + len(chain.names[length - 1])
        found[chain.offsets[0]] = (end, _name(numbers[chain.names[:length]]))
    text, done = "", 0
    for start, (end, name) in sorted(found.items()):
        text, done = text + expression[done:start] + name, end
    return text + expression[done:]


def _name(number: int) -> str:
    return f"{_SHARED}{number}"


def fits(kind: str, want: Want) -> bool:
    """Say whether a value of a type is what is wanted."""
    return kind in _FITTING[want]


@functools.lru_cache(maxsize=4096)
def _typed(expression: str, types: tuple[tuple[str, Type], ...]) -> Typed:
    try:
        compiled = _environment(types).compile(expression)
    except RuntimeError as error:
        return Typed("dyn", tuple(flaws(expression, str(error))))
    return Typed(str(compiled.return_type()).partition("<")[0].lower())


@functools.lru_cache(maxsize=256)
def _environment(types: tuple[tuple[str, Type], ...]) -> "cel.Env":
    from cel_expr_python import cel  # a heavy package, needed only where expressions are

    return cel.NewEnv(variables={name: _type(cel.Type, kind) for name, kind in types})


def _type(kinds: "type[cel.Type]", name: Type) -> "cel.Type":
    match name:
        case "string":
            return kinds.STRING
        case "int":
            return kinds.INT
        case "bool":
            return kinds.BOOL
        case "list":
            return kinds.List(kinds.DYN)
        case "map":
            return kinds.Map(kinds.STRING, kinds.DYN)
        case "dyn":
            return kinds.DYN
    assert_never(name)
