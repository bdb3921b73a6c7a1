"""Tables for people: fitted to the width of a terminal, plain aligned columns where none reads them."""

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
    line = _GAP.join([f"%-{width}s" for width in _widths(rows)] + ["%s"])
    return "\n".join([(line % tuple(row)).rstrip() for row in rows])


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


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]


def _fitted(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    from punchlist.cli import fitting

    above = [heading.upper() for heading in headings]
    natural = [max(map(fitting.cells, column)) for column in zip(above, *rows, strict=True)]
    room = _width() - len(_GAP) * (len(above) - 1)
    widths = fitting.shared(natural[:-1], room=max(room - natural[-1], room // 2))
    last = max(room - sum(widths), 1)
    below = " " * (sum(widths) + len(_GAP) * len(widths))
    titles = [fitting.padded(*each) for each in zip(above, widths, strict=False)]
    lines = [_GAP.join(map(strong, [*titles, above[-1]]))]
    for row in rows:
        first, *more = fitting.wrapped(row[-1], last)
        cells = [_painted(cell, fitting.padded(cell, width)) for cell, width in zip(row, widths, strict=False)]
        lines.append(_GAP.join([*cells, _painted(row[-1], first)]).rstrip())
        lines += [below + line for line in more]
    return "\n".join(lines)


def _painted(word: str, text: str) -> str:
    return click.style(text, fg=_STYLES[word]) if word in _STYLES else text


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns
