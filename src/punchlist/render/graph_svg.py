"""A picture of a flow as SVG: one file that needs no script, no font and nothing from elsewhere, light and dark."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from punchlist.model.graph import Box, Graph
from punchlist.render.blocks import one_line
from punchlist.render.layers import Layout, Point, Size, layout

_WIDE, _LINE, _PAD, _EDGE = 7.3, 17.0, 12.0, 16.0
"""Width of a character and height of a line (12 px, monospace), and the room around text and around a picture."""
_STYLE = """\
svg { color-scheme: light dark; --ink: #1d2430; --paper: #fff; --soft: #f2f4f7; --edge: #9aa4b2; --mark: #3564c4; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e2e6ec; --paper: #14181f; --soft: #1e242d; --edge: #66707f; --mark: #7ea6f4; }
}
.paper { fill: var(--paper); } text { font: 12px ui-monospace, monospace; fill: var(--ink); }
.box { fill: var(--soft); stroke: var(--edge); } .group { fill: none; stroke: var(--edge); }
.maybe { stroke-dasharray: 5 4; } .name { font-weight: bold; } .kind { fill: var(--mark); }
.gate { stroke: var(--mark); }
.arrow { fill: none; stroke: var(--edge); } .head { fill: var(--edge); }
"""
_HEAD = """\
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
<path class="head" d="M0 0 8 4 0 8z"/></marker></defs>"""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A box with its size, and what is in it with where that stands."""

    box: Box
    size: Size
    inner: "tuple[_Drawn, ...]" = ()
    places: Layout | None = None


def graph_svg(graph: Graph) -> str:
    """Return the picture; the same flow gives the same bytes."""
    drawn, places = _group(graph.boxes, graph.arrows)
    width, height = (each + 2 * _EDGE for each in places.size)
    said = f"Flow {graph.flow}. {graph.doc}".strip()
    size = f'width="{width:.0f}" height="{height:.0f}"'
    around = f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{_text(said)}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {around}>',
        f"<title>{_text(said)}</title>",
        f"<style>\n{_STYLE}</style>",
        _HEAD,
        f'<rect class="paper" {size}/>',
        *_lines(drawn, places, at=(_EDGE, _EDGE)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _group(boxes: tuple[Box, ...], arrows: tuple[tuple[str, str], ...]) -> tuple[tuple[_Drawn, ...], Layout]:
    drawn = tuple(_drawn(box) for box in boxes)
    return drawn, layout({each.box.path: each.size for each in drawn}, arrows)


def _drawn(box: Box) -> _Drawn:
    texts = _texts(box)
    width = max(len(each) for each in texts) * _WIDE + 2 * _PAD
    height = len(texts) * _LINE + _PAD
    if not box.boxes:
        return _Drawn(box, (width, height))
    inner, places = _group(box.boxes, box.arrows)
    return _Drawn(box, (max(width, places.size[0] + 2 * _PAD), height + places.size[1] + _PAD), inner, places)


def _texts(box: Box) -> list[str]:
    return [f"{box.name} {box.kind}", *(one_line(note) for note in box.notes if note)]


def _lines(drawn: tuple[_Drawn, ...], places: Layout, *, at: Point) -> Iterator[str]:
    yield from _arrows(places.ways, at=at)
    for each in drawn:
        (left, top), (x, y) = at, places.corners[each.box.path]
        corner = (left + x, top + y)
        yield f"<g><title>{_text(each.box.path)}</title>"
        yield _rectangle(each, corner)
        yield from _words(each.box, corner)
        yield "</g>"
        if each.places is not None:
            wide, high = each.places.size
            inner = (corner[0] + (each.size[0] - wide) / 2, corner[1] + each.size[1] - high - _PAD)
            yield from _lines(each.inner, each.places, at=inner)


def _rectangle(drawn: _Drawn, corner: Point) -> str:
    (x, y), (width, height) = corner, drawn.size
    look = " ".join(
        [
            "group" if drawn.inner else "box",
            *(["maybe"] if drawn.box.may_skip else []),
            *(["gate"] if drawn.box.kind == "gate" else []),
        ]
    )
    return f'<rect class="{look}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6"/>'


def _words(box: Box, corner: Point) -> Iterator[str]:
    _, *notes = _texts(box)
    x, top = corner[0] + _PAD, corner[1] + _LINE
    yield (
        f'<text x="{x:.1f}" y="{top:.1f}"><tspan class="name">{_text(box.name)}</tspan>'
        f' <tspan class="kind">{_text(box.kind)}</tspan></text>'
    )
    for number, note in enumerate(notes, start=1):
        yield f'<text x="{x:.1f}" y="{top + number * _LINE:.1f}">{_text(note)}</text>'


def _arrows(ways: Mapping[tuple[str, str], tuple[Point, ...]], *, at: Point) -> Iterator[str]:
    for points in ways.values():
        moved = [(x + at[0], y + at[1]) for x, y in points]
        yield f'<path class="arrow" marker-end="url(#head)" d="{_curve(moved)}"/>'


def _curve(points: list[Point]) -> str:
    """Return a way that leaves and enters each point straight down."""
    (x, y), *others = points
    said = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in others:
        bend = (to_y - y) / 2
        straight = abs(to_x - x) < 1
        said.append(
            f"L{to_x:.1f} {to_y:.1f}"
            if straight
            else f"C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y:.1f}"
        )
        x, y = to_x, to_y
    return "".join(said)


def _text(text: str) -> str:
    return escape(one_line(text))
