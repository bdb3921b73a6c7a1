"""Gates of runs: what each needs, and the command that decides it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.commands import Decide
from punchlist.model.gates import Choice, Effect, check_fields, choice_of
from punchlist.model.ids import GateId
from punchlist.model.states import GateStatus
from punchlist.render import shapes
from punchlist.service import inbox, lookup

if TYPE_CHECKING:
    from punchlist.model.ids import RunId
    from punchlist.model.json import Json
    from punchlist.model.rows import GateRow
    from punchlist.service.context import Answer, Service


def show(service: "Service", gate: str) -> "Answer":
    """Return one gate."""
    with service.store.read() as reader:
        return {"gate": shapes.gate(lookup.gate(reader, gate))}


def decide_in_run(
    service: "Service", row: "GateRow", *, run: "RunId", choice: str, message: str, data: "Mapping[str, Json]"
) -> "Answer":
    """Decide a gate of a run and return it; bound to what it shows now.

    A waiver of some of its findings leaves the gate open: `left` are the others.
    """
    from punchlist.engine.waiving import left_open

    gate = row.gate
    chosen = choice_of(gate.kind, choice, author_choices=gate.choices)
    given = _filled(chosen, message=message, data=data)
    if gate.form is None:  # what fits a form is for the engine to see, which has the schema at hand
        check_fields(chosen, given, example=gate.example)
    inbox.send(service, Decide(run=run, gate=GateId(gate.id), choice=choice, data=given, shows=gate.shows))
    answer = show(service, gate.id)
    if row.task is None or chosen.effect is not Effect.WAIVE:
        return answer
    with service.store.read() as reader:
        return {**answer, "left": [*left_open(lookup.task(reader, row.task), gate.step)]}


def refuse_closed(row: "GateRow") -> None:
    """Refuse what is to be done to a gate that is not open any more, saying who decided it."""
    gate = row.gate
    if gate.status is not GateStatus.OPEN:
        by = f" by {gate.by}: {gate.choice}" if gate.choice else ""
        raise RefusedError(f"gate {gate.id} is {gate.status} already{by}", where=gate.id, hint="Type: punchlist gates")


def _filled(choice: Choice, *, message: str, data: "Mapping[str, Json]") -> "dict[str, Json]":
    """Return the data of a decision with the message in its field."""
    given = dict(data)
    field = next((each.name for each in choice.fields if each.message), None)
    if message and field is not None:
        given.setdefault(field, message)
    elif message:
        raise DefinitionError(f"the choice {choice.name} takes no message", where="-m", hint="Leave out -m.")
    return given
