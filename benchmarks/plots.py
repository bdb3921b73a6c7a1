"""Bars of what was measured, as SVG: each beside its limit, or beside what other programs took for the same."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _LEFT, _RIGHT = 840, 320, 90
_ROW, _BAR = 22, 14
_FONT = 'font-family="sans-serif" font-size="12"'
_OURS, _OTHERS, _PASSED, _LINE, _TEXT = "#2f6f9f", "#b0b7bd", "#c0392b", "#c0392b", "#444444"


class Bar(NamedTuple):
    """One bar: what it is, how long, the limit that is drawn across it, and whether another program made it."""

    name: str
    value: float
    limit: float | None = None
    other: bool = False

    @property
    def colour(self) -> str:
        """Grey for others, red beyond the limit."""
        if self.other:
            return _OTHERS
        return _PASSED if self.limit is not None and self.value > self.limit else _OURS


def bars(title: str, found: Sequence[Bar], *, unit: str) -> str:
    """Return a picture of bars in the order given, all to one scale."""
    height = _ROW * (len(found) + 2)
    longest = max(max(each.value, each.limit or 0) for each in found)
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" {_FONT} fill="{_TEXT}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="8" y="{_ROW - 6}" font-weight="bold">{escape(title)}</text>',
    ]
    for index, each in enumerate(found, 1):
        top, length = index * _ROW + 4, max(each.value * scale, 1)
        lines += [
            f'<text x="{_LEFT - 8}" y="{top + 11}" text-anchor="end">{escape(each.name)}</text>',
            f'<rect x="{_LEFT}" y="{top}" width="{length:.1f}" height="{_BAR}" fill="{each.colour}"/>',
            f'<text x="{_LEFT + length + 6:.1f}" y="{top + 11}">{each.value:,.4g} {escape(unit)}</text>',
        ]
        if each.limit is not None:
            at = _LEFT + each.limit * scale
            lines.append(f'<path d="M{at:.1f} {top - 3}v{_BAR + 6}" stroke="{_LINE}" stroke-width="2"/>')
    return "\n".join([*lines, "</svg>"]) + "\n"
