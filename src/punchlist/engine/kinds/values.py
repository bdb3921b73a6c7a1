"""`set`: values computed by expression."""

from punchlist.engine.progress import end
from punchlist.engine.scope import resolve
from punchlist.engine.turn import Kind, Turn
from punchlist.model.flow import SetNode
from punchlist.model.ids import NodePath
from punchlist.model.states import NodeStatus


def _begin(turn: Turn, path: NodePath) -> None:
    node = turn.definition(path)
    assert isinstance(node, SetNode)
    end(turn, path, NodeStatus.SUCCEEDED, output=resolve(turn.state, path, dict(node.set)))


SET = Kind(begin=_begin)
