"""The static check of the expressions in one value: they can be read, their names exist, their types fit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from punchlist.errors import DefinitionError
from punchlist.flow.binding import bindings, used
from punchlist.flow.expressions import evaluate
from punchlist.flow.places import Places
from punchlist.flow.problems import Problems
from punchlist.flow.scope import Scope
from punchlist.flow.shell import refusals
from punchlist.flow.syntax import Chain, parse
from punchlist.flow.templates import OPEN, FlawError, Part, split, whole
from punchlist.flow.typing_rules import fits, typed
from punchlist.flow.uses import Want
from punchlist.flow.value_shapes import BOOL, DYN, INT, STRING, Shape, Type
from punchlist.model.json import Json
from punchlist.model.parts import Path

_BY_KIND = {"bool": BOOL, "int": INT, "string": STRING}


_NOTHING: dict[str, Json] = {}


@dataclass(frozen=True, slots=True)
class Spot:
    """A value at `path` of the document, what it may name, and what it must give when it is one whole expression."""

    places: Places
    problems: Problems
    path: Path
    scope: Scope
    want: Want = "a JSON value"

    def at(self, step: str | int) -> "Spot":
        """Return the spot of a part of the value."""
        return replace(self, path=(*self.path, step))

    def note(self, flaw: FlawError, text: str, *, start: int = 0) -> None:
        """Note a flaw of `text`, counted from the character `start`."""
        source, place = self.places.inside(self.path, text, offset=start + flaw.offset)
        self.problems.add(place, flaw.message, allowed=flaw.allowed, hint=flaw.hint, source=source)


def check_value(value: Json, spot: Spot, *, command: bool = False) -> None:
    """Note what is wrong with every expression in a value; a shell `command` has places where none may stand."""
    match value:
        case str() if OPEN in value:
            _check_text(value, spot, command=command)
        case list():
            for index, each in enumerate(value):
                check_value(each, spot.at(index))
        case dict():
            for key, each in value.items():
                check_value(each, spot.at(key))
        case _:
            pass


def chains_of(text: str) -> tuple[Chain, ...]:
    """Return the names that a template reads, with their fields. Raises FlawError."""
    return tuple(chain for part in split(text) if part.expression for chain in used(parse(part.text)))


def always(text: str) -> Json:
    """Return what a template of a sound flow gives whatever is given to it, None when that depends on something."""
    return None if chains_of(text) else evaluate(text, _NOTHING.__getitem__)


def only_name(text: str) -> Chain | None:
    """Return the name that a text is, as one whole expression, or None for any other."""
    try:
        only = whole(text)
        return next(iter(chains_of(text)), None) if only is not None and parse(only.text).only else None
    except FlawError:
        return None


def shape_of(text: str, scope: Scope) -> Shape:
    """Return what is known of the value of one whole expression; of a wrong one nothing. What is wrong is not said."""
    try:
        only = whole(text)
        if only is None:
            return DYN
        chains = chains_of(text)
        if chains and parse(only.text).only:
            return scope.shape(chains[0], chains)
        return _BY_KIND.get(typed(only.text, _types(only.text, chains, scope=scope)).kind, DYN)
    except FlawError:
        return DYN


def _check_text(text: str, spot: Spot, *, command: bool) -> None:
    try:
        parts = split(text)
        want: Want = "text" if whole(text) is None else spot.want
        misplaced = refusals(text) if command else []
    except FlawError as flaw:
        spot.note(flaw, text)
        return
    for wrong in misplaced:
        spot.note(wrong, text)
    for part in parts:
        for wrong in _flaws(part, spot.scope, want=want) if part.expression else ():
            spot.note(wrong, text, start=part.offset)


def _flaws(part: Part, scope: Scope, *, want: Want) -> list[FlawError]:
    """Return what is wrong with one expression, its names and its types; of a wrong name any type is possible."""
    try:
        chains = tuple(used(parse(part.text)))
        types = _types(part.text, chains, scope=scope)
    except FlawError as flaw:
        return [flaw]
    found = typed(part.text, types)
    wrong = [*_misnamed(chains, scope), *found.flaws]
    if not fits(found.kind, want):
        wrong.append(FlawError(f"{OPEN} {part.text} }}}} gives a value of type {found.kind}", allowed=want))
    return wrong if wrong or chains else [*_failing(part.text)]


def _failing(expression: str) -> Iterator[FlawError]:
    """Yield why an expression that depends on nothing can never be evaluated."""
    try:
        evaluate(f"{OPEN} {expression} }}}}", _NOTHING.__getitem__)
    except DefinitionError as error:
        yield FlawError(error.message, hint=error.hint)


def _misnamed(chains: tuple[Chain, ...], scope: Scope) -> Iterator[FlawError]:
    for chain in chains:
        try:
            scope.shape(chain, chains)
        except FlawError as flaw:
            yield flaw


def _types(expression: str, chains: tuple[Chain, ...], *, scope: Scope) -> dict[str, Type]:
    """Return the type of each variable that CEL sees in the expression, as far as it is known."""
    types: dict[str, Type] = {}
    for binding in bindings(expression):
        whole_chain = [chain for chain in chains if chain.names == binding.names]
        known = whole_chain and not binding.fields
        types[binding.variable] = _shape(whole_chain[0], chains, scope=scope).type if known else DYN.type
    return types


def _shape(chain: Chain, chains: tuple[Chain, ...], *, scope: Scope) -> Shape:
    try:
        return scope.shape(chain, chains)
    except FlawError:
        return DYN
