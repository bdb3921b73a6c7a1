"""The picture of a flow: its nodes as boxes, their order as arrows, and what each does in a few words."""

from collections.abc import Iterator, Sequence

from punchlist.flow.groups import group_of
from punchlist.flow.templates import whole
from punchlist.model.flow import (
    AgentNode,
    AnyNode,
    AssertNode,
    CallNode,
    FailNode,
    Flow,
    ForEachNode,
    GateNode,
    GroupNode,
    IntegrateNode,
    JudgeNode,
    MatchNode,
    PublishNode,
    PythonNode,
    RepeatNode,
    RunNode,
    SetNode,
    WaitNode,
)
from punchlist.model.graph import Box, Graph
from punchlist.model.json import Json, encode

_LONGEST = 48
_NO_LIMIT = 1_000


def graph_of(flow: Flow, *, depth: int | None = None) -> Graph:
    """Return the picture of a flow; groups deeper than `depth` are closed (1: only the nodes of the first level)."""
    boxes, arrows = _inside(flow.parts, "", depth=_NO_LIMIT if depth is None else depth)
    return Graph(flow=flow.flow, doc=flow.doc, boxes=boxes, arrows=arrows)


def _inside(nodes: Sequence[AnyNode], above: str, *, depth: int) -> tuple[tuple[Box, ...], tuple[tuple[str, str], ...]]:
    if depth < 1:
        return (), ()
    group = group_of(nodes)
    path = {node.id: f"{above}.{node.id}" if above else node.id for node in nodes}
    arrows = [(path[need], path[name]) for name, needs in group.needs.items() for need in dict.fromkeys(needs)]
    return tuple(_box(node, path[node.id], depth=depth) for node in nodes), tuple(arrows)


def _box(node: AnyNode, path: str, *, depth: int) -> Box:
    inner = _nodes_in(node)
    boxes, arrows = _inside(inner, path, depth=depth - 1)
    closed = [f"{len(inner)} node{'' if len(inner) == 1 else 's'} inside"] if inner and not boxes else []
    return Box(
        path=path,
        name=node.id,
        kind=str(node.__struct_config__.tag),
        notes=tuple(_short(each) for each in (*_does(node), *_conditions(node), *closed)),
        may_skip=node.when is not None,
        boxes=boxes,
        arrows=arrows,
    )


def _nodes_in(node: AnyNode) -> Sequence[AnyNode]:
    match node:
        case CallNode():
            return node.flow.parts
        case MatchNode():
            return node.every
        case GroupNode() | ForEachNode() | RepeatNode():
            return node.nodes
        case _:
            return ()


def _conditions(node: AnyNode) -> Iterator[str]:
    if node.when is not None:
        yield f"when {_plain(node.when)}"
    if node.on_failure == "continue":
        yield "goes on when it fails"


def _does(node: AnyNode) -> Iterator[str]:
    """Yield what a node does, in few words; what its name and kind say is left out."""
    match node:
        case RunNode():
            yield node.run if isinstance(node.run, str) else " ".join(node.run)
        case PythonNode():
            yield node.python
        case AgentNode():
            yield _plain(node.agent) + ("" if node.role == "node" else f", as {node.role}")
        case CallNode():
            yield node.call
        case ForEachNode():
            yield f"for each {node.as_} of {_plain(node.for_each)}"
            if node.max_parallel != 1:
                yield f"{_plain(node.max_parallel)} at a time"
        case RepeatNode():
            yield "once, until" if node.repeat.max == 1 else f"up to {_plain(node.repeat.max)} rounds, until"
            yield _plain(node.repeat.until)
        case MatchNode():
            yield f"by {_plain(node.match)}"
        case GateNode():
            yield node.message
            yield " | ".join(node.choices)
        case _:
            yield from _more(node)


def _more(node: AnyNode) -> Iterator[str]:
    match node:
        case JudgeNode():
            yield f"over {', '.join(node.judge)}"
        case IntegrateNode():
            yield _plain(node.integrate)
        case PublishNode():
            yield f"the {node.publish}"
        case AssertNode():
            yield _plain(node.that)
        case FailNode():
            yield node.fail
        case WaitNode():
            yield from _waits(node)
        case SetNode():
            yield ", ".join(node.set)
        case _:
            pass


def _waits(node: WaitNode) -> Iterator[str]:
    wait = node.wait
    if wait.for_ is not None or wait.until is not None:
        yield f"for {_plain(wait.for_)}" if wait.until is None else f"until {_plain(wait.until)}"
    elif wait.file is not None:
        yield f"for {wait.file}"
    else:
        yield wait.command if isinstance(wait.command, str) else " ".join(wait.command or ())
        yield f"every {_plain(wait.every)}"


def _plain(value: Json) -> str:
    """Return a value as a person says it: an expression without its braces."""
    if not isinstance(value, str):
        return encode(value).decode()
    only = whole(value)
    return only.text if only else value


def _short(text: str) -> str:
    """Return the first line of a text, cut to what fits into a box."""
    lines = text.strip().splitlines() or [""]
    long = len(lines) > 1 or len(lines[0]) > _LONGEST
    return lines[0][: _LONGEST - 2].rstrip() + " …" if long else lines[0]
