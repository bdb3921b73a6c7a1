"""`call`: another flow, as a group of its own with its own inputs; only its declared outputs come back."""

import msgspec

from punchlist.engine.kinds import groups
from punchlist.engine.scope import resolve
from punchlist.engine.turn import Kind, Turn
from punchlist.errors import DefinitionError
from punchlist.model import events as ev
from punchlist.model.flow import CallNode
from punchlist.model.ids import NodePath
from punchlist.model.json import Json


def _begin(turn: Turn, path: NodePath) -> None:
    node = turn.definition(path)
    assert isinstance(node, CallNode)
    given = resolve(turn.state, path, dict(node.with_))
    assert isinstance(given, dict)
    turn.emit(ev.CallEntered(node=path, inputs=_complete(node, given, path)), actor="engine")
    groups.begin(turn, path)


def _complete(node: CallNode, given: dict[str, Json], path: NodePath) -> dict[str, Json]:
    inputs: dict[str, Json] = {}
    for name, declared in node.flow.inputs.items():
        if name in given:
            inputs[name] = given[name]
        elif declared.default is msgspec.UNSET:
            raise DefinitionError(f"the called flow {node.flow.flow} needs the input {name!r}", where=path)
        else:
            inputs[name] = declared.default
    return inputs


CALL = Kind(begin=_begin, child_over=groups.child_over)
