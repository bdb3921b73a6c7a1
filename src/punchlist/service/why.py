"""The verb that explains: why something is accepted, or the one thing that it waits for."""

from typing import TYPE_CHECKING

from punchlist.model.ids import GateId, RunId, StepId, TaskId
from punchlist.model.states import FINAL_ATTEMPT, NodeStatus
from punchlist.render import shapes
from punchlist.render.why import attempt_waits, why as explain
from punchlist.service import lookup
from punchlist.service.placing import places
from punchlist.service.publishing import attempts_of

if TYPE_CHECKING:
    from punchlist.model.json import Json
    from punchlist.model.rows import NodeRow
    from punchlist.model.state import AttemptState, TaskState
    from punchlist.ports import Reader
    from punchlist.render.why import Place
    from punchlist.service.context import Answer, Service

_LINES = 5
_AGAIN = frozenset({NodeStatus.FAILED, NodeStatus.CANCELLED})


def why(service: "Service", name: str) -> "Answer":
    """Explain a task, a step, a run, a gate, an attempt or a finding."""
    kind = lookup.check_kind(name, "task", "step", "run", "gate", "attempt", "finding")
    with service.store.read() as reader:
        place = places(service, reader)
        match kind:
            case "task":
                return _task(reader, lookup.task(reader, name), place=place)
            case "step":
                state, step = lookup.step(reader, name)
                return _task(reader, state, place=place, step=StepId(step.id))
            case "run":
                return _run(reader, name)
            case "gate":
                return {"why": shapes.gate(lookup.gate(reader, GateId(name)))}
            case "attempt":
                return _attempt(reader, lookup.attempt(reader, name), place=place)
            case _:
                return _finding(reader, name, place=place)


def _task(reader: "Reader", state: "TaskState", *, place: "Place", step: StepId | None = None) -> "Answer":
    gates = reader.gates(task=TaskId(state.task.id))
    return {"why": explain(state, step, attempts=attempts_of(reader, state), gates=gates, place=place)}


def _run(reader: "Reader", name: str) -> "Answer":
    row = lookup.run(reader, name)
    nodes = reader.nodes(RunId(name))
    gates = reader.gates(run=RunId(name))
    bad: list[Json] = [{**shapes.node(each), "lines": _last_lines(reader, each)} for each in nodes if each.error]
    asked: list[Json] = [shapes.gate(each) for each in gates]
    waits: Json = None
    if row.status in _AGAIN:
        what, task = "somebody to try again what did not succeed", row.task
        waits = {"what": what, "command": f"punchlist retry {task or row.id}"}
    return {"why": {**shapes.run(row, []), "nodes": bad, "gates": asked, "waits_for": waits}}


def _last_lines(reader: "Reader", row: "NodeRow") -> "list[Json]":
    """Return the last lines of a node's last attempt, unless its error has them already."""
    last = reader.attempt(row.attempts[-1]) if row.attempts else None
    lines = last.outcome.tail.strip("\n").splitlines() if last is not None and last.outcome is not None else []
    return [] if not lines or lines[-1] in row.error else [*lines[-_LINES:]]


def _attempt(reader: "Reader", state: "AttemptState", *, place: "Place") -> "Answer":
    shape = shapes.attempt(state)
    if state.status in FINAL_ATTEMPT:
        return {"why": shape}
    before = reader.attempt(state.after) if state.after is not None else None
    return {"why": {**shape, "waits_for": attempt_waits(state, before, place=place)}}


def _finding(reader: "Reader", name: str, *, place: "Place") -> "Answer":
    state = lookup.finding(reader, name)
    for key, told in state.steps.items():
        for row in told.verdicts:
            for found in row.verdict.findings:
                if found.id == name:
                    shape = shapes.verdict(row)
                    findings = shape["findings"]
                    listed = findings if isinstance(findings, list | tuple) else []
                    mine = next((each for each in listed if isinstance(each, dict) and each["id"] == name), None)
                    about = key or state.task.id
                    return {"why": {"id": name, "about": about, "r": row.r, "s": row.s, "finding": mine}}
    return _task(reader, state, place=place)
