"""What a run's stream says of a definition that changes while it runs: who there is, and who waits for whom."""

import msgspec

from punchlist.engine.facts import fact_of
from punchlist.engine.fold_nodes import ROOT, child_of, descendants
from punchlist.engine.fold_put import with_nodes
from punchlist.engine.fold_resets import count, line_up, put_away
from punchlist.engine.fold_rests import rested
from punchlist.engine.spots import index
from punchlist.model import events as ev
from punchlist.model.flow import Flow, extended
from punchlist.model.state import NodeState, RunState
from punchlist.model.states import FINAL_NODE, NodeStatus

replace = msgspec.structs.replace


def added(run: RunState, event: ev.Event) -> RunState:
    """Fold NodesAdded: what is new is pending, what was there stays as it is and may have others wait for it."""
    return _with_definition(run, extended(run.definition, fact_of(event, ev.NodesAdded).nodes))


def rebased(run: RunState, event: ev.Event) -> RunState:
    """Fold FlowRebased: as NodesAdded; what is in the flow no more is put away, and a run that was over runs."""
    fact = fact_of(event, ev.FlowRebased)
    names = {node.id for node in fact.definition.parts}
    for path in run.nodes[ROOT].children:
        if path not in names:
            run = put_away(run, [path, *descendants(run, path)])
    run = replace(_with_definition(run, fact.definition), inputs=fact.inputs)
    if run.status not in FINAL_NODE:
        return run
    root = replace(run.nodes[ROOT], status=NodeStatus.RUNNING, ends=None, output=None, error="", ended_at="")
    return replace(with_nodes(run, root), status=NodeStatus.RUNNING, ended_at="", error="", outputs=None)


def _with_definition(run: RunState, definition: Flow) -> RunState:
    run = replace(run, definition=definition, spots=index(definition))
    root = run.nodes[ROOT]
    children = [_child(run, child_of(run, root, name=name)) for name in run.spots[root.spot].children]
    run = with_nodes(run, *children, replace(root, children=tuple(child.path for child in children)))
    return rested(count(line_up(run, ROOT), ROOT), ROOT)


def _child(run: RunState, child: NodeState) -> NodeState:
    """Return a node of the first level as it is by the new definition."""
    known = run.nodes.get(child.path)
    return child if known is None else replace(known, kind=child.kind, wanted_by=child.wanted_by)
