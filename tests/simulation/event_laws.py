"""Laws of one event of a run: nodes, attempts, gates, policy."""

from collections.abc import Callable

from punchlist.model import events as ev
from punchlist.model.flow import Flow, PythonNode, RunNode, WaitNode, extended
from punchlist.model.ids import AttemptId, NodePath
from punchlist.model.jobs import FailureClass, Role
from punchlist.model.state import AttemptState, NodeState, RunState
from punchlist.model.states import FINAL_ATTEMPT, AttemptStatus, NodeStatus
from tests.runs import replace
from tests.simulation.memory import Memory, Moment

_LIMITS = {FailureClass.TIMEOUT, FailureClass.SILENCE, FailureClass.MEMORY, FailureClass.OUTPUT}
_ENDS = "succeeded failed cancelled skipped"
NODE_MOVES = {
    "pending": "running skipped unreached cancelled failed",
    "running": f"waiting {_ENDS}",
    "waiting": f"running {_ENDS}",
}
ATTEMPT_MOVES = {"queued": "running cancelled", "running": "succeeded failed timed_out cancelled lost"}


def a_move_not_listed_is_refused(moment: Moment, _memory: Memory) -> None:
    match moment.event.fact:
        case ev.NodeStarted(node=path) | ev.NodeMoved(node=path) | ev.NodeEnded(node=path):
            was, now = moment.was.nodes[path].status, moment.run.nodes[path].status
            assert now in NODE_MOVES.get(was, "").split(), f"node {path} from {was} to {now}"
        case ev.AttemptStarted(attempt=name):
            _check_attempt(moment, name)
        case ev.AttemptEnded(outcome=outcome):
            _check_attempt(moment, outcome.attempt)
        case _:
            pass


def _check_attempt(moment: Moment, name: AttemptId) -> None:
    was, now = moment.was.attempts[name].status, moment.run.attempts[name].status
    assert now in ATTEMPT_MOVES.get(was, "").split(), f"attempt {name} from {was} to {now}: it moves one way only"


def no_finished_attempt_ever_runs_again_and_no_live_one_is_started_twice(moment: Moment, memory: Memory) -> None:
    match moment.event.fact:
        case ev.AttemptStarted(attempt=name):
            assert name not in memory.started, f"{name} is started twice"
            assert name in moment.run.live, f"{name} was started, and has no place among what runs"
            memory.started.add(name)
        case ev.AttemptEnded(outcome=outcome):
            memory.started.add(outcome.attempt)
            assert outcome.attempt not in moment.run.live, f"{outcome.attempt} ended, and keeps its place"
        case _:
            pass


def paused_means_that_nothing_new_starts(moment: Moment, _memory: Memory) -> None:
    match moment.event.fact:
        case ev.AttemptStarted(attempt=name):
            assert not moment.was.paused, f"{name} was started while the run is paused"
            assert not moment.was.cancelling, f"{name} was started in a run that is being cancelled"
        case _:
            pass


def no_more_run_at_once_than_max_parallel(moment: Moment, memory: Memory) -> None:
    policy, _ = memory.frozen.get(moment.run.id, (moment.run.policy, None))
    most = policy.max_parallel
    assert len(moment.run.live) <= most, f"{len(moment.run.live)} run, and max_parallel is {most}"


def what_waits_for_its_time_is_not_started_before_it(moment: Moment, _memory: Memory) -> None:
    match moment.event.fact:
        case ev.AttemptStarted(attempt=name):
            attempt, now = moment.was.attempts[name], moment.event.at
            early = attempt.not_before is not None and attempt.not_before > now >= attempt.queued_at
            assert not early, f"{name} was started at {now}, and not before {attempt.not_before} it was to be"
        case _:
            pass


def what_waits_for_a_time_goes_on_when_it_has_come_and_not_before(moment: Moment, _memory: Memory) -> None:
    match moment.event.fact:
        case ev.GateExpired(gate=gate):
            _check_rang(moment, moment.was.gates[gate].node)
        case ev.NodeEnded(node=path, status=NodeStatus.SUCCEEDED, output={"at": str(_)}):
            if path in moment.was.timers:
                _check_rang(moment, path)
        case _:
            pass


def _check_rang(moment: Moment, path: NodePath) -> None:
    due = moment.was.timers[path].at
    assert due <= moment.event.at, f"{path} waits until {due}, and goes on at {moment.event.at}"


def a_late_outcome_is_kept_as_evidence_and_changes_nothing(moment: Moment, _memory: Memory) -> None:
    match moment.event.fact:
        case ev.OutcomeIgnored(outcome=outcome):
            known = moment.was.attempts.get(outcome.attempt)
            assert known is None or known.status in FINAL_ATTEMPT, f"the outcome of {outcome.attempt} is passed over"
            assert replace(moment.run, transitions=moment.was.transitions) == moment.was, "it changed something"
        case ev.AttemptEnded(outcome=outcome):
            known = moment.was.attempts.get(outcome.attempt)
            assert known is not None, f"{outcome.attempt} is unknown"
            assert known.status not in FINAL_ATTEMPT, f"{outcome.attempt} was over, and its outcome counts"
        case _:
            pass


def agents_never_declare_state_success_has_one_writer(moment: Moment, _memory: Memory) -> None:
    actor = moment.event.actor
    assert not actor.startswith("agent:"), f"{moment.event.kind} is by {actor}"
    match moment.event.fact:
        case ev.NodeEnded(status=NodeStatus.SUCCEEDED) | ev.RunMoved(status=NodeStatus.SUCCEEDED):
            assert actor == "engine", f"{actor} declared a success"
        case ev.AttemptEnded() | ev.AttemptStarted():
            assert actor == "engine" or not _succeeds(moment.event.fact), f"{actor} declared a success"
        case _:
            pass


def _succeeds(fact: ev.AnyFact) -> bool:
    return isinstance(fact, ev.AttemptEnded) and fact.outcome.status is AttemptStatus.SUCCEEDED


def policy_is_frozen_with_the_run(moment: Moment, memory: Memory) -> None:
    run = moment.run
    policy, definition = memory.frozen.get(run.id, (run.policy, run.definition))
    if isinstance(moment.event.fact, ev.NodesAdded):
        definition = extended(definition, moment.event.fact.nodes)
    if isinstance(moment.event.fact, ev.FlowRebased):
        definition = moment.event.fact.definition
    memory.frozen[run.id] = policy, definition
    assert run.policy == policy, "the policy of a run changed while it ran"
    assert run.definition == definition, "the definition of a run changed by more than was added"
    if not isinstance(moment.event.fact, ev.LimitRaised | ev.RunCreated):
        assert run.raised == moment.was.raised, "a limit was raised without a decision"


def a_gate_is_decided_once(moment: Moment, memory: Memory) -> None:
    match moment.event.fact:
        case ev.GateDecided(gate=gate, choice=choice):
            assert gate not in memory.over, f"{gate} is decided or withdrawn a second time"
            assert choice in moment.was.gates[gate].choices, f"{gate} is decided by {choice}, which it does not have"
            memory.over.add(gate)
        case ev.GateWithdrawn(gate=gate) | ev.GateExpired(gate=gate):
            assert gate not in memory.over, f"{gate} is decided or withdrawn a second time"
            memory.over.add(gate)
        case _:
            pass
    gone = set(moment.was.open_gates) - set(moment.run.open_gates) if moment.before.run is not None else set()
    named = getattr(moment.event.fact, "gate", None)
    assert gone <= {named}, f"{moment.event.kind} of {named} also closed {gone - {named}}"


def nothing_begins_before_what_it_needs_came_to_a_good_end(moment: Moment, _memory: Memory) -> None:
    match moment.event.fact:
        case ev.NodeStarted(node=path):
            run = moment.was
            parent = run.nodes[path].parent
            for other in run.nodes[parent].children if parent is not None else ():
                if path in run.nodes[other].wanted_by:
                    assert is_good(run, run.nodes[other]), f"{path} began, and {other} is {run.nodes[other].status}"
        case _:
            pass


def is_good(run: RunState, node: NodeState) -> bool:
    """Say whether what needs a node may go on."""
    if node.status in {NodeStatus.SUCCEEDED, NodeStatus.SKIPPED}:
        return True
    definition = run.spots[node.spot].node
    allowed = not isinstance(definition, Flow) and definition.on_failure == "continue"
    return allowed and node.status is NodeStatus.FAILED and node.kind not in {"item", "round"}


def each_class_of_failure_has_its_own_budget(moment: Moment, memory: Memory) -> None:
    """Nothing else retries: so many in a class since the last decision, then a gate or the end, and not before."""
    run, fact = moment.run, moment.event.fact
    match fact:
        case ev.GateDecided(gate=gate):
            mine = (run.id, run.gates[gate].node)
            for key in [key for key in memory.failed if key[:2] == mine]:
                del memory.failed[key]
        case ev.AttemptEnded(outcome=outcome):
            attempt = run.attempts[outcome.attempt]
            failure = _class_of(attempt)
            most = _budget(run, attempt, failure)
            if most is not None:
                key = _key(run, attempt, failure)
                memory.failed[key] += 1
                count = memory.failed[key]
                assert count <= most, f"{attempt.id} is the {count}th {failure} of {attempt.node}; allowed: {most}"
        case ev.NodeEnded(node=path, status=NodeStatus.FAILED, error=error) if error.startswith("attempt "):
            _check_used_up(moment, memory, run.attempts[run.nodes[path].attempts[-1]])
        case ev.GateOpened(gate_kind="limit", node=path):
            _check_used_up(moment, memory, run.attempts[run.nodes[path].attempts[-1]])
        case _:
            pass


def _check_used_up(moment: Moment, memory: Memory, attempt: AttemptState) -> None:
    failure = _class_of(attempt)
    most = _budget(moment.run, attempt, failure)
    count = memory.failed[_key(moment.run, attempt, failure)]
    assert most is None or count == most, f"given up after {count} of {most} failures ({failure}) of {attempt.node}"


def _key(run: RunState, attempt: AttemptState, failure: FailureClass | None) -> tuple[str, ...]:
    named = "named" if failure is not None and failure in _named(run, attempt) else ""
    return (
        attempt.run, attempt.node, str(attempt.generation), attempt.subject, str(attempt.again), named or str(failure)
    )  # fmt: skip


def _named(run: RunState, attempt: AttemptState) -> tuple[str, ...]:
    """Return the failures that the rule of a node's retries names."""
    definition = run.spots[run.nodes[attempt.node].spot].node
    return () if isinstance(definition, Flow) or definition.retry is None else definition.retry.on


def _class_of(attempt: AttemptState) -> FailureClass | None:
    outcome = attempt.outcome
    assert outcome is not None
    if outcome.status in {AttemptStatus.SUCCEEDED, AttemptStatus.CANCELLED}:
        return None
    return FailureClass.LOST if outcome.status is AttemptStatus.LOST else outcome.failure or FailureClass.WORKER


def _budget(run: RunState, attempt: AttemptState, failure: FailureClass | None) -> int | None:
    """Return how many failures of a class a thing may have; None where the class has none, or it is an answer."""
    answers = attempt.role is Role.CHECK and failure is not FailureClass.LOST
    definition = run.spots[run.nodes[attempt.node].spot].node
    named = _named(run, attempt)
    if isinstance(definition, WaitNode):
        return None
    if failure is not None and failure in named and not isinstance(definition, Flow) and definition.retry is not None:
        return definition.retry.max + 1
    if failure is FailureClass.LOST:
        return 3
    if answers or failure is None:
        return None
    if failure in _LIMITS:
        return 2
    if failure is not FailureClass.WORKER:
        return None
    if not isinstance(definition, Flow) and definition.retry is not None:
        return 1 if named else definition.retry.max + 1
    return 1 if isinstance(definition, RunNode | PythonNode) else run.policy.retries + 1


def s_counts_the_builders_attempts_within_r(moment: Moment, memory: Memory) -> None:
    match moment.event.fact:
        case ev.AttemptQueued(role=Role.BUILDER, step=str(step), r=r, s=s):
            expected = (memory.revision.get(step, 0), memory.tries.get((step, r), 0))
            assert (r, s) == expected, f"{step} is numbered {r}.{s}, not {expected[0]}.{expected[1]}"
            memory.tries[step, r] = s + 1
        case _:
            pass


OF_EVENTS: tuple[Callable[[Moment, Memory], None], ...] = (
    policy_is_frozen_with_the_run,
    a_move_not_listed_is_refused,
    no_finished_attempt_ever_runs_again_and_no_live_one_is_started_twice,
    paused_means_that_nothing_new_starts,
    no_more_run_at_once_than_max_parallel,
    what_waits_for_its_time_is_not_started_before_it,
    what_waits_for_a_time_goes_on_when_it_has_come_and_not_before,
    a_late_outcome_is_kept_as_evidence_and_changes_nothing,
    agents_never_declare_state_success_has_one_writer,
    a_gate_is_decided_once,
    nothing_begins_before_what_it_needs_came_to_a_good_end,
    each_class_of_failure_has_its_own_budget,
    s_counts_the_builders_attempts_within_r,
)
