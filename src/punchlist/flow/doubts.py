"""What is sound and hardly meant: inputs and agents that nothing uses, nodes that can never run."""

from collections.abc import Iterator
from typing import cast, get_args

import msgspec

from punchlist.flow.document import Entries, Items, Scalar, Yaml
from punchlist.flow.expression_check import always, chains_of
from punchlist.flow.groups import group_of
from punchlist.flow.places import Places
from punchlist.flow.problems import Place, Problems
from punchlist.flow.reading import find
from punchlist.flow.templates import OPEN
from punchlist.flow.uses import uses
from punchlist.flow.words import FINALLY
from punchlist.model.flow import AnyNode, FailNode, Flow, ForEachNode
from punchlist.model.json import Json

_INPUTS, _AGENTS, _NODES = "inputs", "agents", "nodes"
_EVERY = get_args(AnyNode)


def doubt(flow: Flow, *, places: Places, problems: Problems) -> None:
    """Note what is hardly meant in a flow that is without problems."""
    nodes = [*nodes_within(flow.parts)]
    values = [dict(flow.outputs), *(use.value for node in nodes for use in uses(node))]
    read = {name for value in values for name in _inputs_read(value)}
    for name in flow.inputs if "" not in read else ():
        if name not in read:
            hint = f"Read it by ${{{{ inputs.{name} }}}}, or take it away"
            problems.doubt(_key(places, _INPUTS, name=name), f"nothing reads the input '{name}'", hint=hint)
    parts = [_NODES, *([FINALLY] if flow.finally_ is not None else [])]
    used = {text for part in parts for text in _texts(find(places.document, (part,)))} if flow.agents else set[str]()
    for name in flow.agents:
        if name not in used:
            place = _key(places, _AGENTS, name=name)
            problems.doubt(place, f"no node names the agent '{name}'", hint="Take it away, or name it by `agent:`")
    for node in nodes:
        if why := _never(node):
            problems.doubt(Place(node.line, node.column), f"node '{node.id}' never runs: {why}")
    for group in (flow.nodes, *(getattr(node, _NODES, ()) for node in nodes)):
        for node, ends in _behind_the_end(group):
            why = f"it waits for '{ends.id}', which always fails"
            problems.doubt(Place(node.line, node.column), f"node '{node.id}' never runs: {why}")


def nodes_within(nodes: object) -> Iterator[AnyNode]:
    """Yield nodes and all that are in them, in the order written; those of called flows are not in them."""
    waiting = [nodes]
    while waiting:
        value = waiting.pop()
        if isinstance(value, _EVERY):
            yield cast("AnyNode", value)
        match value:
            case tuple():
                waiting += reversed(cast("tuple[object, ...]", value))
            case dict():
                waiting += reversed([*cast("dict[str, object]", value).values()])
            case msgspec.Struct() if not isinstance(value, Flow):
                waiting += [getattr(value, name) for name in reversed(value.__struct_fields__)]
            case _:
                pass


def _inputs_read(value: Json) -> Iterator[str]:
    """Yield the inputs that a value reads; an empty name when it reads all of them at once."""
    match value:
        case str() if OPEN in value:
            for chain in chains_of(value):
                if chain.names[0] == _INPUTS:
                    yield "" if len(chain.names) == 1 else chain.names[1]
        case list():
            for each in value:
                yield from _inputs_read(each)
        case dict():
            for each in value.values():
                yield from _inputs_read(each)
        case _:
            pass


def _never(node: AnyNode) -> str:
    """Return why a node can never run, as far as that is said without any value; else nothing."""
    if node.when is not None and always(node.when) is False:
        return "its `when` is always false"
    if isinstance(node, ForEachNode) and node.for_each == []:
        return "its list is empty"
    return ""


def _behind_the_end(nodes: tuple[AnyNode, ...]) -> Iterator[tuple[AnyNode, FailNode]]:
    """Yield the nodes of a group that can never begin, each with a node that always fails and that it waits for."""
    ends = [node for node in nodes if isinstance(node, FailNode) and node.when is None and node.on_failure == "fail"]
    group = group_of(nodes if ends else ())
    for node in nodes if ends else ():
        yield from ((node, each) for each in ends[:1] if group.runs_before(each.id, node.id))


def _key(places: Places, part: str, *, name: str) -> Place:
    entries = find(places.document, (part,))
    return entries.keys[name].place if isinstance(entries, Entries) else entries.place


def _texts(tree: Yaml) -> Iterator[str]:
    waiting = [tree]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Scalar):
            yield each.text
        else:
            waiting += each.items if isinstance(each, Items) else each.values.values()
