"""Adding nodes to a run that goes on, and putting others in the place of those that have come to nothing yet."""

from collections.abc import Sequence

from punchlist.engine.finish import is_ending
from punchlist.engine.fold_nodes import ROOT, child_path, counts_as_done
from punchlist.engine.fold_put import UNDER_WAY
from punchlist.engine.progress import start
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

    Raises DefinitionError with all that is wrong with them, RefusedError where the run, or a node, is past changing.
    """
    from punchlist.flow.addition import parse_addition  # the checker of flows; most engines never need it

    _refuse(turn)
    nodes = parse_addition(
        command.text, source=command.source, flow=turn.run.definition, read=command.files.__getitem__
    )
    _refuse_ungiven(turn, nodes, source=command.source)
    there = [child_path(ROOT, node.id) for node in nodes if child_path(ROOT, node.id) in turn.run.nodes]
    _refuse_replaced(turn, there, replace=command.replace, source=command.source)
    failed = [path for path in there if turn.run.nodes[path].status in FINAL_NODE]
    turn.emit(ev.NodesAdded(nodes=nodes))
    if failed:
        take_back(turn.at(ROOT), again(turn.run, failed), reason="replaced")
    _begin(turn, nodes)


def _refuse(turn: Turn) -> None:
    run = turn.run
    if run.status in FINAL_NODE:
        raise RefusedError(
            f"run {run.id} is over: {run.status}",
            hint="Only a run that goes on can be given more nodes: put them into its flow, and run that.",
        )
    if run.purpose != "flow":
        of = f"task {run.task}" if run.task else "a plan"
        raise RefusedError(
            f"run {run.id} is of {of}: its flow is part of what was approved",
            hint=f"Type: punchlist step add {run.task}" if run.task else "",
        )
    if is_ending(run):
        hint = "Put them into its flow, and run that; or try it again when it is over."
        raise RefusedError(f"run {run.id} has come to its end, and `finally` runs", hint=hint)
    if run.cancelling:
        raise RefusedError(f"run {run.id} is being cancelled", hint="Type: punchlist status")


def _refuse_ungiven(turn: Turn, nodes: Sequence[AnyNode], *, source: str) -> None:
    """Refuse nodes that ask for more of the environment than the run was given when it was started."""
    asked, run = given_names(Flow(flow="", nodes=tuple(nodes))), turn.run
    missing = [name for name in asked.secrets if name not in run.secrets]
    missing += [name for name in asked.env if name not in run.env]
    if missing:
        raise DefinitionError(
            f"run {run.id} was not given {', '.join(missing)}: what a flow lists is taken when a run is started",
            where=source,
            hint="List it in the flow, and run that.",
        )


def _refuse_replaced(turn: Turn, there: Sequence[NodePath], *, replace: bool, source: str) -> None:
    """Refuse to touch nodes that are there, unless they are to be replaced and nothing was built on them yet."""
    if there and not replace:
        names = ", ".join(there)
        hint = "Choose other names, or type it with --replace."
        raise DefinitionError(f"run {turn.run.id} has these nodes already: {names}", where=source, hint=hint)
    problems: list[Problem] = []
    for path in there:
        node = turn.run.nodes[path]
        if node.status in UNDER_WAY:
            hint = f"Type: punchlist cancel {turn.run.id} {path}, then replace it."
            problems.append(Problem(path, f"the node is {node.status}", "a node that is not at work", hint))
        elif node.status is not NodeStatus.PENDING and counts_as_done(turn.run, node):
            hint = "What needs it went on from its output. Add a node under another name."
            problems.append(Problem(path, f"the node is over: {node.status}", "a node that came to no good end", hint))
    if problems:
        what = "a node" if len(problems) == 1 else f"{len(problems)} nodes"
        raise RefusedError(f"run {turn.run.id} is past replacing {what}:", problems=problems)


def _begin(turn: Turn, nodes: Sequence[AnyNode]) -> None:
    """Begin those of the nodes that wait for nothing; end those that wait for what will never come."""
    for node in nodes:
        here = turn.at(child_path(ROOT, node.id))
        if here.node.status is not NodeStatus.PENDING:
            continue
        if here.node.missing == 0:
            turn.later(lambda here=here: start(here))  # type: ignore[misc]
        else:
            leave_unreached(here)
