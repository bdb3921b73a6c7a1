"""Laws of a state after each decision, and of an engine that has nothing to do."""

from collections.abc import Callable, Mapping

from punchlist.engine.retry import stamp
from punchlist.model import events as ev
from punchlist.model.flow import ForEachNode
from punchlist.model.ids import NodePath, RunId
from punchlist.model.places import Limits, at_work, full
from punchlist.model.state import NodeState, RunState, State
from punchlist.model.states import FINAL_NODE, FINAL_STEP, NodeStatus, TaskStatus
from tests.simulation.engine import Engine, Taken
from tests.simulation.event_laws import is_good

_UNDER_WAY = {NodeStatus.RUNNING, NodeStatus.WAITING}
StateLaw = Callable[[State], None]
EngineLaw = Callable[[Engine], None]


def every_wait_has_a_registered_waker(state: State) -> None:
    run = _run(state)
    pending = run.live or run.open_gates or run.queue.entries or run.parked or run.timers
    if run.status in FINAL_NODE:
        assert not pending, "it is over, and something of it is not"
        assert not run.held, f"it is over, and {sorted(run.held)} wait for their turn"
        return
    assert pending, "nothing will wake it"
    held = {attempt for attempts in run.held.values() for attempt in attempts}
    coming = {*run.live, *run.queue.entries.values(), *run.parked, *held}
    asked = set(run.open_gates.values())
    for node in run.nodes.values():
        mine = coming.intersection(node.attempts)
        if node.status is NodeStatus.WAITING:
            assert node.path in asked, f"{node.path} waits for nothing"
        elif node.status is NodeStatus.RUNNING and not node.children:
            in_line = node.path in run.integrating[1:]
            waits = node.path in asked or node.path in run.timers
            assert mine or in_line or waits, f"{node.path} runs, and nothing of it does"
        elif node.status not in _UNDER_WAY:
            assert not mine, f"{node.path} is {node.status}, and {sorted(mine)} of it are not over"
            assert node.path not in asked, f"{node.path} is {node.status}, and its gate is open"
            assert node.path not in run.timers, f"{node.path} is {node.status}, and its timer is set"


def a_failed_or_cancelled_need_reaches_every_dependent_at_once(state: State) -> None:
    run = _run(state)
    for group in run.nodes.values():
        children = [run.nodes[path] for path in group.children]
        for needed in children:
            if needed.status in FINAL_NODE and needed.wanted_by and not is_good(run, needed):
                for path in needed.wanted_by:
                    left = run.nodes[path].status
                    assert left is not NodeStatus.PENDING, f"{path} is pending, and {needed.path} is {needed.status}"
        ready = [each.path for each in children if each.status is NodeStatus.PENDING and _may_begin(run, each)]
        if ready and group.kind != "for_each" and _is_under_way(run, group):
            raise AssertionError(f"{ready[0]} is pending, and all that it needs is over")


def _is_under_way(run: RunState, node: NodeState) -> bool:
    """Say whether a node is at work, and all that it is in: an item that begins again may wait for its place."""
    above: NodeState | None = node
    while above is not None and above.status in _UNDER_WAY:
        above = run.nodes[above.parent] if above.parent is not None else None
    return above is None


def _may_begin(run: RunState, node: NodeState) -> bool:
    """Say whether nothing is in the way of a node; what runs at the end of a flow begins when all else is over."""
    if node.kind != "finally":
        return _needs_nothing(run, node)
    siblings = [run.nodes[path] for path in run.nodes[node.parent or NodePath("")].children]
    return all(each.status in FINAL_NODE for each in siblings if each is not node)


def _needs_nothing(run: RunState, node: NodeState) -> bool:
    siblings = [run.nodes[path] for path in run.nodes[node.parent or NodePath("")].children]
    needs = [each for each in siblings if node.path in each.wanted_by]
    return all(each.status in FINAL_NODE and is_good(run, each) for each in needs)


def a_group_is_over_when_all_in_it_is(state: State) -> None:
    run = _run(state)
    for group in run.nodes.values():
        children = [run.nodes[path] for path in group.children]
        if not children:
            continue
        left = [each for each in children if each.status not in FINAL_NODE]
        failed = sum(each not in left and not is_good(run, each) for each in children)
        assert group.remaining == len(left), f"{group.path!r} waits for {group.remaining}, not for {len(left)}"
        assert group.failed == failed, f"{group.path!r} counts {group.failed} failures, not {failed}"
        assert not (left and group.status in FINAL_NODE), f"{group.path!r} is over, and {left[0].path} is not"
        assert left or group.status not in _UNDER_WAY or group.path in run.open_gates.values(), (
            f"{group.path!r} goes on"
        )
        for child in children:
            _check_child(run, group, child)
        if group.kind == "for_each" and _is_under_way(run, group):
            _check_places(run, group, children=children)


def _check_child(run: RunState, group: NodeState, child: NodeState) -> None:
    if child.status is NodeStatus.PENDING:
        undone = [run.nodes[path] for path in group.children if child.path in run.nodes[path].wanted_by]
        count = sum(each.status not in FINAL_NODE or not is_good(run, each) for each in undone)
        assert child.missing == count, f"{child.path} waits for {child.missing} needs, not for {count}"


def _check_places(run: RunState, group: NodeState, *, children: list[NodeState]) -> None:
    """The items of a `for_each` under way: no more than its own `max_parallel`, no fewer than may be.

    What rests until a person decides takes no place, but in a list of which one begins when the one before is over.
    """
    in_turn = group.max_parallel == 1 and group.spot in _lists(run)
    under_way = [each for each in children if each.status in _UNDER_WAY]
    resting = [each for each in under_way if not in_turn and not _goes_on(run, each)]
    running = len([each for each in under_way if each not in resting and each.path not in run.held])
    ready = [each.path for each in children if each.status is NodeStatus.PENDING and not each.missing]
    line = sorted([*ready, *(each.path for each in under_way if each.path in run.held)])
    assert group.running == running <= group.max_parallel, f"{running} items of {group.path} run"
    assert sorted(group.ready.entries.values()) == line, f"{group.path} has lost one of {line}"
    assert not line or running == group.max_parallel, f"{group.path} has a place for {line}"
    assert not any(each.path in run.held for each in resting), f"{group.path} holds what rests"


def _lists(run: RunState) -> set[str]:
    defined = {path: spot.node for path, spot in run.spots.items()}
    return {path for path, node in defined.items() if isinstance(node, ForEachNode) and node.needs_from is None}


def _goes_on(run: RunState, node: NodeState) -> bool:
    """Say whether anything in a node can go on before a person decides."""
    if node.status is not NodeStatus.RUNNING:
        return False
    parts = [run.nodes[path] for path in node.children]
    return any(_goes_on(run, each) for each in parts) or all(each.status in FINAL_NODE for each in parts)


def a_step_that_is_over_has_its_closing_record(state: State) -> None:
    task = state.task
    if task is None or _run(state).purpose != "deliver":
        return
    for step in task.task.steps:
        over = step.status in FINAL_STEP
        assert task.steps[step.id].closed == over, f"{step.id} is {step.status}, closed: {task.steps[step.id].closed}"


def a_task_shows_whether_anything_can_happen_to_it(state: State) -> None:
    """`waiting` means that nothing can run until a gate is decided; a task is not left behind by its run."""
    run, task = _run(state), state.task
    if task is None or task.run != run.id or run.purpose != "deliver":
        return
    held = {TaskStatus.RUNNING, TaskStatus.WAITING}
    if run.status in FINAL_NODE:
        assert task.task.status not in held, f"the run is {run.status}, and the task is {task.task.status}"
        return
    asked = set(run.open_gates.values())
    stuck = bool(run.open_gates) and not (run.live or run.queue.entries or run.parked or {*run.timers} - asked)
    expected = TaskStatus.WAITING if stuck else TaskStatus.RUNNING
    assert task.task.status in {expected, TaskStatus.ACCEPTED}, f"the task is {task.task.status}, not {expected}"


def everything_the_engine_is_about_to_do_is_a_function_of_recorded_state(engine: Engine) -> None:
    """What runs is what the state says is running; no more, no less, and whoever started it."""
    machine = engine.around.office.machine
    running = {each.attempt for each in machine.alive()}
    recorded = {name for state in engine.states.values() for name in _run(state).live}
    assert running == recorded, f"running: {sorted(running)}, recorded: {sorted(recorded)}"
    assert running == engine.waiting, f"the engine waits for {sorted(engine.waiting)}, and {sorted(running)} run"


def every_timer_is_armed(engine: Engine) -> None:
    now = stamp(engine.around.office.now)
    for name, state in engine.states.items():
        run = _run(state)
        blocked = run.paused or bool(run.cancelling) or len(run.live) >= run.policy.max_parallel
        looked = engine.decided_at.get(name, "")  # what was due then, and did not start, waits for room
        times = [*([] if blocked else run.parked.values()), *(each.at for each in run.timers.values())]
        expected = None if run.cancelling else min((at for at in times if at > looked), default=None)
        assert engine.wake_at.get(name) == expected, f"{name} is woken at {engine.wake_at.get(name)}, not at {expected}"
        assert expected is None or expected > now, f"the timer of {name} is due already, and rings for ever"


def no_more_start_than_the_limits_allow(taken: Taken, states: Mapping[RunId, State], limits: Limits) -> None:
    """What a decision starts has a place beside all that is at work; what was at work when a limit fell may stay."""
    started = [each.fact.attempt for each in taken.events if isinstance(each.fact, ev.AttemptStarted)]
    if not started:
        return
    busy = at_work(run.attempts[each].worker for run in map(_run, states.values()) for each in run.live)
    most = limits.workspace
    assert most is None or busy.all <= most, f"{busy.all} are at work, and {most} may be"
    for worker in {_run(states[taken.command.run]).attempts[each].worker for each in started} & {*limits.workers}:
        count, most = busy.workers.get(str(worker), 0), limits.workers[str(worker)]
        assert count <= most, f"{count} of {worker} are at work, and {most} may be"


def nothing_waits_while_there_is_room(engine: Engine) -> None:
    """What waits in the queue, or for a time that has come, has a limit in its way: its run's, or one over all runs."""
    now = stamp(engine.around.office.now)
    runs = [_run(state) for state in engine.states.values()]
    busy = at_work(run.attempts[each].worker for run in runs for each in run.live)
    for run in runs:
        if run.paused or run.cancelling or len(run.live) >= run.policy.max_parallel:
            continue
        ready = [*run.queue.entries.values(), *(each for each, at in run.parked.items() if at <= now)]
        free = [each for each in ready if not full(engine.limits, run.attempts[each].worker, now=busy)]
        assert not free, f"there is room, and {free} wait for it"


def _run(state: State) -> RunState:
    assert state.run is not None
    return state.run


OF_STATES: tuple[StateLaw, ...] = (
    every_wait_has_a_registered_waker,
    a_failed_or_cancelled_need_reaches_every_dependent_at_once,
    a_group_is_over_when_all_in_it_is,
    a_step_that_is_over_has_its_closing_record,
    a_task_shows_whether_anything_can_happen_to_it,
)
OF_ENGINES: tuple[EngineLaw, ...] = (
    everything_the_engine_is_about_to_do_is_a_function_of_recorded_state,
    every_timer_is_armed,
    nothing_waits_while_there_is_room,
)
