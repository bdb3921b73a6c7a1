"""Nodes out of YAML: one reader a kind; the kind is the key that is present."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

import msgspec

from punchlist.flow.cases import read_match
from punchlist.flow.conditions import read_assert, read_fail
from punchlist.flow.contracts import read_answer, read_artifacts, read_declared, read_items, read_list
from punchlist.flow.criteria import read_criteria
from punchlist.flow.document import Entries, Items, Scalar, Yaml, plain
from punchlist.flow.entry import Around, Entry
from punchlist.flow.given import read_secrets, read_values
from punchlist.flow.reading import Reader
from punchlist.flow.retrying import read_retry
from punchlist.flow.shapes import Unread
from punchlist.flow.templates import OPEN
from punchlist.flow.waits import read_gate, read_wait
from punchlist.flow.words import LATER, LATER_KINDS, listed
from punchlist.model.allowed import nearest
from punchlist.model.flow import (
    AgentNode,
    AnyNode,
    CallNode,
    CheckNode,
    Flow,
    ForEachNode,
    GroupNode,
    IntegrateNode,
    JudgeNode,
    PublishNode,
    PythonNode,
    Repeat,
    RepeatNode,
    ReviewNode,
    RunNode,
    SetNode,
)
from punchlist.model.json import Json
from punchlist.model.policy import PolicyPart

COMMON = ("needs", "when", "phase", "on_failure", "retry", "timeout", "silence", "memory")
_LIMITED = frozenset({"agent", "run", "python", "review"})
_TRIED = _LIMITED | {"check", "integrate", "publish"}
_ONLY: Mapping[str, frozenset[str]] = {
    "retry": _TRIED,
    "timeout": _LIMITED | {"wait"},
    "silence": _LIMITED,
    "memory": _LIMITED,
}
"""Common keys that mean something to some kinds alone so far; of the others they are refused, not passed over."""

EXHAUSTED_GATES = ("exhausted", "rework", "acceptance")
_TREE = re.compile(r"base|task_branch|[0-9a-f]{40}|[0-9a-f]{64}")
_HOW = re.compile(r"branch|merge|pr")
_WORKER = re.compile(r"[a-z][a-z0-9_-]{0,59}")
_FUNCTION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_FILE = re.compile(r"\S+\.(?:md|txt)")
_Role = Literal["node", "builder", "planner"]
_ROLES: tuple[_Role, ...] = ("node", "builder", "planner")
_Published = Literal["task", "plan"]
_PUBLISHED: tuple[_Published, ...] = ("task", "plan")
_ON_ITEM_FAILURE: tuple[Literal["stop", "continue"], ...] = ("stop", "continue")


def read_nodes(reader: Reader, tree: Yaml, *, around: Around) -> tuple[AnyNode, ...]:
    """Return the nodes of one group in their order."""
    return tuple(_node(reader, key, tree=value, around=around) for key, value in reader.entries(tree, empty=False))


def _node(reader: Reader, key: Scalar, *, tree: Yaml, around: Around) -> AnyNode:
    name = reader.name(key, "a node")
    line, column = key.place.line, key.place.column
    if not isinstance(tree, Entries):
        reader.wrong(tree, f"a map with one of: {listed(KINDS)}", what=f"node '{name}': ")
        return Unread(id=name, nodes=(), line=line, column=column)
    kinds = _kinds(reader, tree, name=name)
    fields = _fields(reader, tree, kinds=kinds, name=name)
    common = _common(reader, fields)
    inside = partial(read_nodes, reader, around=around)
    found: list[AnyNode] = []
    for kind in (each for each in kinds if each in KINDS):
        siblings, read = KINDS[kind]
        own = {field: value for field, value in fields.items() if field in siblings}
        entry = Entry(name, key.place, kind, tree.values[kind], own, reader, around, inside, alone=len(kinds) == 1)
        found.append(msgspec.structs.replace(read(entry), **common, line=line, column=column))
    if len(kinds) == 1 and found:
        return found[0]
    unread = Unread(id=name, nodes=(), line=line, column=column, readings=tuple(found))
    return msgspec.structs.replace(unread, **common)


def _kinds(reader: Reader, tree: Entries, *, name: str) -> list[str]:
    """Return the keys that say what a node is; it is a problem when they are not exactly one, or of a later version."""
    loops = {"for_each", "repeat"} & set(tree.values)
    kinds = [key for key in tree.values if key in _EVERY_KIND and not (key == "nodes" and loops)]
    for later in (tree.keys[kind] for kind in kinds if kind in LATER_KINDS):
        message = f"this version does not have '{later.text}' nodes yet"
        reader.problems.add(later.place, message, allowed=listed(KINDS))
    if len(kinds) > 1:
        said = " and ".join(f"'{kind}'" for kind in kinds)
        reader.problems.add(tree.keys[kinds[1]].place, f"node '{name}' has {said}", allowed="one of them")
    elif not kinds:
        hints = [hint for key in _strange(tree) if (hint := nearest(key, KINDS))]
        what = f"node '{name}' does not say what it does"
        reader.problems.add(tree.place, what, allowed=listed(KINDS), hint=hints[0] if hints else "")
    return kinds


def _fields(reader: Reader, tree: Entries, *, kinds: Sequence[str], name: str) -> Mapping[str, Yaml]:
    """Return the known keys of a node; one that none of its kinds has is a problem, as far as these are known."""
    if any(kind in LATER_KINDS for kind in kinds):
        return {key: value for key, value in tree.values.items() if key in COMMON}
    if not kinds:
        for key in _strange(tree):
            if not nearest(key, KINDS):
                reader.unknown(tree.keys[key], (*KINDS, *COMMON), what=f"node '{name}'")
        return {key: value for key, value in tree.values.items() if key in COMMON}
    known = keys_of(*kinds)
    later = [*LATER["node"], *(key for kind in kinds for key in LATER.get(kind, ()))]
    later += [key for key in COMMON if key not in known]
    what = f"node '{name}' ({', '.join(kinds)})"
    return reader.fields(tree, known, what=what, later=later)


def _strange(tree: Entries) -> list[str]:
    """Return the keys that no kind of node has."""
    known = {*COMMON, *(key for siblings, _ in KINDS.values() for key in siblings)}
    return [key for key in tree.values if key not in known]


def _common(reader: Reader, fields: Mapping[str, Yaml]) -> dict[str, object]:
    """Return the values of the keys that every node may have, those that are there."""
    if fields.keys().isdisjoint(COMMON):
        return {}
    readers: dict[str, Callable[[Yaml], object]] = {
        "needs": reader.names,
        "when": reader.expression,
        "phase": lambda tree: reader.choice(tree, ("building", "checking", "reviewing", "integrating")),
        "on_failure": lambda tree: reader.choice(tree, ("fail", "continue")),
        "retry": lambda tree: read_retry(reader, tree),
        "timeout": reader.time,
        "silence": reader.time,
        "memory": reader.size,
    }
    return {key: readers[key](tree) for key, tree in fields.items() if key in readers}


# -- one reader a kind ------------------------------------------------------------------------------------------------


def _agent(entry: Entry) -> AgentNode:
    reader = entry.reader
    role: _Role = entry.choice("role", _ROLES)
    entry.needed("prompt" if role == "node" else "pack")
    if role != "node" and "output" in entry.fields:
        reader.problems.add(entry.fields["output"].place, f"'role: {role}' has no 'output': its answer is fixed")
    if role != "node" and "artifacts" in entry.fields:
        reader.problems.add(entry.fields["artifacts"].place, f"'role: {role}' has no 'artifacts': its answer is fixed")
    if role != "builder" and "rework" in entry.fields:
        reader.problems.add(entry.fields["rework"].place, f"'role: {role}' has no 'rework'", allowed="role: builder")
    return AgentNode(
        id=entry.id,
        agent=_matching(reader, entry.value, pattern=_WORKER, rule="a worker's name"),
        role=role,
        pack=entry.take("pack", plain, default=None),
        rework=entry.take("rework", plain, default=None),
        session=entry.choice("session", ("new", "keep")),
        prompt=entry.take("prompt", lambda tree: _prompt(entry, tree), default=None),
        output=entry.take("output", lambda tree: read_declared(reader, tree, around=entry.around), default=None),
        artifacts=entry.take("artifacts", lambda tree: read_artifacts(reader, tree), default=dict[str, str]()),
        env=entry.take("env", lambda tree: read_values(reader, tree), default=dict[str, str]()),
        secrets=entry.take("secrets", lambda tree: read_secrets(reader, tree), default=()),
    )


def _prompt(entry: Entry, tree: Yaml) -> str:
    """Return a prompt's text: of the file, when it is the name of a `.md` or `.txt` file, else as it stands."""
    text = entry.reader.filled(tree)
    return entry.around.text(text, tree.place) if _FILE.fullmatch(text) and OPEN not in text else text


def _run(entry: Entry) -> RunNode:
    reader = entry.reader
    if isinstance(entry.value, Items):
        run: str | tuple[str, ...] = reader.each(entry.value, reader.word, empty=False)
    else:
        run = reader.filled(entry.value)
    return RunNode(
        id=entry.id,
        run=run,
        cwd=entry.take("cwd", reader.filled, default=None),
        env=entry.take("env", lambda tree: read_values(reader, tree), default=dict[str, str]()),
        artifacts=entry.take("artifacts", lambda tree: read_artifacts(reader, tree), default=dict[str, str]()),
        secrets=entry.take("secrets", lambda tree: read_secrets(reader, tree), default=()),
        stdin=entry.take("stdin", reader.text, default=None),
        output=entry.take("output", lambda tree: read_answer(reader, tree, around=entry.around), default=None),
    )


def _python(entry: Entry) -> PythonNode:
    reader = entry.reader
    name = reader.filled(entry.value)
    if name and not _FUNCTION.fullmatch(name):
        reader.wrong(entry.value, "module:function, such as tools.notes:gather")
    given = entry.take("with", reader.json, default=dict[str, Json]())
    for key, _ in reader.entries(entry.fields["with"]) if "with" in entry.fields else ():
        if not key.text.isidentifier():
            reader.problems.add(key.place, f"no argument can be called '{key.text}'", allowed="names of Python")
    return PythonNode(
        id=entry.id,
        python=name,
        with_=given,
        output=entry.take("output", lambda tree: read_declared(reader, tree, around=entry.around), default=None),
        artifacts=entry.take("artifacts", lambda tree: read_artifacts(reader, tree), default=dict[str, str]()),
        env=entry.take("env", lambda tree: read_values(reader, tree), default=dict[str, str]()),
        secrets=entry.take("secrets", lambda tree: read_secrets(reader, tree), default=()),
    )


def _check(entry: Entry) -> CheckNode:
    reader = entry.reader
    parts = entry.parts(("criteria", "tree", "expect"), "criteria", "tree")
    expect = parts.get("expect")
    return CheckNode(
        id=entry.id,
        criteria=read_criteria(reader, parts["criteria"]) if "criteria" in parts else None,
        tree=_tree(reader, parts.get("tree")),
        expect=reader.choice(expect, ("pass", "approved", "proof")) if expect else "pass",
    )


def _review(entry: Entry) -> ReviewNode:
    reader = entry.reader
    parts = entry.parts(("criteria", "tree", "worker"), "criteria", "tree")
    worker = parts.get("worker")
    return ReviewNode(
        id=entry.id,
        criteria=read_criteria(reader, parts["criteria"]) if "criteria" in parts else None,
        tree=_tree(reader, parts.get("tree")),
        worker=_matching(reader, worker, pattern=_WORKER, rule="a worker's name") if worker else None,
    )


def _tree(reader: Reader, tree: Yaml | None) -> str:
    return (
        _matching(reader, tree, pattern=_TREE, rule="base, task_branch, a tree's id, or an expression")
        if tree
        else "base"
    )


def _judge(entry: Entry) -> JudgeNode:
    return JudgeNode(id=entry.id, judge=entry.reader.names(entry.value, empty=False))


def _integrate(entry: Entry) -> IntegrateNode:
    return IntegrateNode(id=entry.id, integrate=entry.reader.expression(entry.value) or "")


def _publish(entry: Entry) -> PublishNode:
    reader = entry.reader
    publish: _Published = reader.choice(entry.value, _PUBLISHED)
    if publish == "plan":
        entry.needed("plan")
    foreign = "how" if publish == "plan" else "plan"
    if foreign in entry.fields:
        reader.problems.add(entry.fields[foreign].place, f"'publish: {publish}' has no '{foreign}'")
    how = entry.take(
        "how",
        lambda tree: _matching(reader, tree, pattern=_HOW, rule="branch, merge, pr"),
        default=None,
    )
    return PublishNode(id=entry.id, publish=publish, how=how, plan=entry.take("plan", plain, default=None))


def _set(entry: Entry) -> SetNode:
    entries = entry.reader.entries(entry.value, empty=False)
    return SetNode(id=entry.id, set={entry.reader.name(key, "a value"): plain(value) for key, value in entries})


def _call(entry: Entry) -> CallNode:
    name = entry.reader.filled(entry.value)
    if OPEN in name:
        entry.reader.wrong(entry.value, "a file or a built-in flow by its name: it is checked before anything runs")
        name = ""
    flow = entry.around.flow(name, entry.value.place) if name else Flow(flow="", nodes=())
    if flow.policy != PolicyPart():
        what = f"'{name}' has a 'policy', and it runs under that of the flow which calls it"
        entry.reader.problems.add(entry.value.place, what, hint="Say it in the calling flow")
    return CallNode(
        id=entry.id, call=name, flow=flow, with_=entry.take("with", entry.reader.json, default=dict[str, Json]())
    )


def _group(entry: Entry) -> GroupNode:
    return GroupNode(id=entry.id, nodes=entry.nodes(entry.value), output=entry.take("output", plain, default=None))


def _for_each(entry: Entry) -> ForEachNode:
    reader = entry.reader
    entry.needed("as")
    entry.needed("nodes")
    parallel = "a whole number from 1, or an expression that gives one"
    return ForEachNode(
        id=entry.id,
        for_each=read_items(reader, entry.value),
        as_=entry.take("as", reader.filled, default="item"),
        nodes=entry.take("nodes", entry.nodes, default=()),
        key=entry.take("key", reader.filled, default=None),
        needs_from=entry.take("needs_from", lambda tree: read_list(reader, tree), default=None),
        max_parallel=entry.take("max_parallel", lambda tree: reader.expression_or(tree, int, rule=parallel), default=1),
        on_item_failure=entry.choice("on_item_failure", _ON_ITEM_FAILURE),
        output=entry.take("output", plain, default=None),
    )


def _repeat(entry: Entry) -> RepeatNode:
    reader = entry.reader
    parts = entry.parts(("max", "until", "on_exhausted"), "max", "until")
    exhausted = parts.get("on_exhausted")
    rule = Repeat(
        max=reader.expression_or(parts["max"], int, rule="a whole number from 1, or an expression")
        if "max" in parts
        else 1,
        until=(reader.expression(parts["until"]) if "until" in parts else None) or "",
    )
    entry.needed("nodes")
    return RepeatNode(
        id=entry.id,
        repeat=_on_exhausted(reader, exhausted, rule=rule) if exhausted else rule,
        nodes=entry.take("nodes", entry.nodes, default=()),
        output=entry.take("output", plain, default=None),
    )


def _on_exhausted(reader: Reader, tree: Yaml, *, rule: Repeat) -> Repeat:
    if not isinstance(tree, Entries):
        return msgspec.structs.replace(rule, on_exhausted=reader.choice(tree, ("fail", "gate", "continue")))
    fields = reader.fields(tree, ("gate",), what="'on_exhausted'", required=("gate",))
    gate = reader.choice(fields["gate"], EXHAUSTED_GATES) if "gate" in fields else "exhausted"
    return msgspec.structs.replace(rule, on_exhausted="gate", gate=gate)


def _matching(reader: Reader, tree: Yaml, *, pattern: re.Pattern[str], rule: str) -> str:
    """Return text that is one expression, or fits `pattern`."""
    text = reader.filled(tree)
    if OPEN in text:
        return reader.expression(tree) or ""
    if text and not pattern.fullmatch(text):
        reader.wrong(tree, rule)
    return text


KINDS: Mapping[str, tuple[tuple[str, ...], Callable[[Entry], AnyNode]]] = {
    "agent": (("role", "pack", "rework", "session", "prompt", "output", "artifacts", "env", "secrets"), _agent),
    "run": (("cwd", "env", "secrets", "stdin", "output", "artifacts"), _run),
    "python": (("with", "output", "artifacts", "env", "secrets"), _python),
    "check": ((), _check),
    "review": ((), _review),
    "judge": ((), _judge),
    "integrate": ((), _integrate),
    "publish": (("how", "plan"), _publish),
    "gate": ((), read_gate),
    "wait": ((), read_wait),
    "set": ((), _set),
    "assert": ((), read_assert),
    "fail": ((), read_fail),
    "call": (("with",), _call),
    "nodes": (("output",), _group),
    "match": (("cases", "else"), read_match),
    "for_each": (
        ("as", "key", "needs_from", "max_parallel", "on_item_failure", "nodes", "output"),
        _for_each,
    ),
    "repeat": (("nodes", "output"), _repeat),
}
"""The registry: the key of each kind, the keys that may stand beside it, its reader."""
_EVERY_KIND = (*KINDS, *LATER_KINDS)


@functools.cache
def keys_of(*kinds: str) -> tuple[str, ...]:
    """Return the keys that a node of a kind may have, or of several kinds, as an error lists them."""
    own = (key for kind in kinds for key in (kind, *KINDS[kind][0]))
    common = (key for key in COMMON if any(kind in _ONLY.get(key, KINDS) for kind in kinds))
    return tuple(dict.fromkeys((*own, *common)))
