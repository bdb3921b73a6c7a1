"""What people and programs do to a workspace beside its engine: commands into its inbox, documents in its store."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

import msgspec

from punchlist.engine.fold_task import fold_task
from punchlist.engine.retry import stamp
from punchlist.errors import ConflictError, PunchlistError
from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import ProjectId, RunId, StreamId, TaskId
from punchlist.model.json import plain
from punchlist.model.places import Limits
from punchlist.model.records import Project, Task
from punchlist.model.state import State, TaskState
from punchlist.store.sqlite import SqliteStore
from tests.simulation.machine import Machine

PEOPLE = ("human:ann", "human:bob", "orchestrator:desk")
ACME = ProjectId("acme")
Facts = Callable[[TaskState], Sequence[ev.TaskFact]]


class Office:
    """The documents and the inbox of a workspace, and what is known there of its runs."""

    def __init__(self, store: SqliteStore, machine: Machine, *, project: Project, now: datetime) -> None:
        self.store = store
        self.machine = machine
        self.now = now
        self.limits = Limits()
        self.states: dict[RunId, State] = {}
        self.documented: Callable[[TaskState, ev.Event, TaskState], None] = lambda _before, _event, _after: None
        with store.write() as writer:
            head = writer.open_stream(StreamId("stream-p"), kind="project", local=project.id)
            writer.append([ev.seal(head, ev.ProjectCreated(project=project), at=self.at, actor=PEOPLE[0])])
            writer.put([project])

    @property
    def at(self) -> str:
        """The time, as events carry it."""
        return stamp(self.now)

    def pass_time(self, seconds: float) -> None:
        """Let the clock go on, or back."""
        self.now += timedelta(seconds=seconds)

    def send(self, command: cmd.RunCommand, die: Random) -> str:
        """Put a command into the inbox, as one of several senders; now and then twice, by a key or without one."""
        actor, key = die.choice(PEOPLE), die.choice((None, None, f"key {die.random()}"))
        with self.store.write() as writer:
            number = writer.enqueue(plain(command), at=self.at, actor=actor, key=key)
        if die.random() < 0.15:
            with self.store.write() as writer:
                again = writer.enqueue(plain(command), at=self.at, actor=actor, key=key)
            assert (again == number) == (key is not None), "a key that was given twice counts once"
        return f"{actor} asks: {_shown(command)}"

    def new_run(self) -> tuple[RunId, StreamId]:
        """Return the name and the stream of a run that is still to come."""
        with self.store.write() as writer:
            run = RunId(f"R{writer.allocate('run')}")
        return run, StreamId(f"stream-{run}")

    def new_task(self, make: Callable[[TaskId], Task]) -> TaskId:
        """Write a draft."""
        with self.store.write() as writer:
            name = TaskId(f"T{writer.allocate('task')}")
            head = writer.open_stream(StreamId(f"stream-{name}"), kind="task", local=name)
            created = ev.seal(head, ev.TaskCreated(task=make(name)), at=self.at, actor=PEOPLE[0])
            writer.append([created])
            writer.put([fold_task(None, created)])
        return name

    def task(self, name: TaskId) -> TaskState:
        """Return a task as it is."""
        with self.store.read() as reader:
            found = reader.task(name)
        assert found is not None
        return found

    def record(self, name: TaskId, facts: Facts) -> bool:
        """Change a task's document in one transaction; say whether that was allowed."""
        told: list[tuple[TaskState, ev.Event, TaskState]] = []
        try:
            with self.store.write() as writer:
                state, head = writer.task(name), writer.head("task", name)
                assert state is not None
                assert head is not None
                for fact in facts(state):
                    event = ev.seal(head, fact, at=self.at, actor=PEOPLE[0])
                    writer.append([event])
                    before, state, head = state, fold_task(state, event), ev.head_after(event)
                    told.append((before, event, state))
                writer.put([state])
        except PunchlistError:
            return False
        for each in told:
            self.documented(*each)
        return True

    def edit_project(self, **changes: object) -> None:
        """Change the project while runs of it are under way."""
        with self.store.write() as writer:
            project, head = writer.project(ACME), writer.head("project", ACME)
            assert project is not None
            assert head is not None
            edited = msgspec.structs.replace(project, **changes)
            writer.append([ev.seal(head, ev.ProjectEdited(project=edited), at=self.at, actor=PEOPLE[0])])
            writer.put([edited])

    def write_late(self) -> None:
        """Write what was decided on a project that somebody changed meanwhile: it is refused, and leaves nothing."""
        with self.store.read() as reader:
            project, old = reader.project(ACME), reader.head("project", ACME)
        assert project is not None
        assert old is not None
        self.edit_project(spec=f"{project.spec}.")
        late = ev.seal(old, ev.ProjectEdited(project=project), at=self.at, actor=PEOPLE[1])
        try:
            with self.store.write() as writer:
                writer.append([late])
                writer.put([project])
        except ConflictError:
            with self.store.read() as reader:
                after = reader.project(ACME)
            assert after != project, "what was refused is there"
        else:
            raise AssertionError("a change made for an older version was taken")


def _shown(command: cmd.RunCommand) -> str:
    said = [f"{name}={getattr(command, name)!r}" for name in command.__struct_fields__ if getattr(command, name)]
    text = f"{type(command).__name__} {' '.join(said)}"
    return text if len(text) <= 150 else f"{text[:150]}…"
