"""Places over all runs: what a run starts beside the others, who comes next, and what is not looked through."""

from datetime import timedelta
from typing import Any

import pytest

from punchlist.engine import room as rooms
from punchlist.engine.decide import decide
from punchlist.engine.retry import stamp
from punchlist.engine.room import Room
from punchlist.engine.turn import Context
from punchlist.engine.wanted import wanted
from punchlist.errors import DefinitionError
from punchlist.model import commands as cmd
from punchlist.model.ids import AttemptId, RunId, StepId
from punchlist.model.jobs import FailureClass
from punchlist.model.places import AtWork, Limits, full, limits_of
from punchlist.model.policy import Policy
from punchlist.model.settings import parse_settings
from punchlist.model.state import RunState
from punchlist.model.states import AttemptStatus
from punchlist.render.why import why
from punchlist.runtime.places import Places
from tests.runs import ANN, Story, deliver, flow_of, replace, step

AGENT = "agent: coder, prompt: Do it."
OTHER = "agent: critic, prompt: Look."
SHELL = "run: make"
MANY = Policy(max_parallel=10)


def story(*nodes: str, room: Room | None = None, policy: Policy = MANY) -> Story:
    """Return a run that began with these nodes, none of which needs another, in this room."""
    text = ", ".join(f"n{count}: {{needs: [], {node}}}" for count, node in enumerate(nodes))
    made = Story(flow_of(f"nodes: {{{text}}}"))
    made.room = room or Room()
    return made.start(policy=policy)


def live(made: Story) -> list[str]:
    return sorted(made.run.live.values())


def at_work(name: str, *nodes: str, **changes: Any) -> RunState:
    """Return a run of this name whose nodes are queued or at work."""
    return replace(story(*nodes, room=changes.pop("room", None)).run, id=RunId(name), **changes)


def test_without_a_limit_the_run_fills_its_own_slots() -> None:
    assert live(story(AGENT, AGENT, SHELL)) == ["n0", "n1", "n2"]


def test_a_run_starts_no_more_than_the_workspace_has_places_for() -> None:
    made = story(AGENT, AGENT, SHELL, room=Room(places=2))

    assert live(made) == ["n0", "n1"]
    made.over(made.attempt_at("n0").id, result={"said": "yes"})
    assert live(made) == ["n1", "n2"]


def test_what_has_no_place_with_its_worker_lets_others_pass_and_stays_queued() -> None:
    made = story(AGENT, AGENT, OTHER, SHELL, room=Room(workers={"coder": 1}))

    assert live(made) == ["n0", "n2", "n3"]
    (left,) = made.run.queue.entries.values()
    assert made.run.attempts[left].status is AttemptStatus.QUEUED
    made.over(made.attempt_at("n2").id, result={"said": "yes"})
    assert "n1" not in live(made)
    made.over(made.attempt_at("n0").id, result={"said": "yes"})
    assert "n1" in live(made)


def test_less_room_than_is_taken_starts_nothing_and_ends_nothing() -> None:
    made = story(AGENT, AGENT, AGENT, policy=Policy(max_parallel=2))
    made.room = Room(places=1, workers={"coder": 0})

    assert made.tell(cmd.TimePassed(run=made.id)) == ()
    assert live(made) == ["n0", "n1"]


def test_what_is_due_and_has_no_room_arms_no_timer_and_starts_first_when_there_is_room() -> None:
    made = story("agent: coder, prompt: x, retry: {max: 1, backoff: {first: 1m, most: 1m}}", AGENT, AGENT)
    made.room = Room(workers={"coder": 2})
    first = made.attempt_at("n0").id
    made.over(first, status=AttemptStatus.FAILED, failure=FailureClass.WORKER, reason="no")
    assert made.wanted.wake_at == next(iter(made.run.parked.values()))

    made.wait(timedelta(hours=1))

    assert "n0" not in live(made)
    assert wanted(made.state, (), decided_at=stamp(made.now)).wake_at is None
    assert wanted(made.state, ()).wake_at is not None
    made.over(made.attempt_at("n1").id, result={"said": "yes"})
    assert live(made) == ["n0", "n2"]


@pytest.mark.parametrize("room", [Room(), Room(places=3), Room(workers={"critic": 1}), Room(workers={"coder": 0})])
def test_a_queue_of_one_worker_is_never_looked_through(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_queue: object) -> list[AttemptId]:
        raise AssertionError("the queue is looked through")

    made = story(*[AGENT] * 5, room=Room(places=0))
    monkeypatch.setattr(rooms, "in_order", refuse)
    context = Context(at=stamp(made.now), actor=ANN, allocate=lambda _: 99, room=room)

    started = decide(made.state, cmd.TimePassed(run=made.id), context).events

    assert len(started) == (0 if "coder" in room.workers else room.places or 5)


def test_past_a_worker_at_its_limit_the_oldest_comes_first_whoever_does_it() -> None:
    made = story(AGENT, AGENT, SHELL, OTHER, SHELL, room=Room(places=0))

    for count, expected in enumerate((["n2"], ["n2", "n3"], ["n2", "n3", "n4"], ["n2", "n3", "n4"]), start=1):
        made.room = Room(places=count, workers={"coder": 0})
        made.wait(timedelta())
        assert live(made) == expected


def test_the_room_of_a_run_is_what_the_others_leave() -> None:
    limits = Limits(workspace=5, workers={"coder": 3})
    first, second = at_work("R1", AGENT, SHELL), at_work("R2", AGENT, OTHER)

    places = Places(limits, (first, second))

    assert places.beside(RunId("R1")) == Room(places=3, workers={"coder": 2})
    assert places.beside(RunId("R9")) == Room(places=1, workers={"coder": 1})
    places.put(replace(second, status="succeeded"))
    assert places.beside(RunId("R1")) == Room(places=5, workers={"coder": 3})


def test_without_limits_there_is_room_for_everything() -> None:
    places = Places(Limits(), (at_work("R1", AGENT),))
    places.put(at_work("R2", AGENT, room=Room(places=0)))

    assert places.beside(RunId("R2")) == Room()
    assert places.next("2026-12") is None


def test_who_has_waited_longest_is_next_and_alone_it_gets_all_that_is_left() -> None:
    late, early = at_work("R1", AGENT, AGENT, room=Room(places=0)), at_work("R2", AGENT, AGENT, room=Room(places=0))
    since = {name: replace(each, queued_at="2026-11-20") for name, each in early.attempts.items()}
    early = replace(early, attempts=early.attempts.update(since))
    places = Places(Limits(workspace=2), (late, early))

    assert places.beside(RunId("R1")) == rooms.NONE
    assert places.next("2026-12") == (RunId("R2"), Room(places=1))
    places.pass_over(RunId("R2"))
    assert places.next("2026-12") == (RunId("R1"), Room(places=2))


def test_nobody_is_next_while_no_limit_leaves_a_place_or_who_waits_is_held() -> None:
    busy, waits = at_work("R1", AGENT), at_work("R2", AGENT, room=Room(places=0))

    assert Places(Limits(workspace=1), (busy, waits)).next("2026-12") is None
    assert Places(Limits(workers={"coder": 1}), (busy, waits)).next("2026-12") is None
    assert Places(Limits(workspace=2), (busy, replace(waits, paused=True))).next("2026-12") is None
    assert Places(Limits(workspace=2), (busy, waits)).next("2026-12") == (RunId("R2"), Room(places=1))


def test_limits_are_those_that_the_settings_say_and_words_name_the_one_in_the_way() -> None:
    said: Any = {"engine": {"max_parallel": 3}, "workers": {"claude": {"max_parallel": 2}, "heuristic": {}}}
    limits = limits_of(parse_settings(said))

    assert limits == Limits(workspace=3, workers={"claude": 2})
    assert full(limits, "claude", now=AtWork(all=2, workers={"claude": 2})) == "worker claude has 2 of 2 at work"
    assert full(limits, "claude", now=AtWork(all=3, workers={})) == "the workspace has 3 of 3 at work"
    assert full(limits, None, now=AtWork(all=2, workers={"claude": 2})) == ""
    assert not limits_of(parse_settings({}))


@pytest.mark.parametrize("said", [0, 1001, "two", 1.5])
def test_a_limit_is_a_whole_number_from_one_on(said: Any) -> None:
    places: list[Any] = [{"engine": {"max_parallel": said}}, {"workers": {"claude": {"max_parallel": said}}}]
    for settings in places:
        with pytest.raises(DefinitionError, match="max_parallel"):
            parse_settings(settings)


def test_a_step_says_which_limit_leaves_its_attempt_no_place() -> None:
    made = deliver(step(1))
    attempts = [replace(each, status=AttemptStatus.QUEUED) for each in made.run.attempts.values()]

    told: Any = why(made.task, StepId("T1.1"), attempts=attempts, place=lambda _: "worker coder has 2 of 2 at work")

    what = "A1 (builder coder), which waits for a place: worker coder has 2 of 2 at work"
    assert told["waits_for"] == {"what": what, "command": "punchlist events R1 -f"}
