"""The parts of a document and their places, so that what is well shaped is checked beside what is not."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from punchlist.errors import Problem
from punchlist.model.json import Json

Path = tuple[str | int, ...]
"""Where a value stands in its document: keys and positions from the top."""
_STEP = re.compile(r"[^.\[\]]+")


class Part(msgspec.Struct, frozen=True):
    """The value at `path`; where its shape is refused, or nothing is said, `value` is None.

    `said` tells those two apart: of what is refused nothing more is to be told, but it is not missing either.
    """

    value: Json
    path: Path = ()
    said: bool = True
    refused: frozenset[Path] = frozenset()

    @property
    def where(self) -> str:
        """The place as an error shows it: `steps[0].needs[1]`."""
        return written(self.path)

    @property
    def text(self) -> str | None:
        """The value, when it is text."""
        return self.value if isinstance(self.value, str) else None

    def field(self, name: str) -> "Part":
        """Return a field of a map; one without a value of anything else."""
        return self._inside(name, self.value.get(name) if isinstance(self.value, dict) else None)

    def fields(self) -> "dict[str, Part]":
        """Return the fields of a map by name; none of anything else."""
        found = self.value if isinstance(self.value, dict) else dict[str, Json]()
        return {name: self._inside(name, each) for name, each in found.items()}

    def each(self) -> "list[Part]":
        """Return the elements of a list; none of anything else."""
        found = self.value if isinstance(self.value, list) else list[Json]()
        return [self._inside(at, each) for at, each in enumerate(found)]

    def under(self, step: str | int) -> "Part":
        """Return the same part, standing at `step` of a value around it."""
        return Part(self.value, (step, *self.path), self.said, frozenset((step, *each) for each in self.refused))

    def _inside(self, step: str | int, value: Json) -> "Part":
        path = (*self.path, step)
        return Part(None if path in self.refused else value, path, value is not None, self.refused)


Meaning = Callable[[Part], Iterable[Problem]]
"""Checks of meaning: what is wrong with the well-shaped parts of a document."""


def written(path: Sequence[str | int]) -> str:
    """Return a path as an error shows it."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def steps_of(where: str) -> tuple[str, ...]:
    """Return the keys and positions in a place that `written` made."""
    return tuple(_STEP.findall(where))


def in_order(problems: Iterable[Problem], value: Json) -> list[Problem]:
    """Return problems by their places in a document, from its top; each once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: tuple(_positions(problem.where, value)))


def _positions(where: str, value: Json) -> Iterator[int]:
    for step in steps_of(where):
        if isinstance(value, dict):
            yield list(value).index(step) if step in value else len(value)
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            yield int(step)
            value = value[int(step)]
        else:
            return
