"""`finally` in the core: it runs whatever became of its flow, and never hides what did."""

import pytest

from punchlist.errors import RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import NodePath
from punchlist.model.jobs import Role
from punchlist.model.policy import Policy
from punchlist.model.states import NodeStatus, TaskStatus
from tests.runs import ANN, RUN, Story, built_in, deliver, flow_of, replace

FLOW = """
outputs: {n: "${{ nodes.b.output.n }}"}
nodes: {a: {run: a}, b: {set: {n: 1}}, c: {gate: "Go on?", needs: []}}
finally: {last: {run: last}, more: {set: {said: "${{ nodes.a.status }}"}}}
"""
NESTED = """
nodes:
  each:
    for_each: [1, 2]
    as: one
    max_parallel: 2
    nodes: {call: {call: ./inner.yaml}, after: {run: x}}
  then: {run: x}
finally: {last: {run: last}}
"""
INNER = "punchlist: 1\nflow: inner\nnodes: {x: {run: x}}\nfinally: {clean: {run: clean}}\n"


def begun(text: str = FLOW, *, policy: Policy | None = None) -> Story:
    return Story(flow_of(text, read={"./inner.yaml": INNER})).start(policy=policy or Policy(max_parallel=9))


def over(story: Story, *nodes: str) -> None:
    for node in nodes:
        story.over(story.attempt_at(node).id, result={})


def status(story: Story, node: str = "") -> NodeStatus:
    return story.node(node).status


def test_it_begins_when_all_else_is_over_and_the_flow_ends_after_it() -> None:
    story = begun()
    over(story, "a")
    assert status(story, "finally") is NodeStatus.PENDING
    story.decide("approve")
    assert (status(story), status(story, "finally.last")) == (NodeStatus.RUNNING, NodeStatus.RUNNING)
    over(story, "finally.last")

    assert (story.run.status, story.run.outputs) == (NodeStatus.SUCCEEDED, {"n": 1})


def test_a_failure_is_known_before_it_and_named_first() -> None:
    story = begun()
    story.decide("approve")
    story.fail(story.attempt_at("a"))
    (ending,) = story.facts(ev.NodeEnding)
    assert (ending.node, ending.status, ending.error) == ("", NodeStatus.FAILED, "a: attempt A1: worker happened")
    story.fail(story.attempt_at("finally.last"))

    error = "a: attempt A1: worker happened; and finally.last: attempt A2: worker happened"
    assert (story.run.status, story.run.error) == (NodeStatus.FAILED, error)


def test_a_cancelled_run_is_over_when_it_has_run() -> None:
    story = begun()
    story.tell(cmd.Cancel(run=RUN, reason="enough"))
    assert (story.run.status, story.run.cancelling) == (NodeStatus.RUNNING, "")
    assert {status(story, each) for each in ("a", "c")} == {NodeStatus.CANCELLED}
    assert not story.run.open_gates
    over(story, "finally.last")

    assert (story.run.status, story.run.error) == (NodeStatus.CANCELLED, "enough")
    assert story.node("finally.more").output == {"said": "cancelled"}
    assert [each.actor for each in story.events if each.kind == "RunMoved"][-1] == ANN


def test_a_second_cancel_ends_it_too() -> None:
    story = begun()
    story.tell(cmd.Cancel(run=RUN, reason="enough"))
    story.tell(cmd.Cancel(run=RUN, reason="at once"))

    assert (story.run.status, story.run.error, status(story, "finally.last")) == (
        NodeStatus.CANCELLED, "enough", NodeStatus.CANCELLED,
    )  # fmt: skip


def test_a_cancel_ends_a_pause_so_that_it_can_run() -> None:
    story = begun()
    story.tell(cmd.Pause(run=RUN, now=True))
    story.tell(cmd.Cancel(run=RUN))

    assert story.attempt_at("finally.last").id in story.run.live


def test_it_may_make_as_many_transitions_as_the_flow_before_it() -> None:
    story = begun("nodes: {r: {repeat: {max: 99, until: '${{ false }}'}, nodes: {x: {set: {n: 1}}}}}\n"
                  "finally: {last: {run: last}}", policy=Policy(max_transitions=40))  # fmt: skip
    over(story, "finally.last")

    assert (story.run.status, story.run.error) == (NodeStatus.FAILED, "policy.max_transitions (40) was passed")
    story = begun("nodes: {a: {fail: no}}\nfinally: {r: {repeat: {max: 99, until: '${{ false }}'}, "
                  "nodes: {x: {set: {n: 1}}}}}", policy=Policy(max_transitions=40))  # fmt: skip
    assert (story.run.status, story.run.error) == (NodeStatus.FAILED, "a: no")


def test_trying_again_runs_it_again_at_the_end() -> None:
    story = begun()
    story.decide("approve")
    story.fail(story.attempt_at("a"))
    over(story, "finally.last")
    story.tell(cmd.Retry(run=RUN))
    assert (status(story, "finally"), story.node("").ends) == (NodeStatus.PENDING, None)
    over(story, "a", "finally.last")

    assert (story.run.status, story.node("finally").generation) == (NodeStatus.SUCCEEDED, 1)


def test_going_back_while_it_runs_takes_it_back_and_only_it_when_it_is_named() -> None:
    story = begun()
    story.decide("approve")
    story.fail(story.attempt_at("a"))
    story.tell(cmd.Resume(run=RUN, start_from=NodePath("a"), agreed=True))
    assert (status(story, "finally"), story.attempt_at("a").generation) == (NodeStatus.PENDING, 1)
    over(story, "a", "finally.last")
    story.tell(cmd.Resume(run=RUN, start_from=NodePath("finally.more"), agreed=True))

    assert (story.run.status, story.node("finally").generation) == (NodeStatus.SUCCEEDED, 1)
    assert story.node("finally.more").generation > story.node("finally").generation


def test_called_flows_that_are_cancelled_come_to_their_ends_first() -> None:
    story = begun(NESTED)
    story.tell(cmd.Cancel(run=RUN, reason="enough"))
    inner = [f"each[{number}].call.finally.clean" for number in (0, 1)]
    assert set(story.run.live.values()) == set(inner)
    over(story, inner[0])
    assert (status(story, "each[0]"), status(story, "each[1]")) == (NodeStatus.CANCELLED, NodeStatus.RUNNING)
    assert story.node("each[0].after").status is NodeStatus.UNREACHED
    over(story, inner[1], "finally.last")

    assert (story.run.status, story.run.error) == (NodeStatus.CANCELLED, "enough")


def test_one_item_is_cancelled_with_its_end_and_the_others_go_on() -> None:
    story = begun(NESTED)
    story.tell(cmd.Cancel(run=RUN, node=NodePath("each[0]"), reason="enough"))
    over(story, "each[1].call.x", "each[1].call.finally.clean", "each[1].after")
    assert status(story, "each[0]") is NodeStatus.RUNNING
    story.fail(story.attempt_at("each[0].call.finally.clean"))

    assert (status(story, "each[0].call"), status(story, "each[0]")) == (NodeStatus.CANCELLED, NodeStatus.CANCELLED)
    assert story.node("each[0].call").error.startswith("enough; and each[0].call.finally.clean: attempt")
    assert status(story, "finally.last") is NodeStatus.RUNNING


def test_nothing_is_added_to_a_run_that_has_come_to_its_end() -> None:
    story = begun()
    story.tell(cmd.Cancel(run=RUN))

    with pytest.raises(RefusedError, match="has come to its end"):
        story.tell(cmd.AddNodes(run=RUN, text="nodes: {x: {run: x}}", source="more"))


def test_the_task_of_a_cancelled_delivery_is_over_after_it() -> None:
    flow = built_in("deliver")
    ends = flow_of("nodes: {a: {set: {n: 1}}}\nfinally: {last: {run: last}}").finally_
    story = deliver(flow=replace(flow, finally_=ends))
    story.tell(cmd.Cancel(run=RUN))
    assert (story.attempt_roles(), story.task.task.status) == ({Role.COMMAND}, TaskStatus.RUNNING)
    over(story, "finally.last")

    assert (story.run.status, story.task.task.status) == (NodeStatus.CANCELLED, TaskStatus.CANCELLED)


def test_the_end_of_a_revised_delivery_leaves_the_draft_alone() -> None:
    flow = built_in("deliver")
    ends = flow_of("nodes: {a: {set: {n: 1}}}\nfinally: {last: {run: last}}").finally_
    story = deliver(flow=replace(flow, finally_=ends))
    story.tell(cmd.Revise(run=RUN, reason="think again"))
    over(story, "finally.last")

    assert (story.run.status, story.task.task.status) == (NodeStatus.CANCELLED, TaskStatus.DRAFT)
