"""Agents that a flow names once stand for their workers, wherever a node uses the name."""

from typing import Any

import pytest

from punchlist.errors import DefinitionError
from punchlist.flow.parse import parse_flow

HEAD = "punchlist: 1\nflow: f\n"
AGENTS = "agents: {author: {worker: claude}, judge: {worker: codex}}\n"
INNER = f"{HEAD}agents: {{author: {{worker: gemini}}}}\nnodes:\n  write: {{agent: author, prompt: p}}\n"


def parsed(text: str, **files: str) -> Any:
    return parse_flow(text, source="f.yaml", read=lambda name: files[name])


def refused(text: str, **files: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parsed(text, **files)
    return [str(problem) for problem in caught.value.problems]


def test_a_node_s_agent_is_the_worker_that_the_flow_names_so() -> None:
    flow = parsed(f"{HEAD}{AGENTS}nodes:\n  write: {{agent: author, prompt: p}}\n  other: {{agent: mine, prompt: p}}\n")

    assert [node.agent for node in flow.nodes] == ["claude", "mine"]


def test_an_agent_is_known_in_every_group_and_to_reviewers() -> None:
    flow = parsed(f"""{HEAD}{AGENTS}nodes:
  group: {{nodes: {{write: {{agent: author, prompt: p}}}}}}
  items: {{for_each: [1], as: n, nodes: {{write: {{agent: author, prompt: p}}}}}}
  again:
    repeat: {{max: 1, until: "${{{{ true }}}}"}}
    nodes: {{review: {{review: {{criteria: [c], tree: base, worker: judge}}}}}}
  alone: {{review: {{criteria: [c], tree: base}}}}
""")

    group, items, again, alone = flow.nodes
    assert (group.nodes[0].agent, items.nodes[0].agent, again.nodes[0].worker) == ("claude", "claude", "codex")
    assert alone.worker is None


def test_a_called_flow_has_agents_of_its_own() -> None:
    flow = parsed(f"{HEAD}{AGENTS}nodes:\n  inner: {{call: inner}}\n", inner=INNER)

    assert flow.nodes[0].flow.nodes[0].agent == "gemini"


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        ("{author: claude}", "saw 'claude'; allowed: a map"),
        ("{author: {}}", "agent 'author' lacks 'worker'; allowed: worker"),
        ("{author: {worker: claude, model: opus}}", "this version does not have 'model' in agent 'author' yet"),
        ("{Author: {worker: claude}}", "an agent cannot be called 'Author'"),
        ("{author: {worker: claude, modle: opus}}", "agent 'author' has no key 'modle'; allowed: worker"),
    ],
)
def test_what_an_agent_cannot_be_is_refused(agents: str, said: str) -> None:
    (problem,) = refused(f"{HEAD}agents: {agents}\nnodes:\n  write: {{agent: mine, prompt: p}}\n")

    assert said in problem
