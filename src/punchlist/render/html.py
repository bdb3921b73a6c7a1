"""Blocks as one self-contained HTML page: no script, nothing loaded from elsewhere, light and dark."""

from collections.abc import Iterable
from html import escape
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

_STYLE = """\
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fff; --soft: #f2f4f7; --edge: #d4d9e1; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e2e6ec; --paper: #14181f; --soft: #1e242d; --edge: #39424f; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 72rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1, h2, h3, h4 { line-height: 1.25; margin: 2rem 0 .5rem; }
h2 { border-bottom: 1px solid var(--edge); }
code, pre { font: .875em/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: .1em .3em; }
pre { padding: .75rem; overflow-x: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .75rem 0; }
th, td { border: 1px solid var(--edge); padding: .25rem .6rem; text-align: left; vertical-align: top; }
th { background: var(--soft); }
.timeline text { font: 12px ui-monospace, monospace; fill: var(--ink); }
.timeline rect { fill: var(--edge); }
.timeline .good { fill: #6aa984; } .timeline .bad { fill: #cf6a63; } .timeline .rest { fill: #c9a24b; }
.timeline .try { fill: #0004; }
"""


def html(blocks: Iterable[Block], *, title: str) -> str:
    """Return the blocks as a whole page."""
    body = "\n".join(_block(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(level, pieces):
            return f"<h{level}>{_line(pieces)}</h{level}>"
        case Paragraph(pieces):
            return f"<p>{_line(pieces)}</p>"
        case Bullets(lines):
            return f"<ul>\n{_items(lines)}</ul>"
        case Table(head, rows):
            return _table(head, rows)
        case Verbatim(text):
            return f"<pre>{escape(visible(text).strip(chr(10)))}</pre>"
        case Picture(svg):
            return f'<div class="wide">\n{svg}\n</div>'
        case _:
            assert_never(block)


def _table(head: Iterable[str], rows: Iterable[Iterable[Line]]) -> str:
    names = "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
    lines = "".join(f"<tr>{_cells(row)}</tr>\n" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table></div>'


def _cells(row: Iterable[Line]) -> str:
    return "".join(f"<td>{_line(cell)}</td>" for cell in row)


def _items(lines: Iterable[Line]) -> str:
    return "".join(f"<li>{_line(each)}</li>\n" for each in lines)


def _line(pieces: Line) -> str:
    return "".join(_piece(piece) for piece in pieces).strip()


def _piece(piece: Piece) -> str:
    return f"<code>{_text(piece.text)}</code>" if isinstance(piece, Code) else _text(piece)


def _text(text: str) -> str:
    return escape(one_line(text))
