"""A document as blocks, before it becomes markdown or HTML: whatever a text holds, it cannot become structure."""

import re

import msgspec

_CONTROL = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff]"
)


class Code(msgspec.Struct, frozen=True):
    """A piece of a line that is shown as it is: an id, a path, a command."""

    text: str


_BLANKS = re.compile(r"\s+")
_ENDS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_PLAIN = re.compile(r"(?:[\x21-\x7e]++ ?)*+")  # possessive: it never backtracks, whatever the text

Piece = str | Code
Line = tuple[Piece, ...]


class Heading(msgspec.Struct, frozen=True):
    """A heading; level 1 is the document's title."""

    level: int
    line: Line


class Paragraph(msgspec.Struct, frozen=True):
    """One line of text."""

    line: Line


class Bullets(msgspec.Struct, frozen=True):
    """A list."""

    lines: tuple[Line, ...]


class Table(msgspec.Struct, frozen=True):
    """A table; every row has as many cells as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]


class Verbatim(msgspec.Struct, frozen=True):
    """Text of any number of lines that is shown as it is: a spec, an agent's words, output."""

    text: str
    language: str = ""


class Picture(msgspec.Struct, frozen=True):
    """An SVG that was made here; markdown goes without it."""

    svg: str


Block = Heading | Paragraph | Bullets | Table | Verbatim | Picture


def one_line(text: str) -> str:
    """Return text as one line: blanks of any kind become one space, what cannot be seen becomes a mark that can."""
    if _PLAIN.fullmatch(text) and "  " not in text:
        return text
    return _CONTROL.sub("\ufffd", _BLANKS.sub(" ", text))


def visible(text: str) -> str:
    """Return text with its lines kept, ends of line made one, and what cannot be seen made visible."""
    return _CONTROL.sub("\ufffd", _ENDS.sub("\n", text))
