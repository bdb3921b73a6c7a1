"""What a run's stream says of nodes that were added while it ran: its definition, and who waits for whom from then."""

import msgspec

from punchlist.engine.facts import fact_of
from punchlist.engine.fold_nodes import ROOT, child_of
from punchlist.engine.fold_put import with_nodes
from punchlist.engine.fold_resets import count, line_up
from punchlist.engine.fold_rests import rested
from punchlist.engine.spots import index
from punchlist.model import events as ev
from punchlist.model.flow import extended
from punchlist.model.state import NodeState, RunState

replace = msgspec.structs.replace


def added(run: RunState, event: ev.Event) -> RunState:
    """Fold NodesAdded: what is new is pending, what was there stays as it is and may have others wait for it."""
    definition = extended(run.definition, fact_of(event, ev.NodesAdded).nodes)
    run = replace(run, definition=definition, spots=index(definition))
    root = run.nodes[ROOT]
    children = [_child(run, child_of(run, root, name=name)) for name in run.spots[root.spot].children]
    run = with_nodes(run, *children, replace(root, children=tuple(child.path for child in children)))
    return rested(count(line_up(run, ROOT), ROOT), ROOT)


def _child(run: RunState, child: NodeState) -> NodeState:
    """Return a node of the first level as it is by the new definition."""
    known = run.nodes.get(child.path)
    return child if known is None else replace(known, kind=child.kind, wanted_by=child.wanted_by)
