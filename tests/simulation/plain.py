"""Plain flows of every shape in a world against them: things fail, are cancelled, are tried again, are gone back to."""

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from punchlist.engine.fold_nodes import ROOT, UNDER_WAY, counts_as_done
from punchlist.errors import PunchlistError
from punchlist.flow.parse import parse_flow
from punchlist.model import commands as cmd
from punchlist.model.gates import GATES
from punchlist.model.ids import AttemptId, NodePath
from punchlist.model.jobs import FailureClass, Outcome
from punchlist.model.json import Json
from punchlist.model.policy import Policy
from punchlist.model.state import NodeState
from punchlist.model.states import FINAL_NODE, AttemptStatus, NodeStatus
from tests.runs import Story

_TROUBLES = (FailureClass.WORKER, FailureClass.WORKER, FailureClass.WORKER, FailureClass.TIMEOUT, FailureClass.LOST)
_KINDLY = {"exhausted": "accept_last", "limit": "retry", "flow": "approve"}
_DEPTH = 3


class Plain:
    """One run of one flow, both by the throw of a seeded die."""

    def __init__(self, seed: int, *, kept: Callable[..., Story] = Story) -> None:
        self.seed = seed
        self.die = random.Random(seed)
        self.kind = False
        self.story = kept(flow=parse_flow(self._text(), source="plain.yaml"))
        self.story.refolds = False
        policy = Policy(max_parallel=self.die.randint(1, 4), retries=self.die.randrange(2), max_transitions=1_000_000)
        self._tell(lambda: self.story.start(policy=policy))

    # -- the flow -----------------------------------------------------------------------------------------------------

    def _text(self) -> str:
        return json.dumps({"punchlist": 1, "flow": "plain", "nodes": self._nodes(0)}, indent=1)

    def _nodes(self, depth: int) -> dict[str, Any]:
        nodes: dict[str, Any] = {}
        for number in range(self.die.randint(1, 3)):
            node = self._node(depth)
            if nodes and self.die.random() < 0.5:
                node["needs"] = self.die.sample([*nodes], self.die.randrange(len(nodes) + 1))
            if self.die.random() < 0.15:
                node["on_failure"] = "continue"
            nodes[f"n{depth}{number}"] = node
        return nodes

    def _node(self, depth: int) -> dict[str, Any]:
        leaves: list[dict[str, Any]] = [{"run": "make"}] * 4 + [{"gate": "Go on?"}, {"set": {"one": 1}}]
        if depth == _DEPTH or self.die.random() < 0.4:
            return dict(self.die.choice(leaves))
        group: dict[str, Any] = {"nodes": self._nodes(depth + 1)}
        shape = self.die.randrange(3)
        if shape == 1:
            most, last = self.die.randint(1, 3), self.die.randrange(3)
            rule = self.die.choice(("gate", "continue")) if last >= most else self.die.choice(("gate", "fail"))
            group["repeat"] = {"max": most, "until": f"${{{{ round.index >= {last} }}}}", "on_exhausted": rule}
        elif shape == 2:
            names = [f"i{number}" for number in range(self.die.randint(0, 4))]
            items = [{"id": name, "needs": [each for each in names[:n] if self.die.random() < 0.3]}
                     for n, name in enumerate(names)]  # fmt: skip
            group |= {"for_each": items, "as": f"one{depth}", "key": f"${{{{ one{depth}.id }}}}"}
            group |= {"max_parallel": self.die.randint(1, 3), "needs_from": f"${{{{ one{depth}.needs }}}}"}
            group["on_item_failure"] = self.die.choice(("stop", "continue"))
        return group

    # -- living -------------------------------------------------------------------------------------------------------

    def run(self, *, troubles: int = 60, most: int = 3000) -> None:
        """Live through `troubles` inputs in a world that is against it, then in a kind one until the run succeeds."""
        for count in range(most):
            self.kind = count >= troubles
            if self.kind and self.story.run.status is NodeStatus.SUCCEEDED:
                break
            (self._kindly if self.kind else self._unkindly)()
        assert self.story.run.status is NodeStatus.SUCCEEDED, f"seed {self.seed}: it comes to no good end"
        assert self.story.refolded().run == self.story.run

    def _kindly(self) -> None:
        run = self.story.run
        if run.status in FINAL_NODE:
            self._retry()
        elif run.paused:
            self._command(cmd.Resume(run=run.id))
        elif run.live:
            self._end(self.die.choice(sorted(run.live)), failing=False)
        elif run.open_gates:
            self._decide()
        else:
            self._tell(lambda: self.story.wait(timedelta(hours=2)))

    def _unkindly(self) -> None:
        run = self.story.run
        ways: list[tuple[float, Callable[[], None]]] = [
            (8.0 if run.live else 0, lambda: self._end(self.die.choice(sorted(run.live)), failing=True)),
            (2.0 if run.open_gates else 0, self._decide),
            (0.5, lambda: self._tell(lambda: self.story.wait(timedelta(hours=self.die.choice((1, 1, -1)))))),
            (1.0 if run.status is NodeStatus.FAILED else 0.3, self._retry),
            (1.0, self._go_back),
            (0.7, self._steer),
            (0.3, self._crash),
        ]
        self.die.choices([way for _, way in ways], [weight for weight, _ in ways])[0]()

    def _steer(self) -> None:
        run = self.story.run
        self._command(
            self.die.choice((
                cmd.Pause(run=run.id, now=self.die.random() < 0.5),
                cmd.Resume(run=run.id),
                cmd.Cancel(run=run.id, node=self.die.choice(sorted(run.nodes))),
            ))
        )  # fmt: skip

    def _retry(self) -> None:
        """Try again what failed: no node that had succeeded is touched."""
        run = self.story.run
        good = {path: node for path, node in run.nodes.items() if _is_done(node) and not _may_end_anew(run.nodes, node)}
        self._command(cmd.Retry(run=run.id))
        assert all(self.story.run.nodes[path] == node for path, node in good.items()), "what succeeded was touched"

    def _go_back(self) -> None:
        run = self.story.run
        some = self.die.choice(sorted(run.nodes))
        self._command(cmd.Resume(run=run.id, start_from=some, agreed=self.die.random() < 0.8))

    def _crash(self) -> None:
        """Throw everything away but the events; what ran is lost."""
        story = self.story
        story.state = story.refolded()
        for name in sorted(story.run.live):
            if name in story.run.live:
                self._over(Outcome(attempt=name, status=AttemptStatus.LOST, failure=FailureClass.LOST, reason="lost"))

    def _decide(self) -> None:
        run = self.story.run
        gate = run.gates[self.die.choice(sorted(run.open_gates))]
        choice = _KINDLY[gate.kind] if self.kind else self.die.choice(gate.choices)
        table = {each.name: each.fields for each in GATES[gate.kind].choices}
        values: dict[str, Json] = {"n": 1, "value": "2h"}
        data = {each.name: values.get(each.name, "because") for each in table.get(choice, ()) if each.required}
        self._command(cmd.Decide(run=run.id, gate=gate.id, choice=choice, data=data))

    def _end(self, name: AttemptId, *, failing: bool) -> None:
        if failing and self.die.random() < 0.3:
            failure = self.die.choice(_TROUBLES)
            status = {FailureClass.TIMEOUT: AttemptStatus.TIMED_OUT, FailureClass.LOST: AttemptStatus.LOST}
            ended = status.get(failure, AttemptStatus.FAILED)
            limit = "timeout" if failure is FailureClass.TIMEOUT else None
            self._over(Outcome(attempt=name, status=ended, failure=failure, reason="no", passed_limit=limit))
        else:
            result: Json = {"exit_code": 0, "stdout": ""}
            self._over(Outcome(attempt=name, status=AttemptStatus.SUCCEEDED, result=result, exit_code=0))

    def _over(self, outcome: Outcome) -> None:
        self._tell(lambda: self.story.tell(cmd.AttemptOver(run=self.story.id, outcome=outcome), actor="engine"))

    def _command(self, command: cmd.RunCommand) -> None:
        """Tell a command of a person, which may be refused: then nothing has happened."""
        before = self.story.state
        try:
            self._tell(lambda: self.story.tell(command))
        except PunchlistError:
            assert self.story.state is before

    def _tell(self, tell: Callable[[], object]) -> None:
        tell()
        self._check()
        if self.die.random() < 0.05:
            assert self.story.refolded().run == self.story.run

    # -- what must hold -----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        run = self.story.run
        under_way = bool(run.live or run.open_gates or run.queue.entries or run.parked)
        assert under_way == (run.status not in FINAL_NODE), "nothing will wake it" if not under_way else "over, and not"
        for node in run.nodes.values():
            assert node.path == ROOT or node.parent in run.nodes, f"{node.path} is in nothing"
            self._check_node(node)
            if node.children:
                self._check_group(node, [run.nodes[path] for path in node.children])

    def _check_node(self, node: NodeState) -> None:
        run = self.story.run
        coming = {*run.live, *run.queue.entries.values(), *run.parked}
        if node.status is NodeStatus.RUNNING and not node.children:
            assert coming & set(node.attempts), f"{node.path} runs, and nothing of it does"
        elif node.status is NodeStatus.WAITING:
            assert node.path in run.open_gates.values(), f"{node.path} waits for nothing"
        elif node.status in FINAL_NODE | {NodeStatus.PENDING}:
            assert not coming & set(node.attempts), f"{node.path} is {node.status}, and something of it runs"
            assert node.path not in run.open_gates.values()

    def _check_group(self, group: NodeState, children: list[NodeState]) -> None:
        run = self.story.run
        open_ = [child for child in children if child.status not in FINAL_NODE]
        undone = [child for child in children if child in open_ or not counts_as_done(run, child)]
        assert group.remaining == len(open_), f"{group.path} waits for {group.remaining}, not for {len(open_)}"
        assert group.failed == len(undone) - len(open_)
        assert not (group.status in FINAL_NODE and open_), f"{group.path} is over, and {open_[0].path} is not"
        for child in children:
            needs = [each for each in undone if child.path in each.wanted_by]
            if child.status is NodeStatus.PENDING:
                assert child.missing == len(needs), f"{child.path} counts its needs wrongly"
            elif child.started_at:
                assert not needs, f"{child.path} is {child.status} without {needs[0].path}"
        if group.kind == "for_each" and group.status in UNDER_WAY:
            assert group.running == sum(child.status in UNDER_WAY for child in children) <= group.max_parallel
            ready = [child.path for child in children if child.status is NodeStatus.PENDING and not child.missing]
            assert sorted(group.ready.entries.values()) == sorted(ready)


def _is_done(node: NodeState) -> bool:
    return node.status in {NodeStatus.SUCCEEDED, NodeStatus.SKIPPED}


def _may_end_anew(nodes: Any, node: NodeState) -> bool:
    """Say whether a node is in a group that failed or was cancelled as a whole: only the whole can be tried again."""
    above: NodePath | None = node.parent
    while above is not None:
        if nodes[above].status in {NodeStatus.FAILED, NodeStatus.CANCELLED} and not nodes[above].failed:
            return True
        above = nodes[above].parent
    return False
