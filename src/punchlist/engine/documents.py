"""Tasks and steps as people write them, made whole: ids, defaults, and every problem of meaning at once."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from punchlist.errors import Problem, invalid
from punchlist.model.ids import CriterionId, ProjectId, StepId, TaskId
from punchlist.model.json import Json, digest, encode, plain
from punchlist.model.parse import parse
from punchlist.model.records import Criterion, CriterionFile, Step, StepFile, Task, TaskFile

replace = msgspec.structs.replace

_LIVING = ("status", "paused", "version", "digest")
"""Fields of task and step that change without a change of what was agreed."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a document may name: workers, and tasks of the project with what each of them needs.

    `plan` holds the ids of a plan's tasks in their order, for needs by position; outside a plan it is empty.
    """

    workers: frozenset[str]
    tasks: Mapping[TaskId, Sequence[str]] = {}
    plan: tuple[TaskId, ...] = ()


def new_task(file: TaskFile, *, task: TaskId, project: ProjectId, known: Known, what: str) -> Task:
    """Return a draft with all its steps; raises DefinitionError listing every problem of `what`."""
    problems: list[Problem] = []
    steps = _steps(file.steps, task=task, numbers=range(1, len(file.steps) + 1), known=known, problems=problems)
    made = _task(file, steps, task=task, project=project, known=known, problems=problems)
    if problems:
        raise invalid(problems, what=what)
    return made


def changed_task(task: Task, changes: Mapping[str, Json], *, known: Known, free: int, what: str) -> Task:
    """Return the task with the given fields of its file changed; all others stay.

    New steps take the place of the old ones one by one and keep their ids; further ones are numbered from `free`.
    """
    file = parse(TaskFile, {**_fields(task, TaskFile, but="steps"), **changes}, what=what)
    problems: list[Problem] = []
    steps = task.steps
    if "steps" in changes:
        numbers = [step.index for step in steps[: len(file.steps)]]
        numbers += range(free, free + len(file.steps) - len(numbers))
        steps = _steps(file.steps, task=TaskId(task.id), numbers=numbers, known=known, problems=problems)
    made = _task(file, steps, task=TaskId(task.id), project=ProjectId(task.project), known=known, problems=problems)
    if problems:
        raise invalid(problems, what=what)
    return _carried(task, made)


def added_step(task: Task, file: StepFile, *, position: int | None, known: Known, free: int, what: str) -> Task:
    """Return the task with one more step, numbered `free`, at `position` (from 1; by default the last).

    Without needs of its own it needs the step before; where every step needs the one before, the next then needs it.
    """
    at = len(task.steps) if position is None else max(0, min(position - 1, len(task.steps)))
    chain = _is_chain(task.steps) and file.needs is None
    before = task.steps[:at]
    if file.needs is None:
        file = replace(file, needs=tuple(step.id for step in before[-1:]))
    ids = _positions(task.steps)
    step = _step(file, f"{task.id}.{free}", index=free, ids=ids)
    steps = (*before, step, *task.steps[at:])
    _refuse(_step_problems(file, "", own=step.id, ids=ids, known=known), steps, what=what)
    return _carried(task, replace(task, steps=_chained(steps) if chain else steps))


def changed_step(task: Task, step: StepId, *, changes: Mapping[str, Json], known: Known, what: str) -> Task:
    """Return the task with the given fields of one step changed."""
    old = next(each for each in task.steps if each.id == step)
    file = parse(StepFile, {**_fields(old, StepFile), **changes}, what=what)
    if file.needs is None:
        file = replace(file, needs=_before(task.steps, step))
    ids = _positions(task.steps)
    new = _step(file, step, index=old.index, ids=ids)
    steps = tuple(new if each.id == step else each for each in task.steps)
    _refuse(_step_problems(file, "", own=step, ids=ids, known=known), steps, what=what)
    return _carried(task, replace(task, steps=steps))


def removed_step(task: Task, step: StepId) -> Task:
    """Return the task without a step; what needed it needs what it needed."""
    gone = next(each for each in task.steps if each.id == step)
    left = [each for each in task.steps if each.id != step]
    return _carried(task, replace(task, steps=tuple(replace(each, needs=_spliced(each, gone)) for each in left)))


def reordered_steps(task: Task, order: Sequence[str], *, what: str) -> Task:
    """Return the task with its steps in another order; where each needs the one before, that holds of the new order."""
    by_id = {step.id: step for step in task.steps}
    problems = [
        Problem(f"order[{at}]", f"there is no step {each!r}", ", ".join(by_id))
        for at, each in enumerate(order)
        if each not in by_id
    ]
    problems += [
        Problem("order", f"{each} is named twice") for each in sorted({e for e in order if order.count(e) > 1})
    ]
    problems += [Problem("order", f"{each} is missing") for each in by_id if each not in order]
    if problems:
        raise invalid(problems, what=what)
    steps = tuple(by_id[each] for each in order)
    return _carried(task, replace(task, steps=_chained(steps) if _is_chain(task.steps) else steps))


def content(task: Task) -> Json:
    """Return what is agreed when a task is approved: everything but states and versions."""
    steps: list[Json] = [_without(plain(step), ("status", "version")) for step in task.steps]
    return {**_without(plain(task), _LIVING), "steps": steps}


def frozen_digest(task: Task) -> str:
    """Return the digest that approval freezes."""
    return digest(content(task))


def same_step(one: Step, other: Step) -> bool:
    """Say whether two records of a step agree on everything but state and version."""
    return _without(plain(one), ("status", "version")) == _without(plain(other), ("status", "version"))


def find_cycle(needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return one path on which things need each other, its first again as its last, or nothing."""
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        waiting = [(start, False)]
        while waiting:
            each, left = waiting.pop()
            if left:
                done.add(path.pop())
            elif each in path:
                return (*path[path.index(each) :], each)
            elif each not in done:
                path.append(each)
                waiting += [(each, True), *((need, False) for need in reversed(needs.get(each, ())))]
    return ()


def _task(
    file: TaskFile, steps: tuple[Step, ...], *, task: TaskId, project: ProjectId, known: Known, problems: list[Problem]
) -> Task:
    problems += _criteria_problems(file.acceptance, "acceptance")
    needs = tuple(_task_needs(file, task, known=known, problems=problems))
    return Task(
        id=task,
        project=project,
        title=file.title,
        spec=file.spec,
        acceptance=_criteria(file.acceptance),
        steps=steps,
        tier=file.tier,
        labels=file.labels,
        source=file.source,
        needs=needs,
        policy=file.policy,
    )


def _task_needs(file: TaskFile, task: TaskId, *, known: Known, problems: list[Problem]) -> Iterator[TaskId]:
    found: list[TaskId] = []
    allowed = ", ".join([*known.tasks, *(str(number) for number in range(1, len(known.plan) + 1))]) or "none"
    for at, need in enumerate(file.needs):
        name = _plan_task(need, known) if isinstance(need, int) else TaskId(need)
        if name is None or (name not in known.tasks and name not in known.plan):
            problems.append(Problem(f"needs[{at}]", f"there is no task {need!r} in this project", allowed))
        elif name not in found:
            found.append(name)
    graph: dict[str, Sequence[str]] = {**{str(name): each for name, each in known.tasks.items()}, task: found}
    cycle = find_cycle(graph)
    if cycle:
        problems.append(Problem("needs", f"these tasks need each other: {' → '.join(cycle)}"))
    return iter(found)


def _plan_task(position: int, known: Known) -> TaskId | None:
    return known.plan[position - 1] if 1 <= position <= len(known.plan) else None


def _steps(
    files: Sequence[StepFile], *, task: TaskId, numbers: Sequence[int], known: Known, problems: list[Problem]
) -> tuple[Step, ...]:
    names = [f"{task}.{number}" for number in numbers]
    ids = {**{str(at): name for at, name in enumerate(names, 1)}, **{name: name for name in names}}
    made: list[Step] = []
    for at, (file, name, number) in enumerate(zip(files, names, numbers, strict=True)):
        whole = replace(file, needs=tuple(names[at - 1 : at]) if at else ()) if file.needs is None else file
        problems += _step_problems(whole, f"steps[{at}].", own=name, ids=ids, known=known)
        made.append(_step(whole, name, index=number, ids=ids))
    problems += _cycle_problems(made)
    return tuple(made)


def _step(file: StepFile, name: str, *, index: int, ids: Mapping[str, str]) -> Step:
    needs = [ids[str(need)] for need in file.needs or () if str(need) in ids]
    return Step(
        id=name,
        index=index,
        title=file.title,
        goal=file.goal,
        criteria=_criteria(file.criteria),
        scope=file.scope,
        needs=tuple(dict.fromkeys(needs)),
        builder=file.builder,
        qa=file.qa,
        policy=file.policy,
        context=file.context,
    )


def _criteria(files: Sequence[CriterionFile | str]) -> tuple[Criterion, ...]:
    """Return criteria with ids: one without takes the number of its place, or the lowest free one."""
    whole = [CriterionFile(text=each) if isinstance(each, str) else each for each in files]
    taken = {each.id for each in whole if each.id is not None}
    made: list[Criterion] = []
    for at, each in enumerate(whole, 1):
        name = each.id or next(
            free for number in (at, *range(1, len(whole) + 1)) if (free := f"AC-{number}") not in taken
        )
        taken.add(name)
        made.append(_criterion(each, CriterionId(name)))
    return tuple(made)


def _criterion(file: CriterionFile, name: CriterionId) -> Criterion:
    return Criterion(
        id=name,
        text=file.text,
        check=file.check,
        timeout=file.timeout,
        network=file.network,
        red_first=file.red_first,
        review=file.check is None if file.review is None else file.review,
    )


def _refuse(problems: Iterator[Problem], steps: Sequence[Step], *, what: str) -> None:
    found = [*problems, *_cycle_problems(steps)]
    if found:
        raise invalid(found, what=what)


def _step_problems(file: StepFile, at: str, *, own: str, ids: Mapping[str, str], known: Known) -> Iterator[Problem]:
    yield from _criteria_problems(file.criteria, f"{at}criteria")
    for number, need in enumerate(file.needs or ()):
        if str(need) not in ids:
            allowed = ", ".join(name for name in ids if name != own) or "none"
            yield Problem(f"{at}needs[{number}]", f"there is no step {need!r} in this task", allowed)
    for name in ("allow", "deny", "unlock"):
        for number, glob in enumerate(getattr(file.scope, name)):
            yield from _path_problems(glob, f"{at}scope.{name}[{number}]")
    for number, path in enumerate(file.context):
        yield from _path_problems(path, f"{at}context[{number}]")
    for role in ("builder", "qa"):
        worker = getattr(file, role)
        if worker is not None and worker not in known.workers:
            yield Problem(f"{at}{role}", f"there is no worker {worker!r}", ", ".join(sorted(known.workers)))


def _path_problems(path: str, where: str) -> Iterator[Problem]:
    if path.startswith(("/", "~")):
        yield Problem(where, f"{path!r} is absolute", "a path inside the project, such as src/**")
    elif ".." in path.split("/"):
        yield Problem(where, f"{path!r} leads out of the project", "a path inside the project, without '..'")
    elif any(ord(character) < ord(" ") for character in path):
        yield Problem(where, f"{path!r} holds a control character", "a path inside the project")


def _criteria_problems(files: Sequence[CriterionFile | str], where: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for at, each in enumerate(files):
        if isinstance(each, str):
            continue
        if each.id is not None and each.id in seen:
            yield Problem(f"{where}[{at}].id", f"{each.id} is taken by {where}[{seen[each.id]}]", "a number of its own")
        seen.setdefault(each.id or "", at)
        if each.check is None:
            yield from _checkless_problems(each, f"{where}[{at}]")


def _checkless_problems(file: CriterionFile, where: str) -> Iterator[Problem]:
    if file.review is False:
        yield Problem(where, "it has no check and review is false: nothing could judge it", "a check, or review: true")
    said = {"timeout": file.timeout is not None, "network": file.network, "red_first": file.red_first != "auto"}
    for name in (name for name, is_said in said.items() if is_said):
        yield Problem(f"{where}.{name}", "it says something of a check, and there is none", "a check beside it")


def _cycle_problems(steps: Sequence[Step]) -> Iterator[Problem]:
    cycle = find_cycle({step.id: step.needs for step in steps})
    if cycle:
        at = next(at for at, step in enumerate(steps) if step.id == cycle[0])
        yield Problem(f"steps[{at}].needs", f"these steps need each other: {' → '.join(cycle)}")


def _positions(steps: Sequence[Step]) -> dict[str, str]:
    ids = {str(at): step.id for at, step in enumerate(steps, 1)}
    return {**ids, **{step.id: step.id for step in steps}}


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
