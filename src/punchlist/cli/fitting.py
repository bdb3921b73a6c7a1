"""Text in the cells of a terminal: how wide it is, cut to a width, wrapped to one, and widths shared out."""

import unicodedata
from collections.abc import Iterator, Sequence

_MARKS = frozenset({"Mn", "Me", "Cf"})
_NARROWEST = 8
"""Cells below which a column is not made narrower to fit."""


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes: East Asian letters take two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def padded(text: str, width: int) -> str:
    """Return a text as wide as `width`: with spaces behind it, or cut with an ellipsis."""
    missing = width - cells(text)
    return text + " " * missing if missing >= 0 else _cut(text, width)


def wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines of at most `width` cells, broken between words; a longer word is broken anywhere."""
    if "\n" not in text and cells(text) <= width:
        return [text]
    return [line for part in text.splitlines() or [""] for line in _lines(part, max(width, 2))]


def shared(natural: Sequence[int], *, room: int) -> list[int]:
    """Return columns' widths that fit into `room` together: the widest give way, down to what can be read."""
    widths = list(natural)
    while sum(widths) > room and max(widths, default=0) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _lines(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and cells(line) + 1 + cells(word) > width:
            yield line
            line = ""
        rest = f"{line} {word}" if line else word
        while cells(rest) > width:
            head = _head(rest, width)
            yield head
            rest = rest[len(head) :]
        line = rest
    yield line


def _cut(text: str, width: int) -> str:
    head = f"{_head(text, width - 1)}…"
    return head + " " * (width - cells(head))


def _head(text: str, width: int) -> str:
    """Return as much of a text as `width` cells hold, one character at least."""
    taken = 0
    for index, character in enumerate(text):
        taken += _cells_of(character)
        if taken > width:
            return text[: max(index, 1)]
    return text


def _cells_of(character: str) -> int:
    if unicodedata.category(character) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
