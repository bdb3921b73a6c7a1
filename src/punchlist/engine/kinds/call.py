"""`call`: another flow, as a group of its own with its own inputs; only its declared outputs come back."""

from punchlist.engine.kinds import groups
from punchlist.engine.progress import begin_last
from punchlist.engine.scope import resolve
from punchlist.engine.turn import Here, Kind
from punchlist.flow.inputs import bind_inputs
from punchlist.model import events as ev
from punchlist.model.flow import CallNode


def _begin(here: Here) -> None:
    node = here.defined(CallNode)
    given = {name: resolve(here, value) for name, value in node.with_.items()}
    inputs = bind_inputs(node.flow.inputs, given, what=f"what {node.call} is given")
    here.emit(ev.CallEntered(node=here.path, inputs=inputs))
    groups.begin(here)


CALL = Kind(begin=_begin, child_over=groups.child_over, taken_up=begin_last)
