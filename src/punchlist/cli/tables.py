"""Tables for people: fitted to the width of a terminal, plain aligned columns where none reads them."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from punchlist.model.json import Json

_GAP = "  "
_READABLE = 12
"""Cells below which a column of text is not worth its place."""
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
    return _fitted(headings, rows) if on_terminal() else _aligned(headings, rows)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns without headings, the last one as long as it is."""
    line = _GAP.join([f"%-{width}s" for width in _widths(rows)] + ["%s"])
    return "\n".join([(line % tuple(row)).rstrip() for row in rows])


def to_type(rows: Sequence[Sequence[str]], *, indent: int) -> list[str]:
    """Return lines of columns that end in a command to type, which is never cut: the column before it gives way.

    Where a terminal is too narrow even so, the command stands on a line of its own.
    """
    if not on_terminal() or not rows:
        return columns(rows).splitlines()
    from punchlist.cli import fitting

    *others, yields, command = [max(map(fitting.cells, map(click.unstyle, each))) for each in zip(*rows, strict=True)]
    room = _width() - indent - sum(others) - len(_GAP) * (len(others) + 1)
    beside = room - command >= min(yields, _READABLE)
    width = min(yields, room - command if beside else max(room + len(_GAP), _READABLE))
    lines: list[str] = []
    for *first, text, last in rows:
        cells = [each + " " * (size - len(click.unstyle(each))) for each, size in zip(first, others, strict=True)]
        line = _GAP.join([*cells, fitting.padded(text, width)])
        lines += [f"{line}{_GAP}{last}".rstrip()] if beside else [line.rstrip(), *([f"{_GAP}{last}"] if last else [])]
    return lines


def status(word: str) -> str:
    """Return a state's name in its colour; colours are stripped where none is read."""
    style = _STYLES.get(word)
    return click.style(word, fg=style) if style and coloured() else word


def strong(text: str) -> str:
    """Return text that stands out on a terminal."""
    return click.style(text, bold=True) if coloured() else text


def in_line(value: "Json") -> str:
    """Return a value as JSON to be read in a line of text."""
    import json

    return json.dumps(value, ensure_ascii=False)


def on_terminal() -> bool:
    """Say whether a terminal reads the output, so that it has a width to keep to."""
    return sys.stdout.isatty()


def coloured() -> bool:
    """Say whether a terminal that wants colours reads the output (`NO_COLOR` is in the context by then)."""
    context = click.get_current_context(silent=True)
    return on_terminal() and (context is None or context.find_root().color is not False)


def _aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return columns([[heading.upper() for heading in headings], *rows])


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]


def _fitted(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return columns in the terminal's width: the first, by which a row is called, is never cut; the last one wraps."""
    from punchlist.cli import fitting

    above = [heading.upper() for heading in headings]
    natural = [max(map(fitting.cells, column)) for column in zip(above, *rows, strict=True)]
    room = _width() - len(_GAP) * (len(above) - 1)
    middle = max(room - natural[-1], room // 2) - natural[0]
    widths = [natural[0], *fitting.shared(natural[1:-1], room=middle)]
    last = room - sum(widths)
    if last < min(natural[-1], _READABLE):
        return _stacked(rows)
    below = " " * (sum(widths) + len(_GAP) * len(widths))
    titles = [fitting.padded(*each) for each in zip(above, widths, strict=False)]
    lines = [_GAP.join(map(strong, [*titles, above[-1]]))]
    for row in rows:
        first, *more = fitting.wrapped(row[-1], last)
        cells = [_painted(cell, fitting.padded(cell, width)) for cell, width in zip(row, widths, strict=False)]
        lines.append(_GAP.join([*cells, _painted(row[-1], first)]).rstrip())
        lines += [below + line for line in more]
    return "\n".join(lines)


def _stacked(rows: Sequence[Sequence[str]]) -> str:
    """Return each row as a line that names it and, below, the rest of it: for a terminal too narrow for columns."""
    from punchlist.cli import fitting

    lines: list[str] = []
    for first, *others in rows:
        rest = fitting.wrapped(_GAP.join(each for each in others if each), max(_width() - len(_GAP), _READABLE))
        lines += [strong(first), *(f"{_GAP}{line}" for line in rest if line)]
    return "\n".join(lines)


def _painted(word: str, text: str) -> str:
    return click.style(text, fg=_STYLES[word]) if word in _STYLES and coloured() else text


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns
