"""Which values an expression takes from outside: what to look up, how far to follow it, under which name CEL sees it.

CEL copies every value that it is given, so each variable is the deepest part of a value that the expression reads:
of `inputs.task.steps` only the steps are copied, not the task.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from punchlist.flow.syntax import Chain, Syntax, parse
from punchlist.flow.words import TYPE_NAMES
from punchlist.model.json import Json

Lookup = Callable[[str], Json]
NODES = "nodes"
_NODE_PATH = 3


@dataclass(frozen=True, slots=True)
class Binding:
    """A variable: `reference` is looked up, then `rest` is followed in the value.

    With `fields` (because of `has(nodes.x.output)`) it is a map of those fields of a node that are not null.
    With `tested` (because of `has(x.y)`) null counts as an empty map: what a skipped node left has no fields.
    """

    names: tuple[str, ...]
    reference: str
    rest: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    tested: bool = False

    @property
    def variable(self) -> str:
        """The name that CEL sees."""
        return ".".join(self.names)


class AbsentError(LookupError):
    """The value has no such part; the text says which."""


def used(syntax: Syntax) -> Iterator[Chain]:
    """Yield the chains that name something outside CEL: not the name of a type."""
    return (chain for chain in syntax.chains if chain.names[0] not in TYPE_NAMES)


def reference(chain: Chain) -> str:
    """Return what a chain looks up: `nodes.<id>.<field>`, or its first name."""
    return ".".join(chain.names[:_NODE_PATH]) if chain.names[0] == NODES else chain.names[0]


@functools.lru_cache(maxsize=4096)
def bindings(expression: str) -> tuple[Binding, ...]:
    """Return the variables of an expression. Raises FlawError."""
    chains = list(used(parse(expression)))
    tested = {chain.names for chain in chains if chain.tested}
    bare = {chain.names for chain in chains}
    asked = {names[:-1] for names in tested} - bare
    return tuple(
        _binding(each, chains, tested=each in asked)
        for each in dict.fromkeys(_cut(chain.names, tested) for chain in chains)
    )


def value_of(binding: Binding, lookup: Lookup) -> Json:
    """Return the value of a variable. Raises AbsentError, and KeyError as `lookup` does."""
    if binding.fields:
        found = {field: lookup(f"{binding.reference}.{field}") for field in binding.fields}
        return {field: value for field, value in found.items() if value is not None}
    value = lookup(binding.reference)
    for count, name in enumerate(binding.rest):
        if not isinstance(value, dict) or name not in value:
            raise AbsentError(_absent(value, name, place=".".join((binding.reference, *binding.rest[:count]))))
        value = value[name]
    return {} if value is None and binding.tested else value


def _cut(names: tuple[str, ...], tested: set[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the longest part of a chain that may be one variable: what `has()` asks for must stay a field of one."""
    for length in range(1, len(names) + 1):
        if names[:length] in tested:
            return names[: length - 1]
    return names


def _binding(names: tuple[str, ...], chains: list[Chain], *, tested: bool) -> Binding:
    base = _NODE_PATH if names[0] == NODES else 1
    if len(names) < base:
        fields = {each.names[2]: None for each in chains if each.names[:2] == names and len(each.names) > len(names)}
        return Binding(names, ".".join(names), fields=tuple(fields))
    return Binding(names, ".".join(names[:base]), rest=names[base:], tested=tested)


def _absent(value: Json, name: str, *, place: str) -> str:
    if isinstance(value, dict):
        return f"{place} has no '{name}'; it has: {', '.join(value) or 'nothing'}"
    return f"{place} is {shown(value)}, it has no '{name}'"


def shown(value: Json) -> str:
    """Return the kind of a value, as an error names it."""
    match value:
        case None:
            return "null"
        case bool():
            return "a bool"
        case int():
            return "an int"
        case float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "a map"
