"""The one registry of node kinds, by the tag of their records; a new kind adds a module and a line here."""

from collections.abc import Mapping

from punchlist.engine.kinds.agent import AGENT
from punchlist.engine.kinds.call import CALL
from punchlist.engine.kinds.check import CHECK
from punchlist.engine.kinds.conditions import ASSERT, FAIL
from punchlist.engine.kinds.for_each import FOR_EACH
from punchlist.engine.kinds.gate import GATE
from punchlist.engine.kinds.groups import GROUP, ITEM
from punchlist.engine.kinds.integrate import INTEGRATE
from punchlist.engine.kinds.judge import JUDGE
from punchlist.engine.kinds.match import MATCH
from punchlist.engine.kinds.publish import PUBLISH
from punchlist.engine.kinds.python import PYTHON
from punchlist.engine.kinds.repeat import REPEAT
from punchlist.engine.kinds.review import REVIEW
from punchlist.engine.kinds.run import RUN
from punchlist.engine.kinds.values import SET
from punchlist.engine.kinds.wait import WAIT
from punchlist.engine.turn import Kind

KINDS: Mapping[str, Kind] = {
    "agent": AGENT,
    "run": RUN,
    "python": PYTHON,
    "check": CHECK,
    "review": REVIEW,
    "judge": JUDGE,
    "integrate": INTEGRATE,
    "publish": PUBLISH,
    "gate": GATE,
    "wait": WAIT,
    "set": SET,
    "assert": ASSERT,
    "fail": FAIL,
    "call": CALL,
    "group": GROUP,
    "match": MATCH,
    "case": GROUP,
    "finally": GROUP,
    "for_each": FOR_EACH,
    "repeat": REPEAT,
    "flow": GROUP,
    "item": ITEM,
    "round": GROUP,
}
