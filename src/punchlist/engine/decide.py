"""`decide`: what follows from a command, an outcome or the passing of time, as sealed events; pure."""

from collections.abc import Callable

import msgspec

from punchlist.engine import going_back, steering
from punchlist.engine.adding import add_nodes
from punchlist.engine.fold_nodes import ROOT
from punchlist.engine.kinds.integrate import next_in_line
from punchlist.engine.kinds.wait import files_found
from punchlist.engine.progress import committing, guarded, has_hold, stop
from punchlist.engine.proving import proof_of
from punchlist.engine.registry import KINDS
from punchlist.engine.reopening import revise
from punchlist.engine.ringing import ring
from punchlist.engine.room import due, next_attempt
from punchlist.engine.turn import ENGINE, Context, Turn
from punchlist.model import commands as cmd, events as ev
from punchlist.model.jobs import Outcome, Role
from punchlist.model.state import State
from punchlist.model.states import FINAL_NODE, AttemptStatus, NodeStatus, TaskStatus

replace = msgspec.structs.replace


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The state after a decision, and the events that led there, in their order."""

    state: State
    events: tuple[ev.Event, ...]


def decide(state: State, command: cmd.RunCommand, context: Context) -> Decided:  # noqa: PLR0917 - the core's one verb
    """Return what follows from `command`; raises RefusedError or DefinitionError, and then nothing has happened."""
    turn = Turn(state, context, kinds=KINDS)
    _APPLY[type(command)](turn, command)
    if turn.run.status not in FINAL_NODE:
        _conclude(turn, fill=not isinstance(command, cmd.Interrupted))
    return Decided(state=turn.state, events=tuple(turn.events))


def _conclude(turn: Turn, *, fill: bool) -> None:
    """Do what follows from the whole: the next integration, free slots, the end of the run, waiting or not."""
    if turn.run.cancelling and not committing(turn.run):
        _cancel(turn)
    turn.settle()
    _stand_up_to_limit(turn)
    if fill and not turn.run.cancelling:
        ring(turn)
        turn.settle()
    if not turn.run.cancelling and turn.at(ROOT).node.status not in FINAL_NODE:
        next_in_line(turn)
        turn.settle()
        if fill:
            _fill_slots(turn)
    if turn.at(ROOT).node.status in FINAL_NODE:
        _finish(turn)
    else:
        _show_waiting(turn)


def _cancel(turn: Turn) -> None:
    """End a run that somebody wants ended, of whom the record says that it was they."""
    with turn.asked(turn.run.cancelled_by):
        if turn.run.revising and has_hold(turn):
            revise(turn.at(ROOT), reason=turn.run.cancelling)
        else:
            stop(turn.at(ROOT), NodeStatus.CANCELLED, reason=turn.run.cancelling)


def _stand_up_to_limit(turn: Turn) -> None:
    """End a run that made more transitions than it may, as soon as no commit is being made."""
    most = turn.run.policy.max_transitions
    if turn.run.is_used_up and not committing(turn.run):
        stop(turn.at(ROOT), NodeStatus.FAILED, reason=f"policy.max_transitions ({most}) was passed")


def _fill_slots(turn: Turn) -> None:
    """Start attempts while there are slots and room: those whose time has come first, then the queue."""
    if turn.run.paused or turn.run.cancelling:
        return
    ready = due(turn.run, turn.context.at)
    while (attempt := next_attempt(turn.run, ready, room=turn.context.room)) is not None:
        if attempt in turn.run.parked:
            ready.remove(attempt)
        turn.emit(ev.AttemptStarted(attempt=attempt, nonce_digest=turn.context.nonce_digest(attempt)), actor=ENGINE)


def _finish(turn: Turn) -> None:
    root = turn.at(ROOT).node
    if turn.run.purpose == "prove" and root.status is NodeStatus.SUCCEEDED:
        turn.emit(ev.TaskProved(proof=proof_of(turn.state)), actor=ENGINE)
    by = turn.run.cancelled_by if root.status is NodeStatus.CANCELLED and turn.run.cancelled_by else ENGINE
    turn.emit(ev.RunMoved(status=root.status, error=root.error, outputs=root.output), actor=by)
    if has_hold(turn):
        cancelled = root.status is NodeStatus.CANCELLED
        status = TaskStatus.CANCELLED if cancelled else TaskStatus.FAILED
        reason = root.error or "the flow ended without a verdict that accepts the whole"
        turn.emit(ev.TaskMoved(status=status, reason=reason), actor=by)


def _show_waiting(turn: Turn) -> None:
    """Let run and task show whether anything can happen before a gate is decided."""
    run = turn.run
    asked = frozenset(run.open_gates.values())
    coming = run.live or run.queue.entries or run.parked or not asked.issuperset(run.timers)
    stuck = bool(run.open_gates) and not coming
    status = NodeStatus.WAITING if stuck else NodeStatus.RUNNING
    if run.status is not status:
        turn.emit(ev.RunMoved(status=status), actor=ENGINE)
    then = TaskStatus.WAITING if stuck else TaskStatus.RUNNING
    if has_hold(turn) and turn.at(ROOT).task.task.status is not then:
        turn.emit(ev.TaskMoved(status=then, run=run.id), actor=ENGINE)


def _attempt_over(turn: Turn, command: cmd.AttemptOver) -> None:
    outcome = command.outcome
    attempt = turn.run.attempts.get(outcome.attempt)
    if attempt is None or attempt.status is not AttemptStatus.RUNNING:
        turn.emit(ev.OutcomeIgnored(outcome=outcome), actor=ENGINE)
        return
    here = turn.at(attempt.node)
    kind = turn.kinds[here.node.kind]
    answered = outcome.status is AttemptStatus.SUCCEEDED and attempt.role not in {Role.SETUP, Role.CHECK}
    if answered and kind.examine is not None:
        outcome = kind.examine(here, outcome)
    here.emit(ev.AttemptEnded(outcome=_without_diff(outcome)))
    over, ended = kind.attempt_over, turn.run.attempts[outcome.attempt]
    assert over is not None
    guarded(here, lambda: over(here, ended))


def _without_diff(outcome: Outcome) -> Outcome:
    """Return the outcome without the patch: git has it, and events stay small."""
    if outcome.snapshot is None:
        return outcome
    return replace(outcome, snapshot=replace(outcome.snapshot, diff=""))


def _fail(turn: Turn, command: cmd.Fail) -> None:
    stop(turn.at(ROOT), NodeStatus.FAILED, reason=command.reason)


def _interrupted(turn: Turn, _command: cmd.Interrupted) -> None:
    steering.requeue_processes(turn, reason="the engine was stopped")


def _time_passed(_turn: Turn, _command: cmd.TimePassed) -> None:
    """Nothing by itself: what is due is started with the free slots."""


def _files_found(turn: Turn, command: cmd.FilesFound) -> None:
    files_found(turn, command.node, files=command.files)


_APPLY: dict[type, Callable[..., None]] = {
    cmd.StartRun: steering.start_run,
    cmd.Decide: steering.decide_gate,
    cmd.Pause: steering.pause,
    cmd.Resume: steering.resume,
    cmd.Retry: going_back.retry,
    cmd.Cancel: steering.cancel,
    cmd.AddNodes: add_nodes,
    cmd.Revise: steering.revise,
    cmd.CloseStep: steering.close_step,
    cmd.AskRework: steering.ask_rework,
    cmd.Waive: steering.waive,
    cmd.Interrupted: _interrupted,
    cmd.Fail: _fail,
    cmd.AttemptOver: _attempt_over,
    cmd.TimePassed: _time_passed,
    cmd.FilesFound: _files_found,
}
