"""`gate`: asks a person; the decision is the node's output."""

from punchlist.engine.progress import end, wait
from punchlist.engine.scope import resolve, step_at, text_of
from punchlist.engine.turn import Decision, Kind, Turn
from punchlist.model.flow import GateNode
from punchlist.model.ids import NodePath
from punchlist.model.json import Json
from punchlist.model.states import NodeStatus


def _begin(turn: Turn, path: NodePath) -> None:
    node = turn.definition(path)
    assert isinstance(node, GateNode)
    turn.open_gate(
        path,
        "flow",
        message=text_of(turn.state, path, node.message, what="the gate's message"),
        choices=node.choices,
        shows=resolve(turn.state, path, node.show),
        step=step_at(turn.state, path),
    )
    wait(turn, path)


def _decided(turn: Turn, path: NodePath, decision: Decision) -> None:
    output: dict[str, Json] = {"choice": decision.choice.name, "data": decision.data, "by": decision.by}
    end(turn, path, NodeStatus.SUCCEEDED, output=output)


GATE = Kind(begin=_begin, decided=_decided)
