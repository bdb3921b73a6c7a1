"""What must hold after each event, whatever the world does: the invariants of the design, told from the events."""

from collections import Counter
from collections.abc import Sequence

from punchlist.engine.fold_nodes import counts_as_done
from punchlist.engine.retry import stamp
from punchlist.model import events as ev
from punchlist.model.ids import AttemptId, StepId
from punchlist.model.jobs import Role
from punchlist.model.state import NodeState
from punchlist.model.states import FINAL_NODE, FINAL_STEP, FINAL_TASK, NodeStatus, StepStatus, TaskStatus
from tests.runs import Story

_PASSED = {StepStatus.ACCEPTED, StepStatus.SKIPPED}


class Laws:
    """The laws over one story, and what they have to remember of it."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._accepted: Counter[tuple[str, int]] = Counter()
        self._closed: Counter[tuple[str, int]] = Counter()
        self._decided: Counter[str] = Counter()
        self._next: dict[tuple[str, int], int] = {}
        self._passing: dict[tuple[str, int], set[str]] = {}
        self._revision: dict[str, int] = {}
        self._parent: dict[str, str] = {}
        self._started: set[AttemptId] = set()
        self._owed: set[str] = set()
        self._paused = False

    def again(self) -> None:
        """Begin with another run of the same task."""
        self._started.clear()
        self._paused = False

    def see(self, events: Sequence[ev.Event]) -> None:
        """Check what holds at each event."""
        for event in events:
            self._check_event(event.fact)

    def _check_event(self, fact: ev.AnyFact) -> None:
        if isinstance(fact, ev.TaskFact):
            self._check_task(fact)
        elif isinstance(fact, ev.RunFact):
            self._check_run(fact)

    def _check_task(self, fact: ev.TaskFact) -> None:
        match fact:
            case ev.StepMoved():
                self._moved(fact)
            case ev.StepClosed():
                self._count(self._closed, fact.step, fact.r)
            case ev.VerdictGiven(verdict=verdict) if verdict.result == "pass" and fact.step is not None:
                self._passing.setdefault((fact.step, fact.r), set()).add(verdict.tree)
            case ev.StepIntegrated():
                r = self._revision.get(fact.step, 0)
                assert fact.tree in self._passing.get((fact.step, r), set()), "integrated without a passing verdict"
                assert fact.step not in self._owed, "what a person asked for was passed over"
            case ev.ReworkAsked():
                self._owed.add(fact.step)
            case ev.FindingWaived():
                self._owed.discard(fact.step or "")
            case _:
                pass

    def _check_run(self, fact: ev.RunFact) -> None:
        match fact:
            case ev.GateDecided():
                self._decided[fact.gate] += 1
                assert self._decided[fact.gate] == 1, "decided twice"
            case ev.AttemptQueued(role=Role.BUILDER):
                self._number(fact)
            case ev.AttemptStarted():
                self._start(fact.attempt)
            case ev.RunPaused():
                self._paused = fact.paused
            case ev.NodeStarted():
                self._check_needs(fact)
            case _:
                pass

    def _number(self, fact: ev.AttemptQueued) -> None:
        assert fact.step is not None
        expected = self._next.get((fact.step, fact.r), 0)
        assert (fact.r, fact.s) == (self._revision.get(fact.step, 0), expected), "numbered wrongly"
        self._next[fact.step, fact.r] = expected + 1

    def _start(self, name: AttemptId) -> None:
        assert not self._paused, "started while paused"
        assert name not in self._started, "started twice"
        self._started.add(name)
        attempt = self._story.run.attempts[name]
        if attempt.role is Role.BUILDER:
            self._owed.discard(attempt.step or "")

    def _moved(self, fact: ev.StepMoved) -> None:
        if fact.r is not None:
            assert fact.r == self._revision.get(fact.step, 0) + 1, "a revision was left out"
            self._revision[fact.step] = fact.r
        if fact.status is StepStatus.ACCEPTED:
            self._count(self._accepted, fact.step, self._revision.get(fact.step, 0))

    def _count(self, counter: Counter[tuple[str, int]], step: str, r: int) -> None:
        counter[step, r] += 1
        assert counter[step, r] == 1, f"{step} twice in revision {r}"

    def _check_needs(self, fact: ev.NodeStarted) -> None:
        """Nothing is started whose needs did not come to a good end."""
        run = self._story.run
        node = run.nodes.get(fact.node)
        if node is None or node.parent is None:
            return
        for other in run.nodes[node.parent].children:
            if fact.node in run.nodes[other].wanted_by and run.nodes[other].status in FINAL_NODE:
                assert counts_as_done(run, run.nodes[other]), f"{fact.node} began, though {other} did not succeed"
        step = next((each for each in self._story.task.task.steps if node.path == f"steps[{each.id}]"), None)
        if step is not None:
            states = {each.id: each.status for each in self._story.task.task.steps}
            assert all(states[need] in _PASSED | {StepStatus.PENDING} for need in step.needs), "built on nothing"

    def check_waits(self) -> None:
        """Whatever waits has something that will wake it."""
        run = self._story.run
        if run.status in FINAL_NODE:
            assert not run.live
            assert not run.open_gates
            assert not run.queue.entries
            assert not run.parked
            return
        assert run.paused or run.open_gates or run.live or run.queue.entries or run.parked, "nothing will wake it"
        if not (run.paused or run.live or run.cancelling):
            assert not run.queue.entries, "a free slot, and something waits for one"
        wake_at = self._story.wanted.wake_at
        if not (run.live or run.open_gates or run.paused):
            assert wake_at is not None, "no timer is armed"
        assert wake_at is None or wake_at > stamp(self._story.now), "a timer that is due already would ring for ever"
        for node in run.nodes.values():
            if node.status is NodeStatus.WAITING:
                assert node.path in run.open_gates.values(), f"{node.path} waits for nothing"
            elif node.status is NodeStatus.RUNNING and not node.children:
                assert self._under_way(node), f"{node.path} runs, and nothing of it does"
        self._check_steps()

    def _under_way(self, node: NodeState) -> bool:
        run = self._story.run
        coming = {*run.live, *run.queue.entries.values(), *run.parked}
        waits_in_line = node.path in run.integrating and node.path != run.integrating[0]
        return waits_in_line or bool(coming & set(node.attempts)) or node.path in run.open_gates.values()

    def _check_steps(self) -> None:
        task = self._story.task.task
        assert task.status in {TaskStatus.RUNNING, TaskStatus.WAITING, TaskStatus.ACCEPTED, TaskStatus.DRAFT}
        for each in task.steps:
            if each.status in FINAL_STEP:
                assert self._story.told(each.index).closed, f"{each.id} is over without a closing record"

    def check_end(self) -> None:
        """Check what a run leaves: every step over or pending, and the task over, unless it was revised."""
        story = self._story
        task = story.task.task
        assert task.status in FINAL_TASK | {TaskStatus.DRAFT}
        for each in task.steps:
            told = story.told(each.index)
            assert each.status in FINAL_STEP | {StepStatus.PENDING}
            assert told.closed == (each.status in FINAL_STEP)
            assert (self._closed[each.id, told.r] == 1) == told.closed
            assert told.r == self._revision.get(StepId(each.id), 0)
        if task.status is TaskStatus.ACCEPTED:
            assert {each.status for each in task.steps} <= _PASSED
            last = story.task.steps[""].verdicts[-1].verdict
            assert (last.result, last.commit) == ("pass", story.task.tip)
            assert all(told.tree == last.tree for told in story.task.steps.values() if told.commit == story.task.tip)
