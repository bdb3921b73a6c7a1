"""Tasks and steps as people write them, made whole: ids, defaults, and every problem of meaning at once."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from punchlist.engine.document_checks import (
    Known,
    needed as needed_steps,
    needed_task,
    plan_problems,
    ring_problems,
    step_ids,
    step_names,
    step_problems,
    steps_in,
    task_problems,
)
from punchlist.engine.terms import Terms
from punchlist.errors import Problem, invalid
from punchlist.model.criteria import whole_criteria
from punchlist.model.ids import Digest, ProjectId, StepId, TaskId
from punchlist.model.json import Json, digest, encode, plain
from punchlist.model.parse import parse
from punchlist.model.parts import Part
from punchlist.model.records import Step, StepFile, Task, TaskFile
from punchlist.model.results import Plan

replace = msgspec.structs.replace

_LIVING = ("status", "paused", "version", "digest")
"""Fields of task and step that change without a change of what was agreed."""


def new_task(document: Json, *, task: TaskId, project: ProjectId, known: Known, what: str) -> Task:
    """Return a draft with all its steps; raises DefinitionError listing every problem of `what`."""

    def meaning(part: Part) -> list[Problem]:
        return [*task_problems(part, task, numbers=range(1, steps_in(part) + 1), known=known)]

    file = parse(TaskFile, document, what=what, meaning=meaning)
    return _drafted(file, task, project=project, known=known)


def new_tasks(document: Json, *, project: ProjectId, known: Known, what: str) -> list[Task]:
    """Return the drafts of a plan, with the ids `known.plan`; raises DefinitionError listing every problem."""
    plan = parse(Plan, document, what=what, meaning=lambda part: plan_problems(part, known=known))
    return [
        _drafted(file, name, project=project, known=known) for name, file in zip(known.plan, plan.tasks, strict=True)
    ]


def changed_task(task: Task, changes: Mapping[str, Json], *, known: Known, free: int, what: str) -> Task:
    """Return the task with the given fields of its file changed; all others stay.

    New steps take the place of the old ones one by one and keep their ids; further ones are numbered from `free`.
    """
    numbers = [step.index for step in task.steps]
    numbers += range(free, free + _count(changes.get("steps")))

    def meaning(part: Part) -> list[Problem]:
        return [*task_problems(part, TaskId(task.id), numbers=numbers[: steps_in(part)], known=known)]

    document = {**_fields(task, TaskFile, but="steps"), **changes}
    file = parse(TaskFile, document, what=what, meaning=meaning)
    names = step_names(task.id, numbers[: len(file.steps)])
    steps = _steps(file.steps, names, numbers=numbers) if "steps" in changes else task.steps
    return _carried(task, _task(file, steps, task=TaskId(task.id), project=ProjectId(task.project), known=known))


def added_step(task: Task, document: Json, *, position: int | None, known: Known, free: int, what: str) -> Task:
    """Return the task with one more step, numbered `free`, at `position` (from 1; by default the last).

    Raises DefinitionError for a position that would leave a gap, and with every problem of the document.

    Without needs of its own it needs the step before; where every step needs the one before, the next then needs it.
    """
    gap = [*_position_problems(task, position)]
    at = len(task.steps) if position is None or gap else position - 1
    own, before = f"{task.id}.{free}", tuple(step.id for step in task.steps[:at][-1:])
    file = _step_file(task, document, own=own, before=before, known=known, what=what, beside=gap)
    chain = _is_chain(task.steps) and file.needs is None
    step = _step(file, own, index=free, ids=_positions(task.steps), before=before)
    steps = (*task.steps[:at], step, *task.steps[at:])
    return _carried(task, replace(task, steps=_chained(steps) if chain else steps))


def changed_step(task: Task, step: StepId, *, changes: Mapping[str, Json], known: Known, what: str) -> Task:
    """Return the task with the given fields of one step changed."""
    old = next(each for each in task.steps if each.id == step)
    before = _before(task.steps, step)
    document = {**_fields(old, StepFile), **changes}
    file = _step_file(task, document, own=step, before=before, known=known, what=what)
    new = _step(file, step, index=old.index, ids=_positions(task.steps), before=before)
    return _carried(task, replace(task, steps=tuple(new if each.id == step else each for each in task.steps)))


def removed_step(task: Task, step: StepId) -> Task:
    """Return the task without a step; what needed it needs what it needed."""
    gone = next(each for each in task.steps if each.id == step)
    left = [each for each in task.steps if each.id != step]
    return _carried(task, replace(task, steps=tuple(replace(each, needs=_spliced(each, gone)) for each in left)))


def reordered_steps(task: Task, order: Sequence[str], *, what: str) -> Task:
    """Return the task with its steps in another order; where each needs the one before, that holds of the new order."""
    by_id = {step.id: step for step in task.steps}
    problems = [
        Problem(f"steps[{at}]", f"there is no step {each!r}", ", ".join(by_id))
        for at, each in enumerate(order)
        if each not in by_id
    ]
    problems += [
        Problem("steps", f"{each} is named twice", "each step once")
        for each in sorted({e for e in order if order.count(e) > 1})
    ]
    problems += [Problem("steps", f"{each} is missing", "each step once") for each in by_id if each not in order]
    if problems:
        raise invalid(problems, what=what)
    steps = tuple(by_id[each] for each in order)
    return _carried(task, replace(task, steps=_chained(steps) if _is_chain(task.steps) else steps))


def content(task: Task) -> Json:
    """Return what is agreed when a task is approved: everything but states and versions."""
    steps: list[Json] = [_without(plain(step), ("status", "version")) for step in task.steps]
    return {**_without(plain(task), _LIVING), "steps": steps}


def frozen_digest(task: Task, terms: Terms) -> Digest:
    """Return the digest that approval freezes: of the task, and of where its work goes and what runs there."""
    return digest({"task": content(task), "terms": plain(terms)})


def same_step(one: Step, other: Step) -> bool:
    """Say whether two records of a step agree on everything but state and version."""
    return _without(plain(one), ("status", "version")) == _without(plain(other), ("status", "version"))


def _drafted(file: TaskFile, task: TaskId, *, project: ProjectId, known: Known) -> Task:
    numbers = range(1, len(file.steps) + 1)
    steps = _steps(file.steps, step_names(task, numbers), numbers=numbers)
    return _task(file, steps, task=task, project=project, known=known)


def _task(file: TaskFile, steps: tuple[Step, ...], *, task: TaskId, project: ProjectId, known: Known) -> Task:
    needs = (needed_task(need, known) for need in file.needs)
    return Task(
        id=task,
        project=project,
        title=file.title,
        spec=file.spec,
        acceptance=whole_criteria(file.acceptance),
        steps=steps,
        tier=file.tier,
        labels=file.labels,
        source=file.source,
        needs=tuple(dict.fromkeys(need for need in needs if need is not None)),
        policy=file.policy,
    )


def _steps(files: Sequence[StepFile], names: Sequence[str], *, numbers: Sequence[int]) -> tuple[Step, ...]:
    ids = step_ids(names)
    return tuple(
        _step(file, name, index=number, ids=ids, before=names[max(at - 1, 0) : at])
        for at, (file, name, number) in enumerate(zip(files, names, numbers, strict=False))
    )


def _step(file: StepFile, name: str, *, index: int, ids: Mapping[str, str], before: Sequence[str]) -> Step:
    needs = before if file.needs is None else [ids[str(need)] for need in file.needs]
    return Step(
        id=name,
        index=index,
        title=file.title,
        goal=file.goal,
        criteria=whole_criteria(file.criteria),
        scope=file.scope,
        needs=tuple(dict.fromkeys(needs)),
        builder=file.builder,
        qa=file.qa,
        policy=file.policy,
        context=file.context,
    )


def _position_problems(task: Task, position: int | None) -> Iterator[Problem]:
    count = len(task.steps)
    if position is not None and not 1 <= position <= count + 1:
        has = f"{task.id} has {count} step{'' if count == 1 else 's'}"
        yield Problem("position", f"saw {position}, and {has}", f"1 to {count + 1}" if count else "1")


def _step_file(
    task: Task,
    document: Json,
    *,
    own: str,
    before: Sequence[str],
    known: Known,
    what: str,
    beside: Sequence[Problem] = (),
) -> StepFile:
    ids = _positions(task.steps)
    others: dict[str, Sequence[str]] = {each.id: each.needs for each in task.steps}

    def meaning(part: Part) -> list[Problem]:
        needs = {**others, own: needed_steps(part, ids, before=before)}
        return [
            *beside,
            *step_problems(part, own, ids=ids, known=known),
            *ring_problems(needs, {own: "needs"}),
        ]

    return parse(StepFile, document, what=what, meaning=meaning)


def _count(value: Json) -> int:
    return len(value) if isinstance(value, list) else 0


def _positions(steps: Sequence[Step]) -> dict[str, str]:
    return step_ids([step.id for step in steps])


def _is_chain(steps: Sequence[Step]) -> bool:
    return all(step.needs == _before(steps, StepId(step.id)) for step in steps)


def _before(steps: Sequence[Step], step: StepId) -> tuple[str, ...]:
    at = next(at for at, each in enumerate(steps) if each.id == step)
    return tuple(each.id for each in steps[max(at - 1, 0) : at])


def _chained(steps: Sequence[Step]) -> tuple[Step, ...]:
    return tuple(replace(step, needs=_before(steps, StepId(step.id))) for step in steps)


def _spliced(step: Step, gone: Step) -> tuple[str, ...]:
    needs = [need for each in step.needs for need in (gone.needs if each == gone.id else (each,))]
    return tuple(dict.fromkeys(needs))


def _carried(old: Task, new: Task) -> Task:
    """Return the new task with what the old one has lived through; a step that changed gets its next version."""
    before = {step.id: step for step in old.steps}
    steps = tuple(_carried_step(before[step.id], step) if step.id in before else step for step in new.steps)
    living = {name: getattr(old, name) for name in (*_LIVING, "revision")}
    return replace(new, **living, steps=steps)


def _carried_step(old: Step, new: Step) -> Step:
    version = old.version if same_step(old, new) else old.version + 1
    return replace(new, status=old.status, version=version)


def _fields(record: Task | Step, file: type[TaskFile] | type[StepFile], *, but: str = "") -> dict[str, Json]:
    value: dict[str, Json] = msgspec.json.decode(encode(record))
    return {name: value[name] for name in file.__struct_fields__ if name in value and name != but}


def _without(value: Json, names: Sequence[str]) -> dict[str, Json]:
    assert isinstance(value, dict)
    return {name: each for name, each in value.items() if name not in names}
