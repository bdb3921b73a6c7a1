"""Planning: a worker writes tasks with steps from a request, or from the project's whole spec."""

from typing import TYPE_CHECKING

from punchlist.engine import documents
from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.commands import StartRun
from punchlist.model.ids import ProjectId, RunId, StreamId, TaskId
from punchlist.model.json import plain
from punchlist.model.parse import control_in, parse
from punchlist.model.results import Plan
from punchlist.model.settings import usable_worker
from punchlist.quality.critique import critique, left_out
from punchlist.render import shapes
from punchlist.service import approvals, listed, lookup, on_terms, proofs, publishing, runs, starts
from punchlist.service.context import quiet
from punchlist.service.recording import create_task
from punchlist.service.repeating import Repeatable
from punchlist.service.tasks import known_names, named_needs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from punchlist.model.json import Json
    from punchlist.model.rows import NodeRow
    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Say, Service


def plan(
    service: "Service",
    project: str | None = None,
    *,
    request: str = "",
    planner: str | None = None,
    approve: bool = False,
    say: "Say" = quiet,
) -> "Answer":
    """Have a planner write draft tasks, wait for it, and return them; with `approve` they are approved, too.

    Of an agent's plan the answer has the `critique`: what is still wrong with it, after it was told so once. Of one by
    rules it has what that leaves out, if there is such.

    Raises DefinitionError when there is neither a request nor a spec, WorkerError when the planner is not there.
    """
    if approve:
        service.require_person("plan --approve")
    run = ask(service, project, request=request, planner=planner)
    if approve:
        for name in _planned(service, run, say=say):
            approvals.approve_task(service, name, say=say)
    return planned(service, run, request=request, planner=planner, say=say)


def ask(service: "Service", project: str | None, *, request: str = "", planner: str | None = None) -> RunId:
    """Have a planner begin to write draft tasks; return the run, on commit. Raises as `plan` does."""
    if control := control_in(request):
        hint = "Leave it out: only tabs and ends of lines may stand in it."
        raise DefinitionError(f"it holds the control character {control}", where="request", hint=hint)
    worker = starts.worker_for(service, planner, role="planner", where="the plan")
    flow = service.flow("plan")
    env, secrets = listed.given(service, flow, inputs={"request": request})
    with service.store.write() as writer:
        run = RunId(f"R{writer.allocate('run')}")
        service.committing(writer, about=run)
        owner = lookup.project(writer, project)
        if not request.strip() and not owner.spec.strip():
            edit = f"punchlist project edit {owner.id} --spec FILE"
            raise DefinitionError(
                f"there is nothing to plan: no request, and project {owner.id} has no spec",
                where=owner.id,
                hint=f'Type: punchlist plan {owner.id} "what is wanted", or {edit}',
            )
        command = StartRun(
            run=run,
            stream=StreamId(service.ids.uuid()),
            path=service.path,
            purpose="plan",
            definition=flow,
            inputs={"request": request, "planner": worker, "critique": not _is_offline(service, worker)},
            policy=proofs.resolved_policy(service, owner, task=None, flow=flow.policy),
            project=ProjectId(owner.id),
            base=service.workspace.base(owner),
            env=env,
        )
        listed.hand_over(service, run, secrets=secrets)
        writer.enqueue(plain(command), at=service.now(), actor=service.actor)
    service.engine.wake()
    return run


def planned(service: "Service", run: str, *, request: str, planner: str | None, say: "Say" = quiet) -> "Answer":
    """Wait for the run of a plan, and return what `plan` answers, which was given the same."""
    runs.wait(service, [run], say=say, until_gate=False)
    return outcome(service, run, request=request, planner=planner)


def outcome(service: "Service", run: str, *, request: str, planner: str | None) -> "Answer":
    """Return what `plan` answers, which was given the same, of a run that is over."""
    worker = starts.worker_for(service, planner, role="planner", where="the plan")
    with service.store.read() as reader:
        names = _made_tasks(reader, RunId(run))
        owner = lookup.project(reader, lookup.run(reader, run).project)
        made: list[Json] = [on_terms.shown(service, reader, state=lookup.task(reader, name)) for name in names]
        nodes = reader.nodes(RunId(run))
        answer: Answer = {"tasks": made, "run": shapes.run(lookup.run(reader, run), nodes)}
    plan = parse(Plan, _made(nodes), what="the plan")
    asked = request.strip() or owner.spec
    if not _is_offline(service, worker):  # it was told so once
        answer["critique"] = [plain(each) for each in critique(plan, asked=asked, tasks=names)]
    elif missing := left_out(plan, asked=asked):
        answer["critique"] = [plain(each) for each in missing]
    return answer


def _made(nodes: "Iterable[NodeRow]") -> "Json":
    """Return the plan that was made."""
    return next((each.output for each in nodes if each.path == "plan"), None)


def check_staff(service: "Service", planner: str | None) -> None:
    """Raise WorkerError, before anything is paid for, when what is going to be planned could not be started.

    A planner that is an agent may name builders and reviewers itself; the offline one never does.
    """
    worker = starts.worker_for(service, planner, role="planner", where="the plan")
    names_none = _is_offline(service, worker)
    for role in ("builder", "qa"):
        if names_none or getattr(service.settings.roles, role) is not None:
            starts.worker_for(service, None, role=role, where="what is to be planned")


def _is_offline(service: "Service", worker: str) -> bool:
    """Say whether a planner goes by rules alone: it names no workers, and would plan the same when told of faults."""
    return usable_worker(service.settings, worker).type == "heuristic"


def make_tasks(service: "Service", project: ProjectId, *, plan: "Json", key: str) -> list[str]:
    """Make the draft tasks of a plan, all or none, and return their ids; the same `key` again returns the first ones.

    Raises DefinitionError with every problem of the plan: a plan is outside data like any other.
    """
    call = Repeatable(key, "plan", {"project": project, "plan": plan})
    proving = proofs.Proving(service)
    with service.store.write() as writer:
        known = call.answered(writer)
        if isinstance(known, list):
            return [str(each) for each in known]
        owner = lookup.project(writer, project)
        written = _written_tasks(plan)
        names = tuple(TaskId(f"T{writer.allocate('task')}") for _ in written)
        needs = [need for task in written for need in named_needs(task)]
        made = documents.new_tasks(
            plan,
            project=project,
            known=known_names(service, writer, needs=needs, project=owner.id, plan=names),
            what="the plan",
        )
        states = [create_task(writer, task, service=service) for task in made]
        for state in states:
            proving.ask(writer, state)
        call.keep(writer, [*names])
    publishing.published(service).publish(names, ())
    service.engine.announce()
    service.engine.wake()
    return [str(name) for name in names]


def _planned(service: "Service", run: RunId, *, say: "Say") -> list[str]:
    runs.wait(service, [run], say=say, until_gate=False)
    with service.store.read() as reader:
        return _made_tasks(reader, run)


def _made_tasks(reader: "Reader", run: RunId) -> list[str]:
    found = lookup.run(reader, run)
    outputs = found.outputs if isinstance(found.outputs, dict) else {}
    tasks = outputs.get("tasks")
    if found.status != "succeeded" or not isinstance(tasks, list):
        refused = RefusedError(
            f"the plan was not made: {found.error or f'run {run} is {found.status}'}",
            where=run,
            hint=f"Type: punchlist report {run}",
        )
        refused.code, refused.exit_code = "failed", 1
        raise refused
    return [str(each) for each in tasks]


def _written_tasks(plan: "Json") -> "list[Json]":
    tasks = plan.get("tasks") if isinstance(plan, dict) else None
    return tasks if isinstance(tasks, list) else []
