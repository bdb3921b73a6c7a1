"""A picture of a flow as Mermaid text, which many places that show markdown draw."""

from collections.abc import Iterator

from punchlist.model.graph import Box, Graph
from punchlist.render.blocks import one_line

_SHAPES = {"gate": ("{{", "}}"), "agent": ("([", "])"), "call": ("[[", "]]"), "set": ("(", ")")}
_ENTITIES = str.maketrans({'"': "#quot;", "#": "#35;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;"})


def mermaid(graph: Graph) -> str:
    """Return the picture; the same flow gives the same text."""
    names = {path: f"n{number}" for number, path in enumerate(_paths(graph.boxes))}
    lines = ["flowchart TD", *_lines(graph.boxes, graph.arrows, names=names, indent="  ")]
    skipped = [names[path] for path in _paths(graph.boxes, only_skippable=True)]
    if skipped:
        lines += ["  classDef maybe stroke-dasharray: 5 4", f"  class {','.join(skipped)} maybe"]
    return "\n".join(lines) + "\n"


def _paths(boxes: tuple[Box, ...], *, only_skippable: bool = False) -> Iterator[str]:
    for box in boxes:
        if box.may_skip or not only_skippable:
            yield box.path
        yield from _paths(box.boxes, only_skippable=only_skippable)


def _lines(
    boxes: tuple[Box, ...], arrows: tuple[tuple[str, str], ...], *, names: dict[str, str], indent: str
) -> Iterator[str]:
    for box in boxes:
        name = names[box.path]
        if not box.boxes:
            left, right = _SHAPES.get(box.kind, ("[", "]"))
            yield f'{indent}{name}{left}"{_label(box)}"{right}'
            continue
        yield f'{indent}subgraph {name} ["{_label(box)}"]'
        yield from _lines(box.boxes, box.arrows, names=names, indent=f"{indent}  ")
        yield f"{indent}end"
    for first, then in arrows:
        yield f"{indent}{names[first]} --> {names[then]}"


def _label(box: Box) -> str:
    said = [f"<b>{_text(box.name)}</b> {_text(box.kind)}", *(_text(note) for note in box.notes if note)]
    return "<br>".join(said)


def _text(text: str) -> str:
    return one_line(text).translate(_ENTITIES)
