"""The fact of an event, of the kind that its fold is registered for."""

from typing import TypeVar

from punchlist.model.events import Event, Fact

F = TypeVar("F", bound=Fact)


def fact_of(event: Event, kind: type[F]) -> F:
    """Return the event's fact, which is of this kind."""
    fact = event.fact
    assert isinstance(fact, kind)
    return fact
