"""Verbs that lines have beside the typed tools: start a flow, pause a run, give it more nodes."""

import json
from typing import TYPE_CHECKING

from punchlist import wiring
from punchlist.mcp.given import Given
from punchlist.mcp.schemas import FLAG, TEXT
from punchlist.mcp.tool import Tool, closed
from punchlist.service import inputs, runs
from punchlist.service.flows import named_from
from punchlist.service.once import once

if TYPE_CHECKING:
    from punchlist.mcp.binding import Bind
    from punchlist.model.json import Json
    from punchlist.service.context import Answer, Service

_MAP: "dict[str, Json]" = {"type": "object"}
_SOURCE = "args.nodes"


def tools(bind: "Bind") -> list[Tool]:
    """Return the verbs as tools."""
    return [
        Tool(
            name="run_flow",
            text="Start a run of a flow (a file, by its path from the workspace's folder, or the name of a built-in "
            "one) and return it at once.",
            schema=closed({"flow": TEXT, "inputs": _MAP, "policy": _MAP, "project": TEXT}, required=("flow",)),
            call=bind("run_flow", _run_flow),
            changes=True,
        ),
        Tool(
            name="add_nodes",
            text="Give a run that goes on more nodes, from file or as nodes, a map as in a flow; with replace in the "
            "place of those of the same name, also in a run that failed.",
            schema=closed({"run": TEXT, "file": TEXT, "nodes": _MAP, "replace": FLAG}, required=("run",)),
            call=bind("add_nodes", _add_nodes),
            changes=True,
        ),
        Tool(
            name="pause",
            text="Start nothing new in a task or a run; now also stops what runs.",
            schema=closed({"task": TEXT, "run": TEXT, "now": FLAG}),
            call=bind("pause", _pause),
            changes=True,
        ),
    ]


def _run_flow(service: "Service", given: Given) -> "Answer":
    flow = named_from(service.root, given.text("flow"))

    def run(calling: "Service") -> "Answer":
        return runs.run(
            calling, flow, inputs=given.map("inputs"), policy=given.map("policy"), project=given.maybe("project")
        )

    return once(service, given.call, act=run, again=lambda made: runs.latest(service, made))


def _add_nodes(service: "Service", given: Given) -> "Answer":
    run = given.id("run")
    named = given.one_of("file", "nodes")
    path = service.root / given.text("file")
    if named == "file":
        source, folder = given.text("file"), path.parent
        text = inputs.text_file(path, what="file")
    else:
        source, folder = _SOURCE, service.root
        text = json.dumps({"nodes": given.map("nodes")}, ensure_ascii=False, indent=1)
    read = wiring.reader(folder)
    replace = given.flag("replace")
    return once(
        service,
        given.call,
        act=lambda calling: runs.add(calling, run, text, source=source, read=read, replace=replace),
        again=lambda _: runs.latest(service, run),
    )


def _pause(service: "Service", given: Given) -> "Answer":
    name, now = given.about("task", "run"), given.flag("now")
    return once(
        service,
        given.call,
        act=lambda calling: runs.pause(calling, name, now=now),
        again=lambda _: runs.latest(service, name),
    )
