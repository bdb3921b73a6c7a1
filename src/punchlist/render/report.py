"""The whole story of a task or a run, as markdown, as one self-contained HTML page, or as JSON."""

from collections.abc import Sequence
from typing import Literal, assert_never

import msgspec

from punchlist.model.events import Event
from punchlist.model.ids import StepId
from punchlist.model.json import Json
from punchlist.model.records import Project
from punchlist.model.rows import GateRow, NodeRow, RunRow
from punchlist.model.scores import waived
from punchlist.model.state import AttemptState, StepState, TaskState
from punchlist.model.states import GateStatus
from punchlist.render import shapes
from punchlist.render.blocks import Block, Bullets, Code, Heading, Line, Table, Verbatim
from punchlist.render.html import html
from punchlist.render.markdown import markdown
from punchlist.render.pages import (
    attempts_table,
    facts,
    judged,
    proof_rows,
    rounds,
    step_story,
    task_facts,
    waivers,
)
from punchlist.render.run_report import json_text, run_blocks, run_story
from punchlist.render.told import told
from punchlist.render.words import by_step, cost, duration, person, standing

Format = Literal["md", "html", "json"]


def report(
    project: Project,
    task: TaskState,
    *,
    attempts: Sequence[AttemptState],
    events: Sequence[Event],
    gates: Sequence[GateRow] = (),
    form: Format = "md",
) -> str:
    """Return the story of a task: criteria by rounds, verdicts, attempts, waivers, decisions, commits, cost, log.

    `attempts` and `gates` are all of the task's, open and decided; `events` those of its stream, perhaps with its
    runs'.
    """
    if form == "json":
        return json_text({"task": task_story(project, task, attempts=attempts, events=events, gates=gates)})
    blocks = _blocks(project, task, attempts=attempts, events=events, gates=gates)
    return _rendered(blocks, title=f"{task.task.id} {task.task.title}", form=form)


def report_run(row: RunRow, nodes: Sequence[NodeRow], *, attempts: Sequence[AttemptState], form: Format = "md") -> str:
    """Return the story of a run of any flow: its nodes, what they gave, attempts and cost."""
    if form == "json":
        return json_text({"run": run_story(row, nodes, attempts=attempts)})
    return _rendered(run_blocks(row, nodes, attempts=attempts), title=f"{row.id} {row.flow}", form=form)


def task_story(
    project: Project,
    task: TaskState,
    *,
    attempts: Sequence[AttemptState],
    events: Sequence[Event],
    gates: Sequence[GateRow] = (),
) -> dict[str, Json]:
    """Return the story as a JSON shape: the task with its steps in full, attempts, gates, cost and events."""
    steps = [shapes.step(task, StepId(step.id), attempts=attempts) for step in task.task.steps]
    return {
        **shapes.task(task),
        "steps": [*steps],
        "project_title": project.title,
        "attempts": [shapes.attempt(each) for each in attempts],
        "gates": [shapes.gate(each) for each in gates],
        "cost": cost(attempts),
        "events": [shapes.event(each) for each in events],
    }


def _rendered(blocks: Sequence[Block], *, title: str, form: Literal["md", "html"]) -> str:
    match form:
        case "md":
            return markdown(blocks)
        case "html":
            return html(blocks, title=title)
        case _:
            assert_never(form)


def _blocks(
    project: Project,
    task: TaskState,
    *,
    attempts: Sequence[AttemptState],
    events: Sequence[Event],
    gates: Sequence[GateRow],
) -> list[Block]:
    record = task.task
    blocks: list[Block] = [Heading(1, (f"{record.id} ", record.title)), task_facts(task, attempts)]
    blocks += waivers(waived(task))
    if record.spec.strip():
        blocks += [Heading(2, ("Spec",)), Verbatim(record.spec, "markdown")]
    mine_by_step, rows = by_step(attempts), proof_rows(task)
    for step in record.steps:
        seen = task.steps.get(step.id, StepState())
        mine = mine_by_step.get(step.id, [])
        blocks.append(Heading(2, (f"{step.id} ", step.title, f": {standing(step.status, seen.waivers)}")))
        blocks += step_story(step, seen, rows=rows.get(step.id, {}), attempts=mine, level=3)
    blocks += _whole(task, mine_by_step.get(None, []))
    if gates:
        blocks += [Heading(2, ("Gates and decisions",)), _decisions(gates)]
    if events:
        blocks += [Heading(2, ("Log",)), Bullets(tuple(_logged(each) for each in events))]
    return [*blocks, facts(("Project", (project.title,)), ("Repository", (Code(project.repo),)))]


def _whole(task: TaskState, attempts: Sequence[AttemptState]) -> list[Block]:
    own = task.steps.get("", StepState())
    said = [*judged(task.task.acceptance, own, rows=proof_rows(task).get(None, {})), *rounds(own)]
    said += [attempts_table(attempts)] if attempts else []
    return [Heading(2, ("The task as a whole",)), *said] if said else []


def _decisions(gates: Sequence[GateRow]) -> Table:
    return Table(
        ("Gate", "Kind", "About", "Asked", "Decision", "By", "Waited"),
        tuple(
            (
                (Code(row.gate.id),),
                (row.gate.kind,),
                (Code(row.gate.step or row.task or row.run or ""),),
                (row.gate.message,),
                (_decision(row),),
                (person(row.gate.by),),
                (duration(row.gate.since, row.gate.decided_at),),
            )
            for row in gates
        ),
    )


def _decision(row: GateRow) -> str:
    if row.gate.status is not GateStatus.DECIDED:
        return row.gate.status
    given = ", ".join(f"{name}: {_plain(value)}" for name, value in row.gate.data.items())
    return f"{row.gate.choice}{f' ({given})' if given else ''}"


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _logged(event: Event) -> Line:
    return (event.at, " ", Code(event.actor), " ", told(event.fact))
