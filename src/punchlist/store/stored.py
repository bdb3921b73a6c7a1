"""Which columns of which tables hold a state row: what is written, and what verification expects."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, assert_never

import msgspec

from punchlist.model import json
from punchlist.model.records import Project
from punchlist.model.rows import GateRow, NodeRow, Row, RunRow, summary
from punchlist.model.scores import score
from punchlist.model.state import AttemptState, TaskState
from punchlist.store.session import Value

DOCUMENT = "doc"


class Stored(NamedTuple):
    """A row of `table`: its `columns`, and the record that its column `doc` holds as JSON, if it has one."""

    table: str
    columns: Mapping[str, Value]
    document: msgspec.Struct | None

    def values(self) -> dict[str, Value]:
        """Return the value of every column."""
        if self.document is None:
            return dict(self.columns)
        return {**self.columns, DOCUMENT: json.encode(self.document).decode()}


def stored(row: Row) -> Iterator[Stored]:
    """Yield what a state row is in the tables; where one refers to another, the other comes first."""
    match row:
        case Project():
            yield Stored("projects", {"id": row.id}, row)
        case TaskState():
            yield from _task(row)
        case RunRow():
            yield Stored("runs", {**_named(row.id), **_owner(row), "status": row.status.value}, row)
        case NodeRow():
            yield Stored("nodes", {"run": row.run, "path": row.path}, row)
        case AttemptState():
            yield Stored("attempts", {**_named(row.id), "run": row.run, "step": row.step}, row)
        case GateRow(gate=gate):
            state = {"kind": gate.kind, "status": gate.status.value}
            yield Stored("gates", {**_named(gate.id), **_owner(row), **state, "run": row.run}, row)
        case _:
            assert_never(row)


def _task(row: TaskState) -> Iterator[Stored]:
    line, name = summary(row), _named(row.task.id)
    columns: dict[str, Value] = {
        "project": line.project,
        "title": line.title,
        "status": line.status.value,
        "paused": int(line.paused),
        "steps_accepted": line.steps_accepted,
        "steps_total": line.steps_total,
        "changed_at": line.changed_at,
        "steps_skipped": line.steps_skipped,
    }
    yield Stored("tasks", {**name, **columns}, None)
    yield Stored("task_states", {"id": row.task.id}, row)
    yield Stored("task_scores", {"number": name["number"], "project": line.project}, score(row))


def _named(name: str) -> dict[str, Value]:
    """Return a local id and the number in it: 12 of `T12`."""
    return {"id": name, "number": int(name[1:])}


def _owner(row: RunRow | GateRow) -> dict[str, Value]:
    return {"project": row.project, "task": row.task}
