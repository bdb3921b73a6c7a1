"""What is known of nodes before a flow runs: the shape of their output, and whether they may have none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from punchlist.flow.value_shapes import (
    BOOL,
    DYN,
    INT,
    LIST,
    MAP,
    NOTHING,
    STRING,
    Shape,
    closed,
    either,
    one_of,
    record_shape,
    schema_shape,
)
from punchlist.model.flow import (
    AgentNode,
    AnyNode,
    AssertNode,
    CallNode,
    CaseNode,
    CheckNode,
    FailNode,
    Flow,
    ForEachNode,
    GateNode,
    GroupNode,
    Input,
    IntegrateNode,
    JudgeNode,
    MatchNode,
    PublishNode,
    PythonNode,
    RepeatNode,
    ReviewNode,
    RunNode,
    SetNode,
    WaitNode,
)
from punchlist.model.json import Json
from punchlist.model.policy import Policy
from punchlist.model.records import Task
from punchlist.model.states import FINAL_NODE
from punchlist.model.verdicts import Verdict

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
        "env": Shape("map", dict.fromkeys(flow.env, STRING)),
        "run": RUN,
        "project": DYN,
        "task": DYN,
    }


def input_shape(declared: Input) -> Shape:
    """Return the shape of a declared value; a float may also be given as a whole number, so nothing is known of it."""
    if declared.type == "task":
        return record_shape(Task)
    if declared.values:
        return one_of(declared.values)
    known = _PLAIN.get(declared.type, DYN)
    return known if declared.schema is None or known not in (DYN, MAP) else schema_shape(declared.schema)


def output_shape(node: AnyNode) -> Shape:
    """Return the shape of a node's output, when it succeeds."""
    match node:
        case ForEachNode():
            return Shape("list", item=_group(node.output, node.nodes))
        case GroupNode() | RepeatNode():
            return _group(node.output, node.nodes)
        case MatchNode():
            return _of_cases(node)
        case CheckNode() | ReviewNode() | JudgeNode():
            return _judged(node)
        case IntegrateNode():
            return closed(done=BOOL, commit=DYN, verdict=DYN)
        case PublishNode():
            return closed(tasks=LIST) if node.publish == "plan" else closed(branch=STRING, commit=DYN, merged=BOOL)
        case GateNode() | WaitNode():
            return _waited(node)
        case AssertNode() | FailNode():
            return NOTHING
        case AgentNode() | RunNode() | PythonNode() | SetNode() | CallNode():
            return _made(node)
    assert_never(node)


def round_shape(node: RepeatNode) -> Shape:
    """Return what a round knows of itself and of the one before, which there is not in the first."""
    outputs = {each.id: DYN if may_be_absent(each) else output_shape(each) for each in node.nodes}
    return closed(index=INT, last=Shape("dyn", {**outputs, "decision": DYN}))


def _formed(node: GateNode) -> Shape:
    """Return what a decision brings; nobody fills a form in when it is taken for want of time."""
    return DYN if node.form is None or node.on_timeout in node.choices else _declared(node.form)


def _waited(node: GateNode | WaitNode) -> Shape:
    """Return the shape of what a person decided, or of what there is at last."""
    if isinstance(node, GateNode):
        return closed(choice=one_of(node.choices), data=_formed(node), by=STRING)
    if node.wait.file is not None:
        return closed(files=LIST)
    return closed(at=STRING) if node.wait.command is None else closed(exit_code=INT, stdout=STRING)


def _judged(node: CheckNode | ReviewNode | JudgeNode) -> Shape:
    match node:
        case CheckNode():
            return closed(tree=STRING, results=LIST, rows=LIST, clean=BOOL, to_review=LIST)
        case ReviewNode():
            return MAP
        case JudgeNode():
            return record_shape(Verdict)
    assert_never(node)


def _made(node: AgentNode | RunNode | PythonNode | SetNode | CallNode) -> Shape:
    """Return the shape of what the author's own commands, agents, expressions and flows give."""
    match node:
        case AgentNode() | PythonNode():
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


def _of_cases(node: MatchNode) -> Shape:
    """Return the shape of what one of the cases gives; those that always fail give nothing."""
    shapes = {each.id: _of_case(each) for each in node.every if not _fails(each)}
    return either(shapes, what="case", of=f" of '{node.id}'")


def _of_case(case: CaseNode) -> Shape:
    if not case.nodes:
        return NOTHING
    last = absent_end(case)
    if last is None:
        return _group(case.output, case.nodes)
    shape = output_shape(last)
    why = f"case '{case.id}' ends with '{last.id}', which may be skipped or fail"
    return DYN if shape.fields is None else replace(shape, type="dyn", maybe=dict.fromkeys(shape.fields, why))


def _fails(node: AnyNode) -> bool:
    """Say whether a node never comes to a good end."""
    if node.when is not None or node.on_failure == "continue":
        return False
    return isinstance(node, FailNode) or (isinstance(node, GroupNode) and any(map(_fails, node.nodes)))


def status_shape(node: AnyNode) -> Shape:
    """Return the shape of the status of a node when what needs it goes on; a person may also have skipped it."""
    usual = ["succeeded"]
    usual += ["failed"] if node.on_failure == "continue" else []
    usual += ["skipped"] if node.when is not None and not isinstance(node, ForEachNode) else []
    return one_of(usual, others=[each for each in FINAL_NODE if each not in usual])


class Unread(GroupNode, frozen=True, tag="unread"):
    """A node that does not say what it is, or says several things: each of these `readings` is checked by itself."""

    readings: tuple[AnyNode, ...] = ()


_ARTIFACT = closed(path=STRING, sha256=STRING, size=INT, text=STRING)


def artifacts_shape(node: AnyNode) -> Shape | None:
    """Return the shape of the artifacts that a node leaves; None for one that leaves none."""
    names = node.artifacts if isinstance(node, AgentNode | RunNode | PythonNode) else {}
    return Shape("map", dict.fromkeys(names, _ARTIFACT)) if names else None


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
    return Shape("map", {name: _field(each) for name, each in schema.items()})


def _field(declared: Json) -> Shape:
    values = declared.get("enum", declared.get("values")) if isinstance(declared, dict) else None
    return one_of(map(str, values)) if isinstance(values, list) else _PLAIN.get(_type_name(declared), DYN)


def _answered(output: dict[str, Json]) -> Shape:
    """Return the shape of a command's answer, as far as what is declared of it tells."""
    fields = output.get("fields")
    return _declared(fields) if isinstance(fields, dict) else schema_shape(output.get("schema"))


def _type_name(declared: Json) -> str:
    if isinstance(declared, dict):
        return str(declared.get("type", "enum" if "enum" in declared or "values" in declared else "any"))
    return str(declared)
