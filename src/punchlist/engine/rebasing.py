"""Going on by another definition, where all that was done stands in it as it was done."""

from collections.abc import Collection, Iterator, Mapping

from punchlist.engine.adding import begin, refuse_approved, refuse_ending, refuse_ungiven
from punchlist.engine.finish import FINALLY
from punchlist.engine.fold_nodes import ROOT, counts_as_done
from punchlist.engine.fold_put import UNDER_WAY
from punchlist.engine.going_back import refuse_unless_possible
from punchlist.engine.progress import take_up
from punchlist.engine.resetting import take_back
from punchlist.engine.turn import Here, Turn
from punchlist.engine.undone import Undone, again
from punchlist.errors import Problem, RefusedError
from punchlist.model import events as ev
from punchlist.model.flow import AnyNode, Flow
from punchlist.model.ids import NodePath
from punchlist.model.states import FINAL_NODE, NodeStatus

NOTHING = Undone(nodes=())


def rebase(turn: Turn, definition: Flow, *, back: Undone = NOTHING) -> None:
    """Let a run go on by `definition`: what is taken `back`, what failed or was not reached begins again by it.

    Raises RefusedError with every node that was done, or is at work, and that is another one in it or is not there;
    DefinitionError when the inputs that the run has are not those that it asks for.
    """
    from punchlist.flow.inputs import bind_inputs  # the checker of flows; most engines never need it

    run = turn.run
    refuse_approved(turn)
    refuse_unless_possible(turn)
    if run.status not in FINAL_NODE:
        refuse_ending(turn)
    undone = again(run, [*back.nodes, *_failed(turn)])
    problems = list(_changed(turn, {node.id: node for node in definition.parts}, but=undone.nodes))
    if problems:
        raise RefusedError(f"run {run.id} cannot go on by the flow as it is now:", problems=problems)
    inputs = bind_inputs(definition.inputs, run.inputs, what=f"the inputs of {run.id}, held to the flow as it is now,")
    refuse_ungiven(turn, definition)
    if undone.nodes:
        undone = Undone(nodes=undone.nodes, dropped=back.dropped)
        take_back(turn.at(ROOT), undone, reason=f"{turn.context.actor} took the flow as it is now")
    turn.emit(ev.FlowRebased(definition=definition, inputs=inputs))
    if run.paused:
        turn.emit(ev.RunPaused(paused=False))
    begin(turn, definition.nodes)
    root = turn.at(ROOT)
    turn.later(lambda: _go_on(root))


def _go_on(root: Here) -> None:
    """Begin what waits for nothing; end the flow when nothing of it is left to do."""
    take_up(root)
    if root.node.status is NodeStatus.RUNNING and not root.node.remaining:
        child_over = root.turn.kinds[root.node.kind].child_over
        assert child_over is not None
        child_over(root, root.node)


def _changed(turn: Turn, new: Mapping[str, AnyNode], *, but: Collection[NodePath]) -> Iterator[Problem]:
    """Yield each node of the first level that stands for something, and is another one or gone."""
    run = turn.run
    for path in run.nodes[ROOT].children:
        node = run.nodes[path]
        stands = node.status in UNDER_WAY or (node.status in FINAL_NODE and counts_as_done(run, node))
        if not stands or path in but or new.get(path) == run.spots[node.spot].node:
            continue
        seen = "another one in the flow now" if path in new else "not in the flow any more"
        way = f"go back to it in the same breath: punchlist resume {run.id} --from {path} --rebase"
        if node.status in UNDER_WAY:
            way = f"end it first: punchlist cancel {run.id} {path}"
        hint = f"Put it back as it was, or {way}"
        yield Problem(path, f"the node is {node.status}, and {seen}", "what was done, as it was done", hint)


def _failed(turn: Turn) -> Iterator[NodePath]:
    """Yield what came to no good end, and what ran at the end of the flow: it has another end to come."""
    run = turn.run
    for path in run.nodes[ROOT].children:
        node = run.nodes[path]
        failed = node.status in FINAL_NODE and not counts_as_done(run, node)
        if failed or (node.kind == FINALLY and node.status is not NodeStatus.PENDING):
            yield path
