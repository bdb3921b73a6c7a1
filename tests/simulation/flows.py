"""The life of one plain flow of any shape: for_each, repeat, call, gates, conditions, retries, and ways back."""

import json
from random import Random
from typing import Any

import msgspec

from punchlist.engine.fold_nodes import GOOD, ROOT
from punchlist.flow.parse import parse_flow
from punchlist.model import commands as cmd
from punchlist.model.flow import Flow
from punchlist.model.gates import GATES
from punchlist.model.ids import RunId, StepId, StreamId
from punchlist.model.jobs import Outcome, Role
from punchlist.model.json import Json
from punchlist.model.policy import Policy
from punchlist.model.state import GateState, State
from punchlist.model.states import FINAL_NODE, AttemptStatus, NodeStatus
from tests.simulation.answers import cost, trouble
from tests.simulation.machine import Process
from tests.simulation.moods import Mood
from tests.simulation.office import Office

_KINDLY = {"exhausted": "accept_last", "limit": "retry", "flow": "approve", "blocked": "skip"}
_DEPTH = 3
Nodes = dict[str, Any]


class Shapes:
    """Writes the text of a flow, and of those that it calls."""

    def __init__(self, die: Random) -> None:
        self.die = die
        self.called: dict[str, str] = {}

    def flow(self) -> Flow:
        """Return a flow, parsed and checked like any other."""
        return parse_flow(self._text("plain", 0), source="plain.yaml", read=self._read)

    def _text(self, name: str, depth: int) -> str:
        nodes = self._nodes(depth)
        last = {"last": self._leaf()} if self.die.random() < 0.3 else None
        return _text(name, nodes, last=last)

    def _read(self, name: str) -> str:
        return self.called[f"./{name.rpartition('/')[2]}"]

    def _nodes(self, depth: int) -> Nodes:
        nodes: Nodes = {}
        for number in range(self.die.randint(1, 3)):
            node = self._node(depth)
            if nodes and self.die.random() < 0.5:
                node["needs"] = self.die.sample([*nodes], self.die.randrange(len(nodes) + 1))
            if self.die.random() < 0.15 and "fail" not in node:
                node["on_failure"] = "continue"
            nodes[f"n{depth}{number}"] = node
        return nodes

    def _node(self, depth: int) -> Nodes:
        if depth == _DEPTH or self.die.random() < 0.45:
            return self._leaf()
        shape = self.die.randrange(5)
        if shape == 3:
            name = f"./c{len(self.called)}.yaml"
            self.called[name] = ""
            self.called[name] = self._text("called", depth + 1)
            return {"call": name}
        if shape == 4:
            return self._match(depth)
        group: Nodes = {"nodes": self._nodes(depth + 1)}
        if shape == 1:
            group["repeat"] = self._repeat()
        elif shape == 2:
            group |= self._items(depth)
        return group

    def _match(self, depth: int) -> Nodes:
        """Return a match on what is never known before it runs: how often a node was tried, which run this is."""
        names = self.die.sample(("1", "2", "R1", "R2"), self.die.randint(1, 3))
        cases = {name: {"nodes": self._nodes(depth + 1)} if self.die.random() < 0.8 else {} for name in names}
        return {"match": "${{ run.id }}", "cases": cases, "else": {"nodes": self._nodes(depth + 1)}}

    def _leaf(self) -> Nodes:
        kind = self.die.randrange(9)
        if kind == 0:
            return {"gate": "Go on?"} if self.die.random() < 0.6 else dict(self.die.choice(_GATES))
        if kind == 4:
            return dict(self.die.choice(_WAITS))
        if kind == 1:
            return {"set": {"one": 1}}
        if kind == 2:
            return {"agent": "coder", "prompt": "Do it."} if self.die.random() < 0.7 else {"python": "tools:do"}
        if kind == 3:
            return dict(self.die.choice(_CONDITIONS))
        tried: Nodes = {"retry": {"max": self.die.randrange(3)}} if self.die.random() < 0.5 else {}
        if tried and self.die.random() < 0.4:
            tried["retry"]["on"] = self.die.sample(("worker", "timeout", "lost", "exit:7"), self.die.randint(1, 2))
        return {"run": "make", **tried}

    def _repeat(self) -> Nodes:
        most, last = self.die.randint(1, 3), self.die.randrange(3)
        rule = self.die.choice(("gate", "continue")) if last >= most else self.die.choice(("gate", "fail"))
        return {"max": most, "until": f"${{{{ round.index >= {last} }}}}", "on_exhausted": rule}

    def _items(self, depth: int) -> Nodes:
        names = [f"i{number}" for number in range(self.die.randint(0, 4))]
        items = [
            {"id": name, "needs": [each for each in names[:n] if self.die.random() < 0.3]}
            for n, name in enumerate(names)
        ]
        one = f"one{depth}"
        if self.die.random() < 0.2:
            return {"for_each": {"lines": "items"}, "as": one, "max_parallel": self.die.randint(1, 3)}
        return {
            "for_each": items,
            "as": one,
            "key": f"${{{{ {one}.id }}}}",
            "max_parallel": self.die.randint(1, 3),
            "needs_from": f"${{{{ {one}.needs }}}}",
            "on_item_failure": self.die.choice(("stop", "continue")),
        }


class PlainFlow:
    """One run of one flow."""

    def __init__(self, office: Office, die: Random, mood: Mood) -> None:
        self.office = office
        self.mood = mood
        self.run: RunId | None = None
        self.runs: set[RunId] = set()
        self.stream = StreamId("")
        self.flow = Shapes(die).flow()
        self.policy = Policy(
            max_parallel=die.randint(1, 4), retries=die.randrange(3), timeout=die.choice(("1h", "2h")), sandbox="none"
        )

    @property
    def state(self) -> State | None:
        """What is known of the run."""
        return self.office.states.get(self.run) if self.run is not None else None

    @property
    def status(self) -> NodeStatus | None:
        """Where the run stands; None before it has begun."""
        return self.state.run.status if self.state is not None and self.state.run is not None else None

    def is_over(self) -> bool:
        """Say whether nothing of it is under way."""
        return self.run is None or self.status in FINAL_NODE

    def is_done(self) -> bool:
        """Say whether it has come to a good end, as every flow does at last in a kind world."""
        return self.status is NodeStatus.SUCCEEDED or self.run is None

    def begin(self, die: Random) -> str:
        """Ask for the run; what has begun already is refused."""
        if self.run is None:
            self.run, self.stream = self.office.new_run()
            self.runs.add(self.run)
        command = cmd.StartRun(
            run=self.run, stream=self.stream, purpose="flow", definition=self.flow, inputs={}, policy=self.policy
        )
        return self.office.send(command, die)

    def hear(self, run: RunId, *, begun: bool) -> None:
        """Hear whether a run that was asked for has begun."""
        if not begun and self.state is None:
            self.run = None

    def again(self, die: Random) -> str:
        """Try again what failed, or go back from the end."""
        assert self.run is not None
        if self.status is NodeStatus.SUCCEEDED and die.random() < 0.5:
            return f"{self.run} stays as it is"
        if self.status is NodeStatus.SUCCEEDED:
            return self.office.send(self._back(die), die)
        if die.random() < 0.2:
            return self.office.send(self._instead(die), die)
        return self.office.send(cmd.Retry(run=self.run), die)

    def outcome(self, process: Process, die: Random, *, kind: bool) -> Outcome:
        """Return how an attempt ends."""
        attempt = process.attempt
        if not kind and die.random() < self.mood.trouble:
            return trouble(attempt, die.choice(self.mood.classes), usage=cost(die))
        assert self.state is not None
        assert self.state.run is not None
        role = self.state.run.attempts[attempt].role
        agent = role is Role.NODE
        answer: Json = {"said": "yes"} if agent else {"exit_code": 0, "stdout": "", "answer": 1}
        if role is Role.ENGINE:
            answer = {"items": [*"abc"[: die.randrange(4)]]}
        return Outcome(
            attempt=attempt,
            status=AttemptStatus.SUCCEEDED,
            result=answer,
            exit_code=None if agent else 0,
            usage=cost(die) if agent else None,
        )

    def look(self, die: Random) -> None:
        """Nothing of it is outside of the record."""

    def check_git(self) -> None:
        """Nothing of it is in git."""

    def steer(self, die: Random) -> cmd.RunCommand:
        """Return a command of a person."""
        assert self.state is not None
        assert self.state.run is not None
        run = self.state.run
        return die.choices(
            (
                cmd.Pause(run=run.id, now=die.random() < 0.5),
                cmd.Resume(run=run.id),
                cmd.Cancel(run=run.id, node=die.choice(sorted(run.nodes))),
                self._back(die),
                cmd.Retry(run=run.id),
                self._more(die),
                self._rebased(die),
                cmd.Cancel(run=run.id),
                cmd.Waive(run=run.id, finding="F1", reason="why not"),  # type: ignore[arg-type]
                cmd.CloseStep(run=run.id, step=StepId("T1.1"), status="skipped"),
            ),
            (2, 3, 1.5, 3, 1.5, 2, 3, 0.4, 0.1, 0.1),
        )[0]

    def _instead(self, die: Random) -> cmd.AddNodes:
        """Return another node in the place of one that came to no good end, with which the run may go on."""
        assert self.state is not None
        assert self.state.run is not None
        run = self.state.run
        bad = [each for each in run.nodes[ROOT].children if run.nodes[each].status not in GOOD]
        text = json.dumps({"nodes": {die.choice(bad or ["none"]): {"run": "true", "needs": []}}})
        return cmd.AddNodes(run=run.id, text=text, source="instead", replace=True)

    def _more(self, die: Random) -> cmd.AddNodes:
        """Return an addition: new nodes, or others in the place of those that are there, right or wrong."""
        assert self.state is not None
        assert self.state.run is not None
        there = [each.id for each in self.state.run.definition.nodes]
        nodes: Nodes = {}
        for _ in range(die.randint(1, 2)):
            name = die.choice(there) if die.random() < 0.4 else f"more{die.randrange(9)}"
            nodes[name] = dict(die.choice(_MORE))
            if die.random() < 0.8:
                nodes[name]["needs"] = die.sample(there, k=min(len(there), die.randint(0, 2)))
        text = json.dumps({"nodes": nodes}, indent=1)
        return cmd.AddNodes(run=self.state.run.id, text=text, source="more", replace=die.random() < 0.7)

    def _back(self, die: Random) -> cmd.Resume:
        assert self.state is not None
        assert self.state.run is not None
        run = self.state.run
        return cmd.Resume(run=run.id, start_from=die.choice(sorted(run.nodes)), agreed=die.random() < 0.7)

    def _rebased(self, die: Random) -> cmd.Resume:
        """Return the flow as somebody has changed it: nodes at its end gone or others, and new ones behind them."""
        assert self.state is not None
        assert self.state.run is not None
        run, nodes = self.state.run, list(self.state.run.definition.nodes)
        while len(nodes) > 1 and die.random() < 0.4:
            gone = nodes.pop()
            if any(gone.id in (each.needs or ()) for each in nodes):
                nodes.append(gone)
                break
        free = {f"other{number}" for number in range(9)} - {each.id for each in nodes}
        name = nodes.pop().id if die.random() < 0.3 and nodes[-1].needs is None else die.choice(sorted(free))
        if die.random() < 0.7:
            flow = parse_flow(_text("rebased", {name: dict(die.choice(_MORE))}, last=None), source="rebased.yaml")
            nodes += flow.nodes
        changed = msgspec.structs.replace(run.definition, nodes=tuple(nodes) or run.definition.nodes)
        back = die.choice(sorted(run.nodes)) if die.random() < 0.3 else None
        return cmd.Resume(run=run.id, rebase=changed, start_from=back, agreed=die.random() < 0.7)

    def decision(self, gate: GateState, die: Random, *, kind: bool) -> cmd.Decide:
        """Return a decision on a gate; in a kind world the one that lets the flow go on."""
        choice = _KINDLY[gate.kind] if kind else die.choice(gate.choices)
        table = {each.name: each.fields for each in GATES[gate.kind].choices}
        values: dict[str, Json] = {"n": die.randint(1, 2), "value": "2h"}
        data = {each.name: values.get(each.name, "because") for each in table.get(choice, ()) if each.required}
        shows = die.choice((None, gate.shows, gate.shows, "another")) if not kind else None
        assert self.run is not None
        return cmd.Decide(run=self.run, gate=gate.id, choice=choice, data=data, shows=shows)


_CONDITIONS: list[dict[str, Any]] = [
    {"assert": "${{ run.id != '' }}"},
    {"assert": False, "on_failure": "continue"},
    {"fail": "never", "when": False},
]
_GATES: list[dict[str, Any]] = [
    {"gate": {"message": "Go on?", "timeout": "30m", "on_timeout": "approve"}},
    {"gate": {"message": "Go on?", "timeout": "1h"}, "on_failure": "continue"},
]
_WAITS: list[dict[str, Any]] = [
    {"wait": {"for": "10m"}, "timeout": "1h"},
    {"wait": {"until": "2026-11-21T12:00:00Z"}, "timeout": "30d"},
    {"wait": {"for": "${{ policy.timeout }}"}, "timeout": "10m", "on_failure": "continue"},
    {"wait": {"command": "make", "every": "1m"}, "timeout": "1d", "on_failure": "continue"},
    {"wait": {"file": "out/*.json", "min": 2}, "timeout": "1h", "on_failure": "continue"},
]
_MORE: list[dict[str, Any]] = [
    {"run": "true"},
    {"gate": "Go on?"},
    {"set": {"x": 1}},
    {"for_each": [1, 2], "as": "each", "max_parallel": 2, "nodes": {"inner": {"run": "true"}}},
    {"run": "true", "on_failure": "continue"},
]


def _text(name: str, nodes: Nodes, *, last: Nodes | None) -> str:
    ends = {} if last is None else {"finally": last}
    return json.dumps({"punchlist": 1, "flow": name, "nodes": nodes, **ends}, indent=1)
