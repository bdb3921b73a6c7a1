"""What CEL's checker says of an expression, given the types that are known of the names in it."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from punchlist.flow.syntax import flaws
from punchlist.flow.templates import FlawError
from punchlist.flow.uses import Want
from punchlist.flow.value_shapes import Type

if TYPE_CHECKING:
    from cel_expr_python import cel

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
    """Return the type that an expression gives, as CEL names it, in lower case without its parts."""
    return _typed(expression, tuple(sorted(types.items())))


def fits(kind: str, want: Want) -> bool:
    """Say whether a value of a type is what is wanted."""
    return kind in _FITTING[want]


@functools.lru_cache(maxsize=4096)
def _typed(expression: str, types: tuple[tuple[str, Type], ...]) -> Typed:
    from cel_expr_python import cel  # a heavy package, needed only where expressions are

    try:
        environment = cel.NewEnv(variables={name: _type(cel.Type, kind) for name, kind in types})
        compiled = environment.compile(expression)
    except RuntimeError as error:
        return Typed("dyn", tuple(flaws(expression, str(error))))
    return Typed(str(compiled.return_type()).partition("<")[0].lower())


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
