"""Nodes put into the state of a run: what every fold of one does."""

import msgspec

from punchlist.model.state import NodeState, RunState
from punchlist.model.states import NodeStatus

replace = msgspec.structs.replace
UNDER_WAY = frozenset({NodeStatus.RUNNING, NodeStatus.WAITING})


def with_nodes(run: RunState, *nodes: NodeState) -> RunState:
    """Return the run with these nodes as they are given."""
    if len(nodes) == 1:
        return replace(run, nodes=run.nodes.set(nodes[0].path, nodes[0]))
    return replace(run, nodes=run.nodes.update({node.path: node for node in nodes}))
