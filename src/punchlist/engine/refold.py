"""The fold of a whole stream at once, as it is read after a crash: the states between its events are seen by nobody."""

from collections.abc import Iterable

import msgspec

from punchlist.engine import held_once
from punchlist.engine.fold_run import fold_run
from punchlist.engine.turn import fold
from punchlist.model import events as ev
from punchlist.model.json import Json
from punchlist.model.state import State

replace = msgspec.structs.replace


def refold(state: State, events: Iterable[ev.Event]) -> State:
    """Return the state after `events` of one stream: as `fold` of one after the other, but sooner and smaller."""
    following = iter(events)
    first = next(following, None)
    if first is None:
        return state
    state = fold(state, first)
    if isinstance(first.fact, ev.RunCreated):
        return _run(state, following, last=first)
    for event in following:
        state = fold(state, event)
    return state


def _run(state: State, events: Iterable[ev.Event], *, last: ev.Event) -> State:
    """Fold the rest of a run's stream: it may have a million events, each of which makes only the run anew."""
    run, answer = state.run, None
    for event in events:
        last, answer = _sharing(event, answer)
        run = fold_run(run, last)
    return replace(state, run=run, heads=state.heads.set("run", ev.head_after(last)))


def _sharing(event: ev.Event, answer: Json) -> tuple[ev.Event, Json]:
    """Return the event with the present `answer` where it says the same, and the answer from here on.

    What an attempt answered is said again by its node, and by what is around that; while they were decided it was one.
    """
    match event.fact:
        case ev.AttemptEnded(outcome=outcome) if outcome.result is not None:
            return event, held_once.answer(outcome.result)
        case ev.NodeEnded(output=output) as fact if output is not None and answer is not None:
            same = type(output) is type(answer) and output == answer
            return (replace(event, fact=replace(fact, output=answer)), answer) if same else (event, output)
        case _:
            return event, answer
