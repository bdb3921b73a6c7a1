"""The tools of a planner: tasks and steps that become one plan, of the request that it was given and no other."""

from collections.abc import Mapping, Sequence

from punchlist.errors import Problem, RefusedError, invalid
from punchlist.mcp.attempt import Attempt
from punchlist.mcp.draft import (
    Document,
    Place,
    PlannedStep,
    PlannedTask,
    StepChanges,
    changed,
    load,
    problems_at,
    state,
    steps_of,
    task_name,
    told,
)
from punchlist.mcp.records import record_schema
from punchlist.mcp.schemas import FROM_ZERO
from punchlist.mcp.tool import Arguments, Tool, closed
from punchlist.model.json import Json
from punchlist.service.context import Answer

_TASK: Json = {"type": "string", "pattern": "^T[1-9][0-9]{0,2}$", "description": "a task of this plan, such as T1"}
_STEP: Json = {
    "type": "string",
    "pattern": r"^T[1-9][0-9]{0,2}\.[1-9][0-9]{0,2}$",
    "description": "a step of this plan, such as T1.2",
}
_BESIDE: Mapping[str, Json] = {
    "expected_version": {**FROM_ZERO, "description": "of the plan: another is a conflict"},
    "idempotency_key": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "the same again does nothing",
    },
}


def planner_tools(attempt: Attempt) -> tuple[Tool, ...]:
    """Return the tools of a planner's attempt; they need nothing but its folder."""
    return (
        Tool(
            name="get_request",
            text="Read what is to be planned: project, spec, request, critique of the last plan; and the plan so far.",
            schema=closed({}),
            call=attempt.guarded("get_request", lambda _: _request(attempt)),
            changes=False,
        ),
        Tool(
            name="create_task",
            text=(
                "Add a task to the plan, with its steps or before them. Answers its id, T1, T2 … in the order made. "
                "`needs` names tasks made before it, by id or position."
            ),
            schema=record_schema(PlannedTask, beside={"project": {"type": "string", "maxLength": 60}, **_BESIDE}),
            call=attempt.guarded("create_task", lambda given: _create_task(attempt, given)),
            changes=True,
            record=PlannedTask,
        ),
        Tool(
            name="create_step",
            text=(
                "Add a step at the end of a task. A criterion has a `check`, a command that fails before the work and "
                "passes after it, or `review: true` where only a reader can tell. `needs` names steps of the same task "
                "by id or position: by default the one before, [] for none."
            ),
            schema=record_schema(
                PlannedStep, beside={"task": _TASK, **_BESIDE}, required=("task", "title", "criteria")
            ),
            call=attempt.guarded("create_step", lambda given: _create_step(attempt, given)),
            changes=True,
            record=PlannedStep,
            faults=lambda given: _step_faults(attempt, given),
        ),
        Tool(
            name="update_step",
            text="Change the given fields of a step; all others stay. A list that is given takes the place of the old.",
            schema=record_schema(StepChanges, beside={"step": _STEP, **_BESIDE}, required=("step",)),
            call=attempt.guarded("update_step", lambda given: _update_step(attempt, given)),
            changes=True,
            record=StepChanges,
            faults=lambda given: _change_faults(attempt, given),
        ),
    )


def _request(attempt: Attempt) -> Answer:
    with attempt.held():
        draft = load(attempt)
    tasks: list[Json] = [told(draft, Place(at))["task"] for at in range(len(draft.tasks))]
    return {"request": attempt.pack(), "plan": {"tasks": tasks, **state(draft)}}


def _create_task(attempt: Attempt, given: Arguments) -> Answer:
    own = attempt.pack().get("project")
    if "project" in given and given["project"] != own:
        raise RefusedError(f"this plan is of project {own}; saw {given['project']!r}", where="project")
    task = _fields(given, beside={"project", *_BESIDE})
    return changed(attempt, given, tool="create_task", change=lambda tasks: ((*tasks, task), Place(len(tasks))))


def _create_step(attempt: Attempt, given: Arguments) -> Answer:
    step = _fields(given, beside={"task", *_BESIDE})

    def change(tasks: Sequence[Document]) -> tuple[Sequence[Document], Place]:
        at = _task_at(tasks, str(given["task"]))
        steps = steps_of(tasks[at])
        return _with_steps(tasks, at, steps=[*steps, step]), Place(at, len(steps))

    return changed(attempt, given, tool="create_step", change=change)


def _update_step(attempt: Attempt, given: Arguments) -> Answer:
    changes = _fields(given, beside={"step", *_BESIDE})
    if not changes:
        raise invalid([Problem("", "it changes nothing", "a field of the step")], what="the change")

    def change(tasks: Sequence[Document]) -> tuple[Sequence[Document], Place]:
        at, place = _step_at(tasks, str(given["step"]))
        steps = steps_of(tasks[at])
        steps[place] = {**steps[place], **changes}
        return _with_steps(tasks, at, steps=steps), Place(at, place)

    return changed(attempt, given, tool="update_step", change=change)


def _step_faults(attempt: Attempt, given: Arguments) -> list[Problem]:
    """Return what is wrong with a new step, also where it stands in no task of the plan."""
    with attempt.held():
        tasks = load(attempt).tasks
    step = _fields(given, beside={"task", *_BESIDE})
    try:
        at = _task_at(tasks, _name_in(given, "task"))
    except RefusedError as missing:
        return [_told(missing), *_stray(step, tasks)]
    steps = steps_of(tasks[at])
    return problems_at(Place(at, len(steps)), _with_steps(tasks, at, steps=[*steps, step]))


def _change_faults(attempt: Attempt, given: Arguments) -> list[Problem]:
    """Return what is wrong with the fields of a step, also of one that is not in the plan."""
    with attempt.held():
        tasks = load(attempt).tasks
    changes = _fields(given, beside={"step", *_BESIDE})
    try:
        at, place = _step_at(tasks, _name_in(given, "step"))
    except RefusedError as missing:
        return [_told(missing), *_stray({"title": "unknown", "criteria": ["unknown"], **changes}, tasks)]
    steps = steps_of(tasks[at])
    steps[place] = {**steps[place], **changes}
    return problems_at(Place(at, place), _with_steps(tasks, at, steps=steps))


def _stray(step: Document, tasks: Sequence[Document]) -> list[Problem]:
    """Return what is wrong with a step wherever it stands; what it may need nobody can tell."""
    found = problems_at(Place(len(tasks), 0), [*tasks, {"title": "unknown", "steps": [step]}])
    return [each for each in found if each.where.partition("[")[0] != "needs"]


def _name_in(given: Arguments, noun: str) -> str:
    value = given.get(noun)
    return value if isinstance(value, str) else ""


def _told(missing: RefusedError) -> Problem:
    return Problem(missing.where, missing.message, hint=missing.hint)


def _fields(given: Arguments, *, beside: set[str]) -> Document:
    return {name: value for name, value in given.items() if name not in beside}


def _task_at(tasks: Sequence[Document], name: str, *, where: str = "task") -> int:
    names = [task_name(at) for at in range(len(tasks))]
    if name not in names:
        raise _not_found(f"task {name}", known=names, where=where)
    return [str(each) for each in names].index(name)


def _step_at(tasks: Sequence[Document], name: str) -> tuple[int, int]:
    task, _, number = name.partition(".")
    at = _task_at(tasks, task, where="step")
    known = [f"{task}.{each}" for each in range(1, len(steps_of(tasks[at])) + 1)]
    if name not in known:
        raise _not_found(f"step {name}", known=known, where="step")
    return at, int(number) - 1


def _with_steps(tasks: Sequence[Document], at: int, *, steps: Sequence[Document]) -> list[Document]:
    return [*tasks[:at], {**tasks[at], "steps": [*steps]}, *tasks[at + 1 :]]


def _not_found(name: str, *, known: Sequence[str], where: str) -> RefusedError:
    hint = f"There are: {', '.join(known) or 'none yet'}."
    refused = RefusedError(f"there is no {name} in this plan", where=where, hint=hint)
    refused.code = "not_found"
    return refused
