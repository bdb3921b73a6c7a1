"""Where a node holds expressions, what each must give, and from where it sees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

from punchlist.model.flow import (
    AgentNode,
    AnyNode,
    AssertNode,
    CallNode,
    CheckNode,
    FailNode,
    ForEachNode,
    GateNode,
    GroupNode,
    InputType,
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
from punchlist.model.parts import Path

Want = Literal[
    "a JSON value",
    "true or false",
    "a whole number",
    "a list",
    "a map",
    "a string",
    "text",
    "text, a whole number, true or false",
]
"""What an expression must give; `text` is what can be written inside text: numbers and truths, too."""
_WANTED: Mapping[InputType, Want] = {
    "string": "a string",
    "path": "a string",
    "enum": "a string",
    "int": "a whole number",
    "bool": "true or false",
    "list": "a list",
    "map": "a map",
    "task": "a map",
}
A_CASE: Want = "text, a whole number, true or false"
View = Literal["node", "item", "body"]


@dataclass(frozen=True, slots=True)
class Use:
    """A value that may hold expressions, at `path` from its node in the document.

    It sees what runs before the `node`; of a for_each also the `item`; or, at the end of a group, the nodes of its
    `body` and the item or the round.
    """

    path: Path
    value: Json
    want: Want = "a JSON value"
    view: View = "node"
    command: bool = False


def uses(node: AnyNode) -> Iterator[Use]:
    """Yield every value of a node that may hold expressions."""
    when: View = "item" if isinstance(node, ForEachNode) else "node"
    yield Use(("when",), node.when, "true or false", when)
    timeout: Path = ("gate", "timeout") if isinstance(node, GateNode) else ("timeout",)
    yield Use(timeout, node.timeout, "text")
    yield Use(("silence",), node.silence, "text")
    yield Use(("memory",), node.memory, "text")
    yield from _own(node)


def _own(node: AnyNode) -> Iterator[Use]:
    match node:
        case GroupNode() | ForEachNode() | RepeatNode():
            return _group(node)
        case CheckNode() | ReviewNode():
            return _exam(node)
        case AgentNode():
            return _agent(node)
        case RunNode():
            return _run(node)
        case PythonNode():
            return _python(node)
        case IntegrateNode():
            return iter((Use(("integrate",), node.integrate, "a map"),))
        case PublishNode():
            return iter((Use(("how",), node.how, "a string"), Use(("plan",), node.plan)))
        case AssertNode() | FailNode() | MatchNode():
            return _condition(node)
        case JudgeNode() | GateNode() | WaitNode() | SetNode() | CallNode():
            return _plain(node)
    assert_never(node)


def _plain(node: JudgeNode | GateNode | WaitNode | SetNode | CallNode) -> Iterator[Use]:
    match node:
        case GateNode():
            return iter((Use(("gate", "message"), node.message, "a string"), Use(("gate", "show"), node.show)))
        case SetNode():
            return iter((Use(("set",), dict(node.set)),))
        case CallNode():
            return (Use(("with", name), value, _taken(node, name)) for name, value in node.with_.items())
        case WaitNode():
            return _wait(node)
        case JudgeNode():
            return iter(())
    assert_never(node)


def _taken(node: CallNode, name: str) -> Want:
    """Return what an expression must give that is handed to an input of a called flow."""
    declared = node.flow.inputs.get(name)
    return "a JSON value" if declared is None else _WANTED.get(declared.type, "a JSON value")


def _condition(node: AssertNode | FailNode | MatchNode) -> Iterator[Use]:
    match node:
        case AssertNode():
            that = Use(("assert", "that"), node.that, "true or false")
            return iter((that, Use(("assert", "message"), node.message, "a string")))
        case FailNode():
            return iter((Use(("fail",), node.fail, "a string"),))
        case MatchNode():
            return iter((Use(("match",), node.match, A_CASE),))
    assert_never(node)


def _wait(node: WaitNode) -> Iterator[Use]:
    wait = node.wait
    yield Use(("wait", "for"), wait.for_, "text")
    yield Use(("wait", "until"), wait.until, "a string")
    yield Use(("wait", "file"), wait.file, "text")
    yield Use(("wait", "min"), wait.min, "a whole number")
    yield Use(("wait", "every"), wait.every, "text")
    if isinstance(wait.command, tuple):
        yield from (Use(("wait", "command", index), word, "text") for index, word in enumerate(wait.command))
    else:
        yield Use(("wait", "command"), wait.command, "text", command=True)


def _agent(node: AgentNode) -> Iterator[Use]:
    yield Use(("agent",), node.agent, "a string")
    yield Use(("pack",), node.pack)
    yield Use(("rework",), node.rework)
    yield Use(("prompt",), node.prompt, "a string")
    yield from (Use(("env", name), value, "text") for name, value in node.env.items())
    yield from (Use(("artifacts", name), value, "text") for name, value in node.artifacts.items())


def _python(node: PythonNode) -> Iterator[Use]:
    yield Use(("with",), dict(node.with_))
    yield from (Use(("env", name), value, "text") for name, value in node.env.items())
    yield from (Use(("artifacts", name), value, "text") for name, value in node.artifacts.items())


def _run(node: RunNode) -> Iterator[Use]:
    if isinstance(node.run, str):
        yield Use(("run",), node.run, "text", command=True)
    else:
        yield from (Use(("run", index), word, "text") for index, word in enumerate(node.run))
    yield Use(("cwd",), node.cwd, "text")
    yield Use(("stdin",), node.stdin, "text")
    yield from (Use(("env", name), value, "text") for name, value in node.env.items())
    yield from (Use(("artifacts", name), value, "text") for name, value in node.artifacts.items())
    yield Use(("output", "file"), (node.output or {}).get("file"), "text")


def _exam(node: CheckNode | ReviewNode) -> Iterator[Use]:
    kind = "check" if isinstance(node, CheckNode) else "review"
    yield Use((kind, "criteria"), node.criteria if isinstance(node.criteria, str) else None, "a list")
    yield Use((kind, "tree"), node.tree, "a string")
    if isinstance(node, ReviewNode):
        yield Use((kind, "worker"), node.worker, "a string")


def _items(items: Json) -> Iterator[Use]:
    if isinstance(items, dict):
        yield from (Use(("for_each", form), path, "text") for form, path in items.items())
    else:
        yield Use(("for_each",), items, "a JSON value" if isinstance(items, list) else "a list")


def _group(node: GroupNode | ForEachNode | RepeatNode) -> Iterator[Use]:
    yield Use(("output",), node.output, view="body")
    if isinstance(node, ForEachNode):
        yield from _items(node.for_each)
        yield Use(("max_parallel",), node.max_parallel, "a whole number")
        yield Use(("key",), node.key, "a string", "item")
        yield Use(("needs_from",), node.needs_from, "a list", "item")
    elif isinstance(node, RepeatNode):
        yield Use(("repeat", "max"), node.repeat.max, "a whole number")
        yield Use(("repeat", "until"), node.repeat.until, "true or false", "body")
