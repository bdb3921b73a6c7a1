"""Blocks as markdown (CommonMark with tables) in which no text from outside can become structure."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import assert_never

from punchlist.render.blocks import (
    Block,
    Bullets,
    Code,
    Heading,
    Line,
    Paragraph,
    Picture,
    Piece,
    Table,
    Verbatim,
    one_line,
    visible,
)

_SPECIAL = re.compile(r"[\\`*\[\]<>&|~$!]|(?<![^\W_])_|_(?![^\W_])|(?<!\S)#|#(?!\S)")
_TICKS = re.compile(r"`+")
_PIPE = re.compile(r"(?<!\\)\|")
_OPENING = re.compile(r"^(?:([-+=:])|([0-9]{1,9})([.)])(?!\S))")


def markdown(blocks: Iterable[Block]) -> str:
    """Return the blocks as markdown, a blank line between two, a newline at the end."""
    return "\n\n".join(_block(block) for block in blocks if not isinstance(block, Picture)) + "\n"


def inline(text: str) -> str:
    """Return text for the middle of a line: it reads as it is, and none of it is markup, HTML or an entity."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", one_line(text))


def code(text: str) -> str:
    """Return text as a code span that its own backticks cannot end; nothing for nothing."""
    content = one_line(text).strip()
    if not content:
        return ""
    ticks = "`" * (_longest_run(content) + 1)
    pad = " " if content.startswith("`") or content.endswith("`") else ""
    return f"{ticks}{pad}{content}{pad}{ticks}"


def fence(text: str, language: str = "") -> str:
    """Return text as a fenced block that outlasts every fence in it."""
    content = visible(text).strip("\n")
    ticks = "`" * max(3, _longest_run(content) + 1)
    return f"{ticks}{language}\n{content}\n{ticks}"


def line(pieces: Line) -> str:
    """Return a line's pieces as markdown that cannot open a block of another kind."""
    text = ""
    for piece in pieces:
        text += f" {_piece(piece)}" if isinstance(piece, Code) and text.endswith("`") else _piece(piece)
    return _OPENING.sub(_held, text.strip())


def _held(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"


def _piece(piece: Piece) -> str:
    return code(piece.text) if isinstance(piece, Code) else inline(piece)


def _longest_run(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0) if "`" in text else 0


def _block(block: Heading | Paragraph | Bullets | Table | Verbatim) -> str:
    match block:
        case Heading(level, pieces):
            return f"{'#' * level} {line(pieces)}"
        case Paragraph(pieces):
            return line(pieces)
        case Bullets(lines):
            return "\n".join(f"- {line(each)}" for each in lines)
        case Table(head, rows):
            return "\n".join([_row(tuple((name,) for name in head)), _joined("---" for _ in head), *map(_row, rows)])
        case Verbatim(text, language):
            return fence(text, language)
        case _:
            assert_never(block)


@lru_cache(maxsize=4096)
def _row(cells: tuple[Line, ...]) -> str:
    """Return a row of a table; most rows of a page are as they were when it was rendered last."""
    return _joined(_PIPE.sub(r"\\|", line(cell)) for cell in cells)


def _joined(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
