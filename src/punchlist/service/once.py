"""What tools ask of every change: made once for a key, and only to what is still at the version that was seen."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from punchlist.engine import document_moves as moves
from punchlist.errors import DefinitionError
from punchlist.model.ids import StepId, step_task
from punchlist.service import lookup, projects
from punchlist.service.repeating import Repeatable

if TYPE_CHECKING:
    from punchlist.service.context import Answer, Service


def once(service: "Service", call: Repeatable, *, act: "Callable[[], Answer]") -> "Answer":
    """Return what `act` returns, or the first answer that was given to the same `call`.

    For changes that are more than one transaction: what was done by a call that ended in between is done again by the
    next one, as far as state allows it.
    """
    if call.key is None:
        return act()
    with service.store.read() as reader:
        known = call.answered(reader)
    if isinstance(known, dict):
        return known
    answer = act()
    with service.store.write() as writer:
        call.keep(writer, answer)
    return answer


def check_version(service: "Service", target: str, *, expected: int | None) -> None:
    """Raise ConflictError when a task, that of a step, or a project is not at version `expected`; a run has none."""
    if expected is None:
        return
    kind = lookup.check_kind(target, "task", "step", "run", "project")
    if kind == "run":
        raise DefinitionError("a run has no version", where="expected_version", hint="Leave it out.")
    with service.store.read() as reader:
        if kind == "project":
            projects.check_version(lookup.project(reader, target), expected=expected)
        else:
            name = step_task(StepId(target)) if kind == "step" else target
            moves.check_version(lookup.task(reader, name).task, expected)
