"""A store on real SQLite for tests, and a small history in it: a project, two tasks, a run, an attempt, a gate."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from immutables import Map

from punchlist.model.events import (
    AnyFact,
    AttemptQueued,
    Event,
    Head,
    NodeStarted,
    ProjectCreated,
    RunCreated,
    StreamKind,
    TaskCreated,
    TaskMoved,
    head_after,
    seal,
)
from punchlist.model.flow import Flow
from punchlist.model.ids import AttemptId, Digest, FindingId, GateId, NodePath, ProjectId, RunId, StreamId, TaskId
from punchlist.model.jobs import Role
from punchlist.model.policy import Policy
from punchlist.model.records import Criterion, Project, Scope, Step, Task
from punchlist.model.rows import GateRow, NodeRow, RunRow
from punchlist.model.state import AttemptState, GateState, StepState, TaskState
from punchlist.model.states import GateStatus, NodeStatus, StepStatus, TaskStatus
from punchlist.ports import Reader, Store, Writer
from punchlist.store import SqliteStore, create_store, open_store

AT = "2026-11-21T08:00:00.000000Z"
PERSON = "human:Zoë"
WORKSPACE = StreamId("00000000-0000-4000-8000-000000000000")
PROJECT = StreamId("00000000-0000-4000-8000-00000000000a")
TASK = StreamId("00000000-0000-4000-8000-0000000000b1")
OTHER_TASK = StreamId("00000000-0000-4000-8000-0000000000b2")
RUN = StreamId("00000000-0000-4000-8000-0000000000c1")

SAMPLE = Project(id="slugger", title="Slugger", spec="Make slugs.\n", repo=".", base="main")


def made(folder: Path) -> SqliteStore:
    """Make an empty store in `folder`."""
    return create_store(folder / "state.db", workspace_stream=WORKSPACE, at=AT, actor=PERSON)


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Read from a store that is opened for it, and closed."""
    with closing(open_store(path)) as store, store.read() as reader:
        yield reader


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """Write to a store that is opened for it, and closed."""
    with closing(open_store(path)) as store, store.write() as writer:
        yield writer


def sealed(head: Head, facts: Sequence[AnyFact], *, at: str = AT, actor: str = PERSON) -> list[Event]:
    """Seal facts one after the other."""
    events: list[Event] = []
    for fact in facts:
        events.append(seal(head, fact, at=at, actor=actor))
        head = head_after(events[-1])
    return events


def began(writer: Writer, kind: StreamKind, local: str, *, stream: StreamId, facts: Sequence[AnyFact]) -> list[Event]:
    """Open a stream and append its first facts."""
    return writer.append(sealed(writer.open_stream(stream, kind=kind, local=local), facts))


def task(
    number: int = 1, *, status: TaskStatus = TaskStatus.DRAFT, accepted: int = 0, project: str = "slugger"
) -> Task:
    """Make a task of two steps, the first `accepted` of them accepted."""
    name = f"T{number}"
    steps = tuple(
        Step(
            id=f"{name}.{index}",
            index=index,
            title=f"Step {index}",
            goal="",
            criteria=(Criterion(id="AC-1", text="It holds.", check="true"),),
            scope=Scope(allow=("src/**",)),
            needs=(),
            status=StepStatus.ACCEPTED if index <= accepted else StepStatus.PENDING,
        )
        for index in (1, 2)
    )
    return Task(id=name, project=project, title=f"Task {number}", spec="", acceptance=(), steps=steps, status=status)


def task_state(record: Task, *, changed_at: str = AT) -> TaskState:
    """Make a task's state that uses its maps."""
    return TaskState(
        task=record,
        steps=Map({"": StepState(), record.steps[0].id: StepState(r=1, messages=("again",))}),
        findings=Map({FindingId("F1"): record.steps[0].id}),
        changed_at=changed_at,
    )


def run_row(number: int = 1, *, status: NodeStatus = NodeStatus.RUNNING, of: str | None = None) -> RunRow:
    """Make a run's row."""
    name = None if of is None else TaskId(of)
    return RunRow(id=RunId(f"R{number}"), flow="deliver", purpose="deliver", status=status, task=name, outputs={"n": 1})


def node_row(path: str, *, run: str = "R1", status: NodeStatus = NodeStatus.RUNNING) -> NodeRow:
    """Make a node's row."""
    return NodeRow(run=RunId(run), path=NodePath(path), kind="run", status=status, output=["x", None, 1.5])


def attempt_row(number: int = 1, *, run: str = "R1", step: str | None = None) -> AttemptState:
    """Make an attempt's row."""
    return AttemptState(
        id=AttemptId(f"A{number}"),
        run=RunId(run),
        node=NodePath("build"),
        role=Role.BUILDER,
        step=step,  # type: ignore[arg-type]
    )


def gate_row(
    number: int = 1,
    *,
    kind: str = "rework",
    status: GateStatus = GateStatus.OPEN,
    of: str | None = None,
    run: str | None = None,
) -> GateRow:
    """Make a gate's row."""
    gate = GateState(
        id=GateId(f"G{number}"),
        kind=kind,
        node=NodePath("build"),
        message="What now?",
        shows=Digest("0" * 64),
        choices=("more", "fail"),
        status=status,
    )
    return GateRow(gate=gate, task=None if of is None else TaskId(of), run=None if run is None else RunId(run))


def tell_story(store: Store) -> None:
    """Write a small history in three commits: 12 events in five streams, with the rows that they fold to."""
    with store.write() as writer:
        began(writer, "project", "slugger", stream=PROJECT, facts=[ProjectCreated(project=SAMPLE)])
        writer.put([SAMPLE])
    with store.write() as writer:
        for number, stream in ((1, TASK), (2, OTHER_TASK)):
            assert writer.allocate("task") == number
            began(writer, "task", f"T{number}", stream=stream, facts=[TaskCreated(task=task(number))])
            writer.put([task_state(task(number))])
    with store.write() as writer:
        head = writer.head("task", "T1")
        assert head is not None
        started = RunCreated(
            run=RunId("R1"),
            purpose="deliver",
            definition=Flow(flow="deliver", nodes=()),
            inputs={"wörd": 1.5},
            policy=Policy(),
            project=ProjectId("slugger"),
            task=TaskId("T1"),
        )
        queued = AttemptQueued(attempt=AttemptId("A1"), node=NodePath("build"), role=Role.BUILDER)
        facts: list[AnyFact] = [started, NodeStarted(node=NodePath("build")), queued]
        began(writer, "run", "R1", stream=RUN, facts=facts)
        moved = [TaskMoved(status=TaskStatus.READY), TaskMoved(status=TaskStatus.RUNNING, run=RunId("R1"))]
        writer.append(sealed(head, moved))
        running = task_state(task(1, status=TaskStatus.RUNNING))
        writer.put([running, run_row(of="T1"), node_row("build"), attempt_row(), gate_row(of="T1", run="R1")])


def is_whole(store: Path) -> bool:
    """Open and close a store; say whether nobody else had it open, and all of it is in its file."""
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    return [*store.parent.glob("state.db*")] == [store]
