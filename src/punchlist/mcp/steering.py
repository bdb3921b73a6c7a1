"""Tools that start, pause, end and repeat work; none of them means that anything is accepted."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from punchlist.mcp.given import Given
from punchlist.mcp.schemas import FLAG, TEXT, changes
from punchlist.mcp.tool import Tool
from punchlist.service import runs, starts, steps
from punchlist.service.once import Seen, as_it_is, once

if TYPE_CHECKING:
    from punchlist.mcp.binding import Bind
    from punchlist.model.json import Json
    from punchlist.service.context import Answer, Service

_MOVES: "dict[str, Json]" = {"enum": ["skip", "reopen", "cancel"]}
_ANY: "dict[str, Json]" = {"task": TEXT, "step": TEXT, "run": TEXT}


def tools(bind: "Bind") -> list[Tool]:
    """Return the tools."""
    return [
        Tool(
            name="start_task",
            text="Start an approved task and return its run at once; then use wait_for.",
            schema=changes({"task": TEXT}, required=("task",)),
            call=bind("start_task", _start_task),
            changes=True,
        ),
        Tool(
            name="pause_task",
            text="Start nothing new in a task; now also stops what runs.",
            schema=changes({"task": TEXT, "now": FLAG}, required=("task",)),
            call=bind("pause_task", _pause_task),
            changes=True,
        ),
        Tool(
            name="resume",
            text="Go on with a paused or interrupted task or run; with from a run of a flow goes back to that node.",
            schema=changes({"task": TEXT, "run": TEXT, "from": TEXT, "invalidate": FLAG}),
            call=bind("resume", _resume),
            changes=True,
        ),
        Tool(
            name="retry",
            text="Do again what failed of a task, the task of a step, or a run.",
            schema=changes(_ANY),
            call=bind("retry", _retry),
            changes=True,
        ),
        Tool(
            name="cancel",
            text="End a task, a step or a run, or one node of a run; agents at work on it are stopped.",
            schema=changes({**_ANY, "node": TEXT, "reason": TEXT}),
            call=bind("cancel", _cancel),
            changes=True,
        ),
        Tool(
            name="set_step_status",
            text="Skip, reopen or cancel a step, with a reason. Reopening what others were built on needs invalidate.",
            schema=changes(
                {"step": TEXT, "status": _MOVES, "reason": {**TEXT, "minLength": 1}, "invalidate": FLAG},
                required=("step", "status", "reason"),
            ),
            call=bind("set_step_status", _set_step_status),
            changes=True,
        ),
    ]


def _start_task(service: "Service", given: Given) -> "Answer":
    name = given.id("task")
    return _steered(service, given, about=name, act=lambda calling: starts.start(calling, [name]))


def _pause_task(service: "Service", given: Given) -> "Answer":
    name = given.id("task")
    return _steered(service, given, about=name, act=lambda calling: runs.pause(calling, name, now=given.flag("now")))


def _resume(service: "Service", given: Given) -> "Answer":
    name = given.about("task", "run")
    node, yes = given.maybe("from"), given.flag("invalidate")
    given.only_with("invalidate", when=node is not None, what="from")
    return _steered(
        service, given, about=name, act=lambda calling: runs.resume(calling, name, start_from=node, yes=yes)
    )


def _retry(service: "Service", given: Given) -> "Answer":
    name = given.about("task", "step", "run")
    return _steered(service, given, about=name, act=lambda calling: runs.retry(calling, name))


def _cancel(service: "Service", given: Given) -> "Answer":
    name = given.about("task", "step", "run")
    node, reason = given.maybe("node"), given.text("reason")
    given.only_with("node", when=not given.maybe("step"), what="a task or a run")
    again = as_it_is if node is None else runs.latest

    def cancel(calling: "Service") -> "Answer":
        return runs.cancel(calling, name, node=node, reason=reason)

    return _steered(service, given, about=name, act=cancel, again=again)


def _set_step_status(service: "Service", given: Given) -> "Answer":
    name, reason = given.id("step"), given.text("reason")
    given.only_with("invalidate", when=given.text("status") == "reopen", what="reopen")

    def move(calling: "Service") -> "Answer":
        match given.text("status"):
            case "skip":
                return steps.skip(calling, name, reason=reason)
            case "cancel":
                return steps.cancel(calling, name, reason=reason)
            case _:
                return steps.reopen(calling, name, reason=reason, yes=given.flag("invalidate"))

    return _steered(service, given, about=name, act=move, again=as_it_is)


def _steered(
    service: "Service",
    given: Given,
    *,
    about: str,
    act: "Callable[[Service], Answer]",
    again: "Callable[[Service, str], Answer]" = runs.latest,
) -> "Answer":
    seen = Seen(about, given.version)
    return once(service, given.call, act=act, again=lambda _: again(service, about), seen=seen)
