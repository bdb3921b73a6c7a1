"""What a run's stream says: the fold of its events into RunState. The cost of an event does not grow with the run."""

from collections.abc import Callable

import msgspec

from punchlist.engine import fold_added, fold_attempts, fold_nodes, fold_put, fold_resets, fold_rests
from punchlist.engine.facts import fact_of
from punchlist.engine.fold_nodes import ROOT
from punchlist.engine.spots import index
from punchlist.model import events as ev
from punchlist.model.flow import given_names
from punchlist.model.state import NodeState, RunState
from punchlist.model.states import FINAL_NODE

replace = msgspec.structs.replace


def fold_run(run: RunState | None, event: ev.Event) -> RunState:
    """Return the run after `event`; raises RefusedError for a move that the tables of states do not list."""
    if isinstance(event.fact, ev.RunCreated):
        return _created(event.fact, event.at)
    if run is None:
        raise ValueError(f"{event.kind} before RunCreated in stream {event.stream}")
    folded = _FOLDS[type(event.fact)](run, event)
    return replace(folded, transitions=run.transitions + 1)


def _created(fact: ev.RunCreated, at: str) -> RunState:
    root = NodeState(path=ROOT, spot="", kind="flow")
    run = RunState(
        id=fact.run,
        purpose=fact.purpose,
        definition=fact.definition,
        spots=index(fact.definition),
        inputs=fact.inputs,
        policy=fact.policy,
        project=fact.project,
        task=fact.task,
        base=fact.base,
        path=fact.path,
        env=fact.env,
        secrets=given_names(fact.definition).secrets,
        created_at=at,
    )
    return fold_put.with_nodes(run, root)


def _moved(run: RunState, event: ev.Event) -> RunState:
    fact = fact_of(event, ev.RunMoved)
    ended = event.at if fact.status in FINAL_NODE else ""
    return replace(run, status=fact.status, error=fact.error, outputs=fact.outputs, ended_at=ended)


def _paused(run: RunState, event: ev.Event) -> RunState:
    return replace(run, paused=fact_of(event, ev.RunPaused).paused)


def _cancel_asked(run: RunState, event: ev.Event) -> RunState:
    fact = fact_of(event, ev.CancelAsked)
    return replace(run, cancelling=fact.reason, cancelled_by=event.actor, revising=fact.revises)


def _inputs_changed(run: RunState, event: ev.Event) -> RunState:
    return replace(run, inputs=fact_of(event, ev.InputsChanged).inputs)


_FOLDS: dict[type, Callable[[RunState, ev.Event], RunState]] = {
    ev.RunMoved: _moved,
    ev.RunPaused: _paused,
    ev.CancelAsked: _cancel_asked,
    ev.InputsChanged: _inputs_changed,
    ev.NodeStarted: fold_nodes.started,
    ev.CallEntered: fold_nodes.call_entered,
    ev.ItemsListed: fold_nodes.items_listed,
    ev.RoundOpened: fold_nodes.round_opened,
    ev.NodeMoved: fold_nodes.moved,
    ev.NodeWaits: fold_nodes.waits,
    ev.PlaceTaken: fold_rests.taken,
    ev.NodeEnding: fold_nodes.ending,
    ev.NodeEnded: fold_nodes.ended,
    ev.NodesReset: fold_resets.reset,
    ev.NodesAdded: fold_added.added,
    ev.FlowRebased: fold_added.rebased,
    ev.AttemptQueued: fold_attempts.queued,
    ev.AttemptStarted: fold_attempts.started,
    ev.AttemptEnded: fold_attempts.ended,
    ev.OutcomeIgnored: fold_attempts.ignored,
    ev.LimitRaised: fold_attempts.limit_raised,
    ev.GateOpened: fold_attempts.gate_opened,
    ev.GateDecided: fold_attempts.gate_decided,
    ev.GateExpired: fold_attempts.gate_expired,
    ev.GateWithdrawn: fold_attempts.gate_withdrawn,
}
