"""A planner's plan while it grows: kept in `io/plan.json`, and in `io/result.json` whenever it is whole."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from punchlist.engine.document_checks import Known, needed_task
from punchlist.engine.documents import new_tasks
from punchlist.errors import ConflictError, DefinitionError, Problem, RefusedError, invalid
from punchlist.mcp.attempt import Attempt
from punchlist.mcp.records import narrowed
from punchlist.mcp.tool import Arguments
from punchlist.model.ids import ProjectId, TaskId
from punchlist.model.json import Json, plain
from punchlist.model.parse import parse, parse_json
from punchlist.model.parts import in_order, written
from punchlist.model.records import StepFile, TaskFile
from punchlist.model.results import Plan
from punchlist.service.context import Answer
from punchlist.workers.files import RESULT, RESULT_LIMIT
from punchlist.workers.reading import read_regular

_OF_A_PERSON = frozenset({"builder", "qa", "policy"})

PlannedStep = narrowed("PlannedStep", StepFile, without=_OF_A_PERSON)
"""A step of an agent's plan: who works on it, and within what limits, is set by a person."""
PlannedTask = narrowed(
    "PlannedTask",
    TaskFile,
    without=_OF_A_PERSON,
    instead={"steps": Annotated[tuple[PlannedStep, ...], Meta(max_length=500)]},  # type: ignore[valid-type]
)
StepChanges = narrowed("StepChanges", PlannedStep, required=False)

_NAME = "plan.json"
_LIMIT = 2 * RESULT_LIMIT
Document = dict[str, Json]


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The plan so far: `version` counts its changes, `answered` has calls that brought a key, with their answers."""

    version: int = 0
    tasks: tuple[Document, ...] = ()
    answered: dict[str, tuple[str, Document]] = {}


class Place(NamedTuple):
    """A task, or a step of one, by their positions from 0."""

    task: int
    step: int | None = None


Change = Callable[[Sequence[Document]], tuple[Sequence[Document], Place]]
"""From the plan's tasks to those that it shall have, and where the change is."""


def task_name(position: int) -> TaskId:
    """Return the id that a task has in its plan, until the engine gives it one of the project's."""
    return TaskId(f"T{position + 1}")


def steps_of(task: Document) -> list[Document]:
    """Return the steps of a task as they are written."""
    steps = task.get("steps")
    return [each for each in steps if isinstance(each, dict)] if isinstance(steps, list) else []


def load(attempt: Attempt) -> Draft:
    """Return the plan so far; raises RefusedError for one that another hand has spoiled."""
    content = read_regular(attempt.io / _NAME, limit=_LIMIT)
    try:
        return Draft() if content is None else parse_json(Draft, content, what=_NAME)
    except DefinitionError as error:
        raise RefusedError(
            f"the plan so far cannot be read: {error}", where=_NAME, hint="Remove io/plan.json to begin anew."
        ) from error


def changed(attempt: Attempt, given: Arguments, *, tool: str, change: Change) -> Answer:
    """Change the plan and return what it says at the place of the change, with the new version.

    A change is taken whole or not at all, and only where the whole plan holds with it. Raises DefinitionError with
    every problem, by its path in the arguments; ConflictError when `expected_version` is not the plan's. The same call
    again with the same `idempotency_key` returns the first answer; RefusedError for a key that another call was given.
    """
    key, expected = given.get("idempotency_key"), given.get("expected_version")
    with attempt.held():
        attempt.refuse_late()
        draft = load(attempt)
        call = _digest(tool, given)
        if isinstance(key, str) and key in draft.answered:
            return _again(draft, key, call=call)
        if expected is not None and expected != draft.version:
            raise ConflictError(
                f"the plan is at version {draft.version}, and the call expects {expected}",
                where="expected_version",
                hint="Read it again: get_request.",
            )
        tasks, place = change(draft.tasks)
        new = Draft(version=draft.version + 1, tasks=_checked(tasks, place), answered=draft.answered)
        answer = {**told(new, place), **state(new)}
        if isinstance(key, str):
            new = msgspec.structs.replace(new, answered={**new.answered, key: (call, answer)})
        _save(attempt, new)
    return answer


def _digest(tool: str, given: Arguments) -> str:
    """Return what tells a call from another; not the canonical form, which has no place for numbers beyond 2^53."""
    return hashlib.sha256(json.dumps([tool, given], sort_keys=True, default=dict).encode()).hexdigest()


def _again(draft: Draft, key: str, *, call: str) -> Answer:
    first, answer = draft.answered[key]
    if first != call:
        raise RefusedError(
            f"the key {key!r} was given to another call",
            where="idempotency_key",
            hint="Give each call a key of its own; the same key is for the very same call again.",
        )
    return answer


def told(draft: Draft, place: Place) -> Document:
    """Return a task, or a step, of the plan in short, under its noun."""
    task = _task_told(draft.tasks[place.task], task_name(place.task))
    steps = task["steps"]
    return {"task": task} if place.step is None or not isinstance(steps, list) else {"step": steps[place.step]}


def state(draft: Draft) -> Document:
    """Return the plan's version, and what it lacks before it can be handed in."""
    lacks = [f"{task_name(at)} has no steps yet" for at, task in enumerate(draft.tasks) if not steps_of(task)]
    if not draft.tasks:
        lacks = ["it has no tasks yet"]
    return {"version": draft.version, "complete": not lacks, "missing": [*lacks]}


def _checked(tasks: Sequence[Document], place: Place) -> tuple[Document, ...]:
    """Return the tasks as they are kept, needs by position; raises DefinitionError with every problem."""
    if found := problems_at(place, tasks):
        raise invalid(found, what="the task" if place.step is None else "the step")
    plan = parse(Plan, _plan(tasks), what="the plan")
    return tuple(_kept(task, known=_known(tasks)) for task in plan.tasks)


def problems_at(place: Place, tasks: Sequence[Document]) -> list[Problem]:
    """Return all that keeps tasks from being a plan; what stands at `place` is told by its path in there."""
    found = {
        (each.where, each.message): each for each in (*_plan_problems(tasks, place), *_shape_problems(tasks, place))
    }
    value = tasks[place.task] if place.step is None else steps_of(tasks[place.task])[place.step]
    return in_order(found.values(), value)


def _shape_problems(tasks: Sequence[Document], place: Place) -> Sequence[Problem]:
    """Return what an agent's plan may not say, though one by file may, beside what is ill-shaped."""
    try:
        if place.step is None:
            parse(PlannedTask, tasks[place.task], what="the task")
        else:
            parse(PlannedStep, steps_of(tasks[place.task])[place.step], what="the step")
    except DefinitionError as error:
        return error.problems
    return ()


def _plan_problems(tasks: Sequence[Document], place: Place) -> Sequence[Problem]:
    """Return why the engine would not take the plan; paths at the place of the change are those of the arguments."""
    here = written(("tasks", place.task) if place.step is None else ("tasks", place.task, "steps", place.step))
    try:
        new_tasks(_plan(tasks), project=ProjectId("plan"), known=_known(tasks), what="the plan")
    except DefinitionError as error:
        return [
            each._replace(where=_below(each.where, here))
            for each in error.problems
            if each.where.rpartition(".")[2] not in _OF_A_PERSON
        ]
    return ()


def _below(where: str, here: str) -> str:
    return (
        where.removeprefix(here).removeprefix(".")
        if where == here or where.startswith((f"{here}.", f"{here}["))
        else where
    )


def _kept(task: TaskFile, *, known: Known) -> Document:
    """Return a task with needs by position: the engine gives it other ids, and they would mean other tasks."""
    names = [each for need in task.needs if (each := needed_task(need, known)) is not None]
    steps = tuple(
        msgspec.structs.replace(step, needs=step.needs and tuple(dict.fromkeys(map(_position, step.needs))))
        for step in task.steps
    )
    kept = plain(msgspec.structs.replace(task, steps=steps, needs=tuple(dict.fromkeys(map(_position, names)))))
    assert isinstance(kept, dict)
    return kept


def _position(need: int | str) -> int:
    """Return the position, from 1, of what `T2`, `T1.2` or 2 names."""
    return need if isinstance(need, int) else int(need.removeprefix("T").rpartition(".")[2])


def _known(tasks: Sequence[Document]) -> Known:
    return Known(workers=frozenset(), plan=tuple(task_name(at) for at in range(len(tasks))))


def _plan(tasks: Sequence[Document]) -> Document:
    return {"schema": "punchlist/plan/1", "tasks": [*tasks]}


def _save(attempt: Attempt, draft: Draft) -> None:
    """Keep the plan; where it lacks something, there is no answer until it does not."""
    if state(draft)["complete"]:
        content = attempt.content_of(_plan(draft.tasks))
        attempt.replace(_NAME, msgspec.json.encode(draft))
        attempt.replace(RESULT, content)
    else:
        (attempt.io / RESULT).unlink(missing_ok=True)
        attempt.replace(_NAME, msgspec.json.encode(draft))


def _task_told(task: Document, name: str) -> Document:
    needs = task.get("needs")
    return {
        "id": name,
        "title": task["title"],
        "needs": [f"T{need}" for need in needs] if isinstance(needs, list) else [],
        "steps": [_step_told(step, name, at=at) for at, step in enumerate(steps_of(task))],
    }


def _step_told(step: Document, task: str, *, at: int) -> Document:
    needs = step.get("needs")
    before = [f"{task}.{at}"] if at else []
    return {
        "id": f"{task}.{at + 1}",
        "title": step["title"],
        "needs": [f"{task}.{need}" for need in needs] if isinstance(needs, list) else [*before],
    }
