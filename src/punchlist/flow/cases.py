"""`match` out of YAML: its cases, each a group of its own that is called by the value that it is for."""

import re

from punchlist.flow.document import Entries, Scalar, Yaml, plain
from punchlist.flow.entry import Entry
from punchlist.flow.problems import Place
from punchlist.model.flow import CaseNode, MatchNode

_KEYS = ("nodes", "output")
_ODD = re.compile(r"[^A-Za-z0-9_-]+")
ELSE = "else"


def read_match(entry: Entry) -> MatchNode:
    """Return a match; a value that cannot stand in a path is written there without what cannot."""
    entry.needed("cases")
    taken = {ELSE} if ELSE in entry.fields else set[str]()
    tree = entry.fields.get("cases")
    found: list[CaseNode] = []
    for key, value in entry.reader.entries(tree, empty=False) if tree is not None else ():
        found.append(_case(entry, value, place=key.place, name=_name(key, taken), of=key.text))
    other = entry.fields.get(ELSE)
    return MatchNode(
        id=entry.id,
        match=entry.reader.expression(entry.value) or "",
        cases=tuple(found),
        else_=None if other is None else _case(entry, other, place=other.place, name=ELSE, of=None),
    )


def _name(key: Scalar, taken: set[str]) -> str:
    """Return what a case is called in paths: its value, as far as that can stand there, and once only."""
    plain_name = _ODD.sub("_", key.text) or "_"
    name, count = plain_name, 1
    while name in taken:
        count += 1
        name = f"{plain_name}_{count}"
    taken.add(name)
    return name


def _case(entry: Entry, tree: Yaml, *, place: Place, name: str, of: str | None) -> CaseNode:
    reader = entry.reader
    fields = reader.fields(tree, _KEYS, what="a case") if isinstance(tree, Entries) and tree.keys else dict[str, Yaml]()
    if not isinstance(tree, Entries):
        reader.wrong(tree, "{nodes: …}, or {} to do nothing")
    elif tree.keys and "nodes" not in fields:
        reader.problems.add(tree.place, "a case lacks 'nodes'", allowed="nodes, output; {} to do nothing")
    return CaseNode(
        id=name,
        of=of,
        needs=(),
        nodes=entry.nodes(fields["nodes"]) if "nodes" in fields else (),
        output=plain(fields["output"]) if "output" in fields else None,
        line=place.line,
        column=place.column,
    )
