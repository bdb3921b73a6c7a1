"""The verb that removes what finished work left on the disk, by age, and never what a verdict stands on."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from punchlist.model.ids import AttemptId, ProjectId, StepId, TaskId, step_task
from punchlist.model.states import FINAL_ATTEMPT, FINAL_NODE, FINAL_TASK
from punchlist.service import lookup
from punchlist.service.context import quiet, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from punchlist.model.json import Json
    from punchlist.model.state import AttemptState, TaskState
    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Say, Service


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """What may go, and how many attempts may not; `refs` are those of what went before, too."""

    attempts: tuple[AttemptId, ...]
    folders: tuple[str, ...]
    deliveries: tuple[str, ...]
    files: tuple[str, ...]
    kept: int
    refs: frozenset[str]
    projects: tuple[ProjectId, ...]


def clean(service: "Service", *, keep_days: int | None = None, dry_run: bool = False, say: "Say" = quiet) -> "Answer":
    """Remove what ended longer than `keep_days` ago (by default the setting), and return what that was, with sizes.

    Of the engine's log and the outbox: what they were before they grew too large. Of attempts: their output. It stays
    where a verdict is on the tree that the attempt made or looked at, where another attempt took its answer, and as
    long as the task is not over. Of tasks that are over without being accepted: their work folders. In the engine's
    repositories: the snapshots of those attempts. The record itself stays whole.
    """
    service.require_person("gc")
    days = service.settings.gc.keep_days if keep_days is None else keep_days
    moment = service.clock.now() - timedelta(days=days)
    before = stamp(moment)
    say("looking at what is there …")
    sizes, works = service.leftovers.attempts(), service.leftovers.works()
    with service.store.read() as reader:
        found = _found(reader, before=before, there=sizes, works=works)
    old = {name: size for name, (size, last) in service.leftovers.old_files().items() if last < moment}
    found = msgspec.structs.replace(found, files=tuple(old))
    refs = {project: sorted(found.refs.intersection(service.leftovers.refs(project))) for project in found.projects}
    freed = sum(sizes[each] for each in found.attempts) + sum(works[each] for each in found.folders) + sum(old.values())
    if not dry_run:
        freed += _remove(service, found, refs=refs, before=before, say=say)
    removed: dict[str, Json] = {
        "attempts": [*found.attempts],
        "folders": [*found.folders],
        "refs": [f"{project} {name}" for project, names in refs.items() for name in names],
        "deliveries": [*found.deliveries],
        "files": [*found.files],
    }
    return {"removed": removed, "bytes": freed, "kept": found.kept, "before": before, "dry_run": dry_run}


def _remove(
    service: "Service", found: _Found, *, refs: "Mapping[ProjectId, list[str]]", before: str, say: "Say"
) -> int:
    """Remove it, folders of tasks only where the task is still over; return the bytes that the repositories freed."""
    for number, attempt in enumerate(found.attempts, start=1):
        say(f"removing attempts: {number} of {len(found.attempts)}")
        service.leftovers.remove_attempt(attempt)
    for name in found.folders:
        say(f"removing the work folders of {name}")
        with service.store.write() as writer:  # nothing of it can be started meanwhile
            if _is_left(writer, name, before=before):
                service.workspace.leave(name)
        service.workspace.sweep()
    for name in found.files:
        service.leftovers.remove_old_file(name)
    with service.store.write() as writer:
        for delivery in found.deliveries:
            writer.remove_delivery(delivery)
    freed = 0
    for project, names in refs.items():
        if names:
            say(f"cleaning the repository of {project}")
            freed += service.leftovers.drop(project, names)
    return freed


def _found(reader: "Reader", *, before: str, there: "Mapping[AttemptId, int]", works: "Mapping[str, int]") -> _Found:
    attempts = {each.id: each for each in reader.attempts()}
    tasks = {line.id: state for line in reader.tasks() if (state := reader.task(line.id)) is not None}
    judged = _judged(tasks.values())
    needed = _needed(attempts, judged)
    of_runs = {each.id: each for each in reader.runs()}

    def may_go(each: "AttemptState") -> bool:
        run = of_runs[each.run]
        task = tasks.get(run.task) if run.task is not None else None
        at_rest = run.status in FINAL_NODE and (task is None or task.task.status in FINAL_TASK)
        return at_rest and each.status in FINAL_ATTEMPT and each.id not in needed and each.ended_at < before

    old = {name for name, each in attempts.items() if may_go(each)}
    trees = judged.union(*(_trees_of(each) for name, each in attempts.items() if name not in old))
    return _Found(
        attempts=tuple(name for name in attempts if name in old and name in there),
        folders=tuple(name for name in works if _is_left(reader, name, before=before)),
        deliveries=tuple(each.id for each in reader.deliveries(given_up=True) if each.given_up < before),
        files=(),
        kept=len(attempts) - len(old),
        refs=_refs([attempts[name] for name in old], trees),
        projects=tuple(ProjectId(each.id) for each in reader.projects()),
    )


def _refs(old: "Iterable[AttemptState]", trees: set[str]) -> frozenset[str]:
    """Return the refs of what attempts that go have made; those of `trees` stay."""
    made = [(each.id, each.outcome.snapshot.tree) for each in old if each.outcome and each.outcome.snapshot]
    return frozenset(
        {f"attempts/{name}" for name, _ in made} | {f"trees/{tree}" for _, tree in made if tree not in trees}
    )


def _needed(attempts: "Mapping[AttemptId, AttemptState]", judged: set[str]) -> set[AttemptId]:
    """Return the attempts that a verdict stands on, by its tree, and those whose answers were taken for theirs."""
    needed = {name for name, each in attempts.items() if judged.intersection(_trees_of(each))}
    outcomes = [attempts[name].outcome for name in needed]
    return needed | {each.cached_from for each in outcomes if each is not None and each.cached_from is not None}


def _judged(tasks: "Iterable[TaskState]") -> set[str]:
    return {row.verdict.tree for state in tasks for step in state.steps.values() for row in step.verdicts}


def _trees_of(attempt: "AttemptState") -> Iterator[str]:
    if attempt.tree is not None:
        yield attempt.tree
    if attempt.outcome is not None and attempt.outcome.snapshot is not None:
        yield attempt.outcome.snapshot.tree


def _is_left(reader: "Reader", name: str, *, before: str) -> bool:
    """Say whether a task, or that of a step, is over for so long that nobody comes back to its work folders."""
    if lookup.kind_of(name) not in {"task", "step"}:
        return False
    task = step_task(StepId(name)) if lookup.kind_of(name) == "step" else name
    state = reader.task(TaskId(task))
    over = state is not None and state.task.status in FINAL_TASK and state.changed_at < before
    return over and not reader.runs(task=TaskId(task), live=True)
