"""Gates at nodes: asking a person, waiting for the decision, going on after it."""

from collections.abc import Sequence

from punchlist.engine.progress import offer_place
from punchlist.engine.steps import enter_phase_again, move
from punchlist.engine.turn import Here
from punchlist.model import events as ev
from punchlist.model.gates import GATES
from punchlist.model.json import Json
from punchlist.model.states import NodeStatus, StepStatus


def ask(
    here: Here,
    kind: str,
    *,
    message: str,
    choices: Sequence[str] | None = None,
    shows: Json | None = None,
    example: str = "",
    form: dict[str, Json] | None = None,
    approvers: tuple[str, ...] = (),
) -> None:
    """Open a gate at a node, which waits for it, as does its step; `choices` are those that make sense here.

    `example` is a value that one of them may take here.
    """
    every = tuple(choice.name for choice in GATES[kind].choices)
    here.open_gate(
        kind,
        message=message,
        choices=every if choices is None else tuple(choices),
        shows={"node": here.path} if shows is None else shows,
        example=example,
        form=form,
        approvers=approvers,
    )
    wait(here)
    move(here, StepStatus.WAITING, reason=message)


def wait(here: Here) -> None:
    """Let a node wait for a decision."""
    here.emit(ev.NodeMoved(node=here.path, status=NodeStatus.WAITING))
    here.turn.at_last(lambda: offer_place(here))


def go_on(here: Here) -> None:
    """Let a node that waited go on, and bring its step back to what the node stands for."""
    here.emit(ev.NodeMoved(node=here.path, status=NodeStatus.RUNNING))
    enter_phase_again(here)
