"""Ways back in plain runs: what failed again, or from a node on, with all that was built on it."""

from typing import Any

import pytest

from punchlist.errors import RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import NodePath
from punchlist.model.json import plain
from punchlist.model.policy import Policy
from punchlist.model.state import AttemptState
from punchlist.model.states import NodeStatus
from tests.runs import RUN, Story, built_in, deliver, flow_of, step, task_of


def begun(text: str, *, policy: Policy | None = None, **inputs: Any) -> Story:
    return Story(flow_of(text)).start(policy=policy or Policy(max_parallel=10), **inputs)


def statuses(story: Story) -> dict[str, str]:
    return {path: node.status.value for path, node in story.run.nodes.items() if path}


def live(story: Story) -> set[str]:
    return {str(path) for path in story.run.live.values()}


def done(story: Story, *nodes: str, stdout: str = "") -> None:
    for node in nodes:
        story.over(story.attempt_at(node).id, result={"exit_code": 0, "stdout": stdout}, exit_code=0)


def failed(story: Story, node: str) -> None:
    story.fail(story.attempt_at(node))


def attempts(story: Story) -> list[AttemptState]:
    return sorted(story.run.attempts.values(), key=lambda each: int(each.id[1:]))


def retry(story: Story) -> None:
    story.tell(cmd.Retry(run=RUN))


def back(story: Story, node: str, *, agreed: bool = True) -> None:
    story.tell(cmd.Resume(run=RUN, start_from=NodePath(node), agreed=agreed))


def refused(story: Story, command: cmd.RunCommand) -> RefusedError:
    before = story.state
    with pytest.raises(RefusedError) as error:
        story.tell(command)
    assert story.state is before
    return error.value


CHAIN = "nodes: {a: {run: a}, b: {run: b}, c: {run: c}}"


def test_a_failed_run_that_is_retried_begins_again_where_it_failed_and_keeps_what_succeeded() -> None:
    story = begun(CHAIN)
    done(story, "a")
    failed(story, "b")
    assert (story.run.status, bool(story.run.ended_at), bool(story.run.error)) == (NodeStatus.FAILED, True, True)

    retry(story)

    assert statuses(story) == {"a": "succeeded", "b": "running", "c": "pending"}
    assert (story.run.status, story.run.ended_at, story.run.error) == (NodeStatus.RUNNING, "", "")
    assert (story.node("b").generation, story.node("b").error, len(story.node("b").attempts)) == (1, "", 1)
    done(story, "b", "c")
    assert story.run.status is NodeStatus.SUCCEEDED
    assert [each.status.value for each in attempts(story)] == [
        "succeeded", "failed", "succeeded", "succeeded"
    ]  # fmt: skip


def test_going_back_takes_the_outputs_of_what_it_invalidates_out_of_scope() -> None:
    text = """
outputs: {said: "${{ nodes.b.output.text }}"}
nodes:
  a: {run: a}
  b: {set: {text: "${{ nodes.a.output.stdout }}"}}
"""
    story = begun(text)
    done(story, "a", stdout="first")
    assert plain(story.run.outputs) == {"said": "first"}

    back(story, "a")

    assert [story.run.outputs, story.node("a").output, story.node("b").output] == [None, None, None]
    done(story, "a", stdout="second")
    assert (story.run.status, story.run.outputs) == (NodeStatus.SUCCEEDED, {"said": "second"})


def test_what_going_back_invalidates_is_listed_first_and_nothing_happens_before_it_was_agreed_to() -> None:
    story = begun("nodes: {a: {run: a}, b: {run: b}, c: {run: c}, x: {run: x, needs: []}}")
    done(story, "x", "a", "b")

    error = refused(story, cmd.Resume(run=RUN, start_from=NodePath("a")))

    assert error.code == "invalidates"
    assert error.message == "going back to a also invalidates what was built on it: b (succeeded), c (running)"
    assert error.hint == "If that is meant: punchlist resume R1 --from a --yes"
    back(story, "a")
    assert statuses(story) == {"a": "running", "b": "pending", "c": "pending", "x": "succeeded"}
    assert live(story) == {"a"}


def test_going_back_to_what_nothing_was_built_on_needs_no_agreement() -> None:
    story = begun(CHAIN)
    done(story, "a")
    failed(story, "b")

    back(story, "b", agreed=False)

    assert statuses(story) == {"a": "succeeded", "b": "running", "c": "pending"}


def test_a_run_that_was_cancelled_goes_on_where_it_was() -> None:
    story = begun("nodes: {a: {run: a}, g: {nodes: {b: {run: b}, c: {run: c}}}, d: {run: d}}")
    done(story, "a", "g.b")
    story.tell(cmd.Pause(run=RUN))
    story.tell(cmd.Cancel(run=RUN))

    retry(story)

    assert not story.run.paused
    assert live(story) == {"g.c"}
    assert (story.node("g").status, story.node("g.b").status) == (NodeStatus.RUNNING, NodeStatus.SUCCEEDED)
    done(story, "g.c", "d")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_a_live_run_takes_up_what_failed_beside_what_still_runs() -> None:
    story = begun("nodes: {a: {run: a}, b: {run: b}, x: {run: x, needs: []}, z: {run: z, needs: [b, x]}}")
    failed(story, "a")
    assert statuses(story)["z"] == "unreached"

    retry(story)

    assert live(story) == {"a", "x"}
    done(story, "x", "a", "b", "z")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_a_node_that_begins_again_waits_for_all_it_needs() -> None:
    story = begun("nodes: {a: {run: a}, b: {run: b, needs: []}, c: {run: c, needs: [a, b]}}")
    done(story, "a")

    back(story, "a")

    assert story.node("c").missing == 2
    done(story, "a")
    assert live(story) == {"b"}
    done(story, "b")
    assert live(story) == {"c"}


def test_what_also_needs_another_node_that_failed_stays_unreached() -> None:
    story = begun("nodes: {a: {run: a}, b: {run: b, needs: []}, c: {run: c, needs: [a, b]}}")
    done(story, "a")
    failed(story, "b")

    back(story, "a")

    assert statuses(story) == {"a": "running", "b": "failed", "c": "unreached"}
    done(story, "a")
    assert story.run.error
    refusal = refused(story, cmd.Resume(run=RUN, start_from=NodePath("c")))
    assert str(refusal).startswith("node c needs b, which is failed")


def test_a_failure_that_is_allowed_is_an_answer_and_is_not_retried() -> None:
    story = begun("nodes: {a: {run: a, on_failure: continue}, b: {run: b}}")
    failed(story, "a")
    failed(story, "b")

    retry(story)

    assert statuses(story) == {"a": "failed", "b": "running"}


EACH = """
inputs: {names: {type: list}}
nodes:
  all:
    for_each: "${{ inputs.names }}"
    as: name
    key: "${{ name }}"
    max_parallel: 1
    on_item_failure: HOW
    nodes: {first: {run: ["f", "${{ name }}"]}, second: {run: ["s", "${{ name }}"]}}
  after: {run: after}
"""


def each(how: str, *names: str) -> Story:
    return begun(EACH.replace("HOW", how), names=list(names))


def test_items_that_failed_take_their_turns_again_with_what_succeeded_in_them() -> None:
    story = each("continue", "a", "b", "c")
    for name in "abc":
        done(story, f"all[{name}].first")
        (failed if name != "b" else done)(story, f"all[{name}].second")
    assert story.run.error

    retry(story)

    assert live(story) == {"all[a].second"}
    assert [story.node(f"all[{name}]").status.value for name in "abc"] == ["running", "succeeded", "pending"]
    done(story, "all[a].second")
    assert live(story) == {"all[c].second"}
    assert story.node("all[c].first").generation == 0
    done(story, "all[c].second", "after")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_items_that_were_left_because_another_failed_are_reached_after_it() -> None:
    story = each("stop", "a", "b", "c")
    done(story, "all[a].first", "all[a].second")
    failed(story, "all[b].first")
    assert statuses(story)["all[c]"] == "unreached"

    back(story, "all[b].first", agreed=False)

    assert live(story) == {"all[b].first"}
    done(story, "all[b].first", "all[b].second", "all[c].first", "all[c].second", "after")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_going_back_to_an_item_invalidates_the_items_that_need_it_and_what_follows_the_group() -> None:
    text = """
inputs: {items: {type: list}}
nodes:
  all:
    for_each: "${{ inputs.items }}"
    as: one
    key: "${{ one.id }}"
    needs_from: "${{ one.needs }}"
    max_parallel: 2
    nodes: {do: {run: ["do", "${{ one.id }}"]}}
  after: {run: after}
"""
    items = [{"id": "a", "needs": []}, {"id": "b", "needs": ["a"]}, {"id": "c", "needs": []}]
    story = begun(text, items=items)
    done(story, "all[a].do", "all[c].do", "all[b].do", "after")
    error = refused(story, cmd.Resume(run=RUN, start_from=NodePath("all[a]")))
    assert error.message.endswith("built on it: all[b] (succeeded), after (succeeded)")

    back(story, "all[a]")

    assert live(story) == {"all[a].do"}
    assert story.node("all[c]").status is NodeStatus.SUCCEEDED
    done(story, "all[a].do", "all[b].do", "after")
    assert (story.run.status, story.node("all").remaining) == (NodeStatus.SUCCEEDED, 0)


ROUNDS = """
nodes:
  tries:
    repeat: {max: 2, until: "${{ nodes.test.output.stdout == 'good' }}", on_exhausted: HOW}
    nodes: {make: {run: make}, test: {run: test}}
  after: {run: after}
"""


def test_going_back_to_an_earlier_round_drops_the_later_ones() -> None:
    story = begun(ROUNDS.replace("HOW", "fail"))
    done(story, "tries[0].make", "tries[0].test", "tries[1].make")
    done(story, "tries[1].test", stdout="good")
    done(story, "after")
    error = refused(story, cmd.Resume(run=RUN, start_from=NodePath("tries[0].test")))
    assert error.message.endswith("built on it: after (succeeded), tries[1] (succeeded)")

    back(story, "tries[0].test")

    assert "tries[1]" not in story.run.nodes
    assert story.node("tries").children == ("tries[0]",)
    assert live(story) == {"tries[0].test"}
    done(story, "tries[0].test", "tries[1].make")
    assert [story.run.attempts[name].generation for name in story.node("tries[1].make").attempts] == [1]
    done(story, "tries[1].test", stdout="good")
    done(story, "after")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_a_round_that_failed_goes_on_where_it_failed() -> None:
    story = begun(ROUNDS.replace("HOW", "fail"))
    done(story, "tries[0].make", "tries[0].test", "tries[1].make")
    failed(story, "tries[1].test")

    retry(story)

    assert live(story) == {"tries[1].test"}
    done(story, "tries[1].test", stdout="good")
    assert live(story) == {"after"}


def test_rounds_that_were_used_up_are_made_anew_from_the_first() -> None:
    story = begun(ROUNDS.replace("HOW", "fail"))
    done(story, "tries[0].make", "tries[0].test", "tries[1].make", "tries[1].test")
    assert story.run.error == "tries: 2 rounds used up"

    retry(story)

    assert live(story) == {"tries[0].make"}
    assert story.node("tries").children == ("tries[0]",)


def test_going_back_from_a_gate_withdraws_it_and_takes_a_later_decision_back() -> None:
    story = begun(ROUNDS.replace("HOW", "gate"))
    done(story, "tries[0].make", "tries[0].test", "tries[1].make", "tries[1].test")
    story.decide("more", n=1)
    done(story, "tries[2].make", "tries[2].test")
    gate = story.gate()

    back(story, "tries[1].make")

    assert [fact.gate for fact in story.facts(ev.GateWithdrawn)] == [gate.id]
    assert (story.node("tries").decision, story.node("tries").settled) == (None, 0)
    assert live(story) == {"tries[1].make"}
    assert story.run.status is NodeStatus.RUNNING


def test_a_gate_that_was_cancelled_asks_again() -> None:
    story = begun('nodes: {ask: {gate: "Go on?"}, a: {run: a}}')
    story.tell(cmd.Cancel(run=RUN))

    retry(story)

    story.decide("approve")
    assert live(story) == {"a"}


def test_what_runs_of_an_invalidated_node_is_stopped() -> None:
    story = begun("nodes: {a: {run: a}, g: {nodes: {b: {run: b}}}}")
    done(story, "a")
    running = story.attempt_at("g.b")

    back(story, "a")

    assert story.wanted.kill == (running.id,)
    before = story.state.run
    story.over(running.id, result={"exit_code": 0, "stdout": ""}, exit_code=0)
    assert story.kinds()[-1] == "OutcomeIgnored"
    assert before is not None
    assert story.run.nodes == before.nodes


def test_each_way_back_is_a_new_generation_of_all_that_it_touches() -> None:
    story = begun("nodes: {g: {nodes: {a: {run: a}, b: {run: b}}}}")
    done(story, "g.a", "g.b")
    for _ in range(2):
        back(story, "g.b")
        done(story, "g.b")
    back(story, "g")
    done(story, "g.a", "g.b")

    generations = [(each.node, each.generation) for each in attempts(story)]
    assert generations[-2:] == [("g.a", 3), ("g.b", 3)]
    assert len(set(generations)) == len(generations)


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("nope", "run R1 has no node 'nope'"),
        ("", "run R1 has no node ''"),
        ("c", "node c has not begun yet"),
    ],
)
def test_there_is_no_way_back_to(node: str, said: str) -> None:
    story = begun(CHAIN)
    assert refused(story, cmd.Resume(run=RUN, start_from=NodePath(node), agreed=True)).message == said


def test_a_run_that_succeeded_has_nothing_to_retry() -> None:
    story = begun("nodes: {a: {run: a}}")
    done(story, "a")

    error = refused(story, cmd.Retry(run=RUN))

    assert error.message == "run R1 is succeeded, and nothing of it failed"
    assert error.hint == "To go back: punchlist resume R1 --from NODE"


def test_a_run_whose_outputs_cannot_be_made_says_so_when_it_is_retried() -> None:
    story = begun('outputs: {n: "${{ int(nodes.a.output.stdout) }}"}\nnodes: {a: {run: a}}')
    done(story, "a", stdout="x")
    assert story.run.status is NodeStatus.FAILED

    assert refused(story, cmd.Retry(run=RUN)).message.startswith("run R1 is failed, and every node of it succeeded: ")


def test_a_run_that_used_up_its_transitions_cannot_go_back() -> None:
    story = begun(CHAIN, policy=Policy(max_transitions=8))
    done(story, "a")
    assert story.run.status is NodeStatus.FAILED

    assert refused(story, cmd.Retry(run=RUN)).message == "run R1 has used up policy.max_transitions (8)"


def test_a_task_goes_back_by_its_steps_and_not_by_nodes() -> None:
    story = deliver()

    error = refused(story, cmd.Resume(run=RUN, start_from=NodePath("steps"), agreed=True))

    assert error.hint == "Type: punchlist retry T1, or punchlist step reopen T1.1"
    assert refused(story, cmd.Retry(run=RUN)).message == error.message


def test_an_item_that_waits_to_go_on_is_left_with_what_is_pending_in_it() -> None:
    story = each("stop", "a", "b")
    done(story, "all[a].first", "all[a].second", "all[b].first", "all[b].second", "after")
    back(story, "all[a].second")
    back(story, "all[b].second")
    assert statuses(story)["all[b]"] == "pending"

    failed(story, "all[a].second")

    left = {path: status for path, status in statuses(story).items() if path.startswith("all[b]")}
    assert left == {"all[b]": "unreached", "all[b].first": "succeeded", "all[b].second": "unreached"}
    retry(story)
    done(story, "all[a].second", "all[b].second", "after")
    assert story.run.status is NodeStatus.SUCCEEDED


def test_a_proof_is_made_anew_and_not_gone_back_in() -> None:
    story = Story(built_in("prove"), task=task_of(step()), purpose="prove").start()

    assert refused(story, cmd.Retry(run=RUN)).message == "run R1 proves T1, and is made anew each time"
