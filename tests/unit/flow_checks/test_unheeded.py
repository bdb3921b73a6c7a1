"""What a flow says is heeded or refused: rules of policy, what stands beside a role, the schema of an input."""

from typing import Any

import pytest

from punchlist.errors import DefinitionError
from punchlist.flow.inputs import bind_inputs
from punchlist.flow.parse import parse_flow

HEAD = "punchlist: 1\nflow: f\n"
NODES = "nodes:\n  a: {run: [ls]}\n"


def parsed(text: str, **files: str) -> Any:
    return parse_flow(text, source="f.yaml", read=lambda name: files[name])


def refused(text: str, **files: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parsed(text, **files)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("budget: {usd: 1}", "it is not in force yet"),
        ("sandbox: bwrap", "it is not in force yet"),
        ("auto_approve: true", "it is a rule of tasks, and says nothing of a flow"),
    ],
)
def test_a_rule_of_policy_that_a_run_would_not_heed_is_refused(rule: str, said: str) -> None:
    (problem,) = refused(f"{HEAD}policy: {{{rule}}}\n{NODES}")

    assert problem.startswith(f"f.yaml:3:{len('policy: {') + len(rule.partition(':')[0]) + 3}: {said}")


def test_a_rule_of_policy_that_a_run_heeds_is_taken() -> None:
    flow = parsed(f"{HEAD}policy: {{timeout: 5m, sandbox: none, max_parallel: 3}}\n{NODES}")

    assert (flow.policy.timeout, flow.policy.sandbox, flow.policy.max_parallel) == ("5m", "none", 3)


def test_the_policy_of_a_called_flow_is_refused_because_that_of_the_run_holds() -> None:
    text = f"{HEAD}nodes:\n  b: {{call: inner}}\n"

    (problem,) = refused(text, inner=f"{HEAD}policy: {{timeout: 5m}}\n{NODES}")

    what = "'inner' has a 'policy', and it runs under that of the flow which calls it"
    assert problem == f"f.yaml:4:13: {what}. Say it in the calling flow."


@pytest.mark.parametrize("role", ["node", "planner"])
def test_only_a_builder_is_given_the_round_before(role: str) -> None:
    what = "prompt: p" if role == "node" else "pack: x"
    (problem,) = refused(f'{HEAD}nodes:\n  a: {{agent: w, role: {role}, {what}, rework: "${{{{ inputs }}}}"}}\n')

    assert f"'role: {role}' has no 'rework'; allowed: role: builder" in problem


def test_an_input_is_held_against_its_schema() -> None:
    schema = "{type: object, required: [n], properties: {n: {type: integer}}}"
    declared = parsed(f"{HEAD}inputs: {{x: {{schema: {schema}}}}}\n{NODES}").inputs

    assert bind_inputs(declared, {"x": {"n": 1}}, what="inputs") == {"x": {"n": 1}}
    with pytest.raises(DefinitionError) as caught:
        bind_inputs(declared, {"x": {"n": "one"}}, what="inputs")
    assert 'inputs.x: it is a map, which does not fit its schema: n: "one" is not of type' in str(caught.value)


def test_a_schema_that_is_none_and_a_default_that_does_not_fit_are_refused() -> None:
    assert "it is no JSON Schema: " in refused(f"{HEAD}inputs: {{x: {{schema: {{type: 3}}}}}}\n{NODES}")[0]
    (problem,) = refused(f"{HEAD}inputs: {{x: {{schema: {{type: array}}, default: 1}}}}\n{NODES}")
    assert "the default is an int, which does not fit its schema: the value: 1 is not of type" in problem
    (problem,) = refused(f"{HEAD}nodes:\n  a: {{agent: w, prompt: p, output: {{schema: {{type: 3}}}}}}\n")
    assert "it is no JSON Schema: " in problem


NO_STEP = (
    "a phase is the state of a step, and there is none around this node; allowed: inside a for_each over the steps of "
    "the input 'task': ${{ inputs.task.steps }}"
)
NO_ROUNDS = (
    "a session is kept from round to round, and there are no rounds right around this node; allowed: session: new, or "
    "among the nodes of a repeat"
)
TASK = "inputs: {task: {type: task}, names: list}\n"
PHASED = "nodes: {x: {run: [ls], phase: building}}"
KEPT = "x: {agent: w, prompt: p, session: keep}"


@pytest.mark.parametrize(
    "node",
    [
        "{run: [ls], phase: building}",
        f"{{{PHASED}}}",
        f"{{for_each: [a, b], as: name, {PHASED}}}",
        '{for_each: "${{ inputs.names }}", as: name, phase: building, nodes: {x: {run: [ls]}}}',
        f'{{for_each: "${{{{ inputs.task.acceptance }}}}", as: each, {PHASED}}}',
    ],
)
def test_a_phase_where_there_is_no_step_is_refused(node: str) -> None:
    (problem,) = refused(f"{HEAD}{TASK}nodes:\n  a: {node}\n")

    assert problem.partition(" ")[2] == NO_STEP


def test_a_phase_in_a_flow_that_is_given_no_task_is_refused() -> None:
    node = f'{{for_each: "${{{{ inputs.names }}}}", as: name, {PHASED}}}'

    (problem,) = refused(f"{HEAD}inputs: {{names: list}}\nnodes:\n  a: {node}\n")

    assert problem.partition(" ")[2] == NO_STEP


@pytest.mark.parametrize("listed", ["inputs.task.steps", "inputs.task.steps.filter(s, s.title != '')", "inputs.names"])
def test_a_phase_around_which_there_may_be_a_step_is_taken(listed: str) -> None:
    inner = "nodes: {x: {nodes: {y: {run: [ls], phase: checking}}}}"
    flow = parsed(f'{HEAD}{TASK}nodes:\n  a: {{for_each: "${{{{ {listed} }}}}", as: step, {inner}}}\n')

    assert flow.nodes[0].nodes[0].nodes[0].phase == "checking"


@pytest.mark.parametrize(
    "node",
    [
        "{agent: w, prompt: p, session: keep}",
        f"{{for_each: [1], as: n, nodes: {{{KEPT}}}}}",
        f'{{repeat: {{max: 2, until: "${{{{ false }}}}"}}, nodes: {{inner: {{nodes: {{{KEPT}}}}}}}}}',
    ],
)
def test_a_session_that_no_round_would_go_on_with_is_refused(node: str) -> None:
    (problem,) = refused(f"{HEAD}nodes:\n  a: {node}\n")

    assert problem.partition(" ")[2] == NO_ROUNDS


def test_a_session_is_kept_among_the_nodes_of_a_repeat() -> None:
    flow = parsed(f'{HEAD}nodes:\n  a: {{repeat: {{max: 2, until: "${{{{ false }}}}"}}, nodes: {{{KEPT}}}}}\n')

    assert flow.nodes[0].nodes[0].session == "keep"
