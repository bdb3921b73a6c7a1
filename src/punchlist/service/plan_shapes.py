"""What a flow would do, node by node: for `run --dry-run`."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from punchlist.flow.outputs import output_words
from punchlist.model.flow import AgentNode, CallNode, ForEachNode, GroupNode, MatchNode, RepeatNode, ReviewNode, SetNode
from punchlist.model.json import plain
from punchlist.service.plan_values import Known

if TYPE_CHECKING:
    from punchlist.model.flow import AnyNode, Flow
    from punchlist.model.json import Json
    from punchlist.model.policy import Policy
    from punchlist.model.records import Project

Row = dict[str, "Json"]
_GENERAL = ("id", "kind", "line", "column", "nodes", "flow", "cases", "else")
_SHOWN_AS = {"run": "command"}
_WORKER = {"agent": "agent", "review": "worker"}
"""Where each kind of node says who works at it."""
_OF_ALL_FLOWS = frozenset({"policy", "env", "project", "run"})
"""What means the same in a called flow."""
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

    Expressions that need only inputs, policy, project, items, the first round, or what a `set` before them gives are
    filled in; all others stand as they are written, and `later` names what they wait for. `fails` says why an
    expression will fail of which all is known. A `for_each` over what is known stands there once an item, a `repeat`
    with its first round.
    """
    known: dict[str, Json] = {
        "inputs": dict(inputs),
        "policy": plain(policy),
        "env": dict(env or {}),
        "run": {"flow": flow.flow},
    }
    if project is not None:
        known["project"] = plain(project)
    return [*_group(flow.parts, "", known=Known(known, frozenset({"run"})))]


def workers_used(
    flow: "Flow", *, inputs: "Mapping[str, Json]", policy: "Policy", project: "Project | None" = None
) -> "set[str]":
    """Return the workers that a run may need, as far as inputs and policy tell; only the run can tell the others."""
    if not _has_workers(flow.parts):
        return set()
    known: dict[str, Json] = {"inputs": dict(inputs), "policy": plain(policy)}
    if project is not None:
        known["project"] = plain(project)
    rows = _group(flow.parts, "", known=Known(known, explained=False))
    return {
        each
        for row in rows
        if row["kind"] in _WORKER
        and row.get("when") is not False
        and isinstance(each := row.get(_WORKER[str(row["kind"])]), str)
    }


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


def _group(nodes: "tuple[AnyNode, ...]", above: str, *, known: "Known") -> "Iterator[Row]":
    known = known.inside({}, hiding=tuple(node.id for node in nodes))
    for node in nodes:
        path = f"{above}.{node.id}" if above else node.id
        skipped = not isinstance(node, ForEachNode) and node.when is not None and known.filled(node.when) is False
        if skipped:
            yield _shape(node, path, known=known, note="skipped: its `when` is false")
            known.values.update({f"nodes.{node.id}.status": "skipped", f"nodes.{node.id}.output": None})
            continue
        yield from _node(node, path, known=known)
        if isinstance(node, SetNode) and (node.when is None or known.filled(node.when) is True):
            for value in known.settled(dict(node.set)):
                known.values.update({f"nodes.{node.id}.status": "succeeded", f"nodes.{node.id}.output": value})


def _node(node: "AnyNode", path: str, *, known: "Known") -> "Iterator[Row]":
    match node:
        case ForEachNode():
            yield from _items(node, path, known=known)
        case RepeatNode():
            yield from _rounds(node, path, known=known)
        case CallNode():
            yield _shape(node, path, known=known)
            yield from _group(node.flow.parts, path, known=_called(node, known))
        case MatchNode():
            yield from _cases(node, path, known=known)
        case GroupNode():
            yield _shape(node, path, known=known)
            yield from _group(node.nodes, path, known=known)
        case _:
            yield _shape(node, path, known=known)


def _items(node: "ForEachNode", path: str, *, known: "Known") -> "Iterator[Row]":
    items = known.filled(node.for_each)
    if not isinstance(items, list):
        yield _shape(node, path, known=known, note="only the run can tell over what; its nodes are shown once")
        yield from _group(node.nodes, f"{path}{_ANY}", known=known)
        return
    yield _shape(node, path, known=known, note=f"{len(items)} item{'' if len(items) == 1 else 's'}")
    for number, item in enumerate(items):
        names = known.inside({node.as_: item})
        key = next(iter(names.settled(node.key)), None)
        where = f"{path}[{number if key is None else key}]"
        if node.when is not None and names.filled(node.when) is False:
            yield {"path": where, "kind": "item", "note": "skipped: its `when` is false"}
        else:
            yield from _group(node.nodes, where, known=names)


def _rounds(node: "RepeatNode", path: str, *, known: "Known") -> "Iterator[Row]":
    most = known.filled(node.repeat.max)
    if isinstance(most, int):
        note = f"up to {most} round{'' if most == 1 else 's'}, of which the first is shown"
    else:
        note = "only the run can tell up to how many rounds; the first is shown"
    yield _shape(node, path, known=known, note=note)
    yield from _group(node.nodes, f"{path}[0]", known=known.inside({"round": {"index": 0, "last": None}}))


def _cases(node: "MatchNode", path: str, *, known: "Known") -> "Iterator[Row]":
    settled = known.settled(node.match)
    shown = node.every
    if settled:
        taken = [each for each in node.cases if each.of == settled[0] or each.of == str(settled[0]).lower()]
        shown = tuple(taken or (each for each in node.every if each.of is None))[:1]
    note = "" if settled else "only the run can tell which case is taken; all are shown"
    yield _shape(node, path, known=known, note=note)
    for case in shown:
        yield from _group(case.nodes, f"{path}.{case.id}", known=known)


def _called(node: "CallNode", known: "Known") -> "Known":
    """Return what is known inside of a called flow: its inputs as far as they are known, not the nodes around."""
    given: dict[str, Json] = {}
    for name, declared in node.flow.inputs.items():
        if name in node.with_:
            for value in known.settled(node.with_[name]):
                given[name] = value
        elif declared.default is not msgspec.UNSET:
            given[name] = declared.default
    kept = {name: value for name, value in known.values.items() if name in _OF_ALL_FLOWS}
    whole = len(given) == len(node.flow.inputs)
    partial = frozenset({"run"} if whole else {"run", "inputs"})
    return Known({**kept, "inputs": given}, partial, explained=known.explained)


def _shape(node: "AnyNode", path: str, *, known: "Known", note: str = "") -> "Row":
    value = plain(node)
    fields = {name: each for name, each in value.items() if name not in _GENERAL} if isinstance(value, dict) else {}
    said = {
        _SHOWN_AS.get(name, name): known.filled(each, command=name == "run" and isinstance(each, str))
        for name, each in fields.items()
    }
    row: Row = {"path": path, "kind": str(node.__struct_config__.tag), **said}
    if not known.explained:
        return row
    if isinstance(node, AgentNode) and node.output is not None:
        row["prompt"] = f"{said['prompt']}\n\n{output_words(node.output)}\n"
    notes = "; ".join([*([note] if note else []), *_made_later(node)])
    asked = _asked_first(node, fields)
    later, fails = [*dict.fromkeys(known.later(asked))], known.fails(asked)
    return {
        **row,
        **({"note": notes} if notes else {}),
        **({"later": [*later]} if later else {}),
        **({"fails": fails} if fails else {}),
    }


def _asked_first(node: "AnyNode", fields: "dict[str, Json]") -> "Json":
    """Return the values of a node that are evaluated before anything in it runs."""
    match node:
        case ForEachNode():
            return [node.for_each, node.max_parallel]
        case RepeatNode():
            return [node.repeat.max, node.when]
        case GroupNode() | MatchNode():
            return [fields.get("match"), node.when]
        case _:
            return fields


def _made_later(node: "AnyNode") -> "Iterator[str]":
    """Yield what is said of a prompt that is made of what the run knows by then."""
    match node:
        case AgentNode(role="builder"):
            yield "its prompt is made of the step, and on rework of the verdict, when it runs"
        case AgentNode(role="planner"):
            yield "its prompt is made of the request and the project when it runs"
        case ReviewNode():
            yield "its prompt is made of the criteria and the change when it runs"
        case _:
            pass
