"""What laws see: one event with the state before and after it, and what they have to remember of those before."""

from collections import Counter
from dataclasses import dataclass, field

import msgspec

from punchlist.model import events as ev
from punchlist.model.flow import Flow
from punchlist.model.ids import AttemptId, GateId, RunId, Tree
from punchlist.model.json import Json, plain
from punchlist.model.policy import Policy
from punchlist.model.records import Task
from punchlist.model.state import RunState, State, TaskState
from punchlist.model.verdicts import Waiver


class BrokenLawError(AssertionError):
    """A law does not hold; its name is the design's words."""

    def __init__(self, law: str, message: str) -> None:
        super().__init__(f"{law.replace('_', ' ')}: {message}")
        self.law = law


@dataclass
class Memory:
    """What was seen so far, by ids that are never given twice."""

    accepted: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    closed: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    integrated: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    over: set[GateId] = field(default_factory=set[GateId])
    tries: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    passing: dict[tuple[str, int], set[Tree]] = field(default_factory=dict[tuple[str, int], set[Tree]])
    revision: dict[str, int] = field(default_factory=dict[str, int])
    started: set[AttemptId] = field(default_factory=set[AttemptId])
    owed: dict[str, str] = field(default_factory=dict[str, str])
    frozen: dict[RunId, tuple[Policy, Flow]] = field(default_factory=dict[RunId, tuple[Policy, Flow]])
    waived: dict[str, list[tuple[Waiver, Json]]] = field(default_factory=dict[str, list[tuple[Waiver, Json]]])
    failed: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])


class Moment(msgspec.Struct, frozen=True):
    """One event."""

    before: State
    event: ev.Event
    after: State

    @property
    def was(self) -> RunState:
        """The run before it."""
        assert self.before.run is not None
        return self.before.run

    @property
    def run(self) -> RunState:
        """The run after it."""
        assert self.after.run is not None
        return self.after.run

    @property
    def task(self) -> TaskState:
        """The task after it."""
        assert self.after.task is not None
        return self.after.task


def about(task: Task, step: str | None, criterion: str | None) -> Json:
    """Return what a finding is about: a criterion as it was agreed, or the scope, with the names of its step."""
    record = next((each for each in task.steps if each.id == step), None)
    criteria = task.acceptance if record is None else record.criteria
    found = next((plain(each) for each in criteria if each.id == criterion), None)
    names: list[Json] = [] if record is None else [record.title, record.goal]
    return [*names, plain(record.scope) if record is not None and criterion is None else found]
