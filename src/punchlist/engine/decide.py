"""`decide`: what follows from a command, an outcome or the passing of time, as sealed events; pure."""

from collections.abc import Callable

import msgspec

from punchlist.engine.decisions import open_findings, record_waivers
from punchlist.engine.fold_run import ROOT
from punchlist.engine.fold_task import step_of
from punchlist.engine.kinds.integrate import next_in_line
from punchlist.engine.progress import cancel_attempt, guarded, start, stop
from punchlist.engine.proving import proof_of
from punchlist.engine.registry import KINDS
from punchlist.engine.retry import again
from punchlist.engine.turn import Context, Decision, Turn
from punchlist.errors import RefusedError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.gates import check_fields, choice_of
from punchlist.model.ids import GateId, NodePath, StepId
from punchlist.model.jobs import Outcome, Role
from punchlist.model.json import Json
from punchlist.model.state import State
from punchlist.model.states import (
    FINAL_ATTEMPT,
    FINAL_NODE,
    FINAL_STEP,
    FINAL_TASK,
    AttemptStatus,
    GateStatus,
    NodeStatus,
    TaskStatus,
)

replace = msgspec.structs.replace


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The state after a decision, and the events that led there, in their order."""

    state: State
    events: tuple[ev.Event, ...]


def decide(state: State, command: cmd.RunCommand, context: Context) -> Decided:
    """Return what follows from `command`; raises RefusedError or DefinitionError, and then nothing has happened."""
    turn = Turn(state, context, KINDS)
    _APPLY[type(command)](turn, command)
    turn.settle()
    _conclude(turn, fill=not isinstance(command, cmd.Interrupted))
    return Decided(state=turn.state, events=tuple(turn.events))


def _conclude(turn: Turn, *, fill: bool) -> None:
    """Do what follows from the whole: the next integration, free slots, the end of the run, waiting or not."""
    if turn.run.status not in FINAL_NODE:
        next_in_line(turn)
        turn.settle()
        if fill:
            _fill_slots(turn)
        root = turn.node(ROOT)
        if root.status in FINAL_NODE:
            _finish(turn)
        elif turn.run.transitions > turn.run.policy.max_transitions:
            stop(turn, ROOT, NodeStatus.FAILED, reason=f"policy.max_transitions ({turn.run.policy.max_transitions})")
            turn.settle()
            _finish(turn)
        else:
            _show_waiting(turn)


def _fill_slots(turn: Turn) -> None:
    """Start attempts while there are slots: those whose time has come first, then the queue."""
    run = turn.run
    if run.paused or turn.node(ROOT).status in FINAL_NODE:
        return
    due = sorted((at, attempt) for attempt, at in run.parked.items() if at <= turn.context.at)
    ready = [attempt for _, attempt in due]
    while len(turn.run.live) < turn.run.policy.max_parallel:
        queue = turn.run.queue
        attempt = ready.pop(0) if ready else queue.entries.get(queue.first)
        if attempt is None:
            return
        turn.emit(ev.AttemptStarted(attempt=attempt), actor="engine")


def _finish(turn: Turn) -> None:
    root = turn.node(ROOT)
    if turn.run.purpose == "prove" and root.status is NodeStatus.SUCCEEDED:
        turn.emit(ev.TaskProved(proof=proof_of(turn.state)), actor="engine")
    turn.emit(ev.RunMoved(status=root.status, error=root.error, outputs=root.output), actor="engine")
    if turn.run.purpose == "deliver" and turn.task.task.status not in FINAL_TASK | {TaskStatus.DRAFT}:
        cancelled = root.status is NodeStatus.CANCELLED
        status = TaskStatus.CANCELLED if cancelled else TaskStatus.FAILED
        turn.emit(ev.TaskMoved(status=status, reason=root.error), actor="engine")


def _show_waiting(turn: Turn) -> None:
    """Let run and task show whether anything can happen before a gate is decided."""
    run = turn.run
    stuck = bool(run.open_gates) and not (run.live or run.queue.entries or run.parked)
    wanted = NodeStatus.WAITING if stuck else NodeStatus.RUNNING
    if run.status is not wanted:
        turn.emit(ev.RunMoved(status=wanted), actor="engine")
    if run.purpose == "deliver":
        status = TaskStatus.WAITING if stuck else TaskStatus.RUNNING
        if turn.task.task.status in {TaskStatus.RUNNING, TaskStatus.WAITING} and turn.task.task.status is not status:
            turn.emit(ev.TaskMoved(status=status, run=run.id), actor="engine")


# -- commands ---------------------------------------------------------------------------------------------------------


def _start_run(turn: Turn, command: cmd.StartRun) -> None:
    if turn.state.run is not None:
        raise RefusedError(f"run {command.run} has begun already")
    if command.purpose == "deliver":
        _start_task(turn, command)
    created = ev.RunCreated(
        run=command.run,
        purpose=command.purpose,
        definition=command.definition,
        inputs=command.inputs,
        policy=command.policy,
        project=command.project,
        task=command.task,
        base=command.base,
    )
    heads = turn.state.heads.set("run", ev.Head(command.stream))
    turn.state = replace(turn.state, heads=heads)
    turn.emit(created)
    turn.emit(ev.RunMoved(status=NodeStatus.RUNNING), actor="engine")
    start(turn, ROOT)


def _start_task(turn: Turn, command: cmd.StartRun) -> None:
    task = turn.task.task
    if task.status is not TaskStatus.READY:
        hints = {TaskStatus.DRAFT: f"Type: punchlist approve {task.id}", TaskStatus.RUNNING: "Type: punchlist status"}
        final = f"Type: punchlist retry {task.id}"
        raise RefusedError(
            f"task {task.id} is {task.status}; only a ready task can start", hint=hints.get(task.status, final)
        )
    turn.emit(ev.TaskMoved(status=TaskStatus.RUNNING, run=command.run))
    if turn.task.base is None:
        assert command.base is not None
        assert command.branch is not None
        turn.emit(ev.BaseFixed(branch=command.branch, base=command.base), actor="engine")


def _decide_gate(turn: Turn, command: cmd.Decide) -> None:
    gate = turn.run.gates.get(command.gate)
    if gate is None:
        raise RefusedError(f"no gate {command.gate} in run {turn.run.id}", hint="Type: punchlist gates")
    if gate.status is not GateStatus.OPEN:
        by = f" by {gate.by}: {gate.choice}" if gate.choice else ""
        raise RefusedError(f"gate {gate.id} is {gate.status} already{by}", hint="Type: punchlist gates")
    if command.shows is not None and command.shows != gate.shows:
        raise RefusedError(f"gate {gate.id} shows {gate.shows} now, not {command.shows}", hint="Look at it again.")
    choice = choice_of(gate.kind, command.choice, author_choices=gate.choices)
    check_fields(choice, command.data)
    turn.emit(ev.GateDecided(gate=gate.id, choice=choice.name, data=command.data))
    decided = turn.kinds[turn.node(gate.node).kind].decided
    if decided is None:
        raise RefusedError(f"gate {gate.id} stands at a node that takes no decision")
    decision = Decision(gate=gate, choice=choice, data=command.data, by=turn.context.actor)
    guarded(turn, gate.node, lambda: decided(turn, gate.node, decision))


def _pause(turn: Turn, command: cmd.Pause) -> None:
    _refuse_if_over(turn)
    if not turn.run.paused:
        turn.emit(ev.RunPaused(paused=True))
        _flag_task(turn, paused=True)
    if command.now:
        _requeue_all(turn, reason="paused")


def _interrupted(turn: Turn, _command: cmd.Interrupted) -> None:
    _requeue_all(turn, reason="the engine was stopped")


def _requeue_all(turn: Turn, *, reason: str) -> None:
    """Stop what runs, and queue it again: no budget is spent."""
    for attempt in sorted(turn.run.live):
        stopped = turn.run.attempts[attempt]
        if cancel_attempt(turn, attempt, reason=reason):
            again(turn, stopped.node, stopped)


def _flag_task(turn: Turn, *, paused: bool) -> None:
    if turn.run.purpose == "deliver" and turn.task.task.paused is not paused:
        turn.emit(ev.TaskPaused(paused=paused))


def _resume(turn: Turn, command: cmd.Resume) -> None:
    if command.start_from is not None:
        raise RefusedError("going back to a node is not in this version yet", hint="Use retry or reopen.")
    _refuse_if_over(turn)
    if turn.run.paused:
        turn.emit(ev.RunPaused(paused=False))
        _flag_task(turn, paused=False)


def _cancel(turn: Turn, command: cmd.Cancel) -> None:
    _refuse_if_over(turn)
    path = command.node if command.node is not None else ROOT
    if path not in turn.run.nodes:
        raise RefusedError(f"run {turn.run.id} has no node {path}", hint=f"Type: punchlist report {turn.run.id}")
    stop(turn, path, NodeStatus.CANCELLED, reason=command.reason or f"cancelled by {turn.context.actor}")


def _close_step(turn: Turn, command: cmd.CloseStep) -> None:
    _refuse_if_over(turn)
    item = _live_item(turn, command.step)
    statuses = {"skipped": NodeStatus.SKIPPED, "cancelled": NodeStatus.CANCELLED}
    stop(turn, item, statuses[command.status], reason=command.reason or f"{command.status} by {turn.context.actor}")


def _live_item(turn: Turn, step: StepId) -> NodePath:
    """Return the item of a step that is not over; refuses when there is none."""
    for path, node in turn.run.nodes.items():
        if node.kind == "item" and node.key == step and node.status not in FINAL_NODE:
            return path
    known = [each.id for each in turn.task.task.steps]
    what = f"step {step} is over" if step in known else f"no step {step} in task {turn.task.task.id}"
    raise RefusedError(f"{what}; steps: {', '.join(known)}", hint=f"Type: punchlist task show {turn.task.task.id}")


def _ask_rework(turn: Turn, command: cmd.AskRework) -> None:
    """Give a step a person's message: at an open gate `rework` as another round, else for its next round."""
    _refuse_if_over(turn)
    if step_of(turn.task.task, command.step).status in FINAL_STEP:
        raise RefusedError(
            f"step {command.step} is over while its task runs", hint=f"Type: punchlist step reopen {command.step}"
        )
    turn.emit(ev.ReworkAsked(step=command.step, message=command.message))
    gate = _gate_of(turn, command.step, kind="rework")
    if gate is not None:
        _decide_gate(turn, cmd.Decide(run=command.run, gate=gate, choice="more"))


def _waive(turn: Turn, command: cmd.Waive) -> None:
    where = turn.task.findings.get(command.finding)
    if where is None:
        raise RefusedError(f"no finding {command.finding} in task {turn.task.task.id}", hint="Type: punchlist gates")
    step = StepId(where) if where else None
    gate = _gate_of(turn, step, kind="rework" if step is not None else "acceptance")
    if gate is not None:
        data: dict[str, Json] = {"findings": [command.finding], "reason": command.reason}
        _decide_gate(turn, cmd.Decide(run=command.run, gate=gate, choice="waive", data=data))
        return
    record_waivers(
        turn, step, open_findings(turn, step), [command.finding], reason=command.reason, by=turn.context.actor
    )


def _gate_of(turn: Turn, step: StepId | None, *, kind: str) -> GateId | None:
    for each in turn.run.open_gates:
        gate = turn.run.gates[each]
        if gate.step == step and gate.kind == kind:
            return gate.id
    return None


def _attempt_over(turn: Turn, command: cmd.AttemptOver) -> None:
    outcome = command.outcome
    attempt = turn.run.attempts.get(outcome.attempt)
    if attempt is None or attempt.status in FINAL_ATTEMPT:
        turn.emit(ev.OutcomeIgnored(outcome=outcome), actor="engine")
        return
    kind = turn.kinds[turn.node(attempt.node).kind]
    answered = outcome.status is AttemptStatus.SUCCEEDED and attempt.role not in {Role.SETUP, Role.CHECK}
    if answered and kind.examine is not None:
        outcome = kind.examine(turn, attempt.node, outcome)
    turn.emit(ev.AttemptEnded(outcome=_without_diff(outcome)), actor="engine")
    over = kind.attempt_over
    assert over is not None
    ended = turn.run.attempts[outcome.attempt]
    if turn.node(attempt.node).status not in FINAL_NODE:
        guarded(turn, attempt.node, lambda: over(turn, attempt.node, ended))


def _without_diff(outcome: Outcome) -> Outcome:
    """Return the outcome without the patch: git has it, and events stay small."""
    if outcome.snapshot is None:
        return outcome
    return replace(outcome, snapshot=replace(outcome.snapshot, diff=""))


def _time_passed(_turn: Turn, _command: cmd.TimePassed) -> None:
    """Nothing by itself: what is due is started with the free slots."""


def _refuse_if_over(turn: Turn) -> None:
    if turn.run.status in FINAL_NODE:
        raise RefusedError(f"run {turn.run.id} is over: {turn.run.status}", hint="Type: punchlist status")


_APPLY: dict[type, Callable[..., None]] = {
    cmd.StartRun: _start_run,
    cmd.Decide: _decide_gate,
    cmd.Pause: _pause,
    cmd.Resume: _resume,
    cmd.Cancel: _cancel,
    cmd.CloseStep: _close_step,
    cmd.AskRework: _ask_rework,
    cmd.Waive: _waive,
    cmd.Interrupted: _interrupted,
    cmd.AttemptOver: _attempt_over,
    cmd.TimePassed: _time_passed,
}
