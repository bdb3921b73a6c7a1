"""Bugs to plant into what is shipped, each as somebody might write it; the simulation has to find all of them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from punchlist.engine import (
    decide as deciding,
    fold_attempts,
    fold_run,
    fold_task,
    going_back,
    judging,
    limits,
    progress,
    retry,
    steering,
    turn as turning,
    wanted as wanting,
)
from punchlist.engine.kinds import integrate, repeat
from punchlist.engine.room import Room
from punchlist.engine.turn import Turn
from punchlist.model import commands as cmd, events as ev
from punchlist.model.flow import Retry
from punchlist.model.ids import AttemptId, Tree
from punchlist.model.state import RunState, State
from punchlist.model.states import AttemptStatus
from punchlist.runtime import loading
from punchlist.runtime.places import Places
from tests.runs import replace

Plant = Callable[[pytest.MonkeyPatch], None]


def a_lost_wake_up(patch: pytest.MonkeyPatch) -> None:
    """Who resumes a run sets the flag, and nobody looks for what waits."""
    fill = deciding._fill_slots

    def filled(turn: Turn) -> None:
        if not any(isinstance(each.fact, ev.RunPaused) for each in turn.events):
            fill(turn)

    patch.setattr(deciding, "_fill_slots", filled)


def a_double_start(patch: pytest.MonkeyPatch) -> None:
    """All that runs is wanted after each event, not what was started by it."""
    shipped = wanting.wanted

    def wanted(state: State, changed: Iterable[AttemptId]) -> wanting.Wanted:
        live = state.run.live if state.run is not None else ()
        return shipped(state, [*changed, *live])

    patch.setattr(wanting, "wanted", wanted)


def dependents_of_a_failed_node_left_pending(patch: pytest.MonkeyPatch) -> None:
    """A failed need tells nobody."""
    patch.setattr(progress, "unreach", lambda here, needed: None)


def a_decision_that_releases_two_gates(patch: pytest.MonkeyPatch) -> None:
    """A decision is given to every open gate of its kind."""

    def decide_all(turn: Turn, command: cmd.Decide) -> None:
        kind = turn.run.gates[command.gate].kind if command.gate in turn.run.gates else ""
        others = [each for each in sorted(turn.run.open_gates) if turn.run.gates[each].kind == kind]
        steering.decide_gate(turn, command)
        for gate in others:
            if gate in turn.run.open_gates and gate != command.gate:
                steering.decide_gate(turn, replace(command, gate=gate, shows=None))

    patch.setitem(deciding._APPLY, cmd.Decide, decide_all)


def a_dropped_policy_key_retries(patch: pytest.MonkeyPatch) -> None:
    """Every node is tried again as often as by default."""
    patch.setattr(retry, "_retries", lambda here: Retry(max=2))


def a_dropped_policy_key_silence(patch: pytest.MonkeyPatch) -> None:
    """An agent may say nothing for as long as it runs."""
    shipped = limits.limits_of

    def limited(place: Any, *, policy: Mapping[str, str]) -> Any:
        return shipped(place, policy={name: value for name, value in policy.items() if name != "silence"})

    for module in ("agent", "review"):
        patch.setattr(f"punchlist.engine.kinds.{module}.limits_of", limited)


def a_dropped_option_pause_now(patch: pytest.MonkeyPatch) -> None:
    """`pause --now` lets what runs go on."""
    patch.setitem(deciding._APPLY, cmd.Pause, lambda turn, asked: steering.pause(turn, replace(asked, now=False)))


def a_dropped_option_shows(patch: pytest.MonkeyPatch) -> None:
    """A decision on what the gate does not show is taken."""

    def decide(turn: Turn, command: cmd.Decide) -> None:
        steering.decide_gate(turn, replace(command, shows=None))

    patch.setitem(deciding._APPLY, cmd.Decide, decide)


def a_dropped_option_more_rounds(patch: pytest.MonkeyPatch) -> None:
    """`more` gives one round, whatever `n` says."""
    more = repeat._more
    effects = {effect: act for effect, act in repeat._EFFECTS.items() if act is more}
    for effect in effects:
        patch.setitem(
            repeat._EFFECTS,
            effect,
            lambda here, decision: more(here, replace(decision, data={**decision.data, "n": 1})),
        )


def a_way_back_that_asks_nobody(patch: pytest.MonkeyPatch) -> None:
    """Going back does not say first what it invalidates."""
    patch.setattr(going_back, "lost", lambda run, undone, named: [])


def retry_loops_nested(patch: pytest.MonkeyPatch) -> None:
    """What is tried again as often as allowed is tried again as often as allowed."""
    shipped = retry._retries

    def squared(here: Any) -> Retry:
        rule = shipped(here)
        return Retry(max=(rule.max + 1) ** 2 - 1, first=rule.first, factor=rule.factor, most=rule.most)

    patch.setattr(retry, "_retries", squared)


def a_finished_attempt_started_again_after_a_crash(patch: pytest.MonkeyPatch) -> None:
    """State that is loaded has the attempt that ended last as running."""
    shipped = loading.load_run

    def load_run(reader: Any, run: Any) -> State:
        state = shipped(reader, run)
        assert state.run is not None
        ended = [each for each in state.run.attempts.values() if each.status is AttemptStatus.SUCCEEDED]
        if not ended or state.run.ended_at:
            return state
        last = max(ended, key=lambda each: each.ended_at)
        again = replace(last, status=AttemptStatus.RUNNING, outcome=None)
        live = state.run.live.set(last.id, last.node)
        return replace(state, run=replace(state.run, live=live, attempts=state.run.attempts.set(last.id, again)))

    patch.setattr(loading, "load_run", load_run)


def an_outcome_of_an_ended_attempt_that_changes_state(patch: pytest.MonkeyPatch) -> None:
    """The last outcome that is heard of is the one that counts."""

    def heard(run: RunState, event: ev.Event) -> RunState:
        assert isinstance(event.fact, ev.OutcomeIgnored)
        known = run.attempts.get(event.fact.outcome.attempt)
        if known is None:
            return run
        late = replace(known, outcome=event.fact.outcome, status=event.fact.outcome.status)
        return replace(run, attempts=run.attempts.set(known.id, late))

    patch.setitem(fold_run._FOLDS, ev.OutcomeIgnored, heard)


def an_event_folded_twice(patch: pytest.MonkeyPatch) -> None:
    """What is decided on is folded once when it is emitted, and a message to a step once more."""
    shipped = turning.fold

    def fold(state: State, event: ev.Event) -> State:
        state = shipped(state, event)
        return shipped(state, event) if isinstance(event.fact, ev.ReworkAsked) else state

    patch.setattr(turning, "fold", fold)


def an_event_folded_twice_when_it_is_loaded(patch: pytest.MonkeyPatch) -> None:
    """The last attempt that was queued stands in line twice after a restart."""
    shipped = loading._folded

    def folded(reader: Any, state: State, *, stream: Any) -> State:
        state = shipped(reader, state, stream=stream)
        if state.run is None or not state.run.attempts:
            return state
        last = max(state.run.attempts, key=lambda name: int(name[1:]))
        queue = state.run.queue
        twice = replace(queue, entries=queue.entries.set(queue.last, last), last=queue.last + 1)
        return replace(state, run=replace(state.run, queue=twice))

    patch.setattr(loading, "_folded", folded)


def a_timer_that_is_never_armed_again(patch: pytest.MonkeyPatch) -> None:
    """A timer is set while nothing runs, and whatever runs takes it away."""
    shipped = wanting._wake_at
    patch.setattr(wanting, "_wake_at", lambda run, at: None if run.live else shipped(run, at))


def max_parallel_passed_by_one(patch: pytest.MonkeyPatch) -> None:
    """Off by one."""
    fill = deciding._fill_slots

    def filled(turn: Turn) -> None:
        fill(turn)
        one = next(iter(turn.run.queue.entries.values()), None)
        busy = len(turn.run.live) == turn.run.policy.max_parallel
        if one is not None and busy and not (turn.run.paused or turn.run.cancelling):
            turn.emit(ev.AttemptStarted(attempt=one), actor="engine")

    patch.setattr(deciding, "_fill_slots", filled)


def places_of_other_runs_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Each run is told of the whole workspace's places as if it were alone."""

    def left(places: Any, run: Any) -> Room:
        return Room(places=places._limits.workspace, workers=places._limits.workers)

    patch.setattr(Places, "_left", left)


def a_place_that_nobody_is_offered(patch: pytest.MonkeyPatch) -> None:
    """Whose attempt ended goes on, and nobody looks at the runs that wait for its place."""
    patch.setattr(Places, "next", lambda _places, _at: None)


def a_waiver_that_outlives_what_it_was_given_for(patch: pytest.MonkeyPatch) -> None:
    """What was waived once is waived, whatever the criterion says by now."""
    for module in (judging, fold_task):
        patch.setattr(module, "in_force", lambda waivers, subject: tuple(waivers))


def accepted_without_a_verdict(patch: pytest.MonkeyPatch) -> None:
    """A merged tree is taken for as good as the one that was judged."""

    def plan(here: Any) -> None:
        verdict = integrate._judged(here).verdict
        integrate._plan(here, replace(verdict, tree=Tree(integrate._merged_tree(here))))

    patch.setattr(integrate, "_check_merged", plan)


def a_slot_that_is_never_given_back(patch: pytest.MonkeyPatch) -> None:
    """What is lost keeps its place among what runs."""
    shipped = fold_attempts.ended

    def ended(run: RunState, event: ev.Event) -> RunState:
        assert isinstance(event.fact, ev.AttemptEnded)
        name = event.fact.outcome.attempt
        after = shipped(run, event)
        kept = event.fact.outcome.status is AttemptStatus.LOST and name in run.live
        return replace(after, live=after.live.set(name, run.live[name])) if kept else after

    patch.setitem(fold_run._FOLDS, ev.AttemptEnded, ended)


BUGS: tuple[Plant, ...] = (
    a_lost_wake_up,
    a_double_start,
    dependents_of_a_failed_node_left_pending,
    a_decision_that_releases_two_gates,
    a_dropped_policy_key_retries,
    a_dropped_policy_key_silence,
    a_dropped_option_pause_now,
    a_dropped_option_shows,
    a_dropped_option_more_rounds,
    a_way_back_that_asks_nobody,
    retry_loops_nested,
    a_finished_attempt_started_again_after_a_crash,
    an_outcome_of_an_ended_attempt_that_changes_state,
    an_event_folded_twice,
    an_event_folded_twice_when_it_is_loaded,
    a_timer_that_is_never_armed_again,
    max_parallel_passed_by_one,
    places_of_other_runs_forgotten,
    a_place_that_nobody_is_offered,
    a_waiver_that_outlives_what_it_was_given_for,
    accepted_without_a_verdict,
    a_slot_that_is_never_given_back,
)
