"""Lines of other programs: each taken once, answered by its id, and none of them fatal, however it looks."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installed import Workspace, until

DRAFT = {"project": "p", "title": "Write prose", "steps": [{"title": "Write", "criteria": ["It reads well."]}]}
BIG = 10_000_000


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "here", tmp_path / "home")
    made.root.mkdir()
    made.home.mkdir()
    made.ok("init")
    made.write("spec.md", "# What is wanted\n")
    made.ok("project", "create", "p", "--spec", "spec.md")
    yield made
    made.stop()


def inbox(workspace: Workspace) -> Path:
    return workspace.root / ".punchlist" / "inbox.jsonl"


def outbox(workspace: Workspace) -> Path:
    return workspace.root / ".punchlist" / "outbox.jsonl"


def send(workspace: Workspace, *lines: Any) -> None:
    """Append lines, as a program does: those that are not bytes as JSON."""
    with inbox(workspace).open("ab") as file:
        for line in lines:
            file.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")


def create(name: str, **said: Any) -> dict[str, Any]:
    return {"id": name, "verb": "create_task", "args": DRAFT | said}


def lines(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the whole lines of the outbox."""
    path = outbox(workspace)
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def answers(workspace: Workspace) -> list[dict[str, Any]]:
    return [line for line in lines(workspace) if "id" in line]


def answered(workspace: Workspace, count: int) -> list[dict[str, Any]]:
    """Wait until so many answers are there, and return them."""
    until(lambda: len(answers(workspace)) >= count, what=f"{count} answers: {answers(workspace)}", patience=20)
    return answers(workspace)


def tasks(workspace: Workspace) -> list[str]:
    return [each["id"] for each in workspace.ok("task", "list")["tasks"]]


def test_a_line_is_a_call_of_a_tool_and_its_answer_has_its_id(workspace: Workspace) -> None:
    workspace.ok("engine", "start")

    send(workspace, create("mine"), {"id": 7, "verb": "get_task", "args": {"task": "T1"}})
    made, shown = answered(workspace, 2)

    assert (made["id"], made["ok"], made["task"]["id"], made["task"]["status"]) == ("mine", True, "T1", "draft")
    assert (shown["id"], shown["task"]) == (7, workspace.ok("task", "show", "T1")["task"])
    (event,) = [each for each in workspace.ok("events")["events"] if each["kind"] == "TaskCreated"]
    assert event["actor"] == "orchestrator:inbox-jsonl"


def test_lines_that_were_written_while_no_engine_ran_are_taken_by_the_next_one(workspace: Workspace) -> None:
    send(workspace, create("early"))

    workspace.ok("engine", "start")

    assert [each["id"] for each in answered(workspace, 1)] == ["early"]


@pytest.mark.parametrize(
    ("line", "said", "name"),
    [
        (b"{not json}\n", "the line is not JSON in UTF-8", None),
        (b'"\xff"\n', "the line is not JSON in UTF-8", None),
        (b"[1]\n", "the line is not a JSON object", None),
        (b"[" * 100_000 + b"\n", "the line is not JSON in UTF-8", None),
        (b'{"verb": "list_tasks"}\n', "inbox.jsonl, byte 0 has 1 problem", None),
        (b'{"id": true, "verb": "list_tasks"}\n', "has 1 problem", None),
        (b'{"id": "", "verb": "list_tasks"}\n', "has 1 problem", None),
        (b'{"id": "a", "verb": 3, "args": [], "more": 1}\n', "has 3 problems", "a"),
        (b'{"id": "a", "id": "b", "verb": "list_tasks"}\n', "has 1 problem", None),
        (b'{"id": "a", "verb": "list_task"}\n', "there is no verb 'list_task'", "a"),
        (b'{"id": "a", "verb": "approve_task", "args": {"task": "T1"}}\n', "there is no verb", "a"),
        (b'{"id": "a", "verb": "wait_for", "args": {"ids": ["T1"]}}\n', "there is no task T1", "a"),
        (b'{"id": "a", "verb": "get_task", "args": {"task": "T99", "x": 1}}\n', "has 1 problem", "a"),
        (b'{"id": "a", "verb": "get_task", "args": {"task": "T99"}}\n', "there is no task T99", "a"),
        (b'{"id": "a", "verb": "start_task", "args": {"task": "T1", "idempotency_key": "k"}}\n', "1 problem", "a"),
    ],
)
def test_a_line_that_cannot_be_done_is_answered_and_the_next_one_is_taken(
    workspace: Workspace, line: bytes, said: str, name: str | None
) -> None:
    send(workspace, line, create("after"))

    workspace.ok("engine", "start")
    refused, made = answered(workspace, 2)

    assert (refused["id"], refused["ok"]) == (name, False)
    assert said in refused["error"]["message"], refused
    assert (made["id"], made["ok"]) == ("after", True)


def test_a_line_without_its_end_waits_for_it(workspace: Workspace) -> None:
    workspace.ok("engine", "start")
    whole = json.dumps(create("slow")).encode()

    send(workspace, {"id": 1, "verb": "list_tasks"}, whole[:30])
    before = answered(workspace, 1)
    send(workspace, whole[30:], b"\n")
    after = answered(workspace, 2)

    assert [each["id"] for each in before] == [1]
    assert [each["id"] for each in after] == [1, "slow"]


def test_a_line_of_ten_million_bytes_is_refused_by_its_size_though_it_never_ends(workspace: Workspace) -> None:
    workspace.ok("engine", "start")
    begun = b'{"id": "a", "verb": "' + b"x" * BIG

    send(workspace, begun)
    (refused,) = answered(workspace, 1)
    send(workspace, b'"}\n', create("after"))
    made = answered(workspace, 2)[1]

    assert (refused["id"], refused["error"]["where"]) == (None, "inbox.jsonl, byte 0")
    assert "longer than 4,000,000 bytes" in refused["error"]["message"]
    assert made["id"] == "after"


def test_the_same_line_again_gives_the_first_answer_and_another_one_of_its_id_is_refused(workspace: Workspace) -> None:
    workspace.ok("engine", "start")

    send(workspace, create("once"), create("once"), create("once", title="Another"))
    first, again, other = answered(workspace, 3)

    assert again == first
    assert (other["ok"], "given to another call" in other["error"]["message"]) == (False, True)
    assert tasks(workspace) == ["T1"]


def test_nothing_is_taken_or_told_twice_after_a_restart(workspace: Workspace) -> None:
    send(workspace, create("a"), b"broken\n", {"id": "b", "verb": "list_tasks"})
    workspace.ok("engine", "start")
    answered(workspace, 3)
    workspace.ok("engine", "stop")
    before = lines(workspace)

    workspace.ok("engine", "start")
    send(workspace, create("c"))
    answered(workspace, 4)
    workspace.ok("engine", "stop")

    assert lines(workspace)[: len(before)] == before
    assert [each["id"] for each in answers(workspace)] == ["a", None, "b", "c"]
    assert tasks(workspace) == ["T1", "T2"]


def test_killed_engines_take_every_line_once(workspace: Workspace) -> None:
    names = [f"n{number}" for number in range(30)]
    send(workspace, *(create(name) for name in names))

    for count in (1, 4, 9, 15):
        workspace.ok("engine", "start")
        answered(workspace, count)
        workspace.kill_engine()
    workspace.ok("engine", "start")
    found = answered(workspace, len(names))
    workspace.ok("engine", "stop")

    assert [each["id"] for each in found] == names
    assert len({each["task"]["id"] for each in found}) == len(names)
    assert len(tasks(workspace)) == len(names)
    assert [each["seq"] for each in lines(workspace) if "seq" in each] == _numbers(workspace)
    assert workspace.ok("log", "verify")["problems"] == []


def test_a_file_that_is_not_the_one_that_was_taken_is_named_and_taken_from_its_beginning(workspace: Workspace) -> None:
    send(workspace, create("a"))
    workspace.ok("engine", "start")
    answered(workspace, 1)

    inbox(workspace).unlink()
    send(workspace, create("b", title="Write more, and at greater length than before"), create("a"))
    _, named, more, again = answered(workspace, 4)

    assert (named["id"], named["error"]["where"]) == (None, "inbox.jsonl")
    assert "is not the one that was taken" in named["error"]["message"]
    assert [(each["id"], each["task"]["id"]) for each in (more, again)] == [("b", "T2"), ("a", "T1")]


def test_an_emptied_file_is_named_and_goes_on(workspace: Workspace) -> None:
    send(workspace, create("a"))
    workspace.ok("engine", "start")
    answered(workspace, 1)

    os.truncate(inbox(workspace), 0)
    answered(workspace, 2)
    send(workspace, create("b"))

    assert [each["id"] for each in answered(workspace, 3)] == ["a", None, "b"]


def test_a_folder_in_place_of_the_inbox_is_named_and_no_run_minds(workspace: Workspace) -> None:
    inbox(workspace).mkdir()
    workspace.write("flow.yaml", "punchlist: 1\nflow: f\nnodes:\n  a: {run: 'true'}\n")

    run = workspace.ok("run", "flow.yaml", "--wait")["run"]

    assert run["status"] == "succeeded"
    problems = {each["where"]: each["message"] for each in workspace.ok("status")["problems"]}
    assert problems["inbox.jsonl"] == "inbox.jsonl cannot be read: it is not a plain file"


def test_an_engine_that_is_told_to_end_leaves_the_rest_to_the_next_one(workspace: Workspace) -> None:
    send(workspace, *(create(f"n{number}") for number in range(40)))
    workspace.ok("engine", "start")
    answered(workspace, 3)

    workspace.ok("engine", "stop")
    assert workspace.engine() is None
    workspace.ok("engine", "start")

    assert len(answered(workspace, 40)) == 40
    assert len(tasks(workspace)) == 40


def _numbers(workspace: Workspace) -> list[int]:
    return [each["seq"] for each in workspace.ok("events")["events"]]
