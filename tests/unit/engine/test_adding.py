"""Nodes added to a run that goes on, and put in the place of those that failed."""

from typing import Any

import pytest

from punchlist.engine.rows import all_rows
from punchlist.errors import DefinitionError, PunchlistError, RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import NodePath
from punchlist.model.json import plain
from punchlist.model.policy import Policy
from punchlist.model.states import NodeStatus
from tests.runs import RUN, Story, deliver, flow_of

SIDES = "nodes: {a: {run: a, needs: []}, b: {run: b, needs: []}, c: {run: c, needs: [b]}}"


def begun(text: str, *, policy: Policy | None = None, **inputs: Any) -> Story:
    return Story(flow_of(text)).start(policy=policy or Policy(max_parallel=10), **inputs)


def statuses(story: Story) -> dict[str, str]:
    return {path: node.status.value for path, node in story.run.nodes.items() if path}


def done(story: Story, *nodes: str, stdout: str = "") -> None:
    for node in nodes:
        story.over(story.attempt_at(node).id, result={"exit_code": 0, "stdout": stdout}, exit_code=0)


def failed(story: Story, node: str) -> None:
    story.fail(story.attempt_at(node))


def add(story: Story, text: str, *, replace: bool = False, files: dict[str, str] | None = None) -> None:
    story.tell(cmd.AddNodes(run=RUN, text=text, source="more.yaml", files=files or {}, replace=replace))


def refused(story: Story, text: str, *, replace: bool = False) -> PunchlistError:
    before = story.state
    with pytest.raises((DefinitionError, RefusedError)) as error:
        add(story, text, replace=replace)
    assert story.state is before
    return error.value


def test_what_waits_for_nothing_begins_at_once_and_the_rest_when_its_needs_are_over() -> None:
    story = begun("nodes: {a: {run: a}}")

    add(story, "nodes: {b: {run: b}, c: {run: c, needs: []}, d: {run: d, needs: [a, c]}}")

    assert statuses(story) == {"a": "running", "b": "pending", "c": "running", "d": "pending"}
    done(story, "c", "a")
    assert statuses(story) == {"a": "succeeded", "b": "running", "c": "succeeded", "d": "running"}
    done(story, "b", "d")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_a_node_that_needs_what_is_over_already_begins_at_once_and_reads_its_output() -> None:
    story = begun("nodes: {a: {run: a, needs: []}, b: {run: b, needs: []}}")
    done(story, "a", stdout="left")

    add(story, 'nodes: {c: {set: {text: "${{ nodes.a.output.stdout }}"}, needs: [a]}}')

    assert plain(story.node("c").output) == {"text": "left"}


def test_a_node_that_needs_what_failed_is_not_reached() -> None:
    story = begun("nodes: {a: {run: a, needs: []}, b: {run: b, needs: []}}")
    failed(story, "b")

    add(story, "nodes: {c: {run: c, needs: [b]}, d: {run: d, needs: [c]}}")

    assert (story.node("c").status, story.node("c").error) == (NodeStatus.UNREACHED, "needs b, which failed")
    assert story.node("d").status is NodeStatus.UNREACHED
    done(story, "a")
    assert story.run.status is NodeStatus.FAILED


def test_what_has_not_begun_is_replaced_where_it_stands() -> None:
    story = begun("nodes: {a: {run: a}, b: {run: b}, c: {run: c}}")

    add(story, "nodes: {b: {gate: Go on?}}", replace=True)

    assert [each.id for each in story.run.definition.nodes] == ["a", "b", "c"]
    assert story.node("b").kind == "gate"
    done(story, "a")
    assert statuses(story) == {"a": "succeeded", "b": "waiting", "c": "pending"}


def test_what_failed_is_replaced_and_begins_again_with_what_needs_it() -> None:
    story = begun(SIDES)
    failed(story, "b")
    assert statuses(story) == {"a": "running", "b": "failed", "c": "unreached"}

    add(story, 'nodes: {b: {nodes: {mended: {run: mended}}, needs: []}, c: {run: "other"}}', replace=True)

    assert statuses(story) == {"a": "running", "b": "running", "b.mended": "running", "c": "pending"}
    done(story, "b.mended")
    assert story.attempt_at("c").status.value == "running"
    done(story, "c", "a")
    assert story.run.status is NodeStatus.SUCCEEDED
    assert [each.status.value for each in story.run.attempts.values() if each.node == "b"] == ["failed"]


def test_a_gate_of_a_replaced_node_is_not_left_open() -> None:
    story = begun("nodes: {a: {run: a, needs: []}, g: {gate: Sure?, needs: []}}")
    (gate,) = story.run.open_gates
    story.tell(cmd.Cancel(run=RUN, node=NodePath("g")))

    add(story, "nodes: {g: {run: g, needs: []}}", replace=True)

    assert not story.run.open_gates
    assert story.run.gates[gate].status.value == "withdrawn"
    assert statuses(story) == {"a": "running", "g": "running"}


def test_a_run_that_waits_for_a_person_goes_on_with_what_was_added() -> None:
    story = begun("nodes: {g: {gate: Sure?, needs: []}}")
    seen = [story.run.status.value]

    add(story, "nodes: {b: {run: b, needs: []}}")
    seen.append(story.run.status.value)
    done(story, "b")
    seen.append(story.run.status.value)

    assert seen == ["waiting", "running", "waiting"]


def test_an_item_of_a_replaced_for_each_begins_as_a_new_generation() -> None:
    story = begun(
        "nodes: {a: {run: a, needs: []}, l: {for_each: [1, 2], as: i, max_parallel: 2, needs: [],"
        " nodes: {x: {run: x}}}}"
    )
    failed(story, "l[0].x")
    done(story, "l[1].x")
    assert story.node("l").status is NodeStatus.FAILED

    add(story, "nodes: {l: {for_each: [3], as: i, needs: [], nodes: {y: {run: y}}}}", replace=True)

    assert statuses(story) == {"a": "running", "l": "running", "l[0]": "running", "l[0].y": "running"}
    done(story, "l[0].y", "a")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_called_flows_and_prompts_come_with_the_command() -> None:
    story = begun("nodes: {a: {run: a}}")
    inner = "{punchlist: 1, flow: inner, nodes: {x: {run: x}}}"

    add(story, "nodes: {b: {call: inner.yaml, needs: []}}", files={"inner.yaml": inner})

    assert statuses(story) == {"a": "running", "b": "running", "b.x": "running"}


def test_the_agents_of_the_flow_may_be_named_and_others_added() -> None:
    story = begun("agents: {one: {worker: shell-a}}\nnodes: {a: {run: a}}")

    nodes = "nodes: {b: {agent: one, prompt: x}, c: {agent: two, prompt: x}}"
    add(story, f"punchlist: 1\nagents: {{two: {{worker: shell-b}}}}\n{nodes}")

    assert [getattr(each, "agent", "") for each in story.run.definition.nodes] == ["", "shell-a", "shell-b"]


def test_without_needs_the_first_of_them_waits_for_the_last_node_of_the_flow() -> None:
    story = begun("nodes: {a: {run: a}}")

    add(story, "nodes: {b: {run: b}}")
    assert statuses(story) == {"a": "running", "b": "pending"}
    done(story, "a")
    done(story, "b")

    assert story.run.status is NodeStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("nodes: {b: {runs: x}}", "more.yaml:1:12", "does not say what it does"),
        ("nodes: {b: {run: b, needs: [z]}}", "more.yaml:1:29", "needs 'z', but here are only: a, b"),
        ("nodes: {b: {run: b, needs: [c]}, c: {run: c, needs: [b]}}", "more.yaml:1:28", "b → c → b"),
        ("nodes: {b: {run: '${{ nodes.c.output }}'}}", "more.yaml:1:29", "there is no node 'c' here"),
        ("nodes: {}", "more.yaml:1:8", "an empty map"),
        ("nodes: {b: {call: inner.yaml}}", "more.yaml:1:19", "there is no file or built-in flow 'inner.yaml'"),
        ("b: {run: b}", "more.yaml:1:1", "an addition to a run has no key 'b'"),
        ("{punchlist: 2, nodes: {b: {run: b}}}", "more.yaml:1:13", "the version of the language"),
        ("nodes: {b: {run: b}, b: {run: c}}", "more.yaml:1:22", "twice"),
        ("{", "more.yaml:2:1", ""),
    ],
)
def test_what_is_wrong_with_an_addition_is_told_with_its_place(text: str, where: str, says: str) -> None:
    story = begun("nodes: {a: {run: a}}")

    error = refused(story, text)

    assert where in [each.where for each in error.problems], error
    assert says in str(error)


def test_all_that_is_wrong_is_told_at_once() -> None:
    story = begun("nodes: {a: {run: a}}")

    error = refused(story, "nodes: {b: {runs: x}, c: {run: c, needs: [z]}, D: {run: d}}")

    assert len(error.problems) == 3


def test_names_that_are_there_are_refused_unless_they_are_to_be_replaced() -> None:
    story = begun("nodes: {a: {run: a}, b: {run: b}, c: {run: c}}")

    error = refused(story, "nodes: {b: {run: x}, d: {run: d}, c: {run: y}}")

    assert "has these nodes already: b, c" in error.message
    assert "--replace" in error.hint


def test_what_came_to_a_good_end_cannot_be_replaced_and_each_is_named() -> None:
    story = begun("nodes: {a: {run: a}, b: {run: b}, c: {run: c, on_failure: continue, needs: []}, d: {run: d}}")
    done(story, "a")
    failed(story, "c")

    error = refused(story, "nodes: {a: {run: x}, b: {run: y}, c: {run: z}}", replace=True)

    assert [(each.where, each.message) for each in error.problems] == [
        ("a", "the node is over: succeeded"),
        ("c", "the node is over: failed"),
    ]
    assert isinstance(error, RefusedError)


def test_an_expression_that_reads_what_a_replaced_node_gave_no_more_is_refused() -> None:
    story = begun("nodes: {a: {run: a}, b: {set: {x: 1}}, c: {run: 'echo ${{ nodes.b.output.x }}'}}")

    error = refused(story, "nodes: {b: {set: {y: 1}}}", replace=True)

    assert "x" in str(error)


def test_what_is_at_work_is_ended_and_replaced_in_one_decision() -> None:
    story = begun(SIDES)
    before = story.attempt_at("b").id

    add(story, "nodes: {b: {run: other, needs: []}}", replace=True)

    assert statuses(story) == {"a": "running", "b": "running", "c": "pending"}
    assert story.run.attempts[before].status.value == "cancelled"
    assert [each for each in story.run.live if story.run.attempts[each].node == "b"] == [story.attempt_at("b").id]
    done(story, "a", "b")
    done(story, "c")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_all_of_a_group_at_work_is_replaced_with_its_gates() -> None:
    group = "for_each: [1, 2], as: i, max_parallel: 2, needs: [], nodes: {x: {run: x, needs: []}, g: {gate: Sure?}}"
    story = begun(f"nodes: {{l: {{{group}}}, c: {{run: c}}}}")
    done(story, "l[0].x")

    add(story, "nodes: {l: {run: l, needs: []}}", replace=True)

    assert statuses(story) == {"l": "running", "c": "pending"}
    assert not story.run.open_gates
    done(story, "l")
    done(story, "c")
    assert story.run.status is NodeStatus.SUCCEEDED


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_run_that_came_to_no_good_end_goes_on_with_what_is_put_in_the_place_of_that(cancelled: bool) -> None:
    story = begun(SIDES)
    done(story, "a")
    story.tell(cmd.Cancel(run=RUN, node=None if cancelled else NodePath("b")))
    assert story.run.status.value in {"failed", "cancelled"}

    add(story, "nodes: {b: {run: other, needs: []}, d: {run: d}}", replace=True)

    assert (story.run.status, story.run.cancelling) == (NodeStatus.RUNNING, "")
    assert statuses(story) == {"a": "succeeded", "b": "running", "c": "pending", "d": "pending"}
    done(story, "b")
    done(story, "c")
    done(story, "d")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_what_must_run_at_the_end_runs_again_at_the_end_of_a_run_that_goes_on() -> None:
    story = begun("nodes: {a: {run: a}}\nfinally: {last: {run: last}}")
    failed(story, "a")
    done(story, "finally.last")
    assert "a node called a it" in refused(story, "nodes: {d: {run: d}}").hint

    add(story, "nodes: {a: {run: other}}", replace=True)
    done(story, "a")
    done(story, "finally.last")

    assert story.run.status is NodeStatus.SUCCEEDED


def test_a_flow_within_that_must_end_itself_is_cancelled_first_and_then_replaced() -> None:
    story = begun("nodes: {a: {run: a}}")
    inner = "{punchlist: 1, flow: inner, nodes: {x: {run: x}}, finally: {last: {run: last}}}"
    add(story, "nodes: {a: {call: inner.yaml}}", replace=True, files={"inner.yaml": inner})

    error = refused(story, "nodes: {a: {run: other}}", replace=True)
    assert error.problems[0].hint == "Type: punchlist cancel R1 a. Replace it when that is over."
    story.tell(cmd.Cancel(run=RUN, node=NodePath("a")))
    done(story, "a.finally.last")
    add(story, "nodes: {a: {run: other}}", replace=True)
    done(story, "a")

    assert story.run.status is NodeStatus.SUCCEEDED


def test_a_run_that_was_paused_and_cancelled_goes_on_with_what_is_replaced_in_it() -> None:
    story = begun("nodes: {a: {run: a}}")
    story.tell(cmd.Pause(run=RUN))
    story.tell(cmd.Cancel(run=RUN))

    add(story, "nodes: {a: {run: other}}", replace=True)

    assert story.attempt_at("a").status.value == "running"


def test_a_paused_run_that_goes_on_stays_paused() -> None:
    story = begun("nodes: {a: {run: a}}")
    story.tell(cmd.Pause(run=RUN))

    add(story, "nodes: {a: {run: other}}", replace=True)

    assert story.run.paused
    assert not story.run.live
    assert story.node("a").status is NodeStatus.RUNNING


def test_a_run_that_is_over_takes_nothing_else_and_says_what_it_would_take() -> None:
    well, badly = begun("nodes: {a: {run: a}}"), begun(SIDES)
    done(well, "a")
    failed(badly, "b")
    done(badly, "a")

    flow = "put them into its flow, and run that."
    added = refused(badly, "nodes: {d: {run: d}}")
    assert added.message == "run R1 is over: failed"
    assert added.hint == f"With --replace and a node called b or c it goes on; else {flow}"
    assert refused(badly, "nodes: {d: {run: d}}", replace=True).hint == added.hint
    assert refused(badly, "nodes: {a: {run: d}}", replace=True).problems[0].where == "a"
    assert refused(well, "nodes: {b: {run: b}}").hint == flow.capitalize()
    assert refused(well, "nodes: {b: {run: b}}", replace=True).hint == flow.capitalize()


def test_the_flow_of_a_delivery_is_part_of_what_was_approved() -> None:
    story = deliver()

    error = refused(story, "nodes: {b: {run: b}}")

    assert "its flow is part of what was approved" in error.message
    assert error.hint == "Type: punchlist step add T1"


def test_the_record_folds_to_the_same_run() -> None:
    story = begun(SIDES)
    failed(story, "b")
    add(story, "nodes: {b: {run: b, needs: []}, e: {run: e, needs: [a]}}", replace=True)
    done(story, "b", "a")

    assert any(isinstance(each.fact, ev.NodesAdded) for each in story.events)
    run = story.refolded().run
    assert run is not None
    assert all_rows(run) == all_rows(story.run)
