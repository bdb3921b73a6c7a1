"""Nodes that fail on purpose, out of YAML: `assert`, when something does not hold, and `fail`."""

from punchlist.flow.document import Scalar
from punchlist.flow.entry import Entry
from punchlist.model.flow import AssertNode, FailNode


def read_assert(entry: Entry) -> AssertNode:
    """Return an assertion: only its expression, or a map of that and the message of its failure."""
    reader = entry.reader
    if isinstance(entry.value, Scalar):
        return AssertNode(id=entry.id, that=reader.expression(entry.value) or "")
    parts = entry.parts(("that", "message"), "that")
    return AssertNode(
        id=entry.id,
        that=(reader.expression(parts["that"]) if "that" in parts else None) or "",
        message=reader.filled(parts["message"]) if "message" in parts else None,
    )


def read_fail(entry: Entry) -> FailNode:
    """Return a failure; one that is passed over would say nothing."""
    return FailNode(id=entry.id, fail=entry.reader.filled(entry.value))
