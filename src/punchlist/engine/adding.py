"""Adding nodes to a run, and putting others in the place of those that came to no good end, or not to any yet."""

from collections.abc import Sequence

from punchlist.engine.finish import FINALLY, is_ending
from punchlist.engine.fold_nodes import ROOT, child_path, counts_as_done, descendants
from punchlist.engine.fold_put import UNDER_WAY
from punchlist.engine.going_back import go_on_from, refuse_unless_possible
from punchlist.engine.progress import clear, start
from punchlist.engine.resetting import leave_unreached, take_back
from punchlist.engine.turn import Turn
from punchlist.engine.undone import again
from punchlist.errors import DefinitionError, Problem, RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.flow import AnyNode, Flow, given_names
from punchlist.model.ids import NodePath
from punchlist.model.states import FINAL_NODE, NodeStatus


def add_nodes(turn: Turn, command: cmd.AddNodes) -> None:
    """Add nodes to the first level of a run's flow; with `replace` in the place of those of the same name.

    What is replaced while it is at work is ended by that. A run that came to no good end goes on where something of it
    is replaced. Raises DefinitionError with all that is wrong with them, RefusedError where the run, or a node, is past
    changing.
    """
    from punchlist.flow.addition import parse_addition  # the checker of flows; most engines never need it

    _refuse(turn, replace=command.replace)
    nodes = parse_addition(
        command.text, source=command.source, flow=turn.run.definition, read=command.files.__getitem__
    )
    refuse_ungiven(turn, Flow(flow="", nodes=tuple(nodes)), source=command.source)
    there = [child_path(ROOT, node.id) for node in nodes if child_path(ROOT, node.id) in turn.run.nodes]
    _refuse_replaced(turn, there, replace=command.replace, source=command.source)
    begun = [path for path in there if turn.run.nodes[path].status in FINAL_NODE | UNDER_WAY]
    was_over = turn.run.status in FINAL_NODE
    if was_over:
        _refuse_as_over(turn, begun)
    with turn.asked():
        for path in begun:
            clear(turn.at(path), reason="replaced")
    turn.emit(ev.NodesAdded(nodes=nodes))
    if was_over:
        go_on_from(turn, again(turn.run, begun), reason="replaced")
    elif begun:
        take_back(turn.at(ROOT), again(turn.run, begun), reason="replaced")
    begin(turn, nodes)


def _refuse(turn: Turn, *, replace: bool) -> None:
    refuse_approved(turn)
    if turn.run.status in FINAL_NODE:
        if not replace:
            _refuse_as_over(turn, ())
        refuse_unless_possible(turn)
    else:
        refuse_ending(turn)


def refuse_approved(turn: Turn) -> None:
    """Refuse to change the flow of a run that does what was approved."""
    run = turn.run
    if run.purpose != "flow":
        of = f"task {run.task}" if run.task else "a plan"
        raise RefusedError(
            f"run {run.id} is of {of}: its flow is part of what was approved",
            hint=f"Type: punchlist step add {run.task}" if run.task else "",
        )


def refuse_ending(turn: Turn) -> None:
    """Refuse to change a flow at whose end something is being done."""
    run = turn.run
    if is_ending(run):
        hint = "Put the nodes into its flow, and run that; or try it again when it is over."
        raise RefusedError(f"run {run.id} has come to its end, and `finally` runs", hint=hint)
    if run.cancelling:
        raise RefusedError(f"run {run.id} is being cancelled", hint="Type: punchlist status")


def _refuse_as_over(turn: Turn, replaced: Sequence[NodePath]) -> None:
    """Refuse to add to a run that is over, unless something of it that came to no good end is replaced."""
    run = turn.run
    beside = [run.nodes[each] for each in run.nodes[ROOT].children]
    bad = [each.path for each in beside if each.kind != FINALLY and not counts_as_done(run, each)]
    if bad and replaced:
        return
    other = "put them into its flow, and run that."
    hint = (
        f"With --replace and a node called {' or '.join(bad)} it goes on; else {other}" if bad else other.capitalize()
    )
    raise RefusedError(f"run {run.id} is over: {run.status}", hint=hint)


def refuse_ungiven(turn: Turn, flow: Flow, *, source: str = "") -> None:
    """Refuse a flow that asks for more of the environment than the run was given when it was started."""
    asked, run = given_names(flow), turn.run
    missing = [name for name in asked.secrets if name not in run.secrets]
    missing += [name for name in asked.env if name not in run.env]
    if missing:
        raise DefinitionError(
            f"run {run.id} was not given {', '.join(missing)}: what a flow lists is taken when a run is started",
            where=source,
            hint="List it in the flow, and run that.",
        )


def _refuse_replaced(turn: Turn, there: Sequence[NodePath], *, replace: bool, source: str) -> None:
    """Refuse to touch nodes that are there, unless they are to be replaced and nothing was built on them yet.

    One at whose end something must run whatever happens is not ended by this, which would leave that out.
    """
    if there and not replace:
        names = ", ".join(there)
        hint = "Choose other names, or type it with --replace."
        raise DefinitionError(f"run {turn.run.id} has these nodes already: {names}", where=source, hint=hint)
    problems: list[Problem] = []
    for path in there:
        node = turn.run.nodes[path]
        if node.status in FINAL_NODE and counts_as_done(turn.run, node):
            hint = "What needs it went on from its output. Add a node under another name."
            problems.append(Problem(path, f"the node is over: {node.status}", "a node that came to no good end", hint))
        elif node.status in UNDER_WAY and _must_end_itself(turn, path):
            hint = f"Type: punchlist cancel {turn.run.id} {path}. Replace it when that is over."
            problems.append(Problem(path, "the node is at work, and has a `finally` that is to run", "", hint))
    if problems:
        what = "a node" if len(problems) == 1 else f"{len(problems)} nodes"
        raise RefusedError(f"run {turn.run.id} is past replacing {what}:", problems=problems)


def _must_end_itself(turn: Turn, path: NodePath) -> bool:
    below = [turn.run.nodes[each] for each in descendants(turn.run, path)]
    return any(each.kind == FINALLY and each.status not in FINAL_NODE for each in below)


def begin(turn: Turn, nodes: Sequence[AnyNode]) -> None:
    """Begin those of the nodes that wait for nothing; end those that wait for what will never come."""
    for node in nodes:
        here = turn.at(child_path(ROOT, node.id))
        if here.node.status is not NodeStatus.PENDING:
            continue
        if here.node.missing == 0:
            turn.later(lambda here=here: start(here))  # type: ignore[misc]
        else:
            leave_unreached(here)
