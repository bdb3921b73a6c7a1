"""`set`: values computed by expression."""

from punchlist.engine.progress import end
from punchlist.engine.scope import resolve
from punchlist.engine.turn import Here, Kind
from punchlist.model.flow import SetNode
from punchlist.model.states import NodeStatus


def _begin(here: Here) -> None:
    end(here, NodeStatus.SUCCEEDED, output=resolve(here, dict(here.defined(SetNode).set)))


SET = Kind(begin=_begin)
