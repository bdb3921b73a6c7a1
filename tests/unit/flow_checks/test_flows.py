from collections.abc import Mapping
from importlib.resources import files

import msgspec
import pytest

from punchlist.errors import DefinitionError
from punchlist.flow.parse import parse_flow
from punchlist.model.flow import (
    AgentNode,
    AnyNode,
    CallNode,
    CheckNode,
    Flow,
    ForEachNode,
    GateNode,
    GroupNode,
    Input,
    JudgeNode,
    PublishNode,
    Repeat,
    RepeatNode,
    Retry,
    ReviewNode,
    RunNode,
    SetNode,
)
from punchlist.model.json import plain
from punchlist.model.policy import PolicyPart

BUILT_IN = files("punchlist.data") / "flows"
FAN_OUT = """\
punchlist: 1
flow: lint-and-report
inputs:
  parts: {type: list, default: [api, web]}
policy: {max_parallel: 2}
nodes:
  style: {run: [ruff, check, .], needs: []}
  each:
    needs: []
    for_each: ${{ inputs.parts }}
    as: part
    max_parallel: 2
    nodes:
      make: {run: "make ${{ part }}"}
  report:
    needs: [style, each]
    run: "echo made ${{ size(inputs.parts) }} parts"
"""


def flow(nodes: str, *, head: str = "", read: Mapping[str, str] | None = None) -> Flow:
    text = f"punchlist: 1\nflow: f\n{head}\nnodes:\n{nodes}"
    return parse_flow(text, source="dir/f.yaml", read=None if read is None else read.__getitem__)


def problems(nodes: str, *, head: str = "", read: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        flow(nodes, head=head, read=read)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", ["deliver", "plan", "prove"])
def test_a_built_in_flow_is_sound_by_the_rules_for_everyone(name: str) -> None:
    text = (BUILT_IN / f"{name}.yaml").read_text(encoding="utf-8")

    assert parse_flow(text, source=f"{name}.yaml").flow == name


def test_deliver_has_the_outline_of_the_design() -> None:
    deliver = parse_flow((BUILT_IN / "deliver.yaml").read_text(encoding="utf-8"), source="deliver.yaml")

    steps, whole, publish = deliver.nodes
    assert isinstance(steps, ForEachNode)
    assert (steps.key, steps.needs_from, steps.as_) == ("${{ step.id }}", "${{ step.needs }}", "step")
    before, rounds = steps.nodes
    assert isinstance(before, CheckNode)
    assert isinstance(rounds, RepeatNode)
    assert (before.expect, before.tree, before.phase) == ("approved", "base", "building")
    assert (rounds.repeat.on_exhausted, rounds.repeat.gate) == ("gate", "rework")
    assert [(node.id, node.phase) for node in rounds.nodes] == [
        ("build", "building"),
        ("checks", "checking"),
        ("review", "reviewing"),
        ("verdict", None),
        ("integrate", "integrating"),
    ]
    assert isinstance(whole, RepeatNode)
    assert (whole.repeat.max, whole.repeat.gate) == (1, "acceptance")
    assert isinstance(publish, PublishNode)
    assert publish.how == "${{ policy.on_accept }}"


def test_a_graph_of_commands_reads_as_it_is_written() -> None:
    fan = parse_flow(FAN_OUT, source="fan.yaml")

    style, each, report = fan.nodes
    assert fan.policy == PolicyPart(max_parallel=2)
    assert fan.inputs == {"parts": Input(type="list", default=["api", "web"])}
    assert isinstance(style, RunNode)
    assert (style.run, style.needs, style.line, style.column) == (("ruff", "check", "."), (), 7, 3)
    assert isinstance(each, ForEachNode)
    assert each.max_parallel == 2
    assert report.needs == ("style", "each")


EVERY_KIND = """\
  set: {set: {a: 1, b: "${{ [1] }}"}}
  asked: {gate: "Go on?"}
  gate: {gate: {message: "Go?", choices: [go, stay-here], show: "${{ nodes.set.output }}"}}
  agent:
    agent: writer
    session: new
    prompt: Write.
    output: {verdict: {enum: [yes, no]}, notes: list}
    timeout: 5m
    silence: "${{ policy.silence }}"
    on_failure: continue
    retry: {max: 2, backoff: {first: 5s, factor: 3, most: 2m}}
  group:
    nodes: {one: {run: "true", when: true}}
    output: {x: 1}
  run:
    run: [sleep, 1, 2.50]
    cwd: sub
    env: {PORT: 8080, A: "${{ nodes.set.output.a }}"}
    stdin: x
    output: {json: stdout}
  check: {check: {criteria: [Reads well., {text: Green., check: make test, timeout: 5m, review: true}], tree: base}}
  review: {review: {criteria: "${{ nodes.check.output.to_review }}", tree: task_branch, worker: "${{ 'qa' }}"}}
  judge: {judge: [check, review]}
  integrate: {integrate: "${{ nodes.judge.output }}"}
  plan: {publish: plan, plan: "${{ nodes.agent.output }}"}
  again: {repeat: {max: 2, until: "${{ round.index == 1 }}", on_exhausted: continue}, nodes: {x: {run: x}}, output: 1}
  items: {for_each: [1, 2], as: n, nodes: {x: {run: [echo, "${{ n }}"]}}, on_item_failure: continue, needs_from: []}
"""


@pytest.fixture(scope="module")
def nodes() -> dict[str, AnyNode]:
    return {node.id: node for node in flow(EVERY_KIND).nodes}


def test_what_the_author_computes_asks_and_runs_becomes_records(nodes: dict[str, AnyNode]) -> None:
    assert nodes["set"] == SetNode(id="set", set={"a": 1, "b": "${{ [1] }}"}, line=5, column=3)
    asked, gate, agent, group, run = (nodes[name] for name in ("asked", "gate", "agent", "group", "run"))
    assert isinstance(asked, GateNode)
    assert asked.choices == ("approve", "reject")
    assert isinstance(gate, GateNode)
    assert (gate.choices, gate.show) == (("go", "stay-here"), "${{ nodes.set.output }}")
    assert isinstance(agent, AgentNode)
    assert (agent.role, agent.session, agent.on_failure) == ("node", "new", "continue")
    assert (agent.timeout, agent.silence) == ("5m", "${{ policy.silence }}")
    assert agent.retry == Retry(max=2, first="5s", factor=3, most="2m")
    assert isinstance(group, GroupNode)
    assert group.nodes[0].when == "${{ true }}"
    assert isinstance(run, RunNode)
    assert (run.run, run.env["PORT"], run.output) == (("sleep", "1", "2.50"), "8080", {"json": "stdout"})


def test_what_is_judged_and_repeated_becomes_records(nodes: dict[str, AnyNode]) -> None:
    check, judge, again, items = (nodes[name] for name in ("check", "judge", "again", "items"))
    assert isinstance(check, CheckNode)
    assert isinstance(check.criteria, list)
    assert check.criteria == [
        {"id": "AC-1", "text": "Reads well.", "review": True},
        {"id": "AC-2", "text": "Green.", "check": "make test", "timeout": "5m", "review": True},
    ]
    assert isinstance(nodes["review"], ReviewNode)
    assert isinstance(judge, JudgeNode)
    assert judge.judge == ("check", "review")
    assert isinstance(again, RepeatNode)
    assert again.repeat == Repeat(max=2, until="${{ round.index == 1 }}", on_exhausted="continue")
    assert isinstance(items, ForEachNode)
    assert (items.for_each, items.on_item_failure, items.needs_from) == ([1, 2], "continue", [])


def test_a_checked_flow_survives_the_trip_through_json() -> None:
    deliver = parse_flow((BUILT_IN / "deliver.yaml").read_text(encoding="utf-8"), source="deliver.yaml")

    assert msgspec.convert(plain(deliver), Flow) == deliver


CALLED = """\
punchlist: 1
flow: called
inputs: {n: {type: int}}
outputs: {twice: "${{ inputs.n * 2 }}"}
nodes: {a: {run: x}}
"""


def one_node(node: str) -> str:
    return f"punchlist: 1\nflow: x\nnodes: {{one: {{{node}}}}}"


def test_a_called_flow_is_embedded_and_gives_only_its_outputs() -> None:
    found = flow(
        '  one: {call: ./lib/c.yaml, with: {n: 1}}\n  two: {set: {v: "${{ nodes.one.output.twice }}"}}\n',
        read={"./lib/c.yaml": CALLED},
    )

    one = found.nodes[0]
    assert isinstance(one, CallNode)
    assert (one.flow.flow, one.flow.source, one.with_) == ("called", "dir/lib/c.yaml", {"n": 1})


def test_a_called_flow_names_files_from_its_own_folder() -> None:
    asked: list[str] = []
    texts = {
        "./lib/a.yaml": one_node("nodes: {x: {call: ../b.yaml}, y: {call: plan}, z: {call: ./x/../x/c.yaml}}"),
        "b.yaml": one_node("agent: claude, prompt: notes/p.md"),
        "notes/p.md": "Write.",
        "plan": one_node("run: x"),
        "lib/x/c.yaml": one_node("call: /abs/d.yaml"),
        "/abs/d.yaml": one_node("call: ../../e.yaml"),
        "/e.yaml": one_node("run: x"),
    }

    def read(name: str) -> str:
        asked.append(name)
        return texts[name]

    parse_flow(one_node("nodes: {x: {call: ./lib/a.yaml}, y: {call: plan}}"), source="../f.yaml", read=read)

    assert asked == list(texts)


def test_a_prompt_may_stand_in_a_file() -> None:
    found = flow(
        "  a: {agent: claude, prompt: p.md}\n  b: {agent: claude, prompt: say p.md}\n", read={"p.md": "Write ${{ 1 }}."}
    )

    assert [node.prompt for node in found.nodes if isinstance(node, AgentNode)] == ["Write ${{ 1 }}.", "say p.md"]


def test_flows_that_call_each_other_without_end_are_refused() -> None:
    def read(name: str) -> str:
        level = int(name.removeprefix("f"))
        return f"punchlist: 1\nflow: x\nnodes: {{a: {{call: f{level + 1}}}}}"

    with pytest.raises(DefinitionError, match="more than 20 levels deep"):
        parse_flow("punchlist: 1\nflow: x\nnodes: {a: {call: f1}}", source="f.yaml", read=read)


def test_without_other_files_nothing_can_be_called() -> None:
    assert problems("  a: {call: plan}\n  b: {agent: x, prompt: p.md}\n") == [
        "dir/f.yaml:5:13: 'plan' cannot be read here: no other files are known",
        "dir/f.yaml:6:25: 'p.md' cannot be read here: no other files are known",
    ]


def test_a_file_that_is_no_text_is_told() -> None:
    def read(_: str) -> str:
        return b"\xff".decode()

    with pytest.raises(DefinitionError, match=r"'p.md' is not UTF-8\. Save it as UTF-8"):
        parse_flow("punchlist: 1\nflow: x\nnodes: {a: {agent: a, prompt: p.md}}", source="f.yaml", read=read)


def test_a_text_with_a_byte_order_mark_has_its_places_right() -> None:
    with pytest.raises(DefinitionError, match=r"f.yaml:1:1: the flow has no key 'punchlst'"):
        parse_flow("\ufeffpunchlst: 1", source="f.yaml")


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ("set: {v: '${{ [1].map(x, nodes) }}'}", "1:39: a node is not a value"),
        ("set: {v: '${{ has(nodes.b) }}'}", "1:32: a node is not a value"),
        ("set: {v: '${{ inputs }}${{ 1 }}'}", "1:28: ${{ inputs }} gives a value of type map"),
        ("for_each: '${{ a }} ', as: x, nodes: {x: {run: x}}", "1:29: there is no 'a' here"),
        ("for_each: '${{ int }}', as: x, nodes: {x: {run: x}}", "gives a value of type type"),
        ("for_each: '${{ a ', as: x, nodes: {x: {run: x}}", "1:25: this ${{ is not closed"),
        ("for_each: [1], as: x, when: '${{ x + ', nodes: {x: {run: x}}", "not closed"),
        ("for_each: [1], as: x, when: '${{ x + }}', nodes: {x: {run: x}}", "it ends too early"),
        ("nodes: {b: {run: x}}, output: {v: '${{ nodes.b.output.nope }}'}", "has no 'nope'"),
    ],
)
def test_a_mistake_is_told_with_its_place(node: str, problem: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_flow(f"{{nodes: {{a: {{{node}}}}}, punchlist: 1, flow: f}}", source="f.yaml")

    assert [problem in str(each) for each in caught.value.problems] == [True], caught.value


def test_a_long_chain_is_checked_without_recursion() -> None:
    nodes = "".join(f"  n{index}: {{run: x}}\n" for index in range(3000))
    last = '  last: {set: {v: "${{ nodes.n0.output.stdout }}"}}\n'

    assert len(flow(nodes + last).nodes) == 3001


def test_of_many_names_only_some_are_listed() -> None:
    nodes = "".join(f"  n{index}: {{run: x}}\n" for index in range(40))

    assert "n28, n29 and 11 more" in problems(f"{nodes}  last: {{run: x, needs: [nowhere]}}\n")[0]
