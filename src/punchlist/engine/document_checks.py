"""What is wrong with the meaning of written plans, tasks and steps: names that there are not, paths, rings of needs."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from punchlist.errors import Problem
from punchlist.model.allowed import nearest
from punchlist.model.criteria import criteria_problems
from punchlist.model.ids import TaskId
from punchlist.model.notes import step_policy_problems
from punchlist.model.parts import Part, written


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a document may name: workers, and tasks of the project with what each of them needs.

    `plan` holds the ids of a plan's tasks in their order, for needs by position; outside a plan it is empty.
    """

    workers: frozenset[str]
    tasks: Mapping[TaskId, Sequence[str]] = {}
    plan: tuple[TaskId, ...] = ()


def plan_problems(plan: Part, *, known: Known) -> Iterator[Problem]:
    """Yield what is wrong with a plan, whose tasks get the ids `known.plan`; nothing of one too deep to look at."""
    tasks = dict(zip(known.plan, plan.field("tasks").each(), strict=False))
    for name, task in tasks.items():
        yield from _task_problems(task, names=step_names(name, range(1, steps_in(task) + 1)), known=known)
    yield from _task_ring(tasks, known)


def task_problems(part: Part, task: TaskId, *, numbers: Sequence[int], known: Known) -> Iterator[Problem]:
    """Yield what is wrong with one task, whose steps get these `numbers`."""
    yield from _task_problems(part, names=step_names(task, numbers), known=known)
    yield from _task_ring({task: part}, known)


def step_problems(step: Part, own: str, *, ids: Mapping[str, str], known: Known) -> Iterator[Problem]:
    """Yield what is wrong with one step; `ids` are the steps of its task by all that may name them."""
    yield from criteria_problems(step.field("criteria").each())
    for need in step.field("needs").each():
        if need.value is not None and str(need.value) not in ids:
            allowed = ", ".join(name for name in ids if name != own) or "none"
            yield Problem(need.where, f"there is no step {need.value!r} in this task", allowed)
    for name in ("allow", "deny", "unlock"):
        for glob in step.field("scope").field(name).each():
            yield from _path_problems(glob)
    yield from step_policy_problems(step.field("policy"))
    for path in step.field("context").each():
        yield from _path_problems(path)
    for worker in (step.field("builder"), step.field("qa")):
        if worker.text is not None and worker.text not in known.workers:
            names = sorted(known.workers)
            message = f"there is no worker {worker.text!r}"
            yield Problem(worker.where, message, ", ".join(names), nearest(worker.text, names))


def ring_problems(needs: Mapping[str, Sequence[str]], places: Mapping[str, str]) -> Iterator[Problem]:
    """Yield the problem of steps that need each other; `places` says where the needs of a step stand."""
    ring = find_cycle(needs)
    if ring:
        where = next(places[each] for each in ring if each in places)
        yield Problem(where, f"these steps need each other: {' → '.join(ring)}")


def steps_in(task: Part) -> int:
    """Return how many steps a written task has."""
    return len(task.field("steps").each())


def step_names(task: str, numbers: Sequence[int]) -> tuple[str, ...]:
    """Return the ids of a task's steps."""
    return tuple(f"{task}.{number}" for number in numbers)


def step_ids(names: Sequence[str]) -> dict[str, str]:
    """Return steps by all that may name them: their positions from 1, and their ids."""
    return {**{str(at): name for at, name in enumerate(names, 1)}, **{name: name for name in names}}


def needed(step: Part, ids: Mapping[str, str], *, before: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the steps that a step needs: those that it names, if there are such, or the one `before`."""
    needs = step.field("needs")
    if step.value is None or needs.said:
        return tuple(ids[str(need.value)] for need in needs.each() if str(need.value) in ids)
    return tuple(before)


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


def _task_problems(task: Part, *, names: Sequence[str], known: Known) -> Iterator[Problem]:
    ids, needs = step_ids(names), dict[str, Sequence[str]]()
    places: dict[str, str] = {}
    steps = task.field("steps").each()
    for at, (name, step) in enumerate(zip(names, steps, strict=True)):
        yield from step_problems(step, name, ids=ids, known=known)
        needs[name] = needed(step, ids, before=names[max(at - 1, 0) : at])
        places[name] = written((*step.path, "needs"))
    yield from ring_problems(needs, places)
    yield from criteria_problems(task.field("acceptance").each())
    allowed = ", ".join([*(str(number) for number in range(1, len(known.plan) + 1)), "the id of another task"])
    for need in task.field("needs").each():
        if need.value is not None and needed_task(need.value, known) is None:
            message = f"there is no task {need.value!r} in this project"
            yield Problem(need.where, message, allowed, "To see them: punchlist task list")


def needed_task(need: object, known: Known) -> TaskId | None:
    """Return the task that a need names, by its id or by its position in the plan; None when there is none."""
    if isinstance(need, int):
        return known.plan[need - 1] if 1 <= need <= len(known.plan) else None
    name = TaskId(str(need))
    return name if name in known.tasks or name in known.plan else None


def _task_ring(tasks: Mapping[TaskId, Part], known: Known) -> Iterator[Problem]:
    graph: dict[str, Sequence[str]] = {str(name): needs for name, needs in known.tasks.items()}
    for name, task in tasks.items():
        found = (needed_task(need.value, known) for need in task.field("needs").each())
        graph[name] = [need for need in found if need is not None]
    ring = find_cycle(graph)
    if ring:
        part = next(tasks[TaskId(each)] for each in ring if each in tasks)
        yield Problem(written((*part.path, "needs")), f"these tasks need each other: {' → '.join(ring)}")


def _path_problems(path: Part) -> Iterator[Problem]:
    text = path.text or ""
    if text.startswith(("/", "~")):
        yield Problem(path.where, f"{text!r} is absolute", "a path inside the project, such as src/**")
    elif ".." in text.split("/"):
        yield Problem(path.where, f"{text!r} leads out of the project", "a path inside the project, without '..'")
    elif any(ord(character) < ord(" ") for character in text):
        yield Problem(path.where, f"{text!r} holds a control character", "a path inside the project")
