"""Beginning nodes again in a run, as a new generation; what they left stays in the record."""

from collections.abc import Sequence

from punchlist.engine.fold_nodes import ROOT, counts_as_done, descendants
from punchlist.engine.progress import clear, start, take_up, unreach
from punchlist.engine.turn import Here
from punchlist.engine.undone import Undone
from punchlist.model import events as ev
from punchlist.model.ids import NodePath
from punchlist.model.states import FINAL_NODE


def judge_again(here: Here, *, reason: str) -> None:
    """Begin the last round of a repeat again at its first check node."""
    round_ = here.at(here.node.children[-1])
    children = round_.node.children
    first = next((n for n, child in enumerate(children) if here.at(child).node.kind == "check"), 0)
    reset(here, children[first:], reason=reason)


def reset(here: Here, paths: Sequence[NodePath], *, reason: str) -> None:
    """Begin nodes of a live group again as a new generation, and start those that wait for nothing."""
    _record(here, Undone(nodes=tuple(paths)), reason=reason)
    for each in [here.at(path) for path in paths]:
        if each.node.missing == 0:
            here.turn.later(lambda each=each: start(each))  # type: ignore[misc]


def take_back(here: Here, undone: Undone, *, reason: str) -> None:
    """Begin nodes again wherever they are, in a run that may be over; gates around them are moot."""
    around = {above.path for path in (*undone.nodes, *undone.dropped) for above in here.at(path).upward()}
    for gate, path in sorted(here.run.open_gates.items()):
        if path in around:
            here.emit(ev.GateWithdrawn(gate=gate, reason=reason))
    _record(here, undone, reason=reason)
    root = here.at(ROOT)
    here.turn.later(lambda: take_up(root))
    for path in undone.nodes:
        leave_unreached(here.at(path))


def _record(here: Here, undone: Undone, *, reason: str) -> None:
    gone = [here.at(path) for path in (*undone.nodes, *undone.dropped)]
    for each in gone:
        clear(each, reason=reason)
    every = [path for each in gone for path in (each.path, *descendants(here.run, each.path))]
    generation = 1 + max(here.run.nodes[path].generation for path in every)
    here.emit(ev.NodesReset(nodes=undone.nodes, generation=generation, reason=reason, dropped=undone.dropped))


def leave_unreached(here: Here) -> None:
    """End a node that begins again in vain: something else that it needs did not come to a good end, and stays so."""
    if here.node.missing == 0 or here.node.parent is None:
        return
    for path in here.at(here.node.parent).node.children:
        needed = here.at(path)
        bad = needed.node.status in FINAL_NODE and not counts_as_done(here.run, needed.node)
        if bad and here.path in needed.node.wanted_by:
            here.turn.later(lambda needed=needed: unreach(here, needed))  # type: ignore[misc]
            return
