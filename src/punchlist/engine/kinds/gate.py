"""`gate`: asks a person; the decision is the node's output."""

from punchlist.engine.asking import ask, go_on
from punchlist.engine.progress import end
from punchlist.engine.scope import resolve, text_of
from punchlist.engine.turn import Decision, Here, Kind
from punchlist.model.flow import GateNode
from punchlist.model.json import Json
from punchlist.model.states import NodeStatus


def _begin(here: Here) -> None:
    node = here.defined(GateNode)
    message = text_of(here, node.message, what="the gate's message")
    ask(here, "flow", message=message, choices=node.choices, shows={"show": resolve(here, node.show)})


def _decided(here: Here, decision: Decision) -> None:
    go_on(here)
    output: Json = {"choice": decision.choice.name, "data": decision.data, "by": decision.by}
    end(here, NodeStatus.SUCCEEDED, output=output)


GATE = Kind(begin=_begin, decided=_decided)
