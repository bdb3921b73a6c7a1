"""Each law can be broken: a state, an event or a file made wrong by hand, and the law that says so."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from immutables import Map

from punchlist.engine.queues import push
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import AttemptId, Commit, Digest, FindingId, GateId, NodePath, StepId, StreamId, Tree
from punchlist.model.jobs import FailureClass, Outcome, Role
from punchlist.model.places import Limits
from punchlist.model.policy import Policy
from punchlist.model.state import NodeState, Queue, State, Timer
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus, TaskStatus
from punchlist.model.verdicts import Judged, Verdict, Waiver
from tests.runs import RUN, Story, deliver, flow_of, replace
from tests.simulation import command_laws, event_laws, laws, rest_laws, task_laws
from tests.simulation.engine import Engine, Taken
from tests.simulation.memory import Memory, Moment
from tests.simulation.script import Script
from tests.simulation.world import World

AT = "2026-11-21T09:00:00.000000Z"
A1, G1, ONE = AttemptId("A1"), GateId("G1"), StepId("T1.1")
BUILD = NodePath("steps[T1.1].rounds[0].build")
VERDICT = Verdict(
    result="pass",
    tree=Tree("t1"),
    commit=None,
    criteria=(),
    findings=(),
    reason_code="",
    next_action="",
    checks_digest=Digest(""),
)
Given = Callable[[], tuple[Any, ...]]


def built() -> State:
    """Return a task whose builder, A1, is at work."""
    return deliver(policy=Policy(retries=0)).state


def flow() -> State:
    """Return a flow whose first node runs, and whose second one waits for it."""
    return Story(flow_of("nodes: {a: {run: make}, b: {run: make}}")).start().state


def changed(state: State, **run: Any) -> State:
    assert state.run is not None
    return replace(state, run=replace(state.run, **run))


def with_node(state: State, path: str, **node: Any) -> State:
    assert state.run is not None
    name = NodePath(path)
    known: NodeState = state.run.nodes[name]
    return changed(state, nodes=state.run.nodes.set(name, replace(known, **node)))


def with_attempt(state: State, **attempt: Any) -> State:
    assert state.run is not None
    return changed(state, attempts=state.run.attempts.set(A1, replace(state.run.attempts[A1], **attempt)))


def with_task(state: State, **task: Any) -> State:
    assert state.task is not None
    return replace(state, task=replace(state.task, task=replace(state.task.task, **task)))


def sealed(fact: ev.AnyFact, actor: str = "engine") -> ev.Event:
    return ev.seal(ev.Head(StreamId("s")), fact, at=AT, actor=actor)


def moment(before: State, fact: ev.AnyFact, after: State | None = None, *, by: str = "engine") -> Moment:
    return Moment(before, sealed(fact, by), after if after is not None else before)


def of_task(fact: ev.AnyFact, after: State | None = None, *, by: str = "engine") -> tuple[Any, ev.Event, Any]:
    return built().task, sealed(fact, by), (after or built()).task


def taken(command: cmd.RunCommand, *facts: ev.AnyFact, before: State | None = None) -> Taken:
    state = before if before is not None else built()
    return Taken(state, command, "human:ann", after=state, events=tuple(map(sealed, facts)))


STARTED, ENDED = ev.AttemptStarted(attempt=A1), Outcome(attempt=A1, status=AttemptStatus.SUCCEEDED)
GIVEN = ev.VerdictGiven(step=ONE, r=0, s=0, verdict=VERDICT, node=NodePath("n"))
WAIVED = replace(VERDICT, criteria=(Judged(id="AC-1", verdict="waived", by=("human",)),))
IN = ev.StepIntegrated(step=ONE, commit=Commit("c1"), tree=Tree("t1"))


def failed_once() -> tuple[Moment, Memory]:
    """Return a failure that has used up the budget, to be seen once more."""
    failure = Outcome(attempt=A1, status=AttemptStatus.FAILED, failure=FailureClass.WORKER)
    seen = moment(built(), ev.AttemptEnded(outcome=failure), with_attempt(built(), outcome=failure, status="failed"))
    memory = Memory()
    event_laws.each_class_of_failure_has_its_own_budget(seen, memory)
    return seen, memory


def remembering(**known: Any) -> Memory:
    memory = Memory()
    for name, value in known.items():
        getattr(memory, name).update(value)
    return memory


E, T, S, C = event_laws, task_laws, rest_laws, command_laws
A_WAIVER = Waiver(finding=FindingId("F1"), fingerprint="", criterion="AC-1", by="human:ann", reason="")  # type: ignore[arg-type]
OF_EVENTS: dict[Callable[..., None], Given] = {
    E.a_move_not_listed_is_refused: lambda: (
        moment(with_node(flow(), "a", status=NodeStatus.FAILED), ev.NodeStarted(node=NodePath("a")), flow()),
        Memory(),
    ),
    E.no_finished_attempt_ever_runs_again_and_no_live_one_is_started_twice: lambda: (
        (moment(built(), STARTED), remembering(started={A1}))
    ),
    E.paused_means_that_nothing_new_starts: lambda: (moment(changed(built(), paused=True), STARTED), Memory()),
    E.no_more_run_at_once_than_max_parallel: lambda: (
        moment(changed(built(), live=Map({AttemptId(f"A{n}"): BUILD for n in range(9)})), STARTED),
        Memory(),
    ),
    E.what_waits_for_its_time_is_not_started_before_it: lambda: (
        moment(with_attempt(built(), not_before="2026-12"), STARTED),
        Memory(),
    ),
    E.what_waits_for_a_time_goes_on_when_it_has_come_and_not_before: lambda: (
        moment(
            changed(flow(), timers=Map({NodePath("a"): Timer(at="2026-12", since=AT)})),
            ev.NodeEnded(node=NodePath("a"), status=NodeStatus.SUCCEEDED, output={"at": AT}),
        ),
        Memory(),
    ),
    E.a_late_outcome_is_kept_as_evidence_and_changes_nothing: lambda: (
        moment(with_attempt(built(), status="failed"), ev.OutcomeIgnored(outcome=ENDED), built()),
        Memory(),
    ),
    E.agents_never_declare_state_success_has_one_writer: lambda: (
        moment(built(), ev.AttemptEnded(outcome=ENDED), by="human:ann"),
        Memory(),
    ),
    E.policy_is_frozen_with_the_run: lambda: (
        moment(built(), STARTED),
        remembering(frozen={RUN: (Policy(rework=9), None)}),
    ),
    E.a_gate_is_decided_once: lambda: (moment(built(), ev.GateWithdrawn(gate=G1, reason="")), remembering(over={G1})),
    E.nothing_begins_before_what_it_needs_came_to_a_good_end: lambda: (
        (moment(flow(), ev.NodeStarted(node=NodePath("b"))), Memory())
    ),
    E.each_class_of_failure_has_its_own_budget: failed_once,
    E.s_counts_the_builders_attempts_within_r: lambda: (
        moment(built(), ev.AttemptQueued(attempt=A1, node=BUILD, role=Role.BUILDER, step=ONE, s=3)),
        Memory(),
    ),
}
OF_TASKS: dict[Callable[..., None], Given] = {
    T.a_move_of_a_task_or_step_not_listed_is_refused: lambda: (
        *of_task(ev.TaskPaused(paused=True), with_task(built(), status=TaskStatus.READY)),
        Memory(),
    ),
    T.success_of_a_task_has_one_writer: lambda: (*of_task(GIVEN, by="human:ann"), Memory()),
    T.accepted_means_a_passing_verdict_on_the_very_tree: lambda: (
        *of_task(IN),
        remembering(passing={(ONE, 0): {Tree("t2")}}),
    ),
    T.a_verdict_that_passes_covers_every_criterion: lambda: (*of_task(GIVEN), Memory()),
    T.a_step_is_closed_once_per_revision: lambda: (
        *of_task(ev.StepClosed(step=ONE, r=0, status=StepStatus.FAILED, attempts=1)),
        remembering(closed={(ONE, 0): 1}),
    ),
    T.what_a_person_asked_for_is_not_passed_over: lambda: (*of_task(IN), remembering(owed={ONE: "do it well"})),
    T.a_waiver_holds_for_what_it_was_given_and_no_longer: lambda: (
        *of_task(replace(GIVEN, verdict=WAIVED)),
        remembering(waived={ONE: [(A_WAIVER, ["another goal"])]}),
    ),
    T.what_is_frozen_is_not_edited: lambda: (
        *of_task(ev.TaskEdited(task=deliver().task.task, what="")),
        Memory(),
    ),
}
OF_STATES: dict[Callable[..., None], Given] = {
    S.every_wait_has_a_registered_waker: lambda: (changed(flow(), live=Map()),),
    S.a_failed_or_cancelled_need_reaches_every_dependent_at_once: lambda: (
        (with_node(flow(), "a", status=NodeStatus.FAILED),)
    ),
    S.a_group_is_over_when_all_in_it_is: lambda: (with_node(flow(), "", remaining=1),),
    S.a_step_that_is_over_has_its_closing_record: lambda: (
        with_task(built(), steps=(replace(deliver().task.task.steps[0], status=StepStatus.FAILED),)),
    ),
    S.a_task_shows_whether_anything_can_happen_to_it: lambda: (with_task(built(), status=TaskStatus.WAITING),),
}
OF_COMMANDS: dict[Callable[..., None], Given] = {
    C.every_option_given_takes_effect_or_is_refused: lambda: (taken(cmd.Pause(run=RUN)), built()),
    C.a_decision_applies_to_the_gate_it_names_and_to_that_alone: lambda: (
        (
            taken(cmd.Decide(run=RUN, gate=G1, choice="more"), ev.GateDecided(gate=GateId("G2"), choice="more")),
            built(),
        )
    ),
    C.going_back_invalidates_what_was_built_on_it_and_says_so_before: lambda: (
        (taken(cmd.Resume(run=RUN, start_from=NodePath("a")), before=flow()), flow())
    ),
}
CASES = OF_EVENTS | OF_TASKS | OF_STATES | OF_COMMANDS


@pytest.mark.parametrize("law", CASES, ids=lambda law: law.__name__)
def test_this_law_can_be_broken(law: Callable[..., None]) -> None:
    with pytest.raises(AssertionError):
        law(*CASES[law]())


def test_every_law_has_a_state_that_breaks_it() -> None:
    known = {*event_laws.OF_EVENTS, *task_laws.OF_TASKS, *rest_laws.OF_STATES, *command_laws.OF_COMMANDS}

    assert known == set(CASES)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(Script(1, ()), tmp_path)


def test_an_engine_that_does_not_run_what_is_recorded_breaks_a_law(world: World) -> None:
    engine = Engine(world.around, 1, states={RUN: built()})

    with pytest.raises(AssertionError, match="recorded"):
        rest_laws.everything_the_engine_is_about_to_do_is_a_function_of_recorded_state(engine)


def test_a_timer_that_is_not_armed_breaks_a_law(world: World) -> None:
    waiting = changed(built(), live=Map(), parked=Map({A1: "2026-12-01"}))
    engine = Engine(world.around, 1, states={RUN: waiting})

    with pytest.raises(AssertionError, match="is woken at None"):
        rest_laws.every_timer_is_armed(engine)


def test_more_at_work_than_a_limit_allows_and_a_place_left_empty_break_laws(world: World) -> None:
    two = changed(with_attempt(built(), id="A2"), live=Map({A1: BUILD, AttemptId("A2"): BUILD}))
    assert two.run is not None
    two = changed(two, attempts=two.run.attempts.set(AttemptId("A2"), two.run.attempts[A1]))
    seen = taken(cmd.TimePassed(run=RUN), STARTED, before=two)
    idle = changed(built(), live=Map(), queue=push(Queue(), A1)[0])

    for limits, said in ((Limits(workspace=1), "2 are at work"), (Limits(workers={"coder": 1}), "2 of coder")):
        with pytest.raises(AssertionError, match=said):
            rest_laws.no_more_start_than_the_limits_allow(seen, {RUN: two}, limits)
    with pytest.raises(AssertionError, match="there is room"):
        rest_laws.nothing_waits_while_there_is_room(Engine(world.around, 1, states={RUN: idle}))


def test_a_job_that_passes_over_a_rule_of_the_policy_breaks_a_law() -> None:
    story = deliver(policy=Policy(sandbox="auto"))

    with pytest.raises(AssertionError, match="sandbox none"):
        laws.every_rule_of_the_policy_is_in_the_job(story.state, replace(story.job(A1), sandbox="none"))


def test_a_state_that_was_remembered_and_not_recorded_breaks_a_law() -> None:
    with pytest.raises(AssertionError, match="another run"):
        laws.after_a_crash_state_is_recomputed_not_remembered(built(), changed(built(), paused=True))


def test_a_command_without_an_answer_and_a_row_that_is_not_there_break_laws(world: World) -> None:
    world.office.send(cmd.Pause(run=RUN), world.script.die("any"))

    with world.office.store.read() as reader:
        with pytest.raises(AssertionError, match="are not answered"):
            laws.every_command_is_answered_once(reader)
        with pytest.raises(AssertionError, match="are others in the file"):
            laws.what_queries_read_is_what_the_log_folds_to(reader, built())


def test_an_event_that_was_changed_in_the_file_breaks_a_law(world: World, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.db") as file:
        file.execute("update events set actor = 'human:eve' where kind = 'ProjectCreated'")

    with world.office.store.read() as reader, pytest.raises(AssertionError, match="the log is not sound"):
        laws.revision_check_event_and_state_change_are_one_transaction(reader)
