"""Where boxes of a directed graph without rings stand: in layers from top to bottom, with few crossings.

The method of Sugiyama: ranks by the longest way, places for long arrows to pass, an order by the middle of the
neighbours, then positions near them. The same graph gives the same picture.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP_X, GAP_Y = 28.0, 36.0
_SWEEPS = 4
_PASSING = 10.0

Size = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """The left upper corner of each box, the way of each arrow, and the size of all."""

    corners: Mapping[str, Point]
    ways: Mapping[tuple[str, str], tuple[Point, ...]]
    size: Size


def layout(sizes: Mapping[str, Size], arrows: Sequence[tuple[str, str]]) -> Layout:
    """Return the layout of boxes by name; an arrow leads from what is above to what is below it."""
    if not sizes:
        return Layout({}, {}, (0, 0))
    ranks = _ranks(sizes, arrows)
    drawing = _Drawing(dict(sizes), ranks, arrows=arrows)
    drawing.order()
    drawing.place()
    return drawing.layout()


def _ranks(sizes: Mapping[str, Size], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return how many boxes stand above each one, on the longest way."""
    below: dict[str, list[str]] = {name: [] for name in sizes}
    waits = dict.fromkeys(sizes, 0)
    for first, then in arrows:
        below[first].append(then)
        waits[then] += 1
    ranks = dict.fromkeys(sizes, 0)
    ready = [name for name, count in waits.items() if not count]
    while ready:
        name = ready.pop()
        for then in below[name]:
            ranks[then] = max(ranks[then], ranks[name] + 1)
            waits[then] -= 1
            if not waits[then]:
                ready.append(then)
    return ranks


class _Drawing:
    """Boxes and the places between layers that long arrows pass; `chains` are an arrow's places from end to end."""

    def __init__(self, sizes: dict[str, Size], ranks: dict[str, int], *, arrows: Sequence[tuple[str, str]]) -> None:
        self._sizes = sizes
        self._names = [*sizes]
        self._layers: list[list[str]] = [[] for _ in range(max(ranks.values()) + 1)]
        for name, rank in ranks.items():
            self._layers[rank].append(name)
        self._above: dict[str, list[str]] = {name: [] for name in sizes}
        self._below: dict[str, list[str]] = {name: [] for name in sizes}
        self._chains = {arrow: self._chain(arrow, ranks) for arrow in arrows}
        self._middle: dict[str, float] = {}

    def _chain(self, arrow: tuple[str, str], ranks: Mapping[str, int]) -> list[str]:
        first, then = arrow
        passed = [f"{first}\0{then}\0{rank}" for rank in range(ranks[first] + 1, ranks[then])]
        for rank, place in enumerate(passed, start=ranks[first] + 1):
            self._sizes[place] = (_PASSING, 0)
            self._layers[rank].append(place)
            self._above[place], self._below[place] = [], []
        chain = [first, *passed, then]
        for upper, lower in pairwise(chain):
            self._below[upper].append(lower)
            self._above[lower].append(upper)
        return chain

    def order(self) -> None:
        """Order each layer by where the neighbours stand, down and up in turns."""
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            beside = self._above if down else self._below
            layers = self._layers[1:] if down else self._layers[-2::-1]
            at = {name: number for layer in self._layers for number, name in enumerate(layer)}
            for layer in layers:
                key = {name: _mean([at[each] for each in beside[name]], at[name]) for name in layer}
                layer.sort(key=key.__getitem__)
                at.update((name, number) for number, name in enumerate(layer))

    def place(self) -> None:
        """Give each box its middle from left to right: near those above it, then near those below, without overlap."""
        for layer in self._layers:
            left = 0.0
            for name in layer:
                self._middle[name] = left + self._sizes[name][0] / 2
                left += self._sizes[name][0] + GAP_X
        for sweep in range(2 * _SWEEPS):
            beside = self._above if sweep % 2 == 0 else self._below
            for layer in self._layers if sweep % 2 == 0 else self._layers[::-1]:
                self._settle(layer, beside)

    def _settle(self, layer: Sequence[str], beside: Mapping[str, list[str]]) -> None:
        wanted = [_mean([self._middle[each] for each in beside[name]], self._middle[name]) for name in layer]
        placed: list[float] = []
        edge = float("-inf")
        for name, middle in zip(layer, wanted, strict=True):
            half = self._sizes[name][0] / 2
            placed.append(max(middle, edge + half))
            edge = placed[-1] + half + GAP_X
        shift = _mean([want - have for want, have in zip(wanted, placed, strict=True)], 0)
        self._middle.update((name, middle + shift) for name, middle in zip(layer, placed, strict=True))

    def layout(self) -> Layout:
        """Return where everything stands, the left upper corner of all at (0, 0)."""
        left = min(self._middle[name] - self._sizes[name][0] / 2 for name in self._sizes)
        right = max(self._middle[name] + self._sizes[name][0] / 2 for name in self._sizes)
        spans: dict[str, tuple[float, float]] = {}
        top = 0.0
        for layer in self._layers:
            height = max(self._sizes[name][1] for name in layer)
            spans.update((name, (top, top + height)) for name in layer)
            top += height + GAP_Y
        self._middle = {name: middle - left for name, middle in self._middle.items()}
        corners = {name: (self._middle[name] - self._sizes[name][0] / 2, spans[name][0]) for name in self._names}
        ways = {arrow: tuple(self._way(chain, spans)) for arrow, chain in self._chains.items()}
        return Layout(corners, ways, (right - left, top - GAP_Y))

    def _way(self, chain: Sequence[str], spans: Mapping[str, tuple[float, float]]) -> Iterator[Point]:
        """Yield the points of an arrow: out of the box below, through its places, into the next one from above."""
        first, *passed, then = chain
        yield self._middle[first], spans[first][0] + self._sizes[first][1]
        for place in passed:
            yield from ((self._middle[place], end) for end in spans[place])
        yield self._middle[then], spans[then][0]


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
