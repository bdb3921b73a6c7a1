"""Flows of all kinds of nodes, as the core runs them: order, items, rounds, calls, commands, values."""

from datetime import timedelta
from typing import Any

import pytest

from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import NodePath
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.json import plain
from punchlist.model.policy import Policy
from punchlist.model.states import AttemptStatus, NodeStatus
from tests.runs import PROJECT, RUN, Story, broken, built_in, checked, deliver, flow_of, reviewed, step, task_of


def begun(text: str, *, policy: Policy | None = None, read: Any = None, **inputs: Any) -> Story:
    return Story(flow_of(text, read=read)).start(policy=policy or Policy(max_parallel=10), **inputs)


def statuses(story: Story) -> dict[str, str]:
    return {path: node.status.value for path, node in story.run.nodes.items()}


def done(story: Story, *, node: str, stdout: str = "") -> None:
    (attempt,) = [each for each in story.run.live if story.run.live[each] == node]
    story.over(attempt, result={"exit_code": 0, "stdout": stdout}, exit_code=0)


def test_nodes_run_in_the_order_written_or_by_their_needs() -> None:
    story = begun("nodes: {a: {run: a}, b: {run: b}, c: {run: c, needs: []}, d: {run: d, needs: [a, c]}}")
    assert set(story.run.live.values()) == {"a", "c"}
    done(story, node="a")
    assert set(story.run.live.values()) == {"b", "c"}
    done(story, node="c")
    assert set(story.run.live.values()) == {"b", "d"}
    done(story, node="b")
    done(story, node="d")

    assert story.run.status is NodeStatus.SUCCEEDED


def test_a_failure_reaches_everything_that_needs_it_at_once_and_the_rest_may_finish() -> None:
    story = begun("nodes: {a: {run: a}, b: {run: b}, c: {run: c}, x: {run: x, needs: []}}")
    story.fail(story.attempt_at("a"))

    assert statuses(story) | {"": ""} == {"": "", "a": "failed", "b": "unreached", "c": "unreached", "x": "running"}
    assert story.node("c").error == "needs b, which was not reached"
    done(story, node="x")
    assert (story.run.status, story.run.error) == (NodeStatus.FAILED, "a: attempt A1: worker happened")


def test_a_failure_that_is_passed_over_lets_others_go_on_with_what_the_node_says_of_it() -> None:
    text = """
outputs: {how: "${{ nodes.b.output.how }}"}
nodes:
  a: {run: a, on_failure: continue}
  b: {set: {how: "${{ nodes.a.status }}"}}
"""
    story = begun(text)
    story.fail(story.attempt_at("a"))

    assert (story.run.status, story.run.outputs) == (NodeStatus.SUCCEEDED, {"how": "failed"})


def test_a_node_whose_condition_is_false_is_skipped_and_others_go_on() -> None:
    story = begun("nodes: {a: {run: a, when: '${{ 1 > 2 }}'}, b: {set: {x: 1}}}")

    assert statuses(story) == {"": "succeeded", "a": "skipped", "b": "succeeded"}


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ("a: {set: {x: 1}, when: '${{ inputs.n }}'}", "`when` must be true or false, but is 3"),
        ("a: {for_each: '${{ inputs.n }}', as: each, nodes: {b: {set: {x: 1}}}}", "for_each must be a list, but is 3"),
        (
            "a: {for_each: [1], as: each, max_parallel: '${{ inputs.n - 3 }}', nodes: {b: {set: {x: 1}}}}",
            "max_parallel must be a whole number from 1, but is 0",
        ),
        (
            "a: {for_each: [{k: 1}], as: each, key: '${{ each.k }}', nodes: {b: {set: {x: 1}}}}",
            "the key of item 0 is 1; allowed",
        ),
        (
            "a: {for_each: [x, x], as: each, key: '${{ each }}', nodes: {b: {set: {x: 1}}}}",
            "items with the same key: x",
        ),
        (
            "a: {for_each: [x], as: each, key: '${{ each }}', needs_from: [y], nodes: {b: {set: {x: 1}}}}",
            r"needs_from must be a list of keys, but is \['y'\]",
        ),
        (
            "a: {repeat: {max: '${{ inputs.n - 3 }}', until: '${{ true }}'}, nodes: {b: {set: {x: 1}}}}",
            "repeat.max must be a whole number from 1, but is 0",
        ),
        (
            "a: {repeat: {max: 1, until: '${{ inputs.n }}'}, nodes: {b: {set: {x: 1}}}}",
            "`until` must be true or false, but is 3",
        ),
        ("a: {run: [echo, '${{ inputs.list }}']}", "a word of a command must be text or a number"),
        ("a: {gate: {message: '${{ inputs.n }}'}}", "the gate's message must be text, but is 3"),
        ("a: {set: {x: '${{ inputs.list[7] }}'}}", "inputs.list"),
    ],
)
def test_an_error_in_a_node_s_data_fails_it_with_the_whole_message(nodes: str, said: str) -> None:
    story = begun(f"inputs: {{n: {{}}, list: {{}}}}\nnodes: {{{nodes}}}", n=3, list=[1])

    assert story.run.status is NodeStatus.FAILED
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(story.node("a").error)


def test_a_loop_starts_so_many_items_at_a_time_in_their_order_and_gives_their_outputs_in_order() -> None:
    text = """
outputs: {all: "${{ nodes.each.output }}"}
nodes:
  each:
    for_each: [a, b, c]
    as: letter
    max_parallel: 2
    output: "${{ letter }}"
    nodes: {one: {run: ["echo", "${{ letter }}"]}}
"""
    story = begun(text)
    assert sorted(story.run.live.values()) == ["each[0].one", "each[1].one"]
    done(story, node="each[1].one")
    assert sorted(story.run.live.values()) == ["each[0].one", "each[2].one"]
    done(story, node="each[0].one")
    done(story, node="each[2].one")

    assert story.run.outputs == {"all": ["a", "b", "c"]}


def test_items_can_form_a_graph() -> None:
    text = """
nodes:
  each:
    for_each: [{k: a, n: [b]}, {k: b, n: []}, {k: c, n: [a]}]
    as: item
    key: "${{ item.k }}"
    needs_from: "${{ item.n }}"
    max_parallel: 3
    nodes: {one: {run: x}}
"""
    story = begun(text)
    assert list(story.run.live.values()) == ["each[b].one"]
    done(story, node="each[b].one")
    assert list(story.run.live.values()) == ["each[a].one"]
    story.fail(story.attempt_at("each[a].one"))

    assert story.node("each[c]").status is NodeStatus.UNREACHED
    assert story.node("each").error == "each[a].one: attempt A2: worker happened"


@pytest.mark.parametrize(("rule", "third"), [("stop", "unreached"), ("continue", "running")])
def test_a_failing_item_stops_the_rest_or_not(rule: str, third: str) -> None:
    text = f"""
nodes:
  each: {{for_each: [a, b, c], as: item, max_parallel: 2, on_item_failure: {rule}, nodes: {{one: {{run: x}}}}}}
"""
    story = begun(text)
    story.fail(story.attempt_at("each[0].one"))

    assert statuses(story)["each[1]"] == "running"
    assert statuses(story)["each[2]"] == third


def test_an_empty_loop_and_an_empty_call_end_at_once() -> None:
    text = "nodes: {each: {for_each: [], as: item, nodes: {one: {run: x}}}, after: {set: {x: 1}}}"
    story = begun(text)

    assert (story.run.status, story.node("each").output) == (NodeStatus.SUCCEEDED, [])


def test_a_condition_beside_a_loop_is_asked_for_each_item() -> None:
    text = "nodes: {each: {for_each: [1, 2], as: n, when: '${{ n > 1 }}', nodes: {one: {set: {n: '${{ n }}'}}}}}"
    story = begun(text)

    assert (statuses(story)["each[0]"], story.node("each").output) == ("skipped", [None, {"n": 2}])


def test_a_called_flow_sees_its_own_inputs_and_only_its_outputs_come_back() -> None:
    called = """
punchlist: 1
flow: inner
inputs: {name: {}, mark: {default: "!"}}
outputs: {said: "${{ nodes.greet.output.text }}", whom: "${{ inputs.name }}"}
nodes:
  name: {set: {it: "${{ inputs.name }}"}}
  greet: {set: {text: "Hello ${{ nodes.name.output.it }}${{ inputs.mark }}"}}
"""
    text = """
inputs: {who: {}}
outputs: {all: "${{ nodes.greet.output }}"}
nodes: {greet: {call: ./inner.yaml, with: {name: "${{ inputs.who }}"}}}
"""
    story = begun(text, read={"./inner.yaml": called}, who="Ann")

    assert story.run.outputs == {"all": {"said": "Hello Ann!", "whom": "Ann"}}
    assert story.node("greet.greet").status is NodeStatus.SUCCEEDED


def test_a_called_flow_that_lacks_an_input_fails_its_node() -> None:
    called = "punchlist: 1\nflow: inner\ninputs: {name: {}}\nnodes: {a: {set: {x: 1}}}"
    flow = flow_of("nodes: {greet: {call: ./inner.yaml, with: {name: x}}}", read={"./inner.yaml": called})
    from msgspec.structs import replace

    (call,) = flow.nodes
    story = Story(replace(flow, nodes=(replace(call, with_={}),))).start()

    assert "inputs.name: it must be given" in story.run.error


def test_a_round_knows_its_number_and_what_the_one_before_left() -> None:
    text = """
outputs: {n: "${{ nodes.turns.output.n }}"}
nodes:
  turns:
    repeat: {max: 5, until: "${{ nodes.count.output.n >= 3 }}"}
    output: {n: "${{ nodes.count.output.n }}", more: "${{ nodes.count.output.first }}"}
    nodes:
      count: {set: {n: "${{ round.last == null ? 1 : round.last.count.n + 1 }}", first: "${{ round.index == 0 }}"}}
"""
    story = begun(text)

    assert story.run.outputs == {"n": 3}
    assert story.node("turns").output == {"n": 3, "more": False}


@pytest.mark.parametrize(
    ("rule", "status", "error"),
    [("fail", "failed", "turns: 1 round used up"), ("continue", "succeeded", "")],
)
def test_a_loop_that_is_exhausted_fails_or_goes_on(rule: str, status: str, error: str) -> None:
    text = f"""
nodes:
  turns:
    repeat: {{max: 1, until: "${{{{ false }}}}", on_exhausted: {rule}}}
    nodes: {{one: {{set: {{x: 1}}}}}}
"""
    story = begun(text)

    assert (story.run.status, story.run.error) == (status, error)


def test_a_round_that_fails_ends_its_loop() -> None:
    text = "nodes: {turns: {repeat: {max: 3, until: '${{ true }}'}, nodes: {one: {run: x}}}}"
    story = begun(text)
    story.fail(story.attempt_at("turns[0].one"))

    assert story.node("turns").error == "turns[0].one: attempt A1: worker happened"


def test_a_group_gives_what_it_says_or_its_last_node_s_output() -> None:
    text = """
outputs: {said: "${{ nodes.one.output }}", last: "${{ nodes.two.output }}"}
nodes:
  one: {nodes: {a: {set: {x: 1}}}, output: "${{ nodes.a.output.x + 1 }}"}
  two: {nodes: {a: {set: {x: 1}}, b: {set: {y: 2}}}}
"""
    assert begun(text).run.outputs == {"said": 2, "last": {"y": 2}}


def test_a_command_gets_values_as_words_and_variables_never_as_shell_text() -> None:
    text = """
inputs: {name: {}, n: {}}
nodes:
  a: {run: 'echo ${{ inputs.name }}', env: {COUNT: "${{ inputs.n }}", ON: "${{ true }}"}, stdin: "${{ inputs.name }}"}
  b: {run: [echo, "${{ inputs.n }}"], needs: [], timeout: 5m, silence: 30s}
"""
    story = begun(text, name="x; rm -rf /", n=3)

    job = story.job(story.attempt_at("a").id)
    assert job.argv == ("sh", "-c", 'echo "${PUNCHLIST_V0}"')
    assert job.env == {"COUNT": "3", "ON": "true", "PUNCHLIST_V0": "x; rm -rf /"}
    assert (job.stdin, job.folder.place, job.sandbox) == ("x; rm -rf /", "run", "none")
    other = story.job(story.attempt_at("b").id)
    assert other.argv == ("echo", "3")
    assert (other.limits.timeout, other.limits.silence) == (300, 30)
    assert (job.limits.timeout, job.limits.memory, job.limits.silence) == (3600, 8 << 30, None)
    assert job.limits.processes == 1000


@pytest.mark.parametrize(
    ("failure", "choice", "status"),
    [
        (FailureClass.TIMEOUT, "retry", "running"),
        (FailureClass.TIMEOUT, "skip", "succeeded"),
        (FailureClass.LOST, "fail", "failed"),
    ],
)
def test_a_command_outside_of_any_step_is_decided_for_itself(failure: FailureClass, choice: str, status: str) -> None:
    story = begun("nodes: {a: {run: x}}")
    while not story.run.open_gates:
        story.fail(story.attempt_at("a"), failure)
    story.decide(choice)

    assert story.run.status == status


def test_a_raised_limit_of_a_command_holds() -> None:
    story = begun("nodes: {a: {run: x, timeout: 1m}}")
    for _ in range(2):
        story.fail(story.attempt_at("a"), FailureClass.TIMEOUT)
    story.decide("raise", value="5m")

    assert story.job(story.attempt_at("a").id).limits.timeout == 300


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("timeout: '${{ inputs.soon }}'", "timeout is 'soon'; allowed: 30s, 5m, 2h"),
        ("silence: '${{ inputs.list }}'", "silence must be text, but is [1]"),
    ],
)
def test_a_limit_that_is_none_is_said_when_the_job_is_made(limit: str, said: str) -> None:
    story = begun(f"inputs: {{soon: {{}}, list: {{}}}}\nnodes: {{a: {{run: x, {limit}}}}}", soon="soon", list=[1])
    attempt = story.attempt_at("a").id

    assert said in broken(lambda: story.job(attempt))


def test_a_flow_s_own_agent_has_its_prompt_and_its_answer_is_the_node_s_output() -> None:
    text = """
inputs: {what: {}}
nodes: {ask: {agent: thinker, prompt: "Think of ${{ inputs.what }}.", pack: {n: 1}}}
"""
    story = begun(text, what="it")
    job = story.job(story.attempt_at("ask").id)
    assert (job.role, job.worker, job.prompt, job.pack) == (Role.NODE, "thinker", "Think of it.", {"n": 1})
    assert (job.folder.place, job.folder.project) == ("run", "acme")
    story.over(job.attempt, result={"answer": 42})

    assert story.node("ask").output == {"answer": 42}


def test_an_answer_that_is_not_the_declared_output_is_bad_and_asked_for_again_in_the_same_session() -> None:
    story = begun("nodes: {ask: {agent: thinker, prompt: 'Well?', output: {verdict: {enum: [yes, no]}}}}")
    attempt = story.attempt_at("ask")
    assert story.job(attempt.id).prompt.startswith("Well?\n\nAnswer with a JSON object")
    story.over(attempt.id, result={"verdict": "perhaps"}, session="s1")
    ended = story.run.attempts[attempt.id].outcome
    assert ended is not None
    assert ended.reason == "bad output: verdict is 'perhaps'; allowed: yes, no"
    story.wait(timedelta(seconds=2))
    assert story.attempt_at("ask").session == "s1"
    story.over(story.attempt_at("ask").id, result={"verdict": "yes"})

    assert story.node("ask").output == {"verdict": "yes"}


def test_a_builder_outside_of_any_step_fails_its_node() -> None:
    text = "nodes: {build: {agent: coder, role: builder, pack: {}}}"
    assert "a builder works in a run that delivers its task" in begun(text).run.error
    assert "this works on a step, and there is none around the node" in deliver(flow=flow_of(text)).run.error


@pytest.mark.parametrize(
    "nodes",
    [
        "a: {check: {criteria: [{text: t, check: c}], tree: task_branch}}",
        "a: {publish: task, how: branch}",
    ],
)
def test_a_node_that_works_on_a_task_fails_where_there_is_none(nodes: str) -> None:
    story = begun(f"nodes: {{{nodes}}}")
    attempts = list(story.run.live)
    said = broken(lambda: story.job(attempts[0])) if attempts else story.run.error

    assert "works on a task, and the run has none" in said


def proving(*steps: Any, **changes: Any) -> Story:
    task = task_of(*steps, **changes)
    from punchlist.model.json import plain

    return Story(built_in("prove"), task=task, purpose="prove").start(policy=Policy(max_parallel=4), task=plain(task))


def test_a_draft_is_proved_by_its_checks_on_the_base() -> None:
    story = proving(step(1, checked(1), checked(2)), step(2, reviewed()), acceptance=[checked(7)])
    assert {each.tree for each in story.run.attempts.values()} == {"c0"}
    assert story.job(story.attempt(Role.CHECK).id).folder.step is None
    story.over(story.attempt(Role.CHECK, subject="AC-1").id, exit_code=0)
    story.fail(story.attempt(Role.CHECK, subject="AC-2"), FailureClass.CRITERION, exit_code=1)
    story.fail(story.attempt(Role.CHECK, subject="AC-7"), FailureClass.CRITERION, exit_code=127)

    proof = story.task.proof
    assert proof is not None
    assert (proof.version, proof.base) == (1, "c0")
    assert [(row.step, row.id, row.shows) for row in proof.rows] == [
        ("T1.1", "AC-1", "guard"),
        ("T1.1", "AC-2", "goal"),
        (None, "AC-7", "cannot_run"),
    ]
    assert any("AC-7" in words for words in proof.unproven)
    assert story.task.task.status == "draft"


def test_a_proof_that_was_cancelled_proves_nothing() -> None:
    story = proving(step(1))
    story.tell(cmd.Cancel(run=RUN))

    assert (story.run.status, story.task.proof, story.status()) == (NodeStatus.CANCELLED, None, "pending")


def test_a_draft_whose_checks_cannot_be_run_is_not_proved() -> None:
    story = proving(step(1))
    story.fail(story.attempt(Role.CHECK), FailureClass.DEFINITION, reason="no such commit")

    assert (story.run.status, story.task.proof) == (NodeStatus.FAILED, None)


def test_expressions_see_the_run_its_project_task_and_policy() -> None:
    text = """
outputs:
  run: "${{ run.id + ' ' + run.flow }}"
  project: "${{ project.title }}"
  task: "${{ task == null }}"
  retries: "${{ policy.retries }}"
  attempts: "${{ nodes.a.attempts }}"
nodes: {a: {run: x}}
"""
    story = begun(text)
    done(story, node="a")

    assert story.run.outputs == {
        "run": "R1 test",
        "project": "Acme",
        "task": True,
        "retries": 2,
        "attempts": 1,
    }


def test_a_long_chain_that_fails_is_unreached_to_its_end() -> None:
    nodes = ", ".join(f"n{number}: {{run: x}}" for number in range(2000))
    story = begun(f"nodes: {{{nodes}}}")
    story.refolds = False
    story.fail(story.attempt_at("n0"))

    assert story.node("n1999").status is NodeStatus.UNREACHED
    assert story.run.status is NodeStatus.FAILED


def test_a_gate_that_is_reset_with_its_group_is_withdrawn() -> None:
    from punchlist.engine.registry import KINDS
    from punchlist.engine.resetting import reset
    from punchlist.engine.turn import Context, Turn

    story = begun("nodes: {a: {nodes: {ask: {gate: 'Well?'}, work: {run: x, needs: []}}}}")
    turn = Turn(story.state, Context(at=story.events[-1].at, actor="engine", allocate=lambda _: 9), kinds=KINDS)
    reset(turn.at(NodePath("a")), [NodePath("a")], reason="again")

    assert [each.kind for each in turn.events] == ["GateWithdrawn", "AttemptEnded", "NodesReset"]
    assert turn.run.attempts[story.attempt_at("a.work").id].status is AttemptStatus.CANCELLED
    assert dict(turn.run.nodes).keys() == {"", "a"}
    assert PROJECT.id == turn.run.project
    assert isinstance(turn.events[-1].fact, ev.NodesReset)


def test_criteria_are_judged_in_a_run_of_no_task() -> None:
    text = """
inputs: {criteria: list, tree: {type: string, default: base}}
outputs: {result: "${{ nodes.verdict.output.result }}", findings: "${{ nodes.verdict.output.findings }}"}
nodes:
  checks: {check: {criteria: "${{ inputs.criteria }}", tree: "${{ inputs.tree }}"}}
  review: {review: {criteria: "${{ nodes.checks.output.to_review }}", tree: base, worker: critic}}
  verdict: {judge: [checks, review]}
"""
    story = Story(flow_of(text)).start(criteria=[plain(checked()), plain(reviewed(2))], tree="base")
    story.green()
    assert story.attempt(Role.QA).tree == "c0"
    assert story.job(story.attempt(Role.QA).id).pack["title"] == "test"
    story.review("AC-2")

    assert story.run.status is NodeStatus.SUCCEEDED
    outputs: Any = story.run.outputs
    assert (outputs["result"], [each["id"] for each in outputs["findings"]]) == ("fail", ["F1"])
    assert "VerdictGiven" not in story.kinds()
