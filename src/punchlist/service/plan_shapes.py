"""What a flow would do, node by node: for `run --dry-run`."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError
from punchlist.flow.expressions import evaluate
from punchlist.model.flow import CallNode, ForEachNode, GroupNode, RepeatNode
from punchlist.model.json import plain

if TYPE_CHECKING:
    from punchlist.model.flow import AnyNode, Flow
    from punchlist.model.json import Json
    from punchlist.model.policy import Policy

_GENERAL = ("id", "kind", "line", "column", "nodes", "flow")
_SHOWN_AS = {"run": "command"}


def planned(flow: "Flow", *, inputs: "Mapping[str, Json]", policy: "Policy") -> "list[Json]":
    """Return a flow's nodes in the order written, each with its path, kind and what it says.

    Expressions that need only the inputs and the policy are filled in; all others stand as they are written.
    """
    known: dict[str, Json] = {"inputs": dict(inputs), "policy": plain(policy)}
    return [_filled(path, node, known=known) for path, node in _nodes(flow.nodes, "")]


def _nodes(nodes: "tuple[AnyNode, ...]", above: str) -> "Iterator[tuple[str, AnyNode]]":
    for node in nodes:
        path = f"{above}.{node.id}" if above else node.id
        yield path, node
        match node:
            case CallNode():
                yield from _nodes(node.flow.nodes, path)
            case GroupNode() | ForEachNode() | RepeatNode():
                yield from _nodes(node.nodes, path)
            case _:
                pass


def _filled(path: str, node: "AnyNode", *, known: "dict[str, Json]") -> "Json":
    value = plain(node)
    fields = value if isinstance(value, dict) else {}
    said = {_SHOWN_AS.get(name, name): _known(each, known) for name, each in fields.items() if name not in _GENERAL}
    return {"path": path, "kind": fields.get("kind"), **said}


def _known(value: "Json", known: "dict[str, Json]") -> "Json":
    try:
        return evaluate(value, known.__getitem__)
    except (DefinitionError, KeyError):
        return value
