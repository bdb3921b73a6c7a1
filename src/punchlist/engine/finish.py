"""The end of a flow that has a `finally`: what is kept of it at a stop, and how both ends go together."""

from typing import TypeVar

from punchlist.engine.fold_nodes import ROOT, descendants
from punchlist.engine.fold_put import UNDER_WAY
from punchlist.engine.turn import Here
from punchlist.model.ids import NodePath
from punchlist.model.state import NodeState, RunState
from punchlist.model.states import NodeStatus

FINALLY = "finally"
_BAD = (NodeStatus.FAILED, NodeStatus.CANCELLED, NodeStatus.UNREACHED)
H = TypeVar("H", bound=Here)


def last_of(here: Here) -> Here | None:
    """Return what is still to run at the end of a flow, or None."""
    for path in here.node.children[-1:]:
        last = here.at(path)
        if last.node.kind == FINALLY and last.node.status is NodeStatus.PENDING:
            return last
    return None


def unfinished(here: Here) -> list[Here]:
    """Return the flows under way, at and below a node, at whose end something is still to run."""
    every = [here.at(path) for path in (here.path, *descendants(here.run, here.path))]
    return [each for each in every if each.node.status in UNDER_WAY and last_of(each) is not None]


def around(here: Here, flows: list[Here]) -> frozenset[NodePath]:
    """Return the places of these flows and of what is around them, up to a node."""
    found: set[NodePath] = set()
    for flow in flows:
        for node in flow.upward():
            found.add(node.path)
            if node.path == here.path:
                break
    return frozenset(found)


def first_error(here: Here) -> str:
    """Return the error of the first child that failed by itself, else what became of the first that did not succeed.

    A node is named once: the error of a group is that of the node in it, which says where it stands.
    """
    children = [here.at(path).node for path in here.node.children]
    return said(min((each for each in children if each.status in _BAD), key=lambda each: _BAD.index(each.status)))


def both(error: str, last: NodeState | None) -> str:
    """Return why a flow failed, and why what ran at its end did: the first is never hidden by the second."""
    failed = last is not None and last.kind == FINALLY and last.status is NodeStatus.FAILED
    return f"{error}; and {said(last)}" if failed and last is not None else error


def said(node: NodeState) -> str:
    """Return what became of a node that did not succeed, with its place named once: a group has the error of a part."""
    named = node.error.startswith(tuple(f"{node.path}{mark}" for mark in ":.["))
    return node.error if named else f"{node.path}: {node.error or node.status}"


def last_child(run: RunState, node: NodeState) -> NodeState | None:
    """Return the last part of a group, if it has any."""
    return run.nodes[node.children[-1]] if node.children else None


def is_ending(run: RunState) -> bool:
    """Say whether what a run comes to is known, or what runs at its end has begun."""
    root = run.nodes[ROOT]
    last = last_child(run, root)
    if root.ends is not None:
        return True
    return last is not None and last.kind == FINALLY and last.status is not NodeStatus.PENDING
