"""Views of flows: which ones there are, and the text of one."""

from collections.abc import Mapping

from punchlist.cli.tables import table
from punchlist.cli.views.seen import LibraryFlowSeen, seen
from punchlist.model.json import Json

Answer = Mapping[str, Json]


def listed(answer: Answer) -> str:
    """Return a row a flow: what to call it, where it is from, what it is given, what it does."""
    rows = [
        [each.called, _source(each), ", ".join(each.inputs), each.doc or "-"]
        for each in seen(list[LibraryFlowSeen], answer["flows"])
    ]
    return table(["flow", "from", "inputs", "does"], rows)


def text(answer: Answer) -> str:
    """Return a flow's text as it is written."""
    return seen(LibraryFlowSeen, answer["flow"]).text.rstrip("\n")


def _source(flow: LibraryFlowSeen) -> str:
    if flow.problems:
        return f"here, {flow.problems} problem{'' if flow.problems == 1 else 's'}"
    if flow.source == "built_in":
        return "built in"
    return "here, in place of the built-in one" if flow.overrides else "here"
