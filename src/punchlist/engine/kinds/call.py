"""`call`: another flow, as a group of its own with its own inputs; only its declared outputs come back."""

import msgspec

from punchlist.engine.kinds import groups
from punchlist.engine.scope import resolve
from punchlist.engine.turn import Here, Kind
from punchlist.errors import DefinitionError
from punchlist.model import events as ev
from punchlist.model.flow import CallNode
from punchlist.model.json import Json


def _begin(here: Here) -> None:
    flow = here.defined(CallNode).flow
    given = {name: resolve(here, value) for name, value in here.defined(CallNode).with_.items()}
    inputs: dict[str, Json] = {}
    for name, declared in flow.inputs.items():
        if name in given:
            inputs[name] = given[name]
        elif declared.default is msgspec.UNSET:
            raise DefinitionError(f"the called flow {flow.flow} needs the input {name!r}", where=here.path)
        else:
            inputs[name] = declared.default
    here.emit(ev.CallEntered(node=here.path, inputs=inputs))
    groups.begin(here)


CALL = Kind(begin=_begin, child_over=groups.child_over)
