"""`gate`: asks a person; the decision is the node's output, and so is what is chosen when nobody decides in time."""

from collections.abc import Mapping

from punchlist.engine.asking import ask, go_on
from punchlist.engine.progress import end
from punchlist.engine.ringing import length_of, wait_for
from punchlist.engine.scope import resolve, text_of
from punchlist.engine.turn import Decision, Here, Kind
from punchlist.flow.outputs import filled
from punchlist.model import events as ev
from punchlist.model.flow import GateNode
from punchlist.model.json import Json
from punchlist.model.states import NodeStatus

NOBODY = "timeout"


def _begin(here: Here) -> None:
    node = here.defined(GateNode)
    message = text_of(here, node.message, what="the gate's message")
    most = None if node.timeout is None else length_of(here, node.timeout, what="the gate's timeout")
    ask(
        here,
        "flow",
        message=message,
        choices=node.choices,
        shows={"show": resolve(here, node.show)},
        form=node.form,
        approvers=node.approvers,
    )
    if most is not None:
        wait_for(here, most)


def _rang(here: Here) -> None:
    """Take what is to be chosen when nobody decided in time."""
    node = here.defined(GateNode)
    choice = node.on_timeout if node.on_timeout in node.choices else None
    for gate, path in sorted(here.run.open_gates.items()):
        if path == here.path:
            here.emit(ev.GateExpired(gate=gate, choice=choice))
    go_on(here)
    if choice is None:
        within = text_of(here, node.timeout, what="the gate's timeout")
        end(here, NodeStatus.FAILED, error=f"nobody decided within {within}")
    else:
        _end(here, choice, data={}, by=NOBODY)


def _decided(here: Here, decision: Decision) -> None:
    go_on(here)
    _end(here, decision.choice.name, data=decision.data, by=decision.by)


def _end(here: Here, choice: str, *, data: Mapping[str, Json], by: str) -> None:
    form = here.defined(GateNode).form
    given = dict(data) if form is None else filled(form, data)
    end(here, NodeStatus.SUCCEEDED, output={"choice": choice, "data": given, "by": by})


GATE = Kind(begin=_begin, rang=_rang, decided=_decided)
