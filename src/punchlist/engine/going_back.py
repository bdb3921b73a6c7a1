"""Ways back in a run that delivers no task: what failed again, or from a node on. A task has its own, by its steps."""

from punchlist.engine.fold_nodes import ROOT
from punchlist.engine.resetting import take_back
from punchlist.engine.turn import Turn
from punchlist.engine.undone import Undone, bad_need, from_node, lost, what_failed
from punchlist.errors import RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import NodePath
from punchlist.model.state import NodeState
from punchlist.model.states import FINAL_NODE, NodeStatus

INVALIDATES = "invalidates"
_PLAIN = frozenset({"flow", "plan"})


def retry(turn: Turn, _command: cmd.Retry) -> None:
    """Do again what failed, was cancelled or was not reached; what succeeded stays."""
    run = turn.run
    refuse_unless_possible(turn)
    undone = what_failed(run)
    if not undone.nodes:
        failed = run.status is NodeStatus.FAILED
        what = f"every node of it succeeded: {run.error}" if failed else "nothing of it failed"
        raise RefusedError(
            f"run {run.id} is {run.status}, and {what}", hint=f"To go back: punchlist resume {run.id} --from NODE"
        )
    go_on_from(turn, undone, reason=f"{turn.context.actor} tried again what failed")


def go_back(turn: Turn, path: NodePath, *, agreed: bool) -> None:
    """Begin a node again with all that was built on it; refused with a list of that, unless it was agreed to."""
    go_on_from(turn, undone_from(turn, path, agreed=agreed), reason=f"{turn.context.actor} went back to {path}")


def undone_from(turn: Turn, path: NodePath, *, agreed: bool) -> Undone:
    """Return a node that begins again, with all that was built on it; refused with a list of that, unless agreed."""
    run = turn.run
    refuse_unless_possible(turn)
    _refuse_unless_begun(turn, path)
    undone = from_node(run, path)
    others = lost(run, undone, named=path)
    if others and not agreed:
        listed = ", ".join(f"{each.path} ({each.status})" for each in others)
        refused = RefusedError(
            f"going back to {path} also invalidates what was built on it: {listed}",
            where=f"{run.id} {path}",
            hint=f"If that is meant: punchlist resume {run.id} --from {path} --yes",
        )
        refused.code = INVALIDATES
        raise refused
    return undone


def go_on_from(turn: Turn, undone: Undone, *, reason: str) -> None:
    """Begin nodes again, in a run that may be over or paused."""
    take_back(turn.at(ROOT), undone, reason=reason)
    if turn.run.paused:
        turn.emit(ev.RunPaused(paused=False))


def refuse_unless_possible(turn: Turn) -> None:
    """Refuse a way back in a run of which something else decides, or that may make no more transitions."""
    run = turn.run
    if run.purpose == "deliver":
        raise RefusedError(
            f"run {run.id} delivers {run.task}, where going back is a matter of its steps",
            hint=f"Type: punchlist retry {run.task}, or punchlist step reopen {run.task}.1",
        )
    if run.purpose not in _PLAIN:
        raise RefusedError(
            f"run {run.id} proves {run.task}, and is made anew each time", hint=f"Type: punchlist task show {run.task}"
        )
    if run.transitions >= run.policy.max_transitions:
        raise RefusedError(
            f"run {run.id} has used up policy.max_transitions ({run.policy.max_transitions})",
            hint="Start it again: punchlist run FLOW --set policy.max_transitions=N",
        )


def _refuse_unless_begun(turn: Turn, path: NodePath) -> None:
    run = turn.run
    if path == ROOT or path not in run.nodes:
        raise RefusedError(f"run {run.id} has no node {path!r}", hint=f"Type: punchlist report {run.id}")
    node, needed = run.nodes[path], bad_need(run, path)
    if needed is not None:
        raise RefusedError(
            f"node {path} needs {needed.path}, which is {needed.status}",
            hint=f"Type: punchlist resume {run.id} --from {needed.path}, or punchlist retry {run.id}",
        )
    if _is_to_come(node):
        raise RefusedError(f"node {path} has not begun yet", hint=f"Type: punchlist report {run.id}")


def _is_to_come(node: NodeState) -> bool:
    return node.status not in FINAL_NODE and not node.started_at
