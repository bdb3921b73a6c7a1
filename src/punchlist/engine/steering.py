"""What a person asks of a run: begin, decide, pause, resume, cancel, close a step, ask for rework, waive."""

import msgspec

from punchlist.engine import document_moves
from punchlist.engine.document_moves import check_version
from punchlist.engine.fold_nodes import ROOT
from punchlist.engine.fold_task import step_of
from punchlist.engine.going_back import go_back, undone_from
from punchlist.engine.kinds.integrate import take_back
from punchlist.engine.place import Place
from punchlist.engine.progress import cancel_attempt, has_hold, start, stop
from punchlist.engine.rebasing import NOTHING, rebase
from punchlist.engine.reopening import ask_revision
from punchlist.engine.retry import again
from punchlist.engine.turn import Decision, Here, Turn
from punchlist.engine.waiving import leaves_some_open, record_waivers
from punchlist.engine.ways import way
from punchlist.errors import DefinitionError, Problem, RefusedError, invalid
from punchlist.flow.outputs import form_problems
from punchlist.model import commands as cmd, events as ev
from punchlist.model.gates import Choice, Effect, check_fields, choice_of
from punchlist.model.ids import FindingId, GateId, StepId
from punchlist.model.jobs import Role
from punchlist.model.json import Json, convert
from punchlist.model.state import GateState, TaskState, Tries
from punchlist.model.states import (
    FINAL_NODE,
    FINAL_STEP,
    AttemptStatus,
    GateStatus,
    NodeStatus,
    StepStatus,
    TaskStatus,
)

_CLOSED = {"skipped": NodeStatus.SKIPPED, "cancelled": NodeStatus.CANCELLED}
_STARTED = frozenset({AttemptStatus.RUNNING, AttemptStatus.SUCCEEDED})


def start_run(turn: Turn, command: cmd.StartRun) -> None:
    """Begin a run; one that delivers makes its task running."""
    if turn.state.run is not None:
        raise RefusedError(f"run {command.run} has begun already")
    if command.purpose == "deliver":
        _start_task(turn, command)
    turn.state = msgspec.structs.replace(turn.state, heads=turn.state.heads.set("run", ev.Head(command.stream)))
    turn.emit(
        ev.RunCreated(
            run=command.run,
            purpose=command.purpose,
            definition=command.definition,
            inputs=command.inputs,
            policy=command.policy,
            project=command.project,
            task=command.task,
            base=command.base,
            path=command.path,
            env=command.env,
            source=command.source,
        )
    )
    here = turn.at(ROOT)
    here.emit(ev.RunMoved(status=NodeStatus.RUNNING))
    start(here)


def _start_task(turn: Turn, command: cmd.StartRun) -> None:
    state = turn.state.task
    if state is None or command.base is None or command.branch is None:
        raise DefinitionError(f"run {command.run} delivers a task, and lacks the task, its base or its branch")
    task = state.task
    if task.status is not TaskStatus.READY:
        hints = {TaskStatus.DRAFT: f"Type: punchlist approve {task.id}", TaskStatus.RUNNING: "Type: punchlist status"}
        raise RefusedError(
            f"task {task.id} is {task.status}; only a ready task can start",
            hint=hints.get(task.status, f"Type: punchlist retry {task.id}"),
        )
    way(command.policy.on_accept, where="policy.on_accept")
    turn.emit(ev.TaskMoved(status=TaskStatus.RUNNING, run=command.run))
    if state.base is None:
        turn.emit(ev.BaseFixed(branch=command.branch, base=command.base), actor="engine")


def decide_gate(turn: Turn, command: cmd.Decide) -> None:
    """Decide a gate, once, by one of the choices that it was opened with.

    A waiver of some of its findings is recorded, and leaves it open for the others.
    """
    gate = turn.run.gates.get(command.gate)
    if gate is None:
        raise RefusedError(f"no gate {command.gate} in run {turn.run.id}", hint="Type: punchlist gates")
    if gate.status is not GateStatus.OPEN:
        by = f" by {gate.by}: {gate.choice}" if gate.choice else ""
        raise RefusedError(f"gate {gate.id} is {gate.status} already{by}", hint="Type: punchlist gates")
    if command.shows is not None and command.shows != gate.shows:
        raise RefusedError(f"gate {gate.id} shows {gate.shows} now, not {command.shows}", hint="Look at it again.")
    choice = choice_of(gate.kind, command.choice, author_choices=gate.choices)
    if choice.name not in gate.choices:
        raise RefusedError(f"gate {gate.id} cannot be decided by {choice.name}; here: {', '.join(gate.choices)}")
    _check_decision(turn, gate, choice, data=command.data)
    here = turn.at(gate.node)
    if choice.effect is Effect.WAIVE and leaves_some_open(here, command.data):  # judged now, it would only fail again
        named = [FindingId(str(each)) for each in convert(command.data["findings"], list[str])]
        record_waivers(turn, here.step, wanted=named, reason=str(command.data["reason"]))
        return
    turn.emit(ev.GateDecided(gate=gate.id, choice=choice.name, data=command.data))
    decided = turn.kinds[here.node.kind].decided
    assert decided is not None
    decided(here, Decision(gate=gate, choice=choice, data=command.data, by=turn.context.actor))


def _check_decision(turn: Turn, gate: GateState, choice: Choice, *, data: dict[str, Json]) -> None:  # noqa: PLR0917
    """Refuse a decision by somebody else than was to be asked, and one that does not fit the gate's form."""
    by = turn.context.actor
    if gate.approvers and by not in gate.approvers:
        raise RefusedError(
            f"gate {gate.id} is for {', '.join(gate.approvers)} to decide, and you are {by}", hint="Ask one of them."
        )
    if gate.form is None:
        check_fields(choice, data, example=gate.example)
        return
    problems = [Problem("data", each) for each in form_problems(gate.form, data)]
    if problems:
        raise invalid(problems, what=f"the decision {choice.name}")


def pause(turn: Turn, command: cmd.Pause) -> None:
    """Start nothing new; `now` also stops the processes that run, and queues them again."""
    _refuse_if_over(turn)
    _flag(turn, paused=True)
    if command.now:
        requeue_processes(turn, reason="paused")


def resume(turn: Turn, command: cmd.Resume) -> None:
    """Go on; with `start_from` go back to that node, with `rebase` by another flow, whether the run is over or not."""
    if command.rebase is not None:
        path = command.start_from
        rebase(turn, command.rebase, back=NOTHING if path is None else undone_from(turn, path, agreed=command.agreed))
        return
    if command.start_from is not None:
        go_back(turn, command.start_from, agreed=command.agreed)
        return
    _refuse_if_over(turn)
    _flag(turn, paused=False)


def _flag(turn: Turn, *, paused: bool) -> None:
    if turn.run.paused is not paused:
        turn.emit(ev.RunPaused(paused=paused))
    here = turn.at(ROOT)
    if here.delivers and here.task.task.paused is not paused:
        turn.emit(ev.TaskPaused(paused=paused))


def requeue_processes(turn: Turn, *, reason: str) -> None:
    """Stop the processes that run, and queue them again: no budget is spent.

    The engine's own work is not interrupted: it is short, and found or done again after a restart.
    """
    for name in sorted(turn.run.live):
        attempt = turn.run.attempts[name]
        if attempt.role is not Role.ENGINE:
            here = turn.at(attempt.node)
            cancel_attempt(here, name, reason=reason)
            again(here, attempt)


def cancel(turn: Turn, command: cmd.Cancel) -> None:
    """End a run, or one node of it. While a commit is being made the run's end waits for it."""
    _refuse_if_over(turn)
    reason = command.reason or f"cancelled by {turn.context.actor}"
    path = command.node if command.node is not None else ROOT
    if path not in turn.run.nodes:
        raise RefusedError(f"run {turn.run.id} has no node {path}", hint=f"Type: punchlist report {turn.run.id}")
    here = turn.at(path)
    if here.node.status in FINAL_NODE:
        raise RefusedError(f"node {path} is over: {here.node.status}", hint=f"Type: punchlist report {turn.run.id}")
    if path == ROOT:
        turn.emit(ev.CancelAsked(reason=reason))
    else:
        with turn.asked():
            stop(here, NodeStatus.CANCELLED, reason=reason)


def revise(turn: Turn, command: cmd.Revise) -> None:
    """Bring the task of a run back to draft: what runs is stopped, a commit that is being made is waited for."""
    _refuse_if_over(turn)
    here = turn.at(ROOT)
    check_version(here.task.task, command.expected_version)
    document_moves.revise(here.task, reason=command.reason)  # says why a task that is over, or a draft, cannot be
    if not has_hold(turn):
        raise RefusedError(f"run {turn.run.id} has no hold of its task", hint="Type: punchlist status")
    ask_revision(here, reason=command.reason)


def close_step(turn: Turn, command: cmd.CloseStep) -> None:
    """Skip or cancel a step that is not over."""
    _refuse_if_over(turn)
    if command.status not in _CLOSED:
        raise DefinitionError(f"saw {command.status!r}; allowed: {', '.join(_CLOSED)}", where="status")
    reason = command.reason or f"{command.status} by {turn.context.actor}"
    _refuse_unknown(turn, command.step)
    status = step_of(turn.at(ROOT).task.task, command.step).status
    if status in FINAL_STEP:  # though its item may be about to begin again, and to end at once
        raise RefusedError(f"step {command.step} is over: {status}", hint=f"Type: punchlist step show {command.step}")
    item = _live_item(turn, command.step)
    with turn.asked():
        stop(item, _CLOSED[command.status], reason=reason)


def _live_item(turn: Turn, step: StepId) -> Here:
    """Return the item of a step that is not over; refuses when there is none."""
    for path in sorted(turn.run.nodes):
        here = turn.at(path)
        if here.node.kind == "item" and here.node.status not in FINAL_NODE and here.step == step:
            return turn.at(here.step_item.path) if here.step_item is not None else here
    raise RefusedError(f"step {step} is over, or not begun", hint=f"Type: punchlist step show {step}")


def ask_rework(turn: Turn, command: cmd.AskRework) -> None:
    """Give a step a person's message: at an open gate `rework` as another round, else for its next round.

    A try that began without it cannot pass.
    """
    _refuse_if_over(turn)
    _refuse_unknown(turn, command.step)
    if step_of(turn.at(ROOT).task.task, command.step).status in FINAL_STEP:
        raise RefusedError(
            f"step {command.step} is over while its task runs", hint=f"Type: punchlist step reopen {command.step}"
        )
    take_back(turn, command.step)
    gate = _gate_of(turn, command.step, kind="rework")
    late = gate is None and _has_begun(turn, command.step)
    turn.emit(ev.ReworkAsked(step=command.step, message=command.message, late=late))
    if gate is not None:
        decide_gate(turn, cmd.Decide(run=command.run, gate=gate, choice="more"))


def _has_begun(turn: Turn, step: StepId) -> bool:
    """Say whether the present try of a step was given to its builder already, and is not judged yet."""
    task = turn.at(ROOT).task
    tries = turn.run.tries.get(step, Tries())
    if tries.last is None or tries.r != task.steps[step].r:
        return False
    between = step_of(task.task, step).status is StepStatus.REWORK
    return not between and turn.run.attempts[tries.last].status in _STARTED


def waive(turn: Turn, command: cmd.Waive) -> None:
    """Pass over a finding; an open gate on it is decided by that."""
    _refuse_if_over(turn)
    task: TaskState = turn.at(ROOT).task
    where = task.findings.get(command.finding)
    if where is None:
        raise RefusedError(f"no finding {command.finding} in task {task.task.id}", hint="Type: punchlist gates")
    step = StepId(where) if where else None
    gate = _gate_of(turn, step, kind="rework" if step is not None else "acceptance")
    if gate is None:
        record_waivers(turn, step, wanted=[command.finding], reason=command.reason)
    else:
        data: dict[str, Json] = {"findings": [command.finding], "reason": command.reason}
        decide_gate(turn, cmd.Decide(run=command.run, gate=gate, choice="waive", data=data))


def _gate_of(turn: Turn, step: StepId | None, *, kind: str) -> GateId | None:
    for each in sorted(turn.run.open_gates):
        gate = turn.run.gates[each]
        if gate.step == step and gate.kind == kind:
            return gate.id
    return None


def _refuse_if_over(turn: Turn) -> None:
    if turn.run.status in FINAL_NODE:
        raise RefusedError(f"run {turn.run.id} is over: {turn.run.status}", hint="Type: punchlist status")


def _refuse_unknown(turn: Turn, step: StepId) -> None:
    task = Place(turn.state, ROOT).task.task
    known = [each.id for each in task.steps]
    if step not in known:
        raise RefusedError(
            f"no step {step} in task {task.id}; there are: {', '.join(known)}",
            hint=f"Type: punchlist task show {task.id}",
        )
