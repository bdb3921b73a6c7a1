"""State rows in the store: read as they were written, and listed in their order."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from punchlist.model.ids import AttemptId, GateId, ProjectId, RunId, StepId, TaskId
from punchlist.model.scores import score
from punchlist.model.states import GateStatus, NodeStatus, TaskStatus
from punchlist.ports import Store
from punchlist.service import tasks
from tests.services import created, project_workspace
from tests.stored import (
    AT,
    SAMPLE,
    attempt_row,
    gate_row,
    made,
    node_row,
    run_row,
    task,
    task_state,
    tell_story,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(made(tmp_path)) as store:
        yield store


def test_rows_are_read_as_they_were_written(store: Store) -> None:
    rows = [SAMPLE, task_state(task()), run_row(of="T1"), node_row("build"), attempt_row(), gate_row(of="T1")]
    with store.write() as writer:
        writer.put(rows)  # type: ignore[arg-type]

    with store.read() as reader:
        read = [
            reader.project(ProjectId("slugger")),
            reader.task(TaskId("T1")),
            reader.run(RunId("R1")),
            *reader.nodes(RunId("R1")),
            reader.attempt(AttemptId("A1")),
            reader.gate(GateId("G1")),
        ]
        none = [
            reader.project(ProjectId("other")),
            reader.task(TaskId("T9")),
            reader.run(RunId("R9")),
            reader.attempt(AttemptId("A9")),
            reader.gate(GateId("G9")),
            reader.head("task", "T9"),
        ]
    assert read == rows
    assert none == [None] * 6


def test_a_row_replaces_the_one_with_its_key(store: Store) -> None:
    tell_story(store)
    project = msgspec.structs.replace(SAMPLE, title="Other", version=2)
    rows = [
        project,
        task_state(task(1, status=TaskStatus.ACCEPTED, accepted=2), changed_at="later"),
        run_row(status=NodeStatus.SUCCEEDED),
        node_row("build", status=NodeStatus.SUCCEEDED),
        attempt_row(step="T1.1"),
        gate_row(status=GateStatus.DECIDED),
    ]

    with store.write() as writer:
        writer.put(rows)  # type: ignore[arg-type]

    with store.read() as reader:
        summary, _ = reader.tasks()
        assert reader.projects() == [project]
        assert (summary.status, summary.steps_accepted, summary.changed_at) == (TaskStatus.ACCEPTED, 2, "later")
        assert (summary.waits_for, reader.gates()) == ("", [])
        assert reader.scores(summary.project)[0] == score(rows[1])  # type: ignore[arg-type]
        assert reader.scores(ProjectId("another")) == []
        assert reader.runs(live=True) == []
        assert reader.nodes(RunId("R1")) == [rows[3]]
        assert reader.attempts(step=StepId("T1.1")) == [rows[4]]


def test_a_line_of_a_task_counts_its_steps_and_names_what_it_waits_for(store: Store) -> None:
    gates = [
        gate_row(10, kind="merge", of="T1"),
        gate_row(2, kind="rework", of="T1"),
        gate_row(3, status=GateStatus.WITHDRAWN, of="T1"),
        gate_row(4, run="R1"),
    ]
    with store.write() as writer:
        writer.put([SAMPLE, task_state(task(accepted=1)), run_row(), *gates])

    with store.read() as reader:
        (line,) = reader.tasks()

    assert (line.id, line.project, line.title) == ("T1", "slugger", "Task 1")
    assert (line.status, line.paused, line.changed_at) == (TaskStatus.DRAFT, False, AT)
    assert (line.steps_accepted, line.steps_total) == (1, 2)
    assert line.waits_for == "rework G2, merge G10"


def test_tasks_are_listed_in_the_order_of_their_numbers_by_project_and_status(store: Store) -> None:
    other = msgspec.structs.replace(SAMPLE, id="other")
    tasks = [
        task(10, status=TaskStatus.READY),
        task(9),
        task(2, project="other"),
        task(1, status=TaskStatus.READY, project="other"),
    ]
    with store.write() as writer:
        writer.put([*(task_state(each) for each in tasks), SAMPLE, other])

    with store.read() as reader:
        listed = {
            "all": [line.id for line in reader.tasks()],
            "ready": [line.id for line in reader.tasks(statuses=[TaskStatus.READY, TaskStatus.WAITING])],
            "other": [line.id for line in reader.tasks(ProjectId("other"))],
            "ready other": [line.id for line in reader.tasks(ProjectId("other"), statuses=[TaskStatus.READY])],
        }

    assert listed == {
        "all": ["T1", "T2", "T9", "T10"],
        "ready": ["T1", "T10"],
        "other": ["T1", "T2"],
        "ready other": ["T1"],
    }


def test_runs_are_listed_newest_first_by_task_and_by_whether_they_live(store: Store) -> None:
    tasks = [task_state(task(1)), task_state(task(2))]
    runs = [
        run_row(1, of="T1", status=NodeStatus.FAILED),
        run_row(2, of="T1", status=NodeStatus.WAITING),
        run_row(10, status=NodeStatus.PENDING),
        run_row(3, of="T2"),
    ]
    with store.write() as writer:
        writer.put([*runs, *tasks, SAMPLE])

    with store.read() as reader:
        assert [run.id for run in reader.runs()] == ["R10", "R3", "R2", "R1"]
        assert [run.id for run in reader.runs(live=True)] == ["R10", "R3", "R2"]
        assert [run.id for run in reader.runs(task=TaskId("T1"))] == ["R2", "R1"]
        assert [run.id for run in reader.runs(task=TaskId("T1"), live=True)] == ["R2"]


def test_nodes_are_listed_in_the_order_in_which_they_were_first_written(store: Store) -> None:
    with store.write() as writer:
        writer.put([run_row(1), run_row(2), node_row("zeta"), node_row("other", run="R2"), node_row("alpha")])
    with store.write() as writer:
        writer.put([node_row("middle"), node_row("zeta", status=NodeStatus.SUCCEEDED)])

    with store.read() as reader:
        nodes = reader.nodes(RunId("R1"))

    assert [(node.path, node.status.value) for node in nodes] == [
        ("zeta", "succeeded"),
        ("alpha", "running"),
        ("middle", "running"),
    ]


def test_attempts_are_listed_by_run_and_by_step(store: Store) -> None:
    attempts = [attempt_row(10, step="T1.1"), attempt_row(2), attempt_row(3, run="R2", step="T1.1")]
    with store.write() as writer:
        writer.put([run_row(1), run_row(2), *attempts])

    with store.read() as reader:
        assert [each.id for each in reader.attempts()] == ["A2", "A3", "A10"]
        assert [each.id for each in reader.attempts(run=RunId("R1"))] == ["A2", "A10"]
        assert [each.id for each in reader.attempts(step=StepId("T1.1"))] == ["A3", "A10"]
        assert [each.id for each in reader.attempts(run=RunId("R2"), step=StepId("T1.1"))] == ["A3"]


def test_gates_are_listed_oldest_first_and_only_open_ones_unless_all_are_asked_for(store: Store) -> None:
    gates = [
        gate_row(10, of="T1", run="R1"),
        gate_row(2, of="T1", status=GateStatus.DECIDED),
        gate_row(3, run="R1", status=GateStatus.EXPIRED),
        gate_row(4, run="R2"),
    ]
    with store.write() as writer:
        writer.put([SAMPLE, task_state(task()), run_row(1), run_row(2), *gates])

    with store.read() as reader:
        assert [row.gate.id for row in reader.gates()] == ["G4", "G10"]
        assert [row.gate.id for row in reader.gates(everything=True)] == ["G2", "G3", "G4", "G10"]
        assert [row.gate.id for row in reader.gates(task=TaskId("T1"))] == ["G10"]
        assert [row.gate.id for row in reader.gates(task=TaskId("T1"), everything=True)] == ["G2", "G10"]
        assert [row.gate.id for row in reader.gates(run=RunId("R1"), everything=True)] == ["G3", "G10"]
        assert [row.gate.id for row in reader.gates(task=TaskId("T1"), run=RunId("R2"))] == []


def test_the_tasks_of_the_last_events_are_found_by_the_logs_order_whatever_the_clocks_said(tmp_path: Path) -> None:
    service = project_workspace(tmp_path / "w")
    names = [created(service)["id"] for _ in range(3)]
    tasks.edit(service, names[0], changes={"spec": "First again."})

    with service.store.read() as reader:
        found = reader.tasks_of_last(500)
        last = reader.tasks_of_last(2)

    assert found == ["T1", "T3", "T2"]
    assert last == ["T1"]
