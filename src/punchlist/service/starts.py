"""Starting tasks: everything that a run freezes, committed as a command; the engine does the rest."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from punchlist.engine import document_moves as moves
from punchlist.engine.terms import check_destination
from punchlist.errors import DefinitionError, Problem, RefusedError, WorkerError
from punchlist.model.commands import StartRun
from punchlist.model.ids import ProjectId, RunId, StreamId, TaskId, slug
from punchlist.model.json import plain
from punchlist.model.rows import RunRow
from punchlist.model.settings import program_of, usable_worker
from punchlist.model.states import FINAL_STEP, TaskStatus
from punchlist.render import shapes
from punchlist.service import approvals, listed, lookup, proofs, publishing
from punchlist.service.context import quiet
from punchlist.service.recording import Decide, record

if TYPE_CHECKING:
    from punchlist.model.events import TaskFact
    from punchlist.model.flow import Flow
    from punchlist.model.json import Json
    from punchlist.model.records import Step, Task
    from punchlist.model.state import TaskState
    from punchlist.ports import Reader, Writer
    from punchlist.service.context import Answer, Say, Service

replace = msgspec.structs.replace
_ROLES = ("builder", "qa")
"""Who works at a step."""


def start(
    service: "Service",
    tasks: Sequence[str] = (),
    *,
    project: str | None = None,
    all_ready: bool = False,
    say: "Say" = quiet,
) -> "Answer":
    """Start tasks and return on commit: `{task, run}` for one, `{tasks, runs}` for several.

    All or none: raises RefusedError, or WorkerError for a worker that is not there, before anything is committed.
    """
    names = _ready(service, project) if all_ready else list(dict.fromkeys(tasks))
    if not names:
        raise DefinitionError("no task was named", hint="Type: punchlist task start T1, or --all-ready")
    if _approve_where_allowed(service, names, say=say) and service.calling is not None:
        service.calling.go_on()
    flow = service.flow("deliver")
    with service.store.write() as writer:
        service.committing(writer, about=names[0])
        started = [_start(service, writer, task=name, flow=flow) for name in names]
    service.engine.wake()
    service.engine.announce()
    found: list[Json] = [shapes.task(state) for state, _ in started]
    runs: list[Json] = [shapes.run(run, []) for _, run in started]
    if len(started) == 1 and not all_ready:
        return {"task": found[0], "run": runs[0]}
    return {"tasks": found, "runs": runs}


def start_again(service: "Service", task: str) -> "Answer":
    """Take up a task that is over and start it, in one step: one that cannot start stays over.

    Raises RefusedError for one that was never approved, and as `start` does.
    """

    def decide(_writer: "Writer", before: "TaskState") -> "list[TaskFact]":
        facts = moves.reopen(before, reason="retry")
        if before.task.digest is None:
            raise RefusedError(
                f"task {task} was never approved: nothing of it failed",
                where=task,
                hint=f"Type: punchlist task reopen {task}, then: punchlist approve {task}",
            )
        return facts

    return start_after(service, task, decide=decide)


def start_after(service: "Service", task: str, *, decide: "Decide") -> "Answer":
    """Change a task and start it, in one transaction: where it cannot start it stays as it was.

    Raises what `decide` raises, and as `start` does.
    """
    flow = service.flow("deliver")
    with service.store.write() as writer:
        service.committing(writer, about=task)
        before = lookup.task(writer, task)
        record(writer, before, facts=decide(writer, before), service=service)
        state, run = _start(service, writer, task=task, flow=flow)
    publishing.refresh(service, [state], before=before)
    service.engine.wake()
    service.engine.announce()
    return {"task": shapes.task(state), "run": shapes.run(run, [])}


def worker_for(service: "Service", name: str | None, *, role: str, where: str) -> str:
    """Return the worker of a role: the one named, else that of settings; raises WorkerError when it cannot start."""
    worker = name or getattr(service.settings.roles, role)
    if worker is None:
        raise WorkerError(
            f"{where} has no {role}, and neither have the settings",
            where=f"roles.{role}",
            hint=f'In punchlist.toml set [roles] {role} = "NAME", with [workers.NAME] beside it',
        )
    found = usable_worker(service.settings, worker)
    program = program_of(found)
    if program is not None and service.outside.find_program(program) is None:
        raise WorkerError(
            f"the program {program!r} of worker {worker!r} is not there or cannot be executed",
            where=f"workers.{worker}",
            hint="Type: punchlist doctor",
        )
    if found.script is not None and not (service.root / found.script).is_file():
        raise WorkerError(
            f"the script of worker {worker!r} is not there: {service.root / found.script}",
            where=f"workers.{worker}.script",
            hint="Write one, or mend the path: it is relative to the workspace.",
        )
    listed.require(service, found, name=worker)
    return worker


def _start(service: "Service", writer: "Writer", *, task: str, flow: "Flow") -> "tuple[TaskState, RunRow]":
    state = lookup.task(writer, task)
    needed = [lookup.task(writer, need).task for need in state.task.needs]
    moves.check_startable(state.task, needed=needed)
    _refuse_started(writer, task)
    project = lookup.project(writer, state.task.project)
    check_destination(state, project)
    run = RunId(f"R{writer.allocate('run')}")
    env, secrets = listed.given(service, flow, inputs={})
    command = StartRun(
        run=run,
        stream=StreamId(service.ids.uuid()),
        path=service.path,
        purpose="deliver",
        definition=flow,
        inputs={"task": plain(_staffed(service, state.task))},
        policy=proofs.resolved_policy(service, project, task=state.task, flow=flow.policy),
        project=ProjectId(project.id),
        task=TaskId(task),
        base=proofs.base_of(service, writer, state=state, project=project),
        branch=state.branch or f"punchlist/{task}-{slug(state.task.title)}",
        env=env,
    )
    at = service.now()
    listed.hand_over(service, run, secrets=secrets)
    writer.enqueue(plain(command), at=at, actor=service.actor)
    return state, lookup.pending(command, at=at)


def _staffed(service: "Service", task: "Task") -> "Task":
    """Return the task with a builder and a reviewer for every step that is not over; raises WorkerError for all.

    Where all are over, the first one has a reviewer all the same, who is that of the whole task.
    """
    problems: list[Problem] = []
    left = {step.id for step in task.steps if step.status not in FINAL_STEP}
    staffed, roles = (left, _ROLES) if left else ({each.id for each in task.steps[:1]}, _ROLES[1:])
    steps = tuple(
        _staffed_step(service, step, roles=roles, problems=problems) if step.id in staffed else step
        for step in task.steps
    )
    if problems:
        raise WorkerError(f"task {task.id} cannot start, because of its workers:", problems=problems)
    return replace(task, steps=steps)


def _staffed_step(service: "Service", step: "Step", *, roles: Sequence[str], problems: list[Problem]) -> "Step":
    found: dict[str, str] = {}
    for role in roles:
        try:
            found[role] = worker_for(service, getattr(step, role), role=role, where=f"step {step.id}")
        except WorkerError as error:
            problem = Problem(f"{step.id}.{role}", error.message, hint=error.hint)
            if problem not in problems:
                problems.append(problem)
    return replace(step, **found)


def _refuse_started(writer: "Writer", task: str) -> None:
    for row in writer.inbox():
        command = row.command
        if isinstance(command, dict) and command.get("purpose") == "deliver" and command.get("task") == task:
            raise RefusedError(
                f"task {task} is being started already, as {command['run']}", hint="Type: punchlist status"
            )


def _ready(service: "Service", project: str | None) -> list[str]:
    """Return the ready tasks whose needs are accepted, in the order of their ids."""
    with service.store.read() as reader:
        owner = None if project is None else ProjectId(lookup.project(reader, project).id)
        found = [line.id for line in reader.tasks(owner, statuses=[TaskStatus.READY]) if _needs_met(reader, line.id)]
    if not found:
        raise RefusedError("no task is ready to start", hint="Type: punchlist task list")
    return [str(each) for each in found]


def _needs_met(reader: "Reader", task: str) -> bool:
    needs = lookup.task(reader, task).task.needs
    return all(lookup.task(reader, need).task.status is TaskStatus.ACCEPTED for need in needs)


def _approve_where_allowed(service: "Service", names: Sequence[str], *, say: "Say") -> bool:
    """Approve drafts where settings or project say that no person need do it; what is unproven still stops them.

    Say whether there were any. What a task says of itself does not count: whoever wrote it would approve it, too.
    """
    approved = False
    for name in names:
        with service.store.read() as reader:
            state = lookup.task(reader, name)
            project = lookup.project(reader, state.task.project)
        if state.task.status is not TaskStatus.DRAFT:
            continue
        if proofs.resolved_policy(service, project, task=None).auto_approve:
            approvals.approve_task(service, name, message="policy.auto_approve", say=say)
            approved = True
        elif state.task.policy.auto_approve:
            raise RefusedError(
                f"task {name} says of itself that nobody need approve it: only the settings or its project may",
                where=f"{name}.policy.auto_approve",
                hint=f"Type: punchlist approve {name}",
            )
    return approved
