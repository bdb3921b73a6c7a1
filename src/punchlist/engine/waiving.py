"""A person's waivers: findings of the last verdict that are passed over, and judging again with them counted."""

from collections.abc import Mapping, Sequence

from punchlist.engine.fold_nodes import ROOT
from punchlist.engine.fold_task import subject
from punchlist.engine.place import Place
from punchlist.engine.resetting import judge_again
from punchlist.engine.turn import Decision, Here, Turn
from punchlist.errors import RefusedError
from punchlist.model import events as ev
from punchlist.model.ids import FindingId, StepId
from punchlist.model.json import Json
from punchlist.model.state import TaskState
from punchlist.model.verdicts import Finding
from punchlist.quality.findings import blocks, waiver, waiver_of


def waive_and_judge_again(here: Here, decision: Decision) -> None:
    """Record the waivers, and run the last round again from its checks; what did not change is not run again.

    Without names, everything that blocks still is waived.
    """
    wanted = _wanted(here, decision.data)
    record_waivers(here.turn, here.step, wanted=wanted, reason=str(decision.data["reason"]))
    judge_again(here, reason=f"{', '.join(wanted)} waived")


def record_waivers(turn: Turn, step: StepId | None, *, wanted: Sequence[FindingId], reason: str) -> None:
    """Waive findings of the last verdict; refused as a whole when one is not there, a conflict, or waived already."""
    task = turn.at(ROOT).task
    known = {each.id: each for each in last_findings(task, step) if each.id is not None and blocks(each)}
    missing = [each for each in wanted if each not in known]
    if missing or not wanted:
        allowed = ", ".join(known) or "none"
        raise RefusedError(f"{', '.join(missing) or 'nothing'} is not open in the last verdict; open: {allowed}")
    waivers = task.steps[step or ""].waivers
    for each in dict.fromkeys(wanted):
        finding = known[each]
        if finding.kind == "conflict":
            raise RefusedError(f"finding {each} is a conflict: it cannot be waived", hint="Ask for rework instead.")
        if waiver_of(finding, waivers) is not None:
            raise RefusedError(f"finding {each} is waived already")
        given = waiver(finding, subject=subject(task.task, step), by=turn.context.actor, reason=reason)
        turn.emit(ev.FindingWaived(step=step, waiver=given))


def last_findings(task: TaskState, step: StepId | None) -> Sequence[Finding]:
    """Return the findings of the last verdict on a step, or on the task's own criteria, as they are now."""
    told = task.steps.get(step or "")
    row = told.present if told is not None else None
    return () if row is None else row.verdict.findings


def left_open(task: TaskState, step: StepId | None) -> tuple[FindingId, ...]:
    """Return the findings of the last verdict that block still: neither closed nor waived by now."""
    told = task.steps.get(step or "")
    waivers = told.waivers if told is not None else ()
    found = [each for each in last_findings(task, step) if blocks(each) and waiver_of(each, waivers) is None]
    return tuple(each.id for each in found if each.id is not None)


def leaves_some_open(here: Here, data: Mapping[str, Json]) -> bool:
    """Say whether a waiver at a gate names some of the findings that block, but not all: then the gate stays open."""
    return not set(left_open(here.task, here.step)) <= set(_wanted(here, data))


def _wanted(here: Place, data: Mapping[str, Json]) -> Sequence[FindingId]:
    named = data.get("findings")
    return [FindingId(str(each)) for each in named] if isinstance(named, list) else left_open(here.task, here.step)
