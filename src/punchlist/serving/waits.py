"""Verbs of lines that are answered when what they wait for has come about; other lines are taken meanwhile."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from punchlist.mcp.given import Given
from punchlist.mcp.looking import patience
from punchlist.mcp.schemas import FLAG, TEXT
from punchlist.mcp.tool import Tool, closed
from punchlist.service import changes, lookup, plans, runs, steps
from punchlist.service.context import stamp
from punchlist.service.once import Seen, once

if TYPE_CHECKING:
    from punchlist.mcp.binding import Bind, Verb
    from punchlist.model.json import Json
    from punchlist.model.outside import OpenLine
    from punchlist.service.context import Answer, Service


class _Asked(NamedTuple):
    """What a line asked for, and the line."""

    given: Given
    line: "OpenLine"


Settle = Callable[["Service", _Asked], "Answer | None"]
"""Returns the answer to a line once there is one; does not wait."""
_NOTE = "waits"


def tools(bind: "Bind", known: Collection[Tool]) -> list[Tool]:
    """Return the verbs as tools that begin to wait, and return a note of it; `known` are those that wait themselves."""
    found = {tool.name: tool for tool in known}
    return [
        Tool(
            name="wait",
            text="Wait until a task, a step or a run is over, with until_gate or until it waits for a person; returns "
            "it, a task with its last run.",
            schema=closed({"task": TEXT, "step": TEXT, "run": TEXT, "until_gate": FLAG}),
            call=bind("wait", _begin_wait),
            changes=False,
            waits=True,
        ),
        _begun(bind, found["wait_for"], begin=_begin_wait_for),
        _begun(bind, found["plan_project"], begin=_begin_plan),
    ]


def note_in(answer: "Answer") -> "dict[str, Json] | None":
    """Return the note of a call that began to wait, None when `answer` is the answer itself."""
    note = answer.get(_NOTE)
    return note if isinstance(note, dict) and len(answer) == 1 else None


def settled(service: "Service", line: "OpenLine", *, key: str) -> "Answer | None":
    """Return the answer to a line, None while there is none; the first one that is found is kept under its `key`."""
    call = Given({**line.args, "idempotency_key": key}, tool=line.verb)
    with service.store.read() as reader:
        kept = call.call.answered(reader)
    if isinstance(kept, dict) and note_in(kept) is None:
        return kept
    answer = _SETTLED[line.verb](service, _Asked(call, line))
    if answer is not None:
        with service.store.write() as writer:
            writer.remember(key, call.call.record(answer), instead=call.call.record(kept))
    return answer


def _begun(bind: "Bind", tool: Tool, *, begin: "Verb") -> Tool:
    return msgspec.structs.replace(tool, call=bind(tool.name, begin))


def _noted(**note: "Json") -> "Answer":
    return {_NOTE: note}


def _begin_wait(service: "Service", given: Given) -> "Answer":
    name = given.about(*_LOOKED_UP)
    given.only_with("until_gate", when=not given.maybe("step"), what="a task or a run")
    with service.store.read() as reader:
        _LOOKED_UP[lookup.kind_of(name)](reader, name)
    return once(service, given.call, act=lambda _: _noted(), again=lambda _: _noted())


def _settle_wait(service: "Service", asked: _Asked) -> "Answer | None":
    name = asked.given.about(*_LOOKED_UP)
    if lookup.kind_of(name) == "step":
        return steps.outcome(service, name)
    return runs.outcome(service, name, until_gate=asked.given.flag("until_gate"))


def _begin_wait_for(service: "Service", given: Given) -> "Answer":
    def begin(calling: "Service") -> "Answer":
        before: dict[str, Json] = {**changes.begin(calling, given.texts("ids"), states=given.texts("states"))}
        return _noted(before=before, until=stamp(calling.clock.now() + timedelta(seconds=patience(given))))

    return once(service, given.call, act=begin, again=lambda _: begin(service))


def _settle_wait_for(service: "Service", asked: _Asked) -> "Answer | None":
    given, line = asked
    before = line.note["before"]
    assert isinstance(before, dict)
    return changes.outcome(
        service,
        {name: str(state) for name, state in before.items()},
        states=given.texts("states"),
        timed_out=line.until is not None and line.until <= service.now(),
    )


def _begin_plan(service: "Service", given: Given) -> "Answer":
    project = given.text("project")

    def ask(calling: "Service") -> "Answer":
        return _noted(run=plans.ask(calling, project, request=given.text("request"), planner=given.maybe("planner")))

    return once(service, given.call, act=ask, again=lambda run: _noted(run=run), seen=Seen(project, given.version))


def _settle_plan(service: "Service", asked: _Asked) -> "Answer | None":
    given, line = asked
    run = str(line.note["run"])
    if runs.outcome(service, run) is None:
        return None
    return plans.outcome(service, run, request=given.text("request"), planner=given.maybe("planner"))


_LOOKED_UP = {"task": lookup.task, "step": lookup.step, "run": lookup.run}
_SETTLED: Mapping[str, Settle] = {"wait": _settle_wait, "wait_for": _settle_wait_for, "plan_project": _settle_plan}
