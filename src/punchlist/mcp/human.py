"""The tools of a person who works through a client: an orchestrator's, and the decisions."""

from typing import TYPE_CHECKING

from punchlist.mcp import orchestrator
from punchlist.mcp.binding import binding
from punchlist.mcp.faults import looked_over
from punchlist.mcp.given import Given
from punchlist.mcp.schemas import FLAG, TEXT, changes
from punchlist.mcp.tool import Tool
from punchlist.service import approvals, gate_commands, gates
from punchlist.service.once import as_it_is, once

if TYPE_CHECKING:
    from punchlist.mcp.caller import Caller
    from punchlist.model.json import Json
    from punchlist.service.context import Answer, Service

_DATA: "dict[str, Json]" = {"type": "object", "description": "what the choice takes, as the gate's choices say"}


def tools(caller: "Caller") -> list[Tool]:
    """Return the tools of one client."""
    bind = binding(lambda: caller.service)
    own = [
        Tool(
            name="approve_task",
            text="Approve a task, so that it can start; anyway also when something of it is unproven.",
            schema=changes({"task": TEXT, "message": TEXT, "anyway": FLAG}, required=("task",)),
            call=bind("approve_task", _approve_task),
            changes=True,
        ),
        Tool(
            name="decide",
            text="Decide a gate by one of its choices; shows is the digest that was looked at.",
            schema=_decide_schema(),
            call=bind("decide", _decide),
            changes=True,
        ),
    ]
    return [*orchestrator.tools(caller, person=True), *looked_over(own, lambda: caller.service)]


def _decide_schema() -> "dict[str, Json]":
    """Return the schema: a gate has no version, its digest stands for one."""
    properties: dict[str, Json] = {"gate": TEXT, "choice": TEXT, "message": TEXT, "data": _DATA, "shows": TEXT}
    return changes(properties, required=("gate", "choice"), versioned=False)


def _approve_task(service: "Service", given: Given) -> "Answer":
    name = given.id("task")

    def approve(calling: "Service") -> "Answer":
        return approvals.approve(
            calling,
            name,
            anyway=given.flag("anyway"),
            message=given.text("message"),
            expected_version=given.version,
        )

    return once(service, given.call, act=approve, again=lambda task: as_it_is(service, task))


def _decide(service: "Service", given: Given) -> "Answer":
    name = given.id("gate")

    def decide(calling: "Service") -> "Answer":
        return gates.decide(
            calling,
            name,
            choice=given.text("choice"),
            message=given.text("message"),
            data=given.map("data"),
            shows=given.maybe("shows"),
        )

    return once(service, given.call, act=decide, again=lambda _: gate_commands.show(service, name))
