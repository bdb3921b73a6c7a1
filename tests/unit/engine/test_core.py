"""The edges of the core: folds that refuse, queues, rows, what is wanted, what expressions may not name."""

from typing import Any, cast

import msgspec
import pytest

from punchlist.engine import queues
from punchlist.engine.fold_nodes import ROOT
from punchlist.engine.fold_project import fold_project
from punchlist.engine.fold_run import fold_run
from punchlist.engine.fold_task import fold_task
from punchlist.engine.place import Place
from punchlist.engine.refold import refold
from punchlist.engine.rows import rows_of
from punchlist.engine.scope import lookup
from punchlist.engine.turn import fold
from punchlist.engine.wanted import Wanted, wanted
from punchlist.errors import DefinitionError, RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.flow import Flow, JudgeNode
from punchlist.model.ids import AttemptId, GateId, NodePath, StepId, StreamId
from punchlist.model.jobs import Outcome, Role
from punchlist.model.json import decode, encode, plain
from punchlist.model.policy import Policy
from punchlist.model.state import Queue, State
from punchlist.model.states import AttemptStatus, NodeStatus, StepStatus, TaskStatus
from tests.runs import PROJECT, RUN, Story, checked, deliver, flow_of, replace, reviewed, step, task_of
from tests.unit.engine.test_integration import BUILT, OWN


def sealed(fact: ev.AnyFact) -> ev.Event:
    return ev.seal(ev.Head(StreamId("s")), fact, at="2026-11-21T08:00:00.000000Z", actor="engine")


def test_a_stream_that_does_not_begin_with_its_first_event_is_refused() -> None:
    with pytest.raises(ValueError, match="RunPaused before RunCreated in stream s"):
        fold_run(None, sealed(ev.RunPaused(paused=True)))
    with pytest.raises(ValueError, match="TaskPaused before TaskCreated in stream s"):
        fold_task(None, sealed(ev.TaskPaused(paused=True)))
    with pytest.raises(ValueError, match="ProjectEdited does not belong at 1 of the project's stream s"):
        fold_project(None, sealed(ev.ProjectEdited(project=PROJECT)))


def test_a_stream_without_events_leaves_the_state_as_it_is() -> None:
    state = deliver(step()).state

    assert refold(state, []) is state


def test_what_an_attempt_answered_is_held_once_when_its_run_is_read_again() -> None:
    story = Story(flow_of("nodes:\n  one: {run: 'true'}\n  two: {run: 'true'}\n")).start()
    for answer in ({"exit_code": 0, "stdout": "1"}, {"exit_code": 0, "stdout": "2"}):
        (attempt,) = story.run.live
        story.over(attempt, exit_code=0, result=answer)
    events = [event for event in story.events if event.stream == story.heads["run"]]
    read = [replace(event, fact=decode(encode(event.fact), type(event.fact))) for event in events]

    run = refold(State(), read).run

    assert run == story.run
    assert run is not None
    held = [run.attempts[node.attempts[-1]].outcome for node in run.nodes.values() if node.attempts]
    outputs = [node.output for node in run.nodes.values() if node.attempts]
    assert [each.result is output for each, output in zip(held, outputs, strict=True) if each] == [True, True]


def test_a_project_is_what_its_last_event_says() -> None:
    edited = replace(PROJECT, title="Acme 2")
    project = fold_project(None, sealed(ev.ProjectCreated(project=PROJECT)))

    assert fold_project(project, sealed(ev.ProjectEdited(project=edited))) == edited


@pytest.mark.parametrize(
    "fact",
    [
        ev.NodeStarted(node=NodePath("steps")),
        ev.NodeMoved(node=NodePath("steps[T1.1].before"), status=NodeStatus.RUNNING),
        ev.NodeEnded(node=NodePath("steps[T1.1].before"), status=NodeStatus.FAILED),
        ev.AttemptStarted(attempt=AttemptId("A1")),
        ev.AttemptEnded(outcome=Outcome(attempt=AttemptId("A1"), status=AttemptStatus.QUEUED)),
        ev.StepMoved(step=StepId("T1.1"), status=StepStatus.ACCEPTED),
        ev.TaskMoved(status=TaskStatus.READY),
    ],
)
def test_a_move_that_the_tables_do_not_list_is_refused_by_the_fold(fact: ev.AnyFact) -> None:
    with pytest.raises(RefusedError, match="it cannot become"):
        fold(deliver().state, sealed(fact))


def test_a_gate_that_is_over_stays_over() -> None:
    story = Story(flow_of("nodes: {ask: {gate: 'Well?'}}")).start()
    story.decide("approve")
    for fact in (ev.GateDecided(gate=GateId("G1"), choice="reject"), ev.GateWithdrawn(gate=GateId("G1"), reason="r")):
        with pytest.raises(RefusedError, match="gate G1 is decided"):
            fold(story.state, sealed(fact))


def test_a_step_that_is_not_there_is_none_of_the_task() -> None:
    with pytest.raises(KeyError):
        fold(deliver().state, sealed(ev.StepMoved(step=StepId("T1.9"), status=StepStatus.SKIPPED)))


def test_a_document_s_facts_are_folded_into_the_task() -> None:
    story = Story(flow_of("nodes: {a: {set: {x: 1}}}"), task=task_of(step(1)))
    story.note(ev.ApprovalProposed(gate=GateId("G1"), digest=story.state.heads["task"].hash))
    proposed = story.task.proposal
    story.note(ev.ApprovalDecided(gate=GateId("G1"), choice="reject"))
    assert (proposed, story.task.proposal) == ("G1", None)
    story.note(ev.TaskEdited(task=task_of(step(1), step(2), status="accepted"), what="a step"))

    assert (story.task.task.status, len(story.task.steps), story.task.task.version) == ("draft", 2, 4)


def test_a_queue_is_first_in_first_out_and_lets_go_of_any_entry() -> None:
    queue, first = queues.push(Queue[str](), "a")
    queue, second = queues.push(queue, "b")
    queue, _ = queues.push(queue, "c")
    queue = queues.drop(queue, second)
    assert queues.head(queue) == "a"
    queue = queues.drop(queues.drop(queue, first), first)
    assert queues.head(queue) == "c"

    queue = queues.insert(queue, 0, entry="z")
    assert queues.head(queue) == "z"
    assert queues.head(Queue[str]()) is None


def test_nothing_is_wanted_before_a_run_begins() -> None:
    assert wanted(State(), [AttemptId("A1")]) == Wanted()


def test_after_a_crash_what_was_running_is_wanted_again() -> None:
    story = deliver(step(1), step(2))

    assert sorted(wanted(story.refolded(), story.run.live).start) == ["A1", "A2"]
    assert wanted(story.state, [AttemptId("A99")]).start == ()


def test_the_rows_of_a_draft_s_events_are_its_task_alone() -> None:
    story = Story(flow_of("nodes: {a: {set: {x: 1}}}"), task=task_of(step(1)))

    assert rows_of(story.state, story.events) == [story.task]


@pytest.mark.parametrize("name", ["round", "nodes.nowhere.output", "nodes.steps.colour", "item"])
def test_a_name_that_means_nothing_at_a_place_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        lookup(Place(deliver().state, NodePath("publish")))(name)


def test_a_node_inside_a_called_flow_does_not_see_what_is_outside() -> None:
    called = "punchlist: 1\nflow: inner\nnodes: {b: {run: x}}"
    story = Story(flow_of("nodes: {a: {set: {x: 1}}, c: {call: ./i.yaml}}", read={"./i.yaml": called})).start()
    inside = lookup(Place(story.state, NodePath("c.b")))

    assert inside("inputs") == {}
    with pytest.raises(KeyError):
        inside("nodes.a.output")


def test_the_tree_of_a_node_is_what_its_last_attempt_left() -> None:
    story = deliver()
    names = lookup(Place(story.state, NodePath("steps[T1.1].rounds[0]")))
    assert names("nodes.build.tree") is None
    story.build("t1")

    assert lookup(Place(story.state, NodePath("steps[T1.1].rounds[0]")))("nodes.build.tree") == "t1"


def test_a_place_without_a_step_has_none_of_its_facts() -> None:
    with pytest.raises(DefinitionError, match="this works on a step, and there is none around the node"):
        _ = Place(deliver().state, ROOT).told


def test_a_flow_without_nodes_ends_at_once() -> None:
    assert Story(Flow(flow="empty", nodes=())).start().run.status is NodeStatus.SUCCEEDED


def test_a_bug_ends_a_run_once_and_says_what_it_was() -> None:
    story = deliver()
    story.tell(cmd.Fail(run=RUN, reason="a bug of punchlist"), actor="engine")

    assert (story.run.status, story.run.error) == (NodeStatus.FAILED, "a bug of punchlist")
    assert story.tell(cmd.Fail(run=RUN, reason="again"), actor="engine") == ()


NO_REVIEWER = """
inputs: {task: {type: task}}
nodes:
  whole: {review: {criteria: "${{ inputs.task.acceptance }}", tree: task_branch}}
"""


def test_a_review_of_the_whole_needs_someone_to_ask() -> None:
    story = deliver(step(1, builder=None, qa=None), flow=flow_of(NO_REVIEWER), acceptance=[reviewed()])
    assert "no reviewer is set" in story.run.error

    story = deliver(step(1, qa=None), step(2), flow=flow_of(NO_REVIEWER), acceptance=[reviewed()])
    attempt = story.attempt(Role.QA)
    assert (attempt.worker, story.job(attempt.id).pack["checks"]) == ("critic", [])


def test_a_reviewer_sees_the_outputs_of_the_checks_on_the_same_tree_alone() -> None:
    nodes = """
      build: {agent: "${{ step.builder }}", role: builder, pack: "${{ step }}", phase: building}
      before: {check: {criteria: "${{ step.criteria }}", tree: base}, phase: checking}
      checks: {check: {criteria: "${{ step.criteria }}", tree: "${{ nodes.build.tree }}"}}
      review: {review: {criteria: "${{ step.criteria }}", tree: "${{ nodes.build.tree }}", worker: critic}}
"""
    story = deliver(flow=flow_of(OWN.format(nodes=nodes)), policy=Policy(review="always"))
    story.build("t1")
    story.green()
    story.green()

    assert [each["id"] for each in story.job(story.attempt(Role.QA).id).pack["checks"]] == ["AC-1"]


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        (("nowhere",), "there is no node 'nowhere' to judge by"),
        (("build",), "judge needs a check node that demands that its checks pass"),
        (("checks",), r"steps\[T1.1\].checks has no answer to judge"),
    ],
)
def test_a_verdict_needs_checks_that_have_an_answer(judge: tuple[str, ...], said: str) -> None:
    skipped = BUILT.replace("phase: checking}", 'phase: checking, when: "${{ false }}"}')
    flow = flow_of(OWN.format(nodes=skipped + "\n      verdict: {judge: [checks]}\n"))
    (steps,) = flow.nodes
    nodes = cast("Any", steps).nodes
    other = msgspec.structs.replace(nodes[2], judge=judge)
    assert isinstance(other, JudgeNode)
    changed = msgspec.structs.replace(steps, nodes=(*nodes[:2], other))
    story = deliver(flow=msgspec.structs.replace(flow, nodes=(changed,)))
    story.build()

    with pytest.raises(AssertionError, match=said):
        raise AssertionError(story.run.error)


@pytest.mark.parametrize(
    ("status", "ended"), [(StepStatus.SKIPPED, NodeStatus.SUCCEEDED), (StepStatus.FAILED, NodeStatus.FAILED)]
)
def test_a_flow_of_one_s_own_that_asks_nothing_of_steps_passes_over_those_that_are_over(
    status: StepStatus, ended: NodeStatus
) -> None:
    task = task_of(step(1, checked(), status=status))
    story = Story(flow_of(OWN.format(nodes=BUILT)), task=task, purpose="deliver")
    story.note(ev.TaskApproved(digest=story.state.heads["task"].hash))
    story.start(task=plain(task))

    assert story.node("steps[T1.1]").status is ended
    assert story.status() is status
    assert story.facts(ev.StepDispatched) == []
