"""Tables for people: fitted to the width of a terminal by rich, plain aligned columns where none reads them."""

import io
import sys
from collections.abc import Sequence

import click

_GAP = "  "
_STYLES = {
    "accepted": "green", "succeeded": "green", "ok": "green", "pass": "green", "goal": "green", "guard": "green",
    "failed": "red", "fail": "red", "lost": "red", "timed_out": "red", "cannot_run": "red",
    "waiting": "yellow", "open": "yellow", "warn": "yellow", "rework": "yellow", "waived": "yellow",
    "running": "cyan", "building": "cyan", "checking": "cyan", "reviewing": "cyan", "integrating": "cyan",
    "cancelled": "bright_black", "skipped": "bright_black", "unreached": "bright_black", "draft": "bright_black",
}  # fmt: skip


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under headings; the last column is the one that wraps. Known states are coloured on a terminal."""
    if not rows:
        return ""
    return _fitted(headings, rows) if coloured() else _aligned(headings, rows)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns without headings, the last one as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return "\n".join(_line(row, widths) for row in rows)


def status(word: str) -> str:
    """Return a state's name in its colour; colours are stripped where none is read."""
    style = _STYLES.get(word)
    return click.style(word, fg=style) if style and coloured() else word


def strong(text: str) -> str:
    """Return text that stands out on a terminal."""
    return click.style(text, bold=True) if coloured() else text


def coloured() -> bool:
    """Say whether a terminal that wants colours reads the output (`NO_COLOR` is in the context by then)."""
    context = click.get_current_context(silent=True)
    return sys.stdout.isatty() and (context is None or context.find_root().color is not False)


def _aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return columns([[heading.upper() for heading in headings], *rows])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return _GAP.join([*cells, row[-1]]).rstrip()


def _fitted(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings[:-1]:
        made.add_column(heading.upper(), no_wrap=True, overflow="ellipsis")
    made.add_column(headings[-1].upper(), overflow="fold", ratio=1)
    for row in rows:
        made.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    output = io.StringIO()
    Console(file=output, force_terminal=True, width=_width()).print(made)
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines())


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns
