"""Verbs of runs: start a flow, steer what runs, wait for it, show it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from punchlist.errors import Problem, RefusedError
from punchlist.model.commands import AddNodes, Cancel, Pause, Resume, Retry, StartRun
from punchlist.model.flow import given_names
from punchlist.model.ids import NodePath, ProjectId, RunId, StreamId, TaskId, step_task
from punchlist.model.json import plain
from punchlist.model.notes import flow_policy_problems
from punchlist.model.parse import parse
from punchlist.model.parts import Part
from punchlist.model.policy import PolicyPart, overlay
from punchlist.model.rows import RunRow
from punchlist.model.states import FINAL_NODE, FINAL_TASK, NodeStatus, TaskStatus
from punchlist.render import shapes
from punchlist.service import inbox, listed, lookup, proofs, starts, steps, tasks
from punchlist.service.context import quiet
from punchlist.service.holding import await_end, await_stop
from punchlist.service.plan_shapes import planned, workers_used
from punchlist.service.sources import read_again, source_of
from punchlist.service.waiting import Waiting

if TYPE_CHECKING:
    from punchlist.flow.files import Read
    from punchlist.model.flow import Flow
    from punchlist.model.json import Json
    from punchlist.model.policy import Policy
    from punchlist.model.records import Project
    from punchlist.ports import Reader
    from punchlist.service.context import Answer, Say, Service

_NEXT = {
    TaskStatus.DRAFT: "punchlist approve {0}",
    TaskStatus.READY: "punchlist task start {0}",
    TaskStatus.ACCEPTED: "punchlist report {0}",
    TaskStatus.FAILED: "punchlist retry {0}",
    TaskStatus.CANCELLED: "punchlist retry {0}",
}
"""What a person most likely wants to type for a task that no run has hold of."""
_CODES = {NodeStatus.SUCCEEDED.value: 0, NodeStatus.WAITING.value: 6}


def run(
    service: "Service",
    flow: str,
    *,
    inputs: "Mapping[str, Json] | None" = None,
    policy: "Mapping[str, Json] | None" = None,
    project: str | None = None,
) -> "Answer":
    """Start a run of a flow (a file, or the name of a built-in one) and return on commit.

    Raises DefinitionError for a flow, an input or a rule of policy that is wrong, WorkerError for names that workers of
    the flow list and that are not set here.
    """
    definition, bound, rules = _prepared(service, flow, inputs=inputs or {}, policy=policy or {})
    with service.store.read() as reader:
        owner = None if project is None else lookup.project(reader, project)
    resolved = _policy(service, owner, flow=definition, rules=rules)
    env, secrets = listed.given(service, definition, inputs=bound)
    used = workers_used(definition, inputs=bound, policy=resolved, project=owner)
    listed.require_all(service, used, what=f"the run of {definition.flow}")
    with service.store.write() as writer:
        started = RunId(f"R{writer.allocate('run')}")
        service.committing(writer, about=started)
        command = StartRun(
            run=started,
            stream=StreamId(service.ids.uuid()),
            path=service.path,
            purpose="flow",
            definition=definition,
            inputs=bound,
            policy=resolved,
            project=None if owner is None else ProjectId(owner.id),
            base=None if owner is None else service.workspace.base(owner),
            env=env,
            source=source_of(service, flow),
        )
        at = service.now()
        listed.hand_over(service, started, secrets=secrets)
        writer.enqueue(plain(command), at=at, actor=service.actor)
    service.engine.wake()
    return {"run": shapes.run(lookup.pending(command, at=at), [])}


def dry_run(
    service: "Service",
    flow: str,
    *,
    inputs: "Mapping[str, Json] | None" = None,
    policy: "Mapping[str, Json] | None" = None,
    project: str | None = None,
) -> "Answer":
    """Return what a run would do, node by node, its inputs filled in; starts nothing and writes nothing."""
    definition, bound, rules = _prepared(service, flow, inputs=inputs or {}, policy=policy or {}, keep=False)
    owner = None
    if project is not None:
        with service.store.read() as reader:
            owner = lookup.project(reader, project)
    resolved = _policy(service, owner, flow=definition, rules=rules)
    here = service.outside.environment
    env = {name: here[name] for name in given_names(definition).env if name in here}
    return {"plan": planned(definition, inputs=bound, policy=resolved, project=owner, env=env)}


def listing(service: "Service") -> "Answer":
    """Return all runs without their nodes, the newest first."""
    with service.store.read() as reader:
        return {"runs": [shapes.run(row, []) for row in reader.runs()]}


def show(service: "Service", run: str) -> "Answer":
    """Return a run with its nodes."""
    with service.store.read() as reader:
        return {"run": _shape(reader, run)}


def pause(service: "Service", target: str, *, now: bool = False) -> "Answer":
    """Start nothing new in a run or a task; with `now` what runs is stopped by then, and starts again later."""
    run = _live(service, target)
    inbox.send(service, Pause(run=run, now=now))
    if now:
        await_stop(service, run)
    return _shown(service, target, run=run)


def resume(
    service: "Service", target: str, *, start_from: str | None = None, yes: bool = False, rebase: bool = False
) -> "Answer":
    """Go on with a run or a task that was paused or interrupted; one that is over well is returned as it is.

    With `start_from` a run of a flow goes back to that node, even when it is over. Raises RefusedError (`invalidates`)
    that lists what was built on the node, unless `yes`: nothing is invalidated before it was said. With `rebase` it
    goes on by its flow as that is where it was read; RefusedError names what was done and is another thing there.
    """
    if start_from is None and not rebase:
        done = _done(service, target)
        if done is not None:
            return done
        try:
            run = _live(service, target)
            inbox.send(service, Resume(run=run))
        except RefusedError:
            done = _done(service, target)  # it may have come to its end at this moment, which is what was wanted
            if done is None:
                raise
            return done
    else:
        run = _begun(service, target)
        back = NodePath(start_from) if start_from is not None else None
        definition = read_again(service, run) if rebase else None
        _hand_over_again(service, run)
        inbox.send(service, Resume(run=run, start_from=back, agreed=yes, rebase=definition))
    return _shown(service, target, run=run)


def retry(service: "Service", target: str) -> "Answer":
    """Do again what failed, was cancelled or not reached: of a task (T), the task of a step (T.n) or a run (R)."""
    task = _task_behind(service, target)
    if task is None:
        run = _begun(service, target)
        _hand_over_again(service, run)
        inbox.send(service, Retry(run=run))
        return _shown(service, target, run=run)
    with service.store.read() as reader:
        status = lookup.task(reader, task).task.status
    if status is TaskStatus.ACCEPTED:
        hint = f"Type: punchlist task reopen {task}, or punchlist rework STEP -m TEXT"
        raise RefusedError(f"task {task} is accepted: nothing of it failed", hint=hint)
    return starts.start_again(service, task)


def _hand_over_again(service: "Service", run: RunId) -> None:
    """Give a run that is over, and is to go on, the secrets that it lists: they were forgotten at its end."""
    with service.store.read() as reader:
        if lookup.run(reader, run).status in FINAL_NODE:
            listed.again(service, run, reader=reader)


def cancel(service: "Service", target: str, *, node: str | None = None, reason: str = "") -> "Answer":
    """End a task, a step or a run, or one node of a run; agents that work on it are stopped.

    Nothing of it runs any more by then.
    """
    kind = lookup.check_kind(target, "task", "step", "run")
    if kind == "task" and node is None:
        return tasks.cancel(service, target, reason=reason)
    if kind == "step":
        return steps.cancel(service, target, reason=reason)
    run = _live(service, target)
    inbox.send(service, Cancel(run=run, node=None if node is None else NodePath(node), reason=reason))
    if node is None:
        await_end(service, run)
    else:
        await_stop(service, run)
    return _shown(service, target, run=run)


def latest(service: "Service", target: str) -> "Answer":
    """Return a task or that of a step with its last run, or a run, as it is by now; its start is waited for."""
    task = _task_behind(service, target)
    _await_begun(service, task or target)
    return _latest(service, target, task=task)


def outcome(service: "Service", target: str, *, until_gate: bool = False) -> "Answer | None":
    """Return a task with its last run, or a run, if it is over (with `until_gate` or waits for a person), else None.

    Raises what the engine refused to start a run with.
    """
    task = target if lookup.check_kind(target, "task", "run") == "task" else None
    with service.store.read() as reader:
        if task is None:
            settled = _is_settled(_waited(reader, target), until_gate=until_gate)
        else:
            status = lookup.task(reader, task).task.status
            settled = status in FINAL_TASK or (until_gate and status is TaskStatus.WAITING)
    return _latest(service, target, task=task) if settled else None


def _latest(service: "Service", target: str, *, task: str | None) -> "Answer":
    with service.store.read() as reader:
        if task is None or lookup.kind_of(target) == "run":
            return {"run": _shape(reader, target)}
        found = [each.id for each in reader.runs(task=TaskId(task)) if each.purpose == "deliver"]
        answer: Answer = {"task": shapes.task(lookup.task(reader, task))}
        return {**answer, "run": _shape(reader, found[0])} if found else answer


def wait(service: "Service", runs: Sequence[str], *, say: "Say" = quiet, until_gate: bool = True) -> "Answer":
    """Wait until every run is over (or, with `until_gate`, waits for a person), and return them.

    Raises what the engine refused to start one with, and StoreError when no engine stays up.
    """
    said: set[str] = set()
    with service.engine.watch() as watch:
        waiting = Waiting(service, watch)
        while True:
            with service.store.read() as reader:
                found = [_waited(reader, each) for each in runs]
                if all(_is_settled(each, until_gate=until_gate) for each in found):
                    return {"runs": [_shape(reader, each) for each in runs]}
            for row in found:
                line = f"{row.id} {row.flow}: {row.status}" if row is not None else ""
                if line and line not in said:
                    said.add(line)
                    say(line)
            waiting.for_commit()


def add(service: "Service", target: str, text: str, *, source: str, read: "Read", replace: bool = False) -> "Answer":  # noqa: PLR0917 - what, and to what
    """Give a run more nodes, with `replace` in the place of those of the same name; return the run.

    `text` is a document with `nodes:` that errors call `source`; what it names is read by `read`. Raises
    DefinitionError with all that is wrong with it; then nothing has changed.
    """
    from punchlist.flow.addition import named_files

    lookup.check_kind(target, "run")
    run = _begun(service, target)
    files = named_files(text, source=source, read=read)
    _hand_over_again(service, run)
    inbox.send(service, AddNodes(run=run, text=text, source=source, files=files, replace=replace))
    return _shown(service, target, run=run)


def exit_code(status: str) -> int:
    """Return the exit code that a run's status means: 0 succeeded, 6 waits for a decision, 1 anything else."""
    return _CODES.get(status, 1)


class _Asked(msgspec.Struct, frozen=True):
    """What is said of a run beside its inputs."""

    policy: PolicyPart


def _prepared(
    service: "Service", flow: str, *, inputs: "Mapping[str, Json]", policy: "Mapping[str, Json]", keep: bool = True
) -> "tuple[Flow, dict[str, Json], PolicyPart]":
    from punchlist.flow.inputs import bind_inputs, input_problems

    definition = service.flow(flow, keep=keep)
    what = f"the run of {definition.flow}"

    def meaning(asked: Part) -> list[Problem]:
        return [*flow_policy_problems(asked.field("policy")), *input_problems(definition.inputs, inputs)]

    asked = parse(_Asked, {"policy": dict(policy)}, what=what, meaning=meaning)
    return definition, bind_inputs(definition.inputs, inputs, what=what), asked.policy


def _policy(service: "Service", project: "Project | None", *, flow: "Flow", rules: PolicyPart) -> "Policy":
    """Return the policy of a run of a flow; what is said for this one run goes before all else."""
    return overlay(proofs.resolved_policy(service, project, task=None, flow=flow.policy), rules)


def _done(service: "Service", target: str) -> "Answer | None":
    """Return a run or a task that is over and has come to what was wanted of it; None for all others."""
    kind = lookup.check_kind(target, "task", "run")
    _await_begun(service, target)
    with service.store.read() as reader:
        if kind == "run":
            run = lookup.run(reader, target)
            return {"run": _shape(reader, target)} if run.status is NodeStatus.SUCCEEDED else None
        state = lookup.task(reader, target)
        ended = [each for each in reader.runs(task=TaskId(target)) if each.purpose == "deliver"]
        if state.task.status is not TaskStatus.ACCEPTED or not ended:
            return None
        return {"task": shapes.task(state), "run": _shape(reader, ended[0].id)}


def _live(service: "Service", target: str) -> RunId:
    """Return the run that a task's or run's id means; refuses what does not run.

    What was asked to start a moment ago is waited for, so that `start` and `pause` may stand in one script.
    """
    run = _begun(service, target)  # waited for before the snapshot is taken, which would not show it
    with service.store.read() as reader:
        found = lookup.run(reader, run)
    if found.status in FINAL_NODE:
        report = f"punchlist report {target}"
        again = found.task is not None or found.status is not NodeStatus.SUCCEEDED
        hint = f"Type: punchlist retry {target}, or {report}" if again else f"Type: {report}"
        raise RefusedError(f"run {found.id} is over: {found.status}", where=target, hint=hint)
    return RunId(found.id)


def _begun(service: "Service", target: str) -> RunId:
    """Return the run that an id means, over or not: of a task the one that has hold of it. Its start is waited for."""
    kind = lookup.check_kind(target, "task", "run")
    _await_begun(service, target)
    with service.store.read() as reader:
        if kind == "run":
            return RunId(lookup.run(reader, target).id)
        state = lookup.task(reader, target)
        live = lookup.live_run(reader, target)
        if live is None:
            raise RefusedError(
                f"task {target} is {state.task.status}: no run has hold of it",
                where=target,
                hint=f"Type: {_NEXT.get(state.task.status, 'punchlist why {0}').format(target)}",
            )
        return RunId(live.id)


def _await_begun(service: "Service", target: str) -> None:
    with service.store.read() as reader:
        if not _is_starting(reader, target):
            return
    line = f"waiting for the engine to start {target}; ^C leaves it to be done, and nothing else was asked for yet"
    left = "the engine starts it all the same; what was typed now was not asked for yet"
    with service.waits(line, left=left), service.engine.watch() as watch:
        waiting = Waiting(service, watch)
        while True:
            with service.store.read() as reader:
                if not _is_starting(reader, target):
                    return
            waiting.for_commit()


def _is_starting(reader: "Reader", target: str) -> bool:
    return any(_is_of(said, target) for _, said in lookup.starts(reader))


def _is_of(command: "dict[str, Json]", target: str) -> bool:
    return command["run"] == target or (command["purpose"] == "deliver" and command.get("task") == target)


def _task_behind(service: "Service", target: str) -> str | None:
    """Return the task that an id is of, None for a run that delivers none."""
    kind = lookup.check_kind(target, "task", "step", "run")
    with service.store.read() as reader:
        if kind == "task":
            return lookup.task(reader, target).task.id
        if kind == "step":
            return step_task(lookup.step(reader, target)[1].id)  # type: ignore[arg-type]
    _await_begun(service, target)
    with service.store.read() as reader:
        run = lookup.run(reader, target)
        return run.task if run.purpose == "deliver" else None


def _shown(service: "Service", target: str, *, run: RunId) -> "Answer":
    with service.store.read() as reader:
        if lookup.kind_of(target) == "task":
            return {"task": shapes.task(lookup.task(reader, target)), "run": _shape(reader, run)}
        return {"run": _shape(reader, run)}


def _shape(reader: "Reader", run: str) -> "dict[str, Json]":
    return shapes.run(lookup.run(reader, run), reader.nodes(RunId(run)))


def _waited(reader: "Reader", run: str) -> RunRow | None:
    """Return a run, or None while its command is still in the inbox; raises what it was refused with."""
    lookup.check_kind(run, "run")
    found = reader.run(RunId(run))
    if found is not None:
        return found
    for row, said in lookup.starts(reader, pending=False):
        if said["run"] == run:
            inbox.answer_of(row)
            return None
    return lookup.run(reader, run)


def _is_settled(row: RunRow | None, *, until_gate: bool) -> bool:
    if row is None:
        return False
    return row.status in FINAL_NODE or (until_gate and row.status is NodeStatus.WAITING)
