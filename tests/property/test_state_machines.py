"""The tables of states, over any walk: what is listed happens, every other move is refused and changes nothing."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st
from immutables import Map

from punchlist.engine.turn import fold
from punchlist.errors import RefusedError
from punchlist.model import events as ev
from punchlist.model.gates import GATES
from punchlist.model.ids import StepId, StreamId
from punchlist.model.state import State
from punchlist.model.states import (
    ATTEMPT_MOVES,
    FINAL_ATTEMPT,
    FINAL_NODE,
    FINAL_STEP,
    FINAL_TASK,
    GATE_MOVES,
    LIVE_STEP,
    NODE_MOVES,
    STEP_MOVES,
    TASK_MOVES,
    StepStatus,
    TaskStatus,
    check_move,
)
from tests.runs import step, task_of

TABLES: Mapping[str, Mapping[Any, frozenset[Any]]] = {
    "task": TASK_MOVES,
    "step": STEP_MOVES,
    "node": NODE_MOVES,
    "attempt": ATTEMPT_MOVES,
    "gate": GATE_MOVES,
}
REOPENED = {TaskStatus.READY, StepStatus.PENDING}


@pytest.mark.parametrize("name", TABLES)
def test_every_pair_of_states_is_either_listed_or_refused_with_what_is_allowed(name: str) -> None:
    table = TABLES[name]
    kind: Any = type(next(iter(table)))
    states = list(kind)
    assert set(table) == set(states)
    for now in states:
        for then in states:
            if then in table[now]:
                check_move(table, now, then, what="it")
            else:
                with pytest.raises(RefusedError) as refused:
                    check_move(table, now, then, what="it")
                allowed = ", ".join(sorted(table[now])) or "nothing: it is final"
                assert str(refused.value) == f"it is {now}: it cannot become {then}; from there: {allowed}"


def test_what_is_over_can_only_be_opened_again() -> None:
    ends: list[tuple[Mapping[Any, frozenset[Any]], frozenset[Any]]] = [
        (TASK_MOVES, FINAL_TASK),
        (STEP_MOVES, FINAL_STEP),
        (NODE_MOVES, FINAL_NODE),
        (ATTEMPT_MOVES, FINAL_ATTEMPT),
    ]
    for table, over in ends:
        for state in over:
            assert table[state] <= REOPENED
    assert set(StepStatus) == LIVE_STEP | FINAL_STEP | {StepStatus.PENDING}
    assert frozenset() == LIVE_STEP & FINAL_STEP


def drafted() -> State:
    state = State(heads=Map({"task": ev.Head(StreamId("t"))}))
    return told(state, ev.TaskCreated(task=task_of(step(1), step(2))))


def told(state: State, fact: ev.AnyFact) -> State:
    return fold(state, ev.seal(state.heads["task"], fact, at="2026-11-21T08:00:00.000000Z", actor="engine"))


@given(st.lists(st.tuples(st.sampled_from(["T1.1", "T1.2"]), st.sampled_from(StepStatus)), max_size=30))
def test_steps_walk_their_table_each_for_itself(walk: list[tuple[str, StepStatus]]) -> None:
    state = drafted()
    now = dict.fromkeys(["T1.1", "T1.2"], StepStatus.PENDING)
    for name, then in walk:
        fact = ev.StepMoved(step=StepId(name), status=then)
        if then in STEP_MOVES[now[name]]:
            state, now[name] = told(state, fact), then
        else:
            with pytest.raises(RefusedError):
                told(state, fact)
        assert state.task is not None
        assert {each.id: each.status for each in state.task.task.steps} == now


@given(st.lists(st.sampled_from(TaskStatus), max_size=30))
def test_a_task_walks_its_table(walk: list[TaskStatus]) -> None:
    state, now = drafted(), TaskStatus.DRAFT
    for then in walk:
        if then in TASK_MOVES[now]:
            state, now = told(state, ev.TaskMoved(status=then)), then
        else:
            with pytest.raises(RefusedError):
                told(state, ev.TaskMoved(status=then))
        assert state.task is not None
        assert state.task.task.status is now


def test_the_table_of_gates_names_each_choice_once_and_says_what_it_does() -> None:
    for kind, gate in GATES.items():
        names = [choice.name for choice in gate.choices]
        assert len(set(names)) == len(names), kind
        assert gate.opens_when
        assert all(choice.effect for choice in gate.choices)
