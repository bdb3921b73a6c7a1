"""What a flow would do, node by node: for `run --dry-run`."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from punchlist.errors import DefinitionError
from punchlist.flow.expressions import evaluate
from punchlist.model.flow import AgentNode, CallNode, ForEachNode, GroupNode, MatchNode, RepeatNode, ReviewNode
from punchlist.model.json import plain

if TYPE_CHECKING:
    from punchlist.model.flow import AnyNode, Flow
    from punchlist.model.json import Json
    from punchlist.model.policy import Policy
    from punchlist.model.records import Project

Known = Mapping[str, "Json"]
_GENERAL = ("id", "kind", "line", "column", "nodes", "flow", "cases", "else")
_SHOWN_AS = {"run": "command"}
_WORKER = {"agent": "agent", "review": "worker"}
"""Where each kind of node says who works at it."""
_ANY = "[*]"
"""What stands in a path for items that only the run can tell."""


def planned(
    flow: "Flow",
    *,
    inputs: "Mapping[str, Json]",
    policy: "Policy",
    project: "Project | None" = None,
    env: "Mapping[str, str] | None" = None,
) -> "list[Json]":
    """Return a flow's nodes in the order written, each with its path, kind and what it says; loops have a `note`.

    Expressions that need only inputs, policy, project, items or the first round are filled in; all others stand as they
    are written. A `for_each` over what is known stands there once an item, a `repeat` with its first round.
    """
    known: dict[str, Json] = {"inputs": dict(inputs), "policy": plain(policy), "env": dict(env or {})}
    if project is not None:
        known["project"] = plain(project)
    return [*_group(flow.parts, "", known=known)]


def workers_used(
    flow: "Flow", *, inputs: "Mapping[str, Json]", policy: "Policy", project: "Project | None" = None
) -> "set[str]":
    """Return the workers that a run may need, as far as inputs and policy tell; only the run can tell the others."""
    if not _has_workers(flow.parts):
        return set()
    rows = [row for row in planned(flow, inputs=inputs, policy=policy, project=project) if isinstance(row, dict)]
    named = [
        row.get(_WORKER[str(row["kind"])]) for row in rows if row["kind"] in _WORKER and row.get("when") is not False
    ]
    return {each for each in named if isinstance(each, str)}


def _has_workers(nodes: "tuple[AnyNode, ...]") -> bool:
    for node in nodes:
        match node:
            case AgentNode() | ReviewNode():
                return True
            case GroupNode() | ForEachNode() | RepeatNode() if _has_workers(node.nodes):
                return True
            case MatchNode() if _has_workers(node.every):
                return True
            case CallNode() if _has_workers(node.flow.parts):
                return True
            case _:
                pass
    return False


def _group(nodes: "tuple[AnyNode, ...]", above: str, *, known: "Known") -> "Iterator[Json]":
    for node in nodes:
        path = f"{above}.{node.id}" if above else node.id
        yield from _node(node, path, known=known)


def _node(node: "AnyNode", path: str, *, known: "Known") -> "Iterator[Json]":
    if not isinstance(node, ForEachNode) and node.when is not None and _known(node.when, known) is False:
        yield _shape(node, path, known=known, note="skipped: its `when` is false")
        return
    match node:
        case ForEachNode():
            yield from _items(node, path, known=known)
        case RepeatNode():
            yield from _rounds(node, path, known=known)
        case CallNode():
            yield _shape(node, path, known=known)
            yield from _group(node.flow.parts, path, known={**known, "inputs": _given(node, known)})
        case MatchNode():
            yield from _cases(node, path, known=known)
        case GroupNode():
            yield _shape(node, path, known=known)
            yield from _group(node.nodes, path, known=known)
        case _:
            yield _shape(node, path, known=known)


def _items(node: "ForEachNode", path: str, *, known: "Known") -> "Iterator[Json]":
    items = _known(node.for_each, known)
    if not isinstance(items, list):
        yield _shape(node, path, known=known, note="only the run can tell over what; its nodes are shown once")
        yield from _group(node.nodes, f"{path}{_ANY}", known=known)
        return
    yield _shape(node, path, known=known, note=f"{len(items)} item{'' if len(items) == 1 else 's'}")
    for number, item in enumerate(items):
        names = {**known, node.as_: item}
        key = next(iter(_settled(node.key, names)), None)
        where = f"{path}[{number if key is None else key}]"
        if node.when is not None and _known(node.when, names) is False:
            yield {"path": where, "kind": "item", "note": "skipped: its `when` is false"}
        else:
            yield from _group(node.nodes, where, known=names)


def _rounds(node: "RepeatNode", path: str, *, known: "Known") -> "Iterator[Json]":
    most = _known(node.repeat.max, known)
    if isinstance(most, int):
        note = f"up to {most} round{'' if most == 1 else 's'}, of which the first is shown"
    else:
        note = "only the run can tell up to how many rounds; the first is shown"
    yield _shape(node, path, known=known, note=note)
    yield from _group(node.nodes, f"{path}[0]", known={**known, "round": {"index": 0, "last": None}})


def _cases(node: "MatchNode", path: str, *, known: "Known") -> "Iterator[Json]":
    value = _known(node.match, known)
    taken = [each for each in node.cases if each.of == value or each.of == str(value).lower()]
    settled = bool(_settled(node.match, known))
    shown = (taken or [each for each in node.every if each.of is None])[:1] if settled else node.every
    note = "" if settled else "only the run can tell which case is taken; all are shown"
    yield _shape(node, path, known=known, note=note)
    for case in shown:
        yield from _group(case.nodes, f"{path}.{case.id}", known=known)


def _given(node: "CallNode", known: "Known") -> "Json":
    """Return the inputs of a called flow as far as they are known; one that is not is not there."""
    given: dict[str, Json] = {}
    for name, declared in node.flow.inputs.items():
        if name in node.with_:
            for value in _settled(node.with_[name], known):
                given[name] = value
        elif declared.default is not msgspec.UNSET:
            given[name] = declared.default
    return given


def _settled(value: "Json", known: "Known") -> "tuple[Json, ...]":
    """Return the value with all in it filled in, or nothing when not all of it is known."""
    try:
        return (evaluate(value, known.__getitem__),)
    except (DefinitionError, KeyError):
        return ()


def _shape(node: "AnyNode", path: str, *, known: "Known", note: str = "") -> "Json":
    value = plain(node)
    fields = value if isinstance(value, dict) else {}
    said = {_SHOWN_AS.get(name, name): _known(each, known) for name, each in fields.items() if name not in _GENERAL}
    return {"path": path, "kind": fields.get("kind"), **said, **({"note": note} if note else {})}


def _known(value: "Json", known: "Known") -> "Json":
    """Return a value with what is known filled in; a text that reads anything else stands as it is written."""
    match value:
        case list():
            return [_known(each, known) for each in value]
        case dict():
            return {name: _known(each, known) for name, each in value.items()}
        case _:
            return next(iter(_settled(value, known)), value)
