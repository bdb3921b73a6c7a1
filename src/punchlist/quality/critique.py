"""What is wrong with a plan before a person is asked to approve it: for the planner, once, so that it can mend it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal, NamedTuple

import msgspec

from punchlist.model.criteria import whole_criteria
from punchlist.model.proofs import ProofRow
from punchlist.model.records import Criterion, CriterionFile, StepFile, TaskFile
from punchlist.model.results import Plan
from punchlist.quality.overlap import shared
from punchlist.quality.sentences import demands
from punchlist.quality.wording import Spoken, names, spoken

_COMPARED = 5_000
"""Pairs of steps of two tasks whose scopes are held against each other; a plan with more is not looked at in full."""
MOST = 40
"""Remarks of one kind; more would not be read."""
_SHOWN = 120

RemarkKind = Literal["no_steps", "no_check", "no_goal", "overlap", "cannot_run", "uncovered"]
Proofs = Mapping[int, Sequence[ProofRow]]
"""What the checks of a task, by its position from 0, showed on the base."""


class Remark(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that a planner should mend; `where` is a path in the plan, or a line of what was asked for.

    The text calls tasks and steps by their ids, such as T1 and T1.2.
    """

    id: str
    kind: RemarkKind
    where: str
    text: str
    mend: str

    def __str__(self) -> str:
        return f"{self.id} {self.where}: {self.text}. {self.mend}"


class _Found(NamedTuple):
    kind: RemarkKind
    where: str
    text: str
    mend: str


def critique(plan: Plan, *, asked: str, proofs: Proofs | None = None, tasks: Sequence[str] = ()) -> tuple[Remark, ...]:
    """Return the remarks on a plan of what was `asked` for (markdown), in an order that depends on nothing else.

    `tasks` are the ids of the plan's tasks, by default T1, T2 … as in a planner's tools.

    They are: tasks without steps; criteria without a check that do not say `review: true`; steps that say no goal, or
    in which nothing fails before the work and nothing is for a reviewer; steps of one task that may run at once and may
    change the same path; steps of two tasks, neither of which needs the other, that name the same path; with `proofs`,
    checks that cannot run on the base, or show there what the plan denies; and
    sentences that ask for something which no task's or step's criteria speak of (see `sentences`).
    """
    ids = tasks or [f"T{at}" for at in range(1, len(plan.tasks) + 1)]
    by_kind = (
        _no_steps(plan, ids),
        _no_check(plan, ids),
        _no_goal(plan, ids, proofs=proofs or {}),
        _overlaps(plan, ids),
        _cannot_run(proofs or {}, ids),
        _uncovered(plan, asked),
    )
    return _numbered(each for kind in by_kind for each in islice(kind, MOST))


def left_out(plan: Plan, *, asked: str) -> tuple[Remark, ...]:
    """Return the remarks on sentences alone: what a plan that was made by rules leaves out."""
    return _numbered(islice(_uncovered(plan, asked), MOST))


def _numbered(found: Iterable[_Found]) -> tuple[Remark, ...]:
    return tuple(Remark(id=f"P{number}", **each._asdict()) for number, each in enumerate(found, 1))


def _no_steps(plan: Plan, ids: Sequence[str]) -> Iterator[_Found]:
    for at, task in enumerate(plan.tasks):
        if not task.steps:
            said = f"{_name(ids[at])} {_short(task.title)} has no steps"
            yield _Found("no_steps", f"tasks[{at}]", said, "Give it at least one.")


def _no_check(plan: Plan, ids: Sequence[str]) -> Iterator[_Found]:
    for where, name, criterion in _criteria(plan, ids):
        said = CriterionFile(text=criterion) if isinstance(criterion, str) else criterion
        if said.check is None and said.review is None:
            yield _Found(
                "no_check",
                where,
                f"{name} {_short(said.text)} has no check",
                "Give it a command that fails before the work, or say `review: true` where only a reader can tell.",
            )


def _no_goal(plan: Plan, ids: Sequence[str], *, proofs: Proofs) -> Iterator[_Found]:
    for at, number, step in _steps(plan):
        where = f"tasks[{at}].steps[{number}]"
        if not step.goal.strip():
            said = f"{_name(ids[at], number)} {_short(step.title)} says no goal"
            yield _Found("no_goal", f"{where}.goal", said, "Say what holds after it.")
        ran = [row for row in proofs.get(at, ()) if _number(row) == number and not row.problem]
        shows = {row.id: row.shows for row in ran}
        if not any(_is_open(each, shows.get(each.id)) for each in whole_criteria(step.criteria)):
            yield _Found(
                "no_goal",
                where,
                f"nothing in {_name(ids[at], number)} {_short(step.title)} fails before the work or is for a reviewer",
                "Give it a check that fails on the base and passes after the work.",
            )


def _is_open(criterion: Criterion, shows: str | None) -> bool:
    """Say whether there is something to do for a criterion: a reviewer's, or a check that is red or may well be."""
    if criterion.review or criterion.check is None:
        return True
    return shows == "goal" if shows is not None else criterion.red_first is not False


def _overlaps(plan: Plan, ids: Sequence[str]) -> Iterator[_Found]:
    yield from _overlaps_in_tasks(plan, ids)
    yield from _overlaps_of_tasks(plan, ids)


def _overlaps_in_tasks(plan: Plan, ids: Sequence[str]) -> Iterator[_Found]:
    for at, task in enumerate(plan.tasks):
        after = _after(task)
        for later, step in enumerate(task.steps):
            for earlier in range(later):
                if after[later] >> earlier & 1 or after[earlier] >> later & 1:
                    continue
                globs = shared(task.steps[earlier].scope, step.scope)
                if globs is not None:
                    yield _Found(
                        "overlap",
                        f"tasks[{at}].steps[{later}].scope",
                        f"{_name(ids[at], earlier)} and {_name(ids[at], later)} may run at once, and both may change "
                        f"what {_short(globs[0])} and {_short(globs[1])} name",
                        "Let one need the other, or give them scopes apart.",
                    )


def _overlaps_of_tasks(plan: Plan, ids: Sequence[str]) -> Iterator[_Found]:
    """Yield for two tasks on branches of their own the first two steps that name the same path.

    Each has to name paths: of a step that may change everything nobody knows what it will change.
    """
    told: set[tuple[int, int]] = set()
    for (earlier, mine), (later, yours) in islice(_apart(plan, ids), _COMPARED):
        if (earlier, later) in told:
            continue
        globs = shared(plan.tasks[earlier].steps[mine].scope, plan.tasks[later].steps[yours].scope)
        if globs is not None:
            told.add((earlier, later))
            yield _Found(
                "overlap",
                f"tasks[{later}].steps[{yours}].scope",
                f"{_name(ids[earlier], mine)} and {_name(ids[later], yours)} are built apart, and both may change "
                f"what {_short(globs[0])} and {_short(globs[1])} name",
                f"Let {ids[later]} need {ids[earlier]}, or give them scopes apart.",
            )


def _apart(plan: Plan, ids: Sequence[str]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield steps that name paths, two by two, by task and step, of tasks neither of which comes after the other."""
    after = _reached([[*_needed_tasks(task, ids)] for task in plan.tasks])
    naming = [[at for at, step in enumerate(task.steps) if step.scope.allow] for task in plan.tasks]
    for later in range(len(plan.tasks)):
        for earlier in range(later):
            if not (after[later] >> earlier & 1 or after[earlier] >> later & 1):
                yield from (((earlier, mine), (later, yours)) for mine in naming[earlier] for yours in naming[later])


def _needed_tasks(task: TaskFile, ids: Sequence[str]) -> Iterator[int]:
    """Yield the places in the plan, from 0, of the tasks of it that a task needs."""
    for need in task.needs:
        if isinstance(need, int):
            yield need - 1
        elif need in ids:
            yield ids.index(need)


def _after(task: TaskFile) -> list[int]:
    """Return for each step, as bits, the steps that it comes after, through others too."""
    return _reached([_needs(step, at) for at, step in enumerate(task.steps)])


def _reached(needs: Sequence[Sequence[int]]) -> list[int]:
    """Return for each place, as bits, those that it needs, through others too; what is not there is passed over."""
    after = [0] * len(needs)
    for at in range(len(needs)):
        waiting = list(needs[at])
        while waiting:
            need = waiting.pop()
            if need < len(needs) and not after[at] >> need & 1:
                after[at] |= 1 << need
                waiting += needs[need]
    return after


def _needs(step: StepFile, at: int) -> list[int]:
    if step.needs is None:
        return [at - 1] if at else []
    return [(need if isinstance(need, int) else int(need.rpartition(".")[2])) - 1 for need in step.needs]


def _cannot_run(proofs: Proofs, ids: Sequence[str]) -> Iterator[_Found]:
    for at, rows in proofs.items():
        for row in rows:
            if row.problem:
                number = _number(row)
                place = "acceptance" if number is None else f"steps[{number}].criteria"
                last = "".join(f" (it said {_short(line)})" for line in row.tail.strip().splitlines()[-1:])
                yield _Found(
                    "cannot_run",
                    f"tasks[{at}].{place}",
                    f"the check of {_name(ids[at], number)} {row.id}, {_short(row.command)}: {row.problem}{last}",
                    "Give it a command that runs here, or say of the base what it shows.",
                )


def _uncovered(plan: Plan, asked: str) -> Iterator[_Found]:
    said = [_spoken(task.acceptance) for task in plan.tasks]
    said += [_spoken(step.criteria) for _, _, step in _steps(plan)]
    for sentence in demands(asked):
        if not any(names(each, sentence.text) for each in said):
            yield _Found(
                "uncovered",
                f"line {sentence.line}",
                f"no criterion speaks of {_short(sentence.text)}",
                "Give a step a criterion for it, in its words.",
            )


def _spoken(criteria: Sequence[CriterionFile | str]) -> Spoken:
    return spoken([each if isinstance(each, str) else f"{each.text} {each.check or ''}" for each in criteria])


def _criteria(plan: Plan, ids: Sequence[str]) -> Iterator[tuple[str, str, CriterionFile | str]]:
    """Yield each criterion with its path and its name."""
    for at, task in enumerate(plan.tasks):
        lists = [("acceptance", _name(ids[at]), task.acceptance)]
        for number, step in enumerate(task.steps):
            lists += [(f"steps[{number}].criteria", _name(ids[at], number), step.criteria)]
        for place, name, criteria in lists:
            for number, (whole, each) in enumerate(zip(whole_criteria(criteria), criteria, strict=True)):
                yield f"tasks[{at}].{place}[{number}]", f"{name} {whole.id}", each


def _name(task: str, step: int | None = None) -> str:
    """Return the id of a task, or of one of its steps by its place from 0."""
    return task if step is None else f"{task}.{step + 1}"


def _steps(plan: Plan) -> Iterator[tuple[int, int, StepFile]]:
    for at, task in enumerate(plan.tasks):
        for number, step in enumerate(task.steps):
            yield at, number, step


def _number(row: ProofRow) -> int | None:
    """Return the position of a proof's step, from 0, by its id `T12.1`; None for the task's own acceptance."""
    return None if row.step is None else int(row.step.rpartition(".")[2]) - 1


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f'"{line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"}"'
