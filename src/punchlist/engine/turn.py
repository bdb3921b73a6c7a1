"""One decision in the making: it emits sealed events, folds each at once, and works until nothing more follows."""

import typing
from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import msgspec

from punchlist.engine.fold_project import fold_project
from punchlist.engine.fold_run import fold_run
from punchlist.engine.fold_task import fold_task
from punchlist.engine.place import Place
from punchlist.engine.room import Room
from punchlist.model import events as ev
from punchlist.model.gates import Choice
from punchlist.model.ids import AttemptId, Commit, FindingId, GateId, NodePath, StepId
from punchlist.model.jobs import Job, Outcome, Role
from punchlist.model.json import Json, digest
from punchlist.model.state import AttemptState, GateState, NodeState, RunState, State

replace = msgspec.structs.replace
Number = Literal["attempt", "gate", "finding"]
Allocate = Callable[[Number], int]
ENGINE = "engine"


def _no_nonce(_attempt: AttemptId) -> str:
    return ""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What comes in with an input: the time, who it is from, numbers for new ids, and what room other runs leave.

    `nonce_digest` gives by what the record of an attempt's end will be known as its wrapper's; nothing, where there is
    no wrapper.
    """

    at: str
    actor: str
    allocate: Allocate
    room: Room = Room()
    nonce_digest: Callable[[AttemptId], str] = _no_nonce


Stream = Literal["run", "task", "project"]


def stream_of(fact: ev.AnyFact) -> Stream:
    """Return which of a state's streams a fact belongs to."""
    return _STREAMS[type(fact)]


_FACTS: tuple[tuple[Stream, object], ...] = (("run", ev.RunFact), ("task", ev.TaskFact), ("project", ev.ProjectFact))
_STREAMS: Mapping[type, Stream] = {fact: name for name, facts in _FACTS for fact in typing.get_args(facts)}


def fold(state: State, event: ev.Event) -> State:
    """Return the state after `event`, of whichever of its streams."""
    name = stream_of(event.fact)
    heads = state.heads.set(name, ev.head_after(event))
    if name == "run":
        return replace(state, run=fold_run(state.run, event), heads=heads)
    if name == "task":
        return replace(state, task=fold_task(state.task, event), heads=heads)
    return replace(state, project=fold_project(state.project, event), heads=heads)


@dataclass(frozen=True)
class Kind:
    """What one kind of node does at each thing that can happen to it; one instance a kind, in one registry.

    `rang` is for a node whose time has come; `taken_up` begins what a group has to begin by itself when a part of it
    begins again; `examine` may find fault with a success before it is recorded; `job` composes what an attempt of the
    node runs.
    """

    begin: "Callable[[Here], None]"
    attempt_over: "Callable[[Here, AttemptState], None] | None" = None
    rang: "Callable[[Here], None] | None" = None
    child_over: "Callable[[Here, NodeState], None] | None" = None
    decided: "Callable[[Here, Decision], None] | None" = None
    taken_up: "Callable[[Here], None] | None" = None
    job: Callable[[Place, AttemptState], Job] | None = None
    examine: Callable[[Place, Outcome], Outcome] | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision on a gate, checked against the table of gates."""

    gate: GateState
    choice: Choice
    data: dict[str, Json]
    by: str

    @property
    def note(self) -> str:
        """What the person said with it, or nothing."""
        said = self.data.get("message", self.data.get("note"))
        return said if isinstance(said, str) else ""


class Turn:
    """The state so far, the events that led to it, and the work that they ask for."""

    def __init__(self, state: State, context: Context, *, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self.state = state
        self.context = context
        self.events: list[ev.Event] = []
        self.by = ENGINE
        self._todo: deque[Callable[[], None]] = deque()
        self._last: deque[Callable[[], None]] = deque()

    @property
    def run(self) -> RunState:
        """The run; there is one once RunCreated is folded."""
        run = self.state.run
        assert run is not None
        return run

    def at(self, path: NodePath) -> "Here":
        """Return a node, to work on it."""
        return Here(self, path)

    def emit(self, fact: ev.AnyFact, *, actor: str | None = None) -> ev.Event:
        """Seal a fact into its stream, by default as of whom the input is from, and fold it."""
        head = self.state.heads[stream_of(fact)]
        event = ev.seal(head, fact, at=self.context.at, actor=actor or self.context.actor)
        self.state = fold(self.state, event)
        self.events.append(event)
        return event

    @contextmanager
    def asked(self, by: str | None = None) -> Generator[None]:
        """Within this, what the engine does to the state is of who asked for it: by default, whom the input is from."""
        before, self.by = self.by, by or self.context.actor
        try:
            yield
        finally:
            self.by = before

    def later(self, work: Callable[[], None]) -> None:
        """Do `work` after what is under way: keeps long chains of nodes off the call stack."""
        self._todo.append(work)

    def at_last(self, work: Callable[[], None]) -> None:
        """Do `work` once nothing else follows: what it looks at is no state in between."""
        self._last.append(work)

    def settle(self) -> None:
        """Work until nothing more follows, or the run has made more transitions than it may."""
        while self._todo or self._last:
            (self._todo or self._last).popleft()()
            if self.run.is_used_up:
                self._todo.clear()
                self._last.clear()

    def finding_id(self) -> FindingId:
        """Return a new finding's id."""
        return FindingId(f"F{self.context.allocate('finding')}")


class Here(Place):
    """A node at work: what happens to it is emitted in its turn, and `state` follows at once."""

    def __init__(self, turn: Turn, path: NodePath) -> None:
        super().__init__(turn.state, path)
        self.turn = turn

    @property
    def state(self) -> State:
        """The state as it is by now."""
        return self.turn.state

    @property
    def run(self) -> RunState:
        """The run as it is by now."""
        return self.turn.run

    def at(self, path: NodePath) -> "Here":
        """Return another node of the same turn."""
        return Here(self.turn, path)

    def emit(self, fact: ev.AnyFact) -> ev.Event:
        """Record a fact that the engine itself concludes, or does because somebody asked for just that."""
        return self.turn.emit(fact, actor=self.turn.by)

    def queue(
        self,
        role: Role,
        *,
        subject: str = "",
        worker: str | None = None,
        step: StepId | None = None,
        tree: str | None = None,
        command: str = "",
        again: int = 0,
        session: str | None = None,
        not_before: str | None = None,
        after: AttemptId | None = None,
    ) -> AttemptId:
        """Ask for an attempt at the node."""
        attempt = AttemptId(f"A{self.turn.context.allocate('attempt')}")
        r, s, base = self._numbers(role, step)
        self.emit(
            ev.AttemptQueued(
                attempt=attempt,
                node=self.path,
                role=role,
                worker=worker,
                step=step,
                subject=subject,
                tree=tree,
                command=command,
                again=again,
                r=r,
                s=s,
                session=session,
                base=base,
                not_before=not_before,
                after=after,
            )
        )
        return attempt

    def _numbers(self, role: Role, step: StepId | None) -> tuple[int, int, Commit | None]:
        """Return `r`, `s` and the base of an attempt for a step: checks and reviews carry those of what they judge."""
        if step is None:
            return 0, 0, self.run.base
        tries = self.tries.count
        return self.told.r, tries if role is Role.BUILDER else max(tries - 1, 0), self.told.base

    def open_gate(
        self,
        kind: str,
        *,
        message: str,
        choices: tuple[str, ...],
        shows: Json,
        example: str = "",
        form: dict[str, Json] | None = None,
        approvers: tuple[str, ...] = (),
    ) -> GateId:
        """Ask a person; `shows` is what they are shown, whose digest the decision is bound to."""
        gate = GateId(f"G{self.turn.context.allocate('gate')}")
        shown = digest({"kind": kind, "message": message, "shows": shows})
        self.emit(
            ev.GateOpened(
                gate=gate,
                gate_kind=kind,
                node=self.path,
                message=message,
                shows=shown,
                choices=choices,
                step=self.step,
                example=example,
                form=form,
                approvers=approvers,
            )
        )
        return gate
