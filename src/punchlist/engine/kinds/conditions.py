"""`assert` and `fail`: nodes that fail on purpose, with a message of their author's."""

from punchlist.engine.progress import end
from punchlist.engine.scope import text_of, truth
from punchlist.engine.turn import Here, Kind
from punchlist.flow.templates import whole
from punchlist.model.flow import AssertNode, FailNode
from punchlist.model.states import NodeStatus


def _begin_assert(here: Here) -> None:
    node = here.defined(AssertNode)
    if truth(here, node.that, what="`assert`"):
        end(here, NodeStatus.SUCCEEDED)
        return
    asked = whole(node.that)
    assert asked is not None
    message = f"this does not hold: {asked.text}" if node.message is None else _said(here, node.message)
    end(here, NodeStatus.FAILED, error=message)


def _begin_fail(here: Here) -> None:
    end(here, NodeStatus.FAILED, error=_said(here, here.defined(FailNode).fail))


def _said(here: Here, message: str) -> str:
    return text_of(here, message, what="the message")


ASSERT = Kind(begin=_begin_assert)
FAIL = Kind(begin=_begin_fail)
