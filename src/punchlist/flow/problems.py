"""The problems of a definition, collected so that all are told at once, in the order of their places."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from punchlist.errors import DefinitionError, Problem, invalid

_LONG = re.compile(r"(?<=')([^\s']{60})[^\s']{20,}(?=')")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a text: line and column count from 1, in characters; `index` counts characters from 0."""

    line: int
    column: int
    index: int = 0


@dataclass(slots=True)
class Problems:
    """What is wrong with one file, named `source`; a place names another file where a text of it is meant."""

    source: str
    _known: set[Problem] = field(default_factory=set[Problem])
    _found: list[tuple[str, Place, Problem]] = field(default_factory=list[tuple[str, Place, Problem]])
    _doubts: list[tuple[Place, Problem]] = field(default_factory=list[tuple[Place, Problem]])

    def add(self, place: Place, message: str, *, allowed: str = "", hint: str = "", source: str = "") -> None:
        """Note a problem; the same one at the same place is noted once."""
        where = f"{source or self.source}:{place.line}:{place.column}"
        problem = Problem(where, _shown(message), allowed=_shown(allowed), hint=_sentence(_shown(hint)))
        if problem not in self._known:
            self._known.add(problem)
            self._found.append((source, place, problem))

    def doubt(self, place: Place, message: str, *, hint: str = "") -> None:
        """Note what does no harm and is hardly meant: a warning."""
        where = f"{self.source}:{place.line}:{place.column}"
        self._doubts.append((place, Problem(where, _shown(message), hint=_sentence(_shown(hint)))))

    def take(self, problems: Sequence[Problem], *, at: Place) -> None:
        """Note the problems of a file that is called at `at`, after those of the same place."""
        self._found += [("", at, problem) for problem in problems]

    @property
    def none(self) -> bool:
        """Whether nothing was found."""
        return not self._found

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is hardly meant, in the order of the places."""
        return tuple(problem for _, problem in sorted(self._doubts, key=lambda found: found[0]))

    def error(self) -> DefinitionError:
        """Return the error that lists them all."""
        ordered = sorted(self._found, key=lambda found: (found[0], found[1].line, found[1].column))
        return invalid([problem for _, _, problem in ordered], what=self.source)


def _shown(text: str) -> str:
    """Return text as one line, with names cut that are too long to be read."""
    cut = _LONG.sub(r"\1…", text) if "'" in text else text
    return cut if cut.isprintable() else "".join(each if each.isprintable() else repr(each)[1:-1] for each in cut)


def _sentence(hint: str) -> str:
    return hint.rstrip(".") + "." if hint and not hint.endswith("?") else hint
