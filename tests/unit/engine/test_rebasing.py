"""A run that goes on by its flow as it is now: what was done stands, all else is done by the new one."""

from typing import Any

import pytest

from punchlist.errors import DefinitionError, PunchlistError, RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import NodePath
from punchlist.model.policy import Policy
from punchlist.model.states import NodeStatus
from tests.runs import RUN, Story, deliver, flow_of

FIRST = "nodes: {a: {run: a}, b: {run: b}, c: {run: c}}"


def begun(text: str, **inputs: Any) -> Story:
    return Story(flow_of(text)).start(policy=Policy(max_parallel=10), **inputs)


def rebase(story: Story, text: str) -> None:
    story.tell(cmd.Resume(run=RUN, rebase=flow_of(text)))


def refused(story: Story, text: str) -> PunchlistError:
    before = story.state
    with pytest.raises((DefinitionError, RefusedError)) as error:
        rebase(story, text)
    assert story.state is before
    return error.value


def done(story: Story, *nodes: str) -> None:
    for node in nodes:
        story.over(story.attempt_at(node).id, result={"exit_code": 0, "stdout": node}, exit_code=0)


def statuses(story: Story) -> dict[str, str]:
    return {path: node.status.value for path, node in story.run.nodes.items() if path}


def halfway() -> Story:
    """Return a run of which `a` is done and `b` has failed."""
    story = begun(FIRST)
    done(story, "a")
    story.fail(story.attempt_at("b"))
    assert story.run.status is NodeStatus.FAILED
    return story


def test_what_failed_begins_again_as_it_is_now_and_what_was_done_stays() -> None:
    story = halfway()

    rebase(story, "nodes: {a: {run: a}, b: {run: better}, c: {run: c}}")

    assert statuses(story) == {"a": "succeeded", "b": "running", "c": "pending"}
    assert story.job(story.attempt_at("b").id).argv[-1] == "better"
    done(story, "b", "c")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_nodes_come_and_go_and_stand_in_the_new_order() -> None:
    story = halfway()

    rebase(story, "nodes: {a: {run: a}, d: {run: d}, c: {run: 'c ${{ nodes.d.output.stdout }}'}}")

    assert statuses(story) == {"a": "succeeded", "d": "running", "c": "pending"}
    done(story, "d", "c")
    assert story.run.status is NodeStatus.SUCCEEDED
    assert story.node("c").output == {"exit_code": 0, "stdout": "c"}


def test_a_run_is_over_when_only_what_failed_is_gone() -> None:
    story = halfway()

    rebase(story, "nodes: {a: {run: a}}")

    assert statuses(story) == {"a": "succeeded"}
    assert story.run.status is NodeStatus.SUCCEEDED


def test_a_run_that_succeeded_begins_nodes_that_were_added() -> None:
    story = begun("nodes: {a: {run: a}}")
    done(story, "a")

    rebase(story, FIRST)

    assert statuses(story) == {"a": "succeeded", "b": "running", "c": "pending"}
    done(story, "b", "c")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_what_was_done_or_is_at_work_must_be_as_it_was() -> None:
    story = begun("nodes: {a: {run: a}, b: {run: b, needs: []}, c: {run: c}}")
    done(story, "a")

    told = refused(story, "nodes: {a: {run: other}, c: {run: c}}")

    assert [(each.where, each.message) for each in told.problems] == [
        ("a", "the node is succeeded, and another one in the flow now"),
        ("b", "the node is running, and not in the flow any more"),
    ]
    assert told.problems[0].hint.endswith("punchlist resume R1 --from a --rebase")
    assert told.problems[1].hint.endswith("punchlist cancel R1 b")


def test_one_goes_back_to_what_was_done_and_does_it_by_the_new_flow_in_one_step() -> None:
    story = begun(FIRST)
    done(story, "a", "b", "c")
    new = "nodes: {a: {run: a}, b: {run: better}, c: {run: c}}"

    with pytest.raises(RefusedError, match=r"also invalidates what was built on it: c"):
        story.tell(cmd.Resume(run=RUN, rebase=flow_of(new), start_from=NodePath("b")))
    story.tell(cmd.Resume(run=RUN, rebase=flow_of(new), start_from=NodePath("b"), agreed=True))

    assert statuses(story) == {"a": "succeeded", "b": "running", "c": "pending"}
    assert story.job(story.attempt_at("b").id).argv[-1] == "better"


def test_a_group_at_work_goes_on_as_it_was() -> None:
    text = "nodes: {g: {nodes: {a: {run: a}, b: {run: b}}}, c: {run: c}}"
    story = begun(text)
    done(story, "g.a")

    assert "g" in [each.where for each in refused(story, text.replace("run: b", "run: other")).problems]
    rebase(story, text.replace("run: c", "run: other"))
    done(story, "g.b")

    assert story.job(story.attempt_at("c").id).argv[-1] == "other"


def test_inputs_are_held_to_what_the_flow_asks_for_now() -> None:
    story = begun("inputs: {n: {type: int, default: 1}}\nnodes: {a: {run: a}, b: {run: 'b ${{ inputs.n }}'}}", n=1)
    done(story, "a")
    story.fail(story.attempt_at("b"))

    told = refused(story, "inputs: {n: {type: string}}\nnodes: {a: {run: a}, b: {run: 'b ${{ inputs.n }}'}}")
    rebase(
        story,
        "inputs: {n: {type: int}, m: {type: int, default: 2}}\n"
        "nodes: {a: {run: a}, b: {run: 'b ${{ inputs.n + inputs.m }}'}}",
    )

    assert "n" in str(told)
    assert story.run.inputs == {"n": 1, "m": 2}
    assert "3" in story.job(story.attempt_at("b").id).env.values()


def test_what_runs_at_the_end_runs_again_at_the_new_end() -> None:
    text = "nodes: {a: {run: a}, b: {run: b}}\nfinally: {z: {run: z}}"
    story = begun(text)
    done(story, "a")
    story.fail(story.attempt_at("b"))
    done(story, "finally.z")

    rebase(story, text.replace("run: b", "run: better").replace("run: z", "run: last"))
    done(story, "b")

    assert story.job(story.attempt_at("finally.z").id).argv[-1] == "last"
    done(story, "finally.z")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_what_runs_at_the_end_is_not_broken_off() -> None:
    text = "nodes: {a: {run: a}}\nfinally: {z: {run: z}}"
    story = begun(text)
    story.fail(story.attempt_at("a"))

    assert "has come to its end, and `finally` runs" in str(refused(story, text.replace("run: a", "run: better")))


def test_a_run_that_has_used_up_its_transitions_is_not_begun_again() -> None:
    story = Story(flow_of("nodes: {a: {run: a}}")).start(policy=Policy(max_transitions=3))
    assert story.run.status is NodeStatus.FAILED

    assert "has used up policy.max_transitions" in str(refused(story, "nodes: {b: {run: b}}"))


def test_a_run_of_a_task_keeps_what_was_approved() -> None:
    story = deliver()

    with pytest.raises(RefusedError, match="its flow is part of what was approved"):
        story.tell(cmd.Resume(run=RUN, rebase=story.run.definition))


def test_a_paused_run_goes_on() -> None:
    story = begun(FIRST)
    story.tell(cmd.Pause(run=RUN))
    done(story, "a")

    rebase(story, "nodes: {a: {run: a}, b: {run: b}, d: {run: d}}")

    assert statuses(story) == {"a": "succeeded", "b": "running", "d": "pending"}
    assert [*story.run.live.values()] == ["b"]
    assert any(isinstance(each.fact, ev.FlowRebased) for each in story.events)
