"""Laws of one command: what it says takes effect, or it is refused and nothing has happened."""

import json
from collections.abc import Callable, Iterable, Sequence

from punchlist.model import commands as cmd, events as ev
from punchlist.model.flow import ForEachNode
from punchlist.model.ids import NodePath
from punchlist.model.jobs import Job, ProcessJob, PublishJob, Role
from punchlist.model.policy import duration, size
from punchlist.model.state import NodeState, RunState, State
from punchlist.model.states import FINAL_NODE, NodeStatus
from tests.runs import replace
from tests.simulation.engine import Taken
from tests.simulation.event_laws import is_good

CommandLaw = Callable[[Taken, State], None]


def every_option_given_takes_effect_or_is_refused(taken: Taken, after: State) -> None:
    command, facts = taken.command, [each.fact for each in taken.events]
    match command:
        case cmd.StartRun():
            _check_started(command, _run(after))
        case cmd.Decide():
            _check_decided(command, facts)
        case cmd.Pause():
            _check_paused(command, _run(after))
        case cmd.Resume() | cmd.Retry():
            back = isinstance(command, cmd.Retry) or command.start_from is not None
            assert not back or any(isinstance(each, ev.NodesReset) for each in facts), "nothing begins again"
            assert not _run(after).paused, "it is paused still"
            new = command.rebase if isinstance(command, cmd.Resume) else None
            assert new is None or _run(after).definition == new, "it goes on by another flow"
        case cmd.Cancel():
            _check_cancelled(command, _run(after))
        case cmd.Revise():
            assert _run(after).revising or any(isinstance(each, ev.TaskRevised) for each in facts), "no revision comes"
        case cmd.AddNodes():
            _check_added(command, facts, _run(after))
            _check_replaced(command, facts, _run(after))
        case cmd.CloseStep() | cmd.AskRework() | cmd.Waive():
            _check_steered(command, facts, after)
        case cmd.AttemptOver():
            _check_told(command, facts)
        case _:
            pass


def _check_started(command: cmd.StartRun, run: RunState) -> None:
    given = (command.policy, command.definition, command.purpose, command.project, command.task, command.base)
    assert (run.policy, run.definition, run.purpose, run.project, run.task, run.base) == given, "another run began"


def _check_paused(command: cmd.Pause, run: RunState) -> None:
    assert run.paused, "it is not paused"
    left = [name for name in run.live if run.attempts[name].role is not Role.ENGINE]
    assert not (command.now and left), f"paused now, and {left} run"


def _check_added(command: cmd.AddNodes, facts: Sequence[ev.AnyFact], run: RunState) -> None:
    """All that was named is in the flow as it was given, and in the run; nothing else of the flow has changed."""
    (told,) = [each for each in facts if isinstance(each, ev.NodesAdded)]
    assert {each.id for each in told.nodes} == set(json.loads(command.text)["nodes"]), "others were added"
    assert all(each in run.definition.nodes for each in told.nodes), "the flow is another"
    assert run.nodes[NodePath("")].children == tuple(each.id for each in run.definition.parts), "the run lacks some"


def _check_replaced(command: cmd.AddNodes, facts: Sequence[ev.AnyFact], run: RunState) -> None:
    """What was at work under a name is at work no more, and its run goes on."""
    named = tuple(json.loads(command.text)["nodes"])
    ended = {each.outcome.attempt for each in facts if isinstance(each, ev.AttemptEnded)}
    queued = {each.attempt for each in facts if isinstance(each, ev.AttemptQueued)}
    for name in run.live:
        first = run.attempts[name].node.replace("[", ".").split(".")[0]
        assert first not in named or name in queued, f"{name} of the node {first} that was replaced runs on"
    assert not ended & set(run.live), "an attempt is over, and runs"


def _check_decided(command: cmd.Decide, facts: Sequence[ev.AnyFact]) -> None:
    """The one decision is the one that was given, with its data; or a part of its findings is waived."""
    waived = [each.waiver.finding for each in facts if isinstance(each, ev.FindingWaived)]
    decided = [each for each in facts if isinstance(each, ev.GateDecided)]
    named = command.data.get("findings")
    if isinstance(named, list):
        assert set(waived) == set(named), f"{named} were to be waived, and {waived} are"
    if not decided:
        assert waived, "nothing was decided, and nothing waived"
        return
    assert (decided[0].choice, decided[0].data) == (command.choice, command.data), "another decision is recorded"
    opened = [each for each in facts if isinstance(each, ev.RoundOpened) and command.choice == "more"]
    count = command.data.get("n", 1)
    assert isinstance(count, int)
    for each in opened[:1]:
        assert each.most == each.index + count, (
            f"{count} more rounds were given, and there are {each.most - each.index}"
        )


def _check_cancelled(command: cmd.Cancel, run: RunState) -> None:
    if command.node:
        assert _is_cancelled(run.nodes[command.node]), f"{command.node} is not cancelled"
    else:
        assert run.cancelling or _is_cancelled(run.nodes[NodePath("")]), "it is not cancelled"


def _is_cancelled(node: NodeState) -> bool:
    """Say whether a node was cancelled, or ends so when what runs at the end is over; if it had not failed before."""
    over = node.status if node.ends is None else node.ends
    return over is NodeStatus.CANCELLED or (over is NodeStatus.FAILED and bool(node.why))


def _check_steered(
    command: cmd.CloseStep | cmd.AskRework | cmd.Waive, facts: Sequence[ev.AnyFact], after: State
) -> None:
    assert after.task is not None
    match command:
        case cmd.CloseStep(step=step, status=status):
            now = next(each.status for each in after.task.task.steps if each.id == step)
            assert now == status, f"{step} was to be {status}, and is {now}"
        case cmd.AskRework(step=step, message=message):
            said = [(each.step, each.message) for each in facts if isinstance(each, ev.ReworkAsked)]
            assert said == [(step, message)], "the message is lost"
        case cmd.Waive(finding=finding, reason=reason):
            given = [(each.waiver.finding, each.waiver.reason) for each in facts if isinstance(each, ev.FindingWaived)]
            assert given == [(finding, reason)], f"{finding} is not waived"


def _check_told(command: cmd.AttemptOver, facts: Sequence[ev.AnyFact]) -> None:
    """What a process left is recorded as it is: costs that are unknown stay unknown, never 0."""
    told = command.outcome
    recorded = [each.outcome for each in facts if isinstance(each, ev.AttemptEnded | ev.OutcomeIgnored)]
    mine = [each for each in recorded if each.attempt == told.attempt]
    assert len(mine) == 1, f"the end of {told.attempt} is recorded {len(mine)} times"
    assert mine[0].usage == told.usage, f"{told.attempt} cost {told.usage}, and {mine[0].usage} is recorded"
    assert mine[0].status == told.status or mine[0].reason.startswith("bad output") or mine[0].failure, "another end"


def a_decision_applies_to_the_gate_it_names_and_to_that_alone(taken: Taken, _after: State) -> None:
    decided = [each.fact.gate for each in taken.events if isinstance(each.fact, ev.GateDecided)]
    match taken.command:
        case cmd.Decide(gate=gate, shows=shows):
            assert set(decided) <= {gate}, f"the decision was on {gate}, and {decided} are decided"
            shown = _run(taken.before).gates[gate].shows
            assert shows in {None, shown}, f"the decision was on what {gate} does not show"
        case cmd.AskRework() | cmd.Waive():
            assert len(decided) <= 1, f"{decided} are decided by one command"
        case _:
            assert not decided, f"{decided} are decided, and nobody did that"


def going_back_invalidates_what_was_built_on_it_and_says_so_before(taken: Taken, after: State) -> None:
    command = taken.command
    if not isinstance(command, cmd.Resume) or command.start_from is None:
        return
    run, now = _run(taken.before), _run(after)
    gone = built_on(run, command.start_from)
    others = [run.nodes[path] for path in sorted(gone - {command.start_from})]
    begun = [each.path for each in others if each.started_at and each.status is not NodeStatus.PENDING]
    assert command.agreed or not begun, f"nobody agreed to lose {begun}"
    for path in gone:
        kept = now.nodes.get(path)
        fresh = kept is None or kept.generation > run.nodes[path].generation
        assert fresh, f"{path} was built on {command.start_from}, and stays as it was"
    around = {each for path in gone for each in _above(run, path)}
    if command.rebase is not None:  # what failed is done again by the new flow, as a whole
        top = [run.nodes[path] for path in run.nodes[NodePath("")].children]
        gone |= {each.path for each in top if each.status in FINAL_NODE and not is_good(run, each)}
    for path, node in run.nodes.items():
        within = gone.intersection([path, *_above(run, path)])
        if node.status in FINAL_NODE and is_good(run, node) and not within and path not in around:
            kept = now.nodes.get(path)
            if command.rebase is not None and kept is not None:  # what needs it is what the flow says by now
                kept = replace(kept, wanted_by=node.wanted_by)
            assert kept == node, f"{path} was not built on {command.start_from}, and is touched"


def built_on(run: RunState, start: NodePath) -> set[NodePath]:
    """Return a node and all that needs it or a group around it, directly or not, and the later rounds."""
    todo, found = [start], set[NodePath]()
    for path in [start, *_above(run, start)]:
        node = run.nodes[path]
        todo += node.wanted_by
        beside = run.nodes[node.parent].children if node.parent is not None else ()
        todo += [each for each in beside if run.nodes[each].kind == "finally" and each != path]
        siblings = [run.nodes[each] for each in run.nodes[node.parent].children] if node.parent is not None else []
        if node.kind == "round":
            todo += [each.path for each in siblings if each.index > node.index]
        if node.kind == "item" and _stops(run, run.nodes[node.parent or NodePath("")]):
            todo += [each.path for each in siblings if each.status is NodeStatus.UNREACHED]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += run.nodes[path].wanted_by
    return found


def _stops(run: RunState, group: NodeState) -> bool:
    definition = run.spots[group.spot].node
    return isinstance(definition, ForEachNode) and definition.on_item_failure == "stop"


def _above(run: RunState, path: NodePath) -> Iterable[NodePath]:
    above = run.nodes[path].parent
    while above is not None:
        yield above
        above = run.nodes[above].parent


def of_launch(state: State, job: Job) -> None:
    """Check that what is launched is what policy and people say: every rule of the policy is in the job."""
    run, policy = _run(state), _run(state).policy
    if isinstance(job, PublishJob):
        assert job.how == policy.on_accept, f"published by {job.how}, and policy says {policy.on_accept}"
    if not isinstance(job, ProcessJob) or job.role is Role.COMMAND:
        return
    assert job.sandbox == policy.sandbox, f"sandbox {job.sandbox}, and policy says {policy.sandbox}"
    if run.raised:
        return
    limit = policy.check_timeout if job.role is Role.CHECK else policy.timeout
    assert job.limits.timeout == duration(limit).total_seconds(), f"timeout {job.limits.timeout}, and policy: {limit}"
    assert job.limits.memory == size(policy.memory), f"memory {job.limits.memory}, and policy: {policy.memory}"
    if job.role in {Role.BUILDER, Role.QA, Role.NODE}:
        silence = duration(policy.silence).total_seconds()
        assert job.limits.silence == silence, f"silence {job.limits.silence}, and policy: {policy.silence}"
    step = run.attempts[job.attempt].step
    if job.role is Role.BUILDER and state.task is not None and step is not None:
        for message in state.task.steps[step].messages:
            assert message in str(job.pack), f"{step} is built, and its builder is not told {message!r}"


def _run(state: State) -> RunState:
    assert state.run is not None
    return state.run


OF_COMMANDS: tuple[CommandLaw, ...] = (
    every_option_given_takes_effect_or_is_refused,
    a_decision_applies_to_the_gate_it_names_and_to_that_alone,
    going_back_invalidates_what_was_built_on_it_and_says_so_before,
)
