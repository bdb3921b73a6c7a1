"""Beginning nodes again in a live run, as a new generation; what they left stays in the record."""

from collections.abc import Sequence

from punchlist.engine.progress import clear, start
from punchlist.engine.turn import Here
from punchlist.model import events as ev
from punchlist.model.ids import NodePath


def judge_again(here: Here, *, reason: str) -> None:
    """Begin the last round of a repeat again at its first check node."""
    round_ = here.at(here.node.children[-1])
    children = round_.node.children
    first = next((n for n, child in enumerate(children) if here.at(child).node.kind == "check"), 0)
    reset(here, children[first:], reason=reason)


def reset(here: Here, paths: Sequence[NodePath], *, reason: str) -> None:
    """Begin nodes again as a new generation, and start those that wait for nothing."""
    nodes = [here.at(path) for path in paths]
    for each in nodes:
        clear(each, reason=reason)
    generation = 1 + max(each.node.generation for each in nodes)
    here.emit(ev.NodesReset(nodes=tuple(paths), generation=generation, reason=reason))
    for each in nodes:
        if each.node.missing == 0:
            here.turn.later(lambda each=each: start(each))  # type: ignore[misc]
