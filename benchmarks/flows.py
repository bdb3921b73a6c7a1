"""How long a large flow takes to be read and checked: each node has an expression of its own, each tenth two."""

import itertools
from collections.abc import Callable, Iterator

from benchmarks.workspace import Row, row, times
from punchlist.flow.parse import parse_flow

_SIZES = {1_000: 300.0, 10_000: 2_000.0}
"""Nodes, and the milliseconds that they may take."""
_ROUNDS = 5


def checking() -> Iterator[Row]:
    """Measure flows of growing size, in this process; no expression was seen before."""
    names = (f"n{number}_" for number in itertools.count())
    for size, limit in _SIZES.items():
        yield row(f"a flow of {size:,} nodes checked", times(_work(size, names), rounds=_ROUNDS), limit=limit)


def _work(size: int, names: Iterator[str]) -> Callable[[], object]:
    return lambda: parse_flow(text_of(size, name=next(names)), source="large.yaml")


def text_of(size: int, *, name: str) -> str:
    """Return a flow of so many commands, each with what the one before printed."""
    lines = ["punchlist: 1", "flow: large", "inputs: {who: {type: string, default: you}}", "nodes:"]
    for number in range(size):
        before = f"nodes.{name}{number - 1}"
        said = f"${{{{ {before}.output.stdout }}}}" if number else "${{ inputs.who }}"
        lines += [f"  {name}{number}:", f"    run: echo {said}"]
        if number and number % 10 == 0:
            well = f"{before}.status == 'succeeded' && size(inputs.who) > {number}"
            lines.append(f"    needs: [{name}{number - 1}, {name}{number // 2}]")
            lines.append(f'    env: {{WELL: "${{{{ string({well}) }}}}"}}')
    return "\n".join(lines) + "\n"
