"""Verbs of tasks: each is one transaction, whatever is wrong is refused and loses nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from punchlist.errors import ConflictError, DefinitionError, RefusedError, StoreError
from punchlist.service import approvals, files, gates, logs, projects, runs, starts, steps, tasks, why
from punchlist.service.context import Service
from tests.services import (
    asleep,
    at,
    created,
    is_clean,
    project_workspace,
    ready,
    shown,
    task,
    unchecked,
)

Verb = Callable[[Service], object]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A workspace with the empty project `p`; no engine ever runs."""
    return project_workspace(tmp_path / "ws")


def test_a_task_file_becomes_a_draft_whose_files_are_there(service: Service) -> None:
    found = created(service)

    assert (found["id"], found["status"], found["steps"][0]["id"]) == ("T1", "draft", "T1.1")
    assert (service.root / "projects/p/tasks/T1-write-prose/task.md").is_file()
    assert is_clean(service)


def test_the_checks_of_a_new_task_are_asked_for_and_not_waited_for(service: Service) -> None:
    tasks.create(service, None, document=task())

    with service.store.read() as reader:
        (row,) = reader.inbox()
    assert isinstance(row.command, dict)
    assert (row.command["purpose"], row.command["task"]) == ("prove", "T1")
    assert asleep(service).woken == 1


def test_a_changed_task_is_proved_anew_and_the_older_run_is_ended(service: Service) -> None:
    tasks.create(service, None, document=task())

    tasks.edit(service, "T1", changes={"spec": "More."})

    with service.store.read() as reader:
        kinds = [row.command["command"] for row in reader.inbox() if isinstance(row.command, dict)]
    assert kinds == ["StartRun", "Cancel", "StartRun"]


def test_a_task_without_checks_asks_for_nothing(service: Service) -> None:
    created(service)

    assert asleep(service).woken == 0


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"titel": "x"}, "unknown field 'titel'"),
        ({"title": 5}, "title"),
        ({"title": "a\nb"}, "one line of at most 200 characters"),
        ({"title": "\x1b[31m"}, "one line of at most 200 characters"),
        ({"title": "x" * 200_000}, "one line of at most 200 characters"),
        ({"title": "x", "steps": [{"title": "y", "criteria": []}]}, r"steps\[0\].criteria"),
        ({"title": "x", "acceptance": [{"text": "y", "check": "true", "timeout": "0s"}]}, r"acceptance\[0\].timeout"),
        ([], "the task"),
        ("text", "the task"),
        (None, "the task"),
    ],
)
def test_a_document_of_another_shape_is_refused_and_nothing_is_kept(service: Service, document: Any, why: str) -> None:
    with pytest.raises(DefinitionError, match=why) as refused:
        tasks.create(service, "p", document=document)

    assert len(str(refused.value)) < 2000
    assert tasks.listing(service) == {"tasks": []}


def test_a_refused_document_uses_up_no_id(service: Service) -> None:
    with pytest.raises(DefinitionError):
        tasks.create(service, None, document=unchecked(needs=["T9"]))

    assert created(service)["id"] == "T1"


def test_the_same_key_makes_one_task(service: Service) -> None:
    first = tasks.create(service, None, document=unchecked(), key="k1")
    second = tasks.create(service, None, document=unchecked(), key="k1")

    assert at(second, "task", "id") == at(first, "task", "id")
    assert len(tasks.listing(service)["tasks"]) == 1  # type: ignore[arg-type]


def test_a_list_may_be_of_one_project_and_of_some_states(service: Service) -> None:
    projects.create(service, "q")
    tasks.create(service, "p", document=unchecked())
    tasks.create(service, "q", document=unchecked())
    approvals.approve(service, "T2", no_wait=True)

    def ids(answer: Any) -> list[str]:
        return [each["id"] for each in answer["tasks"]]

    assert ids(tasks.listing(service)) == ["T1", "T2"]
    assert ids(tasks.listing(service, "q")) == ["T2"]
    assert ids(tasks.listing(service, statuses=["draft"])) == ["T1"]
    with pytest.raises(DefinitionError, match="'done' is not a state of tasks"):
        tasks.listing(service, statuses=["done"])


def test_an_edit_keeps_what_it_does_not_name_and_renames_the_files(service: Service) -> None:
    created(service, labels=["docs"])

    answer: Any = tasks.edit(service, "T1", changes={"title": "Write better prose"}, expected_version=1)

    assert (answer["task"]["title"], answer["task"]["labels"]) == ("Write better prose", ["docs"])
    assert [path.name for path in (service.root / "projects/p/tasks").iterdir()] == ["T1-write-better-prose"]
    assert is_clean(service)


def test_an_edit_for_an_older_version_is_refused(service: Service) -> None:
    created(service)
    tasks.edit(service, "T1", changes={"spec": "a"})

    with pytest.raises(ConflictError, match="is at version 2, and the change was made for version 1") as refused:
        tasks.edit(service, "T1", changes={"spec": "b"}, expected_version=1)

    assert "punchlist task show T1" in refused.value.hint
    with pytest.raises(ConflictError):
        tasks.edit(service, "T1", changes={"spec": "b"}, expected_version=99)


def test_a_change_for_the_version_before_a_proposal_still_fits(service: Service) -> None:
    created(service)
    approvals.propose(service, "T1")

    tasks.edit(service, "T1", changes={"spec": "a"}, expected_version=1)

    assert gates.listing(service) == {"gates": []}
    assert is_clean(service)


def test_an_edit_that_is_no_map_is_refused(service: Service) -> None:
    created(service)

    with pytest.raises(DefinitionError, match="not a map of fields"):
        tasks.edit(service, "T1", changes=["title"])
    with pytest.raises(DefinitionError, match="not a map of fields"):
        steps.edit(service, "T1.1", changes="title")


@pytest.mark.parametrize(
    ("verb", "hint"),
    [
        (lambda s: tasks.show(s, "T9"), "punchlist task list"),
        (lambda s: steps.show(s, "T1.9"), "Task T1 has: T1.1"),
        (lambda s: steps.show(s, "T9.1"), "punchlist task list"),
        (lambda s: gates.decide(s, "G9", choice="x"), "punchlist gates"),
        (lambda s: gates.waive(s, "F9", reason="x"), "punchlist why"),
        (lambda s: logs.logs(s, "A9"), "punchlist step show"),
        (lambda s: why.why(s, "R9"), "punchlist status"),
        (lambda s: projects.show(s, "q"), "There are: p"),
        (lambda s: tasks.create(s, "q", document=unchecked()), "There are: p"),
        (lambda s: logs.events(s, about="q"), "Allowed"),
    ],
)
def test_an_unknown_id_is_refused_with_how_to_list_those_there_are(service: Service, verb: Verb, hint: str) -> None:
    created(service)

    with pytest.raises(RefusedError, match="there is no") as refused:
        verb(service)

    assert refused.value.code == "not_found"
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    "verb",
    [
        lambda s: tasks.show(s, "p"),
        lambda s: steps.show(s, "T1"),
        lambda s: gates.decide(s, "T1", choice="approve"),
        lambda s: approvals.approve(s, "R1"),
        lambda s: why.why(s, "../../x"),
    ],
)
def test_an_id_of_another_kind_is_refused_with_what_is_allowed(service: Service, verb: Verb) -> None:
    with pytest.raises(DefinitionError, match="is not the id of"):
        verb(service)


def test_a_ready_task_is_revised_cancelled_and_reopened(service: Service) -> None:
    name = ready(service)

    revised: Any = tasks.revise(service, name, reason="more to do")
    cancelled: Any = tasks.cancel(service, name)
    reopened: Any = tasks.reopen(service, name)

    assert (revised["task"]["status"], revised["task"]["revision"]) == ("draft", 1)
    assert cancelled["task"]["status"] == "cancelled"
    assert reopened["task"]["status"] == "draft"
    assert is_clean(service)


@pytest.mark.parametrize(
    ("verb", "why"),
    [
        (lambda s: starts.start(s, ["T1"]), "T1 is draft: it cannot become running; from there: cancelled, ready"),
        (lambda s: tasks.revise(s, "T1"), "T1 is draft"),
        (lambda s: tasks.reopen(s, "T1"), "T1 is draft: it is not over"),
        (lambda s: steps.reopen(s, "T1.1"), "T1.1 is pending"),
        (lambda s: starts.start(s, all_ready=True), "no task is ready"),
    ],
)
def test_a_move_that_the_tables_do_not_list_is_refused(service: Service, verb: Verb, why: str) -> None:
    created(service)

    with pytest.raises(RefusedError, match=why):
        verb(service)

    assert shown(service, "T1")["version"] == 1


def test_a_task_tells_which_of_its_keys_are_not_in_force_yet(service: Service) -> None:
    step: Any = {"title": "s", "criteria": ["c"], "scope": {"unlock": ["tests/**"]}}
    made: Any = tasks.create(service, None, document={**task(), "steps": [step], "tier": "contract"})
    found: Any = tasks.show(service, "T1")

    assert made["task"]["notes"] == found["task"]["notes"]
    assert found["task"]["notes"] == [
        {"key": "steps[0].scope.unlock", "value": ["tests/**"], "note": "not in force yet"}
    ]
    (file,) = (service.root / "projects/p/tasks").glob("*/task.md")
    page = file.read_text(encoding="utf-8")
    assert "`steps[0].scope.unlock`" in page
    assert "contract" in page


def test_a_task_whose_files_the_disk_refuses_is_kept_and_said_to_be_recorded(service: Service) -> None:
    blocked = service.root / "projects/p/progress/summary.md"
    blocked.unlink()
    (blocked / "in the way").mkdir(parents=True)

    with pytest.raises(StoreError, match="generated file cannot be written") as failed:
        created(service)

    assert "is recorded" in failed.value.hint
    assert "punchlist files write" in failed.value.hint
    assert shown(service, "T1")["status"] == "draft"
    (blocked / "in the way").rmdir()
    blocked.rmdir()
    files.write(service)
    assert is_clean(service)


def test_a_retry_that_cannot_start_leaves_the_task_as_it_was(service: Service) -> None:
    created(service)
    tasks.cancel(service, "T1")
    before = shown(service, "T1")

    with pytest.raises(RefusedError, match="T1 was never approved"):
        runs.retry(service, "T1")

    assert shown(service, "T1") == before
    assert is_clean(service)


@pytest.mark.parametrize("field", ["repo", "base", "setup"])
def test_a_project_with_a_nul_in_it_is_refused(service: Service, field: str) -> None:
    value = "a\x00b"

    with pytest.raises(DefinitionError) as refused:
        projects.edit(service, "p", changes={field: [value] if field == "setup" else value})

    assert [each.where.partition("[")[0] for each in refused.value.problems] == [field]
