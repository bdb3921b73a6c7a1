"""What is known of values before a flow runs: their types, and which fields they have."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

import msgspec

from punchlist.model.flow import (
    AgentNode,
    AnyNode,
    AssertNode,
    CallNode,
    CheckNode,
    FailNode,
    Flow,
    ForEachNode,
    GateNode,
    GroupNode,
    Input,
    IntegrateNode,
    JudgeNode,
    PublishNode,
    RepeatNode,
    ReviewNode,
    RunNode,
    SetNode,
)
from punchlist.model.json import Json
from punchlist.model.policy import Policy
from punchlist.model.records import Task
from punchlist.model.verdicts import Verdict

Type = Literal["dyn", "string", "int", "bool", "list", "map"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A value: `fields` are all that a map has, None when they are not known; `item` is what a list holds."""

    type: Type
    fields: "Mapping[str, Shape] | None" = None
    item: "Shape | None" = None


DYN, STRING, INT, BOOL = Shape("dyn"), Shape("string"), Shape("int"), Shape("bool")
LIST, MAP = Shape("list"), Shape("map")
NOTHING = Shape("dyn", {})
"""The output of a node that has none: null, which has no fields."""


def closed(**fields: Shape) -> Shape:
    """Return a map with exactly these fields."""
    return Shape("map", fields)


RUN = closed(id=STRING, flow=STRING)
_PLAIN: Mapping[str, Shape] = {
    "string": STRING,
    "path": STRING,
    "enum": STRING,
    "int": INT,
    "bool": BOOL,
    "list": LIST,
    "map": MAP,
}


def root_shapes(flow: Flow) -> dict[str, Shape]:
    """Return what every expression of a flow may begin with, nodes aside."""
    inputs = {name: input_shape(each) for name, each in flow.inputs.items()}
    return {
        "inputs": Shape("map", inputs),
        "policy": record_shape(Policy),
        "run": RUN,
        "project": DYN,
        "task": DYN,
    }


def input_shape(declared: Input) -> Shape:
    """Return the shape of a declared value; a float may also be given as a whole number, so nothing is known of it."""
    return record_shape(Task) if declared.type == "task" else _PLAIN.get(declared.type, DYN)


def output_shape(node: AnyNode) -> Shape:
    """Return the shape of a node's output, when it succeeds."""
    match node:
        case ForEachNode():
            return Shape("list", item=_group(node.output, node.nodes))
        case GroupNode() | RepeatNode():
            return _group(node.output, node.nodes)
        case CheckNode() | ReviewNode() | JudgeNode():
            return _judged(node)
        case IntegrateNode():
            return closed(done=BOOL, commit=DYN, verdict=DYN)
        case PublishNode():
            return closed(tasks=LIST) if node.publish == "plan" else closed(branch=STRING, commit=DYN, merged=BOOL)
        case GateNode():
            return closed(choice=STRING, data=DYN, by=STRING)
        case AssertNode() | FailNode():
            return NOTHING
        case AgentNode() | RunNode() | SetNode() | CallNode():
            return _made(node)
    assert_never(node)


def round_shape(node: RepeatNode) -> Shape:
    """Return what a round knows of itself and of the one before, which there is not in the first."""
    outputs = {each.id: DYN if may_be_absent(each) else output_shape(each) for each in node.nodes}
    return closed(index=INT, last=Shape("dyn", {**outputs, "decision": DYN}))


def _judged(node: CheckNode | ReviewNode | JudgeNode) -> Shape:
    match node:
        case CheckNode():
            return closed(tree=STRING, results=LIST, rows=LIST, clean=BOOL, to_review=LIST)
        case ReviewNode():
            return MAP
        case JudgeNode():
            return record_shape(Verdict)
    assert_never(node)


def _made(node: AgentNode | RunNode | SetNode | CallNode) -> Shape:
    """Return the shape of what the author's own commands, agents, expressions and flows give."""
    match node:
        case AgentNode():
            return _declared(node.output)
        case RunNode():
            return closed(exit_code=INT, stdout=STRING) if node.output is None else _answered(node.output)
        case SetNode():
            return Shape("map", dict.fromkeys(node.set, DYN))
        case CallNode():
            return Shape("map", dict.fromkeys(node.flow.outputs, DYN)) if node.flow.nodes else DYN
    assert_never(node)


def _group(output: Json, nodes: tuple[AnyNode, ...]) -> Shape:
    if isinstance(output, dict):
        return Shape("map", dict.fromkeys(output, DYN))
    last = nodes[-1] if nodes and output is None else None
    return DYN if last is None or may_be_absent(last) else output_shape(last)


class Unread(GroupNode, frozen=True, tag="unread"):
    """A node that does not say what it is, or says several things: each of these `readings` is checked by itself."""

    readings: tuple[AnyNode, ...] = ()


def is_unread(node: AnyNode) -> bool:
    """Say whether a node only stands for one that could not be read: nothing is known of it."""
    return isinstance(node, GroupNode) and not node.nodes


def may_be_absent(node: AnyNode) -> bool:
    """Say whether a node may be without output when what needs it goes on: skipped, or failed and passed over.

    A command that failed has its exit code and its output, or its declared answer, all the same.
    """
    passed_over = node.on_failure == "continue" and not isinstance(node, RunNode)
    skipped = node.when is not None and not isinstance(node, ForEachNode)
    return skipped or passed_over or absent_end(node) is not None


def absent_end(node: AnyNode) -> AnyNode | None:
    """Return the last node of a group that has the output of that one, when it may be absent; else None."""
    if not isinstance(node, GroupNode | RepeatNode) or node.output is not None or not node.nodes:
        return None
    return node.nodes[-1] if may_be_absent(node.nodes[-1]) else None


def _declared(schema: dict[str, Json] | None) -> Shape:
    if schema is None:
        return DYN
    if set(schema) == {"schema"}:
        return schema_shape(schema["schema"])
    return Shape("map", {name: _PLAIN.get(_type_name(each), DYN) for name, each in schema.items()})


def _answered(output: dict[str, Json]) -> Shape:
    """Return the shape of a command's answer, as far as what is declared of it tells."""
    fields = output.get("fields")
    return _declared(fields) if isinstance(fields, dict) else schema_shape(output.get("schema"))


_JSON_TYPES: Mapping[str, Shape] = {"string": STRING, "integer": INT, "boolean": BOOL, "array": LIST, "object": MAP}


def schema_shape(schema: Json) -> Shape:
    """Return what a JSON Schema tells of the values that fit it: fields only where it allows no others."""
    if not isinstance(schema, dict) or not isinstance(schema.get("type"), str) or "$ref" in schema:
        return DYN
    properties, known = schema.get("properties"), _JSON_TYPES.get(str(schema["type"]), DYN)
    if known is not MAP or not isinstance(properties, dict) or schema.get("additionalProperties") is not False:
        return known
    return Shape("map", {name: schema_shape(each) for name, each in properties.items()})


def _type_name(declared: Json) -> str:
    if isinstance(declared, dict):
        return str(declared.get("type", "enum" if "enum" in declared or "values" in declared else "any"))
    return str(declared)


@functools.cache
def record_shape(kind: type[msgspec.Struct]) -> Shape:
    """Return the shape of one of the model's records."""
    return _shape(msgspec.inspect.type_info(kind))


def _shape(kind: msgspec.inspect.Type) -> Shape:
    match kind:
        case msgspec.inspect.StructType():
            return Shape("map", {each.encode_name: _shape(each.type) for each in kind.fields})
        case msgspec.inspect.VarTupleType() | msgspec.inspect.ListType():
            return Shape("list", item=_shape(kind.item_type))
        case msgspec.inspect.BoolType():
            return BOOL
        case msgspec.inspect.IntType():
            return INT
        case msgspec.inspect.StrType() | msgspec.inspect.EnumType() | msgspec.inspect.LiteralType():
            return STRING
        case _:
            return DYN
