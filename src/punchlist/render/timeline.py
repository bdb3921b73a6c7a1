"""When the nodes of a run ran, as a picture in a page: a bar a node, the tries at it darker, waiting lighter."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from punchlist.model.rows import NodeRow, RunRow
from punchlist.model.state import AttemptState
from punchlist.render.blocks import one_line
from punchlist.render.words import duration

_NAMES, _BARS, _HIGH = 260, 640, 20
"""Width of the names and of the bars, and height of a row, in pixels."""
_LONGEST = 36
MOST = 500
"""Nodes of which a picture can still be looked at."""
_LOOKS: Mapping[str, str] = {"succeeded": "good", "failed": "bad", "cancelled": "bad", "waiting": "rest"}

Span = tuple[float, float]


def timeline(row: RunRow, nodes: Sequence[NodeRow], *, attempts: Sequence[AttemptState]) -> str:
    """Return the picture as SVG; nothing for a run in which nothing began. What goes on ends with the last known time.

    It takes its colours from the page around it.
    """
    shown = [each for each in nodes if each.path and each.started_at][:MOST]
    times = _times(row.created_at, row.ended_at, *(at for each in shown for at in (each.started_at, each.ended_at)))
    if not shown or not times:
        return ""
    scale = _Scale(min(times), max(times))
    tries = {each.id: each for each in attempts}
    high = _HIGH * (len(shown) + 1)
    size = f'width="{_NAMES + _BARS}" height="{high}" viewBox="0 0 {_NAMES + _BARS} {high}"'
    lines = [f'<svg class="timeline" {size} role="img" aria-label="When each node ran">']
    for number, node in enumerate(shown):
        lines += _row(node, [tries[each] for each in node.attempts if each in tries], scale=scale, top=number * _HIGH)
    took = duration(scale.first.isoformat(), scale.last.isoformat())
    lines.append(f'<text x="{_NAMES}" y="{high - 5}">0</text>')
    lines.append(f'<text x="{_NAMES + _BARS}" y="{high - 5}" text-anchor="end">{escape(took)}</text>')
    return "\n".join([*lines, "</svg>"])


class _Scale:
    """Where a time stands between the first and the last one."""

    def __init__(self, first: datetime, last: datetime) -> None:
        self.first, self.last = first, last

    def across(self, begin: str, end: str) -> Span:
        """Return where a bar begins and how wide it is."""
        left = self._at(datetime.fromisoformat(begin))
        right = self._at(datetime.fromisoformat(end)) if end else float(_BARS)
        return _NAMES + left, max(right - left, 1.0)

    def _at(self, time: datetime) -> float:
        whole = (self.last - self.first).total_seconds()
        return _BARS * (time - self.first).total_seconds() / whole if whole > 0 else 0.0


def _times(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(each) for each in texts if each]


def _row(node: NodeRow, tries: Sequence[AttemptState], *, scale: _Scale, top: int) -> list[str]:
    name = one_line(node.path)
    short = name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"
    took = duration(node.started_at, node.ended_at) or "goes on"
    said = escape(f"{name}: {node.status}, {took}")
    begin, wide = scale.across(node.started_at, node.ended_at)
    bars = [f'<rect class="{_LOOKS.get(node.status, "rest")}" {_box((begin, wide), top=top + 4)}/>']
    for each in tries:
        if each.started_at:
            left, run = scale.across(each.started_at, each.ended_at)
            bars.append(f'<rect class="try" {_box((left, run), top=top + 4)}/>')
    return [f"<g><title>{said}</title>", f'<text x="0" y="{top + 14}">{escape(short)}</text>', *bars, "</g>"]


def _box(span: Span, *, top: int) -> str:
    left, wide = span
    return f'x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{_HIGH - 8}" rx="2"'
