"""`status` with long lists: a person sees the first lines of each and how many more there are; a program sees all."""

from pathlib import Path

import pytest

from punchlist.cli.views import attention
from punchlist.model.states import TaskStatus
from punchlist.service import status
from punchlist.service.context import Service
from tests.services import at, project_workspace
from tests.stored import gate_row, task, task_state

MANY = 25
OLD, NEW = "2026-11-20T08:00:00.000000Z", "2026-11-22T08:00:00.000000Z"
LISTS = {
    TaskStatus.DRAFT: "drafts",
    TaskStatus.READY: "ready",
    TaskStatus.RUNNING: "running",
    TaskStatus.WAITING: "running",
    TaskStatus.FAILED: "failed",
    TaskStatus.ACCEPTED: "accepted",
}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with so many tasks in each status, every other one changed lately; one is paused."""
    made = project_workspace(tmp_path)
    with made.store.write() as writer:
        numbers = iter(range(1, 1 + MANY * len(LISTS)))
        for each in LISTS:
            for index in range(MANY):
                named = task(next(numbers), project="p", status=each)
                writer.put([task_state(named, changed_at=NEW if index % 2 else OLD)])
    return made


def test_a_program_is_told_all_and_a_person_the_first_of_each(service: Service) -> None:
    everything, first = status.status(service), status.status(service, most=attention.MOST)

    assert (
        everything["totals"]
        == first["totals"]
        == {name: len(each) for name, each in everything.items() if isinstance(each, list)}
    )
    assert {name: len(at(everything, name)) for name in LISTS.values()} == {
        "accepted": MANY, "failed": MANY, "running": 2 * MANY, "ready": MANY, "drafts": MANY,
    }  # fmt: skip
    assert all(first[name] == at(everything, name)[: attention.MOST] for name in LISTS.values())
    numbers = [int(str(line["id"])[1:]) for line in at(everything, "running")]
    assert numbers == sorted(numbers)


def test_a_person_is_told_how_many_more_there_are_and_how_to_see_them(service: Service) -> None:
    with service.store.write() as writer:
        writer.put([gate_row(number, of="T1") for number in range(1, MANY + 1)])

    shown = attention.status(status.status(service, most=attention.MOST)).splitlines()

    assert shown.count("  and 5 more: punchlist task list") == 4
    assert "  and 30 more: punchlist task list" in shown
    assert "  and 5 more: punchlist gates" in shown


def test_since_cuts_what_is_over_and_its_totals_and_nothing_else(service: Service) -> None:
    answer = status.status(service, since="2026-11-21", most=5)

    assert [at(answer, "totals", name) for name in ("accepted", "failed", "drafts")] == [MANY // 2, MANY // 2, MANY]
    assert all(line["changed_at"] == NEW for line in at(answer, "accepted"))
