"""What events of a run say of its attempts and gates."""

import msgspec
from immutables import Map

from punchlist.engine import held_once, queues
from punchlist.engine.facts import fact_of
from punchlist.engine.fold_put import with_nodes
from punchlist.engine.fold_rests import let_go, line_with, line_without, lined_up
from punchlist.model import events as ev
from punchlist.model.ids import AttemptId, GateId, StepId
from punchlist.model.jobs import Role
from punchlist.model.json import Json
from punchlist.model.state import AttemptState, GateState, Mark, RunState, Tries
from punchlist.model.states import ATTEMPT_MOVES, GATE_MOVES, AttemptStatus, GateStatus, check_move

replace = msgspec.structs.replace
_UNMARKED = Mark()


def queued(run: RunState, event: ev.Event) -> RunState:
    """Fold AttemptQueued: it waits for a slot, or for its time."""
    fact = fact_of(event, ev.AttemptQueued)
    node = run.nodes[fact.node]
    queue, ticket = (run.queue, -1) if fact.not_before or run.held else queues.push(run.queue, fact.attempt)
    said = msgspec.structs.asdict(fact)
    attempt = AttemptState(
        id=said.pop("attempt"),
        run=run.id,
        generation=node.generation,
        ticket=ticket,
        queued_at=event.at,
        mark=_mark(run, event),
        **said,
    )
    run = replace(
        with_nodes(run, replace(node, attempts=(*node.attempts, fact.attempt))),
        attempts=run.attempts.set(fact.attempt, attempt),
        queue=queue,
        lines=run.lines if ticket < 0 else line_with(run, fact.attempt, worker=fact.worker, ticket=ticket),
        parked=run.parked.set(fact.attempt, fact.not_before) if fact.not_before else run.parked,
        tries=_tries(run, fact),
        checked=_checked(run, fact),
    )
    return lined_up(run, fact.attempt) if run.held and not fact.not_before else run


def _tries(run: RunState, fact: ev.AttemptQueued) -> Map[StepId, Tries]:
    if fact.role is not Role.BUILDER or fact.step is None:
        return run.tries
    before = run.tries.get(fact.step)
    if before is None or before.r != fact.r:
        before = Tries(r=fact.r, base=fact.base)
    return run.tries.set(fact.step, replace(before, count=before.count + 1, last=fact.attempt))


def check_key(step: str | None, tree: str, *, command: str) -> str:
    """Return the key under which the attempts of one check or review of one tree are found."""
    return f"{step or ''}|{tree}|{command}"


def _checked(run: RunState, fact: ev.AttemptQueued) -> Map[str, tuple[AttemptId, ...]]:
    if fact.role not in {Role.CHECK, Role.QA} or fact.tree is None:
        return run.checked
    key = check_key(fact.step, fact.tree, command=fact.command)
    return run.checked.set(key, (*run.checked.get(key, ()), fact.attempt))


def tree_key(step: str | None, tree: str) -> str:
    """Return the key under which the attempt is found that left a tree: two steps may leave the same one."""
    return f"{step or ''}|{tree}"


def started(run: RunState, event: ev.Event) -> RunState:
    """Fold AttemptStarted: it takes a slot."""
    fact = fact_of(event, ev.AttemptStarted)
    attempt = run.attempts[fact.attempt]
    check_move(ATTEMPT_MOVES, attempt.status, AttemptStatus.RUNNING, what=f"attempt {attempt.id}")
    running = replace(
        attempt,
        status=AttemptStatus.RUNNING,
        nonce_digest=fact.nonce_digest,
        started_at=event.at,
        mark=_mark(run, event),
    )
    return replace(
        _unqueued(run, attempt),
        attempts=run.attempts.set(attempt.id, running),
        live=run.live.set(attempt.id, attempt.node),
    )


def ended(run: RunState, event: ev.Event) -> RunState:
    """Fold AttemptEnded: its slot is free, and the tree that it left is known."""
    outcome = fact_of(event, ev.AttemptEnded).outcome
    attempt = run.attempts[outcome.attempt]
    check_move(ATTEMPT_MOVES, attempt.status, outcome.status, what=f"attempt {attempt.id}")
    over = replace(
        attempt,
        status=outcome.status,
        nonce_digest="",
        outcome=held_once.outcome(outcome),
        ended_at=event.at,
        mark=_mark(run, event),
    )
    run = _unqueued(run, attempt)
    live = run.live.delete(attempt.id) if attempt.id in run.live else run.live
    trees = run.trees
    if outcome.snapshot is not None:
        trees = trees.set(tree_key(attempt.step, outcome.snapshot.tree), attempt.id)
    return replace(
        run,
        attempts=run.attempts.set(attempt.id, over),
        live=live,
        trees=trees,
        made=run.made or bool(outcome.artifacts),
    )


def _mark(run: RunState, event: ev.Event) -> Mark:
    """Return the mark of an attempt: generated files show those of a task, and of no other is it asked for."""
    return _UNMARKED if run.task is None else Mark(event.at, event.hash)


def _unqueued(run: RunState, attempt: AttemptState) -> RunState:
    parked = run.parked.delete(attempt.id) if attempt.id in run.parked else run.parked
    queue, lines = queues.drop(run.queue, attempt.ticket), line_without(run, attempt)
    return replace(let_go(run, attempt.id), queue=queue, lines=lines, parked=parked)


def ignored(run: RunState, _event: ev.Event) -> RunState:
    """Fold OutcomeIgnored: it is in the record, and changes nothing."""
    return run


def raised_key(spot: str, step: str | None, *, limit: str) -> str:
    """Return the key of a limit that a person raised."""
    return f"{spot}|{step or ''}|{limit}"


def limit_raised(run: RunState, event: ev.Event) -> RunState:
    """Fold LimitRaised."""
    fact = fact_of(event, ev.LimitRaised)
    return replace(run, raised=run.raised.set(raised_key(fact.spot, fact.step, limit=fact.limit), fact.value))


def gate_opened(run: RunState, event: ev.Event) -> RunState:
    """Fold GateOpened."""
    fact = fact_of(event, ev.GateOpened)
    gate = GateState(
        id=fact.gate,
        kind=fact.gate_kind,
        node=fact.node,
        message=fact.message,
        shows=fact.shows,
        choices=fact.choices,
        step=fact.step,
        criterion=fact.criterion,
        example=fact.example,
        form=fact.form,
        approvers=fact.approvers,
        opened_by=event.actor,
        since=event.at,
    )
    return replace(run, gates=run.gates.set(gate.id, gate), open_gates=run.open_gates.set(gate.id, gate.node))


def gate_decided(run: RunState, event: ev.Event) -> RunState:
    """Fold GateDecided: the decision is the node's, and what it had before counts no more against its budgets."""
    fact = fact_of(event, ev.GateDecided)
    run = _gate_over(run, fact.gate, status=GateStatus.DECIDED)
    gate = replace(run.gates[fact.gate], choice=fact.choice, data=fact.data, by=event.actor, decided_at=event.at)
    node = run.nodes[gate.node]
    decision: Json = {
        "gate": gate.id,
        "kind": gate.kind,
        "choice": fact.choice,
        "data": fact.data,
        "by": event.actor,
    }
    decided = replace(node, decision=decision, settled=len(node.attempts) + len(node.children))
    return replace(with_nodes(run, decided), gates=run.gates.set(gate.id, gate))


def gate_expired(run: RunState, event: ev.Event) -> RunState:
    """Fold GateExpired: nobody decided; what was to be chosen then is, by nobody."""
    fact = fact_of(event, ev.GateExpired)
    run = _gate_over(run, fact.gate, status=GateStatus.EXPIRED)
    gate = replace(run.gates[fact.gate], choice=fact.choice, by=event.actor, decided_at=event.at)
    return replace(run, gates=run.gates.set(gate.id, gate))


def gate_withdrawn(run: RunState, event: ev.Event) -> RunState:
    """Fold GateWithdrawn."""
    return _gate_over(run, fact_of(event, ev.GateWithdrawn).gate, status=GateStatus.WITHDRAWN)


def _gate_over(run: RunState, gate_id: GateId, *, status: GateStatus) -> RunState:
    gate = run.gates[gate_id]
    check_move(GATE_MOVES, gate.status, status, what=f"gate {gate_id}")
    over = replace(gate, status=status)
    return replace(run, gates=run.gates.set(gate_id, over), open_gates=run.open_gates.delete(gate_id))
