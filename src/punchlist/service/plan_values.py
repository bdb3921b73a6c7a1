"""What is known before a run, and what of a flow's texts can be filled in with it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError
from punchlist.flow.binding import reference, used
from punchlist.flow.expressions import evaluate, written
from punchlist.flow.shell import shown as shown_command
from punchlist.flow.syntax import parse
from punchlist.flow.templates import OPEN, FlawError, Part, split, whole

if TYPE_CHECKING:
    from punchlist.model.json import Json


@dataclass(frozen=True, slots=True)
class Known:
    """Values by what an expression calls them; of the `partial` ones only some fields are known.

    `values` grows while the nodes of a group are gone through: what a node will give is known to those behind it.
    `explained` when what is not known is to be named.
    """

    values: "dict[str, Json]"
    partial: frozenset[str] = field(default_factory=frozenset[str])
    explained: bool = True

    def inside(self, names: "Mapping[str, Json]", *, hiding: tuple[str, ...] = ()) -> "Known":
        """Return what is known inside of a group: with more names, and without the nodes outside that it hides."""
        hidden = tuple(f"nodes.{each}." for each in hiding)
        kept = {name: value for name, value in self.values.items() if not (hidden and name.startswith(hidden))}
        return replace(self, values={**kept, **names})

    def settled(self, value: "Json") -> "tuple[Json, ...]":
        """Return the value with all in it filled in, or nothing when not all of it is known."""
        try:
            return (evaluate(value, self.values.__getitem__),)
        except (DefinitionError, KeyError):
            return ()

    def filled(self, value: "Json", *, command: bool = False) -> "Json":
        """Return a value with what is known filled in; every other expression stands as it is written.

        In a `command` each value is quoted as the shell would need it.
        """
        match value:
            case list():
                return [self.filled(each) for each in value]
            case dict():
                return {name: self.filled(each) for name, each in value.items()}
            case str() if OPEN in value:
                return self._text(value, command=command)
            case _:
                return value

    def later(self, value: "Json") -> Iterator[str]:
        """Yield the names in a value that only the run can tell."""
        for part, _ in _expressions(value):
            for chain in used(parse(part.text)) if not self._has(part) else ():
                name = ".".join(chain.names)
                told = reference(chain) in self.values and chain.names[0] not in self.partial
                if not told and not self.settled(f"{OPEN} {name} }}}}"):
                    yield name

    def fails(self, value: "Json") -> str:
        """Return why an expression fails of which all is known; nothing when none does."""
        for part, alone in _expressions(value):
            text = f"{OPEN} {part.text} }}}}"
            if not next(self.later(text), ""):
                try:
                    _ = evaluate(text, self.values.__getitem__) if alone else written(part, self.values.__getitem__)
                except DefinitionError as error:
                    return error.message
        return ""

    def _has(self, part: Part) -> bool:
        return bool(self.settled(f"{OPEN} {part.text} }}}}"))

    def _text(self, text: str, *, command: bool) -> "Json":
        if command:
            return shown_command(text, self.values.__getitem__)
        for settled in self.settled(text):
            return settled
        return "".join(self._written(part) for part in split(text))

    def _written(self, part: Part) -> str:
        if not part.expression:
            return part.text.replace(OPEN, f"${OPEN}")
        try:
            return written(part, self.values.__getitem__)
        except (DefinitionError, KeyError):
            return f"{OPEN} {part.text} }}}}"


def _expressions(value: "Json") -> "Iterator[tuple[Part, bool]]":
    """Yield the expressions in a value, and of each whether it is the whole text; what is none is only text."""
    match value:
        case str() if OPEN in value:
            with suppress(FlawError):
                alone = whole(value) is not None
                yield from ((part, alone) for part in split(value) if part.expression)
        case list():
            for each in value:
                yield from _expressions(each)
        case dict():
            for each in value.values():
                yield from _expressions(each)
        case _:
            pass
