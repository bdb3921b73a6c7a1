"""Tools that look: what there is, how far it is, why, and the wait for a change."""

from datetime import timedelta
from typing import TYPE_CHECKING

from punchlist.mcp.given import Given
from punchlist.mcp.schemas import FLAG, FROM_ZERO, TEXT, TEXTS
from punchlist.mcp.tool import Tool, closed
from punchlist.service import changes, diff, logs, projects, status, steps, tasks, why

if TYPE_CHECKING:
    from punchlist.mcp.binding import Bind
    from punchlist.model.json import Json
    from punchlist.service.context import Answer, Service

_FEW = 20
_SHOWN = 100
_MOST = 1_000
_PIECE = 20_000
_SECONDS = 60.0
_LIMIT: "dict[str, Json]" = {"type": "integer", "minimum": 1, "maximum": _MOST}
_TIMEOUT: "dict[str, Json]" = {"type": "number", "minimum": 0, "maximum": changes.LONGEST}


def tools(bind: "Bind") -> list[Tool]:
    """Return the tools; `list_gates` is apart, because it may ask."""
    none = closed({})
    return [
        Tool(
            name="get_status",
            text=f"What waits for a person, runs, went wrong, was accepted (since a time such as 2026-11-21T08:00); at "
            f"most {_FEW} of each, and how many there are.",
            schema=closed({"since": TEXT}),
            call=bind("get_status", _get_status),
            changes=False,
        ),
        Tool(
            name="get_project",
            text="A project.",
            schema=closed({"project": TEXT}, required=("project",)),
            call=bind("get_project", lambda service, given: projects.show(service, given.text("project"))),
            changes=False,
        ),
        Tool(
            name="get_task",
            text="A task with its steps, and what each check shows on the base.",
            schema=closed({"task": TEXT}, required=("task",)),
            call=bind("get_task", lambda service, given: tasks.show(service, given.id("task"))),
            changes=False,
        ),
        Tool(
            name="get_step",
            text="A step with its attempts, verdicts and findings.",
            schema=closed({"step": TEXT}, required=("step",)),
            call=bind("get_step", lambda service, given: steps.show(service, given.id("step"))),
            changes=False,
        ),
        Tool(
            name="list_projects",
            text="All projects.",
            schema=none,
            call=bind("list_projects", lambda service, _: projects.listing(service)),
            changes=False,
        ),
        Tool(
            name="list_tasks",
            text=f"A line for each task, at most {_SHOWN} unless limit says otherwise; go on with after, a task's id.",
            schema=closed({"project": TEXT, "status": TEXTS, "limit": _LIMIT, "after": TEXT}),
            call=bind("list_tasks", _list_tasks),
            changes=False,
        ),
        *_deeper(bind),
    ]


def _deeper(bind: "Bind") -> list[Tool]:
    about: dict[str, Json] = dict.fromkeys(("task", "step", "run", "gate", "attempt", "finding"), TEXT)
    return [
        Tool(
            name="read_log",
            text="The output of an attempt (its end; or from byte start), or the events of a task, run or project "
            "after number after.",
            schema=closed(
                {
                    "attempt": TEXT,
                    "stderr": FLAG,
                    "start": FROM_ZERO,
                    **dict.fromkeys(("task", "run", "project"), TEXT),
                    "after": FROM_ZERO,
                    "limit": _LIMIT,
                }
            ),
            call=bind("read_log", _read_log),
            changes=False,
        ),
        Tool(
            name="get_diff",
            text="The patch of a task, step or attempt, a piece at a time: go on with start.",
            schema=closed({"task": TEXT, "step": TEXT, "attempt": TEXT, "start": FROM_ZERO}),
            call=bind("get_diff", _get_diff),
            changes=False,
        ),
        Tool(
            name="why",
            text="Why something is accepted, or the one thing that it waits for.",
            schema=closed(about),
            call=bind("why", lambda service, given: why.why(service, given.about(*about))),
            changes=False,
        ),
        Tool(
            name="wait_for",
            text="Wait until one of ids (tasks, steps, runs, gates) is in one of states, or without states changes its "
            f"state; returns the state of each. timeout is in seconds, by default {_SECONDS:.0f}.",
            schema=closed({"ids": {**TEXTS, "minItems": 1}, "states": TEXTS, "timeout": _TIMEOUT}, required=("ids",)),
            call=bind("wait_for", _wait_for),
            changes=False,
            waits=True,
        ),
    ]


def patience(given: Given) -> float:
    """Return how many seconds a call of `wait_for` waits at most."""
    seconds = given.amount("timeout")
    return _SECONDS if seconds is None else seconds


def _get_status(service: "Service", given: Given) -> "Answer":
    """Return the status with the first of each list; `totals` says how long each is."""
    return status.status(service, since=given.maybe("since"), most=_FEW)


def _list_tasks(service: "Service", given: Given) -> "Answer":
    """Return a page of tasks; `total` counts all that fit, `next` is where to go on, None at the end."""
    answer = tasks.listing(service, given.maybe("project"), statuses=given.texts("status"))
    found = answer["tasks"]
    assert isinstance(found, list)
    begin, limit = 0, given.number("limit") or _SHOWN
    if (after := given.maybe("after")) is not None:
        tasks.show(service, given.id("after", of="task"))
        begin = sum(1 for line in found if _number(line) <= int(after[1:]))
    shown = found[begin : begin + limit]
    last = shown[-1] if shown and begin + limit < len(found) else None
    return {"tasks": shown, "total": len(found), "next": last["id"] if isinstance(last, dict) else None}


def _number(line: "Json") -> int:
    assert isinstance(line, dict)
    return int(str(line["id"])[1:])


def _read_log(service: "Service", given: Given) -> "Answer":
    name = given.about("attempt", "task", "run", "project")
    of_attempt = given.maybe("attempt") is not None
    given.only_with("stderr", "start", when=of_attempt, what="an attempt")
    given.only_with("after", "limit", when=not of_attempt, what="a task, a run or a project")
    if not of_attempt:
        limit = given.number("limit") or _SHOWN
        return logs.events(service, after=given.number("after") or 0, limit=limit, about=name)
    start = given.number("start")
    answer = logs.logs(service, name, stream="stderr" if given.flag("stderr") else "stdout", start=start or 0)
    data, end = str(answer["text"]).encode(), answer["next"]
    assert isinstance(end, int)
    if len(data) <= _PIECE:
        return answer
    if start is None:
        return {**answer, "text": data[-_PIECE:].decode(errors="replace"), "start": end - _PIECE}
    return {**answer, "text": data[:_PIECE].decode(errors="replace"), "next": start + _PIECE}


def _get_diff(service: "Service", given: Given) -> "Answer":
    answer = diff.diff(service, given.about("task", "step", "attempt"))
    text, start = str(answer["diff"]), given.number("start") or 0
    end = start + _PIECE
    return {**answer, "diff": text[start:end], "next": end if end < len(text) else None, "length": len(text)}


def _wait_for(service: "Service", given: Given) -> "Answer":
    timeout = timedelta(seconds=patience(given))
    return changes.wait_for(service, given.texts("ids"), states=given.texts("states"), timeout=timeout)
