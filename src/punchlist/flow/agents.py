"""The agents that a flow names once: each stands for a worker wherever a node of the flow uses its name."""

from collections.abc import Mapping, Sequence

import msgspec

from punchlist.flow.document import Entries, Yaml
from punchlist.flow.reading import Reader
from punchlist.flow.words import LATER, NAME_RULE, is_name
from punchlist.model.flow import AgentNode, AnyNode, CaseNode, ForEachNode, GroupNode, MatchNode, RepeatNode, ReviewNode
from punchlist.model.json import Json

replace = msgspec.structs.replace


def read_agents(reader: Reader, tree: Yaml) -> dict[str, dict[str, Json]]:
    """Return agents by name, each `{worker: NAME}`."""
    found: dict[str, dict[str, Json]] = {}
    for key, value in reader.entries(tree):
        if not is_name(key.text):
            reader.problems.add(key.place, f"an agent cannot be called '{key.text}'", allowed=NAME_RULE)
        if not isinstance(value, Entries):
            reader.wrong(value, "a map")
            continue
        what = f"agent '{key.text}'"
        fields = reader.fields(value, ("worker",), what=what, later=LATER["agents"], required=("worker",))
        if "worker" in fields:
            found[key.text] = {"worker": reader.filled(fields["worker"])}
    return found


def with_workers(nodes: Sequence[AnyNode], agents: Mapping[str, dict[str, Json]]) -> tuple[AnyNode, ...]:
    """Return the nodes with the worker that is meant in place of each agent's name, those of groups too.

    A name that an expression gives is a worker's own; so is one that the flow does not name. A called flow names its
    own agents.
    """
    workers = {name: str(agent["worker"]) for name, agent in agents.items()}
    return tuple(_with_worker(node, workers) for node in nodes)


def _with_worker(node: AnyNode, workers: Mapping[str, str]) -> AnyNode:
    match node:
        case AgentNode():
            return replace(node, agent=workers.get(node.agent, node.agent))
        case ReviewNode(worker=str(worker)):
            return replace(node, worker=workers.get(worker, worker))
        case GroupNode() | ForEachNode() | RepeatNode():
            return replace(node, nodes=tuple(_with_worker(each, workers) for each in node.nodes))
        case MatchNode():
            cases = tuple(_in_case(each, workers) for each in node.cases)
            return replace(node, cases=cases, else_=_in_case(node.else_, workers) if node.else_ is not None else None)
        case _:
            return node


def _in_case(case: CaseNode, workers: Mapping[str, str]) -> CaseNode:
    return replace(case, nodes=tuple(_with_worker(each, workers) for each in case.nodes))
