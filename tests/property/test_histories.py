"""Laws of any history that a world can write: it folds to one state, survives JSON, and cannot be changed unseen."""

from hypothesis import given, settings, strategies as st
from immutables import Map

from punchlist.engine.refold import refold
from punchlist.engine.turn import fold
from punchlist.model import events as ev
from punchlist.model.state import State
from punchlist.store.chain import fact_from
from tests.runs import check_events, replace
from tests.simulation.told import ToldWorld

SEEDS = st.integers(10_000, 10_000_000)


def history(seed: int) -> ToldWorld:
    world = ToldWorld(seed)
    world.run(troubles=40)
    return world


@given(SEEDS)
@settings(max_examples=settings.default.max_examples // 10 if settings.default is not None else 10)
def test_the_fold_of_a_history_is_the_state_that_was_decided_at_each_of_its_beginnings(seed: int) -> None:
    world = history(seed)
    story = world.story
    check_events(story.events)
    state = State(heads=Map({name: ev.Head(stream) for name, stream in story.heads.items()}))
    for event in story.events:
        before = state
        state = fold(state, event)
        assert fold(before, event) == state

    assert state == story.state


@given(SEEDS)
@settings(max_examples=settings.default.max_examples // 10 if settings.default is not None else 10)
def test_streams_that_are_read_as_a_whole_lead_where_their_events_led_one_by_one(seed: int) -> None:
    story = history(seed).story
    state = State(heads=Map({name: ev.Head(stream) for name, stream in story.heads.items()}))

    for stream in story.heads.values():
        events = [event for event in story.events if event.stream == stream]
        read = [replace(event, fact=fact_from(event.kind, ev.text_of(event.fact))) for event in events]
        state = refold(state, read)

    assert state == story.state


@given(SEEDS, st.data())
@settings(max_examples=settings.default.max_examples // 10 if settings.default is not None else 10)
def test_a_history_with_one_event_changed_or_left_out_is_seen_by_its_chain(seed: int, data: st.DataObject) -> None:
    events = [event for event in history(seed).story.events if event.stream == "stream-t"]
    at = data.draw(st.integers(0, len(events) - 2))
    fact = ev.TaskPaused(paused=True)
    other = ev.seal(ev.Head(events[at].stream, at, events[at].prev), fact, at=events[at].at, actor="human:eve")

    assert events[at + 1].prev == events[at].hash
    assert other.hash != events[at].hash
    assert at == 0 or events[at + 1].prev != events[at - 1].hash
