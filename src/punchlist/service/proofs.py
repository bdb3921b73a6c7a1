"""What a draft's checks show on the base: asking for it in the transaction of a change, and waiting for it."""

from typing import TYPE_CHECKING

from punchlist.engine.fold_task import fold_task
from punchlist.errors import RefusedError
from punchlist.model import events as ev
from punchlist.model.commands import Cancel, StartRun
from punchlist.model.ids import ProjectId, RunId, StreamId, TaskId
from punchlist.model.json import plain
from punchlist.model.policy import Policy, overlay
from punchlist.model.records import Criterion, Project, Task
from punchlist.model.states import StepStatus, TaskStatus
from punchlist.quality.proof import unproven, unproven_unseen
from punchlist.service import lookup
from punchlist.service.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from punchlist.model.flow import Flow
    from punchlist.model.ids import Commit
    from punchlist.model.policy import PolicyPart
    from punchlist.model.state import TaskState
    from punchlist.ports import Reader, Writer
    from punchlist.service.context import Say, Service


_SOON = 5.0
"""Seconds without a commit before the engine is woken again."""


class Proving:
    """Asks for a draft's proof; the flow is read before the transaction that asks begins, so that the lock is short."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._flow: Flow | None = None

    def ask(self, writer: "Writer", state: "TaskState") -> bool:
        """Put the run that proves a draft into the inbox, ending one that proves an older version of it.

        Return whether there was something to ask: a task without any check needs no run.
        """
        task = state.task
        if task.status is not TaskStatus.DRAFT or not any(each.check for each in criteria(task)):
            return False
        service = self._service
        project = lookup.project(writer, task.project)
        at = service.now()
        for run in _proving_runs(writer, TaskId(task.id)):
            older = Cancel(run=run, reason="the task has changed")
            writer.enqueue(plain(older), at=at, actor=service.actor)
        start = StartRun(
            run=RunId(f"R{writer.allocate('run')}"),
            stream=StreamId(service.ids.uuid()),
            path=service.path,
            purpose="prove",
            definition=service.flow("prove"),
            inputs={"task": plain(task)},
            policy=resolved_policy(service, project, task=task),
            project=ProjectId(project.id),
            task=TaskId(task.id),
            base=base_of(service, writer, state=state, project=project),
        )
        writer.enqueue(plain(start), at=at, actor=service.actor)
        return True


def await_proof(service: "Service", task: str, *, say: "Say") -> "TaskState":
    """Return the draft once its present version is proved; asks for the proof where nobody has.

    Raises RefusedError when the run that should prove it has ended without an answer, StoreError when no engine stays
    up.
    """
    with service.engine.watch() as watch:
        waiting = Waiting(service, watch)
        asked = False
        said = ""
        while True:
            with service.store.read() as reader:
                state = lookup.task(reader, task)
                runs = _proving_runs(reader, TaskId(state.task.id))
                if state.task.status is not TaskStatus.DRAFT or is_current(reader, state):
                    return state
                ended = reader.runs(task=TaskId(state.task.id)) if asked and not runs else []
            if ended:
                raise _not_proved(state.task, ended[0].error)
            if not runs:
                if not _ask(service, task):
                    return state
                asked = True
            line = f"running the checks of {task} on the base ({', '.join(runs) or 'asked for'})"
            if line != said:
                say(line)
                said = line
            service.engine.wake()
            waiting.for_commit()


def proved_within(service: "Service", task: str, *, timeout: "timedelta") -> bool:
    """Wait until the run that proves a draft has done so, at most so long, and say whether it has; asks for none."""
    until = service.clock.now() + timeout
    with service.engine.watch() as watch:
        while True:
            with service.store.read() as reader:
                proved = is_current(reader, lookup.task(reader, task))
                runs = _proving_runs(reader, TaskId(task))
            left = (until - service.clock.now()).total_seconds()
            if proved or not runs or left <= 0:
                return proved
            if not watch.wait(min(left, _SOON)):
                service.engine.wake()


def is_current(reader: "Reader", state: "TaskState") -> bool:
    """Say whether the recorded proof is of the task as it is; one without any check needs none."""
    if not any(each.check for each in criteria(state.task)):
        return True
    return state.proof is not None and state.proof.version >= _document_version(reader, state.task)


def unproven_of(service: "Service", state: "TaskState", *, project: Project, proved: bool) -> tuple[str, ...]:
    """Return in words what an approval must not pass over in silence: of a draft not `proved`, what needs no proof."""
    from punchlist.engine.proving import policies_of

    policies = policies_of(state.task, resolved_policy(service, project, task=state.task))
    if not proved:
        return unproven_unseen(state.task, policies=policies)
    return unproven(state.task, state.proof.rows if state.proof is not None else (), policies=policies)


def resolved_policy(
    service: "Service", project: Project | None, *, task: Task | None, flow: "PolicyPart | None" = None
) -> Policy:
    """Return the policy that holds for a run: defaults, settings, project, flow, task, the last one said winning."""
    parts = (service.settings.policy, project.policy if project else None, flow, task.policy if task else None)
    return overlay(Policy(), *parts)


def base_of(service: "Service", reader: "Reader", *, state: "TaskState", project: Project) -> "Commit":
    """Return the commit that a task's branch starts at: once it is fixed it stays.

    A task that needs others starts from their branch, unless that was merged into the base branch.
    """
    if state.base is not None:
        return state.tip or state.base
    tips = _needed_tips(reader, state.task)
    if len(tips) > 1:
        raise RefusedError(
            f"task {state.task.id} needs {', '.join(tips)}, which are on branches of their own",
            hint=f"Merge those branches into {project.base} first, or let one of the tasks need the other.",
        )
    if tips:
        return next(iter(tips.values()))
    return service.outside.known_base(project) or service.workspace.base(project)


def criteria(task: Task) -> "Iterable[Criterion]":
    """Yield every criterion of a task: its own, and those of steps that are not skipped."""
    yield from task.acceptance
    for step in task.steps:
        if step.status is not StepStatus.SKIPPED:
            yield from step.criteria


def _ask(service: "Service", task: str) -> bool:
    proving = Proving(service)
    with service.store.write() as writer:
        return proving.ask(writer, lookup.task(writer, task))


def _needed_tips(reader: "Reader", task: Task) -> "Mapping[str, Commit]":
    """Return the tips of needed tasks' branches by task, without those that another one's branch holds."""
    seen: dict[str, TaskState] = {}
    waiting = list(task.needs)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = lookup.task(reader, name)
            waiting += seen[name].task.needs
    held = {need for each in seen.values() for need in each.task.needs}
    apart = [name for name in task.needs if name not in held and not seen[name].published.startswith("merged")]
    return {name: tip for name in apart if (tip := seen[name].tip) is not None}


def _proving_runs(reader: "Reader", task: TaskId) -> list[RunId]:
    """Return the runs that prove a task and are not over, those in the inbox too."""
    runs = [each.id for each in reader.runs(task=task, live=True) if each.purpose == "prove"]
    cancelled: set[str] = set()
    for row in reader.inbox():
        command = row.command
        if isinstance(command, dict) and command.get("command") == "Cancel":
            cancelled.add(str(command["run"]))
        if isinstance(command, dict) and command.get("purpose") == "prove" and command.get("task") == task:
            runs.append(RunId(str(command["run"])))
    return [run for run in runs if run not in cancelled]


def _document_version(reader: "Reader", task: Task) -> int:
    """Return the version that the task had after its document was last changed."""
    head = reader.head("task", task.id)
    state: TaskState | None = None
    version = 1
    for event in reader.events(stream=head.stream) if head is not None else ():
        state = fold_task(state, event)
        if isinstance(event.fact, ev.TaskCreated | ev.TaskEdited | ev.TaskRevised):
            version = state.task.version
    return version


def _not_proved(task: Task, error: str) -> RefusedError:
    return RefusedError(
        f"the checks of {task.id} could not be run on the base: {error or 'the run was cancelled'}",
        where=task.id,
        hint=f"To approve it all the same: punchlist approve {task.id} --no-wait",
    )
