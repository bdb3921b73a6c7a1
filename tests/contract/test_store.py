"""What `ports.Store` promises, on SQLite: all or nothing, streams that follow their heads, rows read as written."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from punchlist.errors import ConflictError, RefusedError
from punchlist.model.events import (
    Head,
    HeadsMoved,
    TaskCreated,
    TaskMoved,
    TaskPaused,
    WorkspaceCreated,
    head_after,
    seal,
)
from punchlist.model.ids import ProjectId, StreamId
from punchlist.model.states import TaskStatus
from punchlist.ports import Store
from punchlist.store.migration import present_format
from tests.stored import (
    AT,
    PERSON,
    RUN,
    SAMPLE,
    TASK,
    WORKSPACE,
    began,
    made,
    reading,
    sealed,
    task,
    task_state,
    tell_story,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(made(tmp_path)) as store:
        yield store


# -- transactions


def test_a_new_store_begins_with_the_workspaces_first_event(store: Store) -> None:
    with store.read() as reader:
        (event,) = reader.events()
        head = reader.head("workspace")

    assert (event.fact, event.actor, event.n, event.seq) == (WorkspaceCreated(format=present_format()), PERSON, 1, 1)
    assert head == head_after(event)


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    def interrupted() -> None:
        with store.write() as writer:
            writer.put([SAMPLE])
            began(writer, "task", "T1", stream=TASK, facts=[TaskCreated(task=task())])
            writer.enqueue({"command": "Pause"}, at=AT, actor=PERSON)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    with store.read() as reader:
        assert reader.projects() == []
        assert [row.kind for row in reader.streams()] == ["workspace"]
        assert len(list(reader.events())) == 1
        assert reader.inbox() == []


def test_what_was_committed_is_there_in_another_process(store: Store, tmp_path: Path) -> None:
    tell_story(store)

    with reading(tmp_path / "state.db") as reader:
        assert [row.local for row in reader.streams()] == ["", "slugger", "R1", "T1", "T2"]
        assert reader.project(ProjectId("slugger")) == SAMPLE


def test_a_snapshot_does_not_see_what_is_committed_after_it_began(store: Store) -> None:
    with store.read() as before:
        tell_story(store)
        seen = before.projects(), len(list(before.events()))

    assert seen == ([], 1)
    with store.read() as after:
        assert after.projects() == [SAMPLE]


def test_a_writer_sees_its_own_writes(store: Store) -> None:
    with store.write() as writer:
        writer.put([SAMPLE])
        (event,) = began(writer, "task", "T1", stream=TASK, facts=[TaskCreated(task=task())])

        assert writer.project(ProjectId("slugger")) == SAMPLE
        assert writer.head("task", "T1") == head_after(event)
        assert list(writer.events(stream=TASK)) == [event]


def test_a_reader_is_of_no_use_after_its_block(store: Store) -> None:
    tell_story(store)
    with store.read() as reader:
        events = reader.events()
        next(events)

    with pytest.raises(RuntimeError, match="the transaction is over"):
        reader.projects()
    with pytest.raises(sqlite3.ProgrammingError):
        list(events)


def test_a_closed_store_opens_again_when_it_is_used(store: Store) -> None:
    tell_story(store)
    store.close()
    store.close()

    with store.read() as reader:
        assert reader.projects() == [SAMPLE]


def test_a_row_of_something_that_does_not_exist_is_a_fault_of_the_program_and_keeps_nothing(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.write() as writer:
        writer.put([task_state(task())])

    with store.read() as reader:
        assert reader.tasks() == []


# -- ids


def test_numbers_are_given_once_each_and_counted_for_each_kind(store: Store) -> None:
    with store.write() as writer:
        first = [writer.allocate("task"), writer.allocate("task"), writer.allocate("run")]
    with store.write() as writer:
        second = [writer.allocate("task"), writer.allocate("run"), writer.allocate("checkpoint")]

    assert (first, second) == ([1, 2, 1], [3, 2, 1])


def test_the_number_of_a_transaction_that_was_rolled_back_may_be_given_again(store: Store) -> None:
    with pytest.raises(RefusedError), store.write() as writer:
        writer.answer(writer.allocate("attempt"), refused=False, answer=None)

    with store.write() as writer:
        assert writer.allocate("attempt") == 1


# -- streams and events


def test_a_second_stream_of_the_same_thing_is_refused(store: Store) -> None:
    tell_story(store)

    with pytest.raises(RefusedError, match="there is a task T1 already"), store.write() as writer:
        writer.open_stream(StreamId("another"), kind="task", local="T1")


def test_events_come_back_with_their_seq_and_as_they_were_sealed(store: Store) -> None:
    tell_story(store)
    with store.write() as writer:
        head = writer.head("run", "R1")
        assert head is not None
        event = seal(head, TaskPaused(paused=True), at=AT, actor="orchestrator:chat")

        (stored,) = writer.append([event])

    assert stored == msgspec.structs.replace(event, seq=13)
    with store.read() as reader:
        assert list(reader.events(stream=RUN))[-1] == stored


def test_events_that_do_not_follow_their_streams_head_are_a_conflict(store: Store) -> None:
    tell_story(store)
    with store.read() as reader:
        head = reader.head("task", "T1")
    assert head is not None
    with store.write() as writer:
        writer.append([seal(head, TaskPaused(paused=True), at=AT, actor=PERSON)])

    with pytest.raises(ConflictError) as caught, store.write() as writer:
        writer.append([seal(head, TaskPaused(paused=False), at=AT, actor=PERSON)])

    assert (caught.value.code, caught.value.exit_code) == ("conflict", 3)
    assert str(caught.value) == (
        "T1: task T1 has changed meanwhile: it is at event 4, and this change was made for event 3\n"
        "Read again, then try again."
    )
    with store.read() as reader:
        assert [event.n for event in reader.events(stream=TASK)] == [1, 2, 3, 4]


def test_events_of_which_one_does_not_follow_are_none_of_them_added(store: Store) -> None:
    tell_story(store)
    with store.read() as reader:
        run, task = reader.head("run", "R1"), reader.head("task", "T1")
    assert run is not None
    assert task is not None
    late = Head(task.stream, task.n - 1, task.hash)
    fact = TaskPaused(paused=True)
    first, second = (seal(head, fact, at=AT, actor=PERSON) for head in (run, late))
    gap = seal(Head(run.stream, first.n + 1, first.hash), fact, at=AT, actor=PERSON)

    with store.write() as writer:
        for events in ([first, second], [first, gap]):
            with pytest.raises(ConflictError):
                writer.append(events)

    with store.read() as reader:
        assert (reader.head("run", "R1"), reader.head("task", "T1")) == (run, task)
        assert list(reader.events(stream=RUN))[-1].n == run.n


def test_a_rewritten_past_is_a_conflict_even_at_the_right_number(store: Store) -> None:
    tell_story(store)
    with store.read() as reader:
        first, second, _ = reader.events(stream=TASK)
    other = seal(head_after(first), TaskMoved(status=TaskStatus.CANCELLED), at=AT, actor=PERSON)
    assert other.n == second.n

    with pytest.raises(ConflictError), store.write() as writer:
        writer.append([seal(head_after(other), TaskPaused(paused=True), at=AT, actor=PERSON)])


def test_events_of_a_stream_that_is_not_there_are_a_conflict(store: Store) -> None:
    with pytest.raises(ConflictError, match="there is no stream elsewhere"), store.write() as writer:
        writer.append(sealed(Head(StreamId("elsewhere")), [TaskCreated(task=task())]))


def test_an_event_whose_hash_is_not_of_what_it_says_is_never_stored(store: Store) -> None:
    tell_story(store)
    with store.read() as reader:
        head = reader.head("task", "T1")
    assert head is not None
    event = seal(head, TaskPaused(paused=True), at=AT, actor=PERSON)

    with pytest.raises(ValueError, match="does not carry the hash"), store.write() as writer:
        writer.append([msgspec.structs.replace(event, actor="human:Someone Else")])


def test_events_are_read_from_a_cursor_on_by_stream_and_up_to_a_limit(store: Store) -> None:
    tell_story(store)

    with store.read() as reader:
        everything = [event.seq for event in reader.events()]
        later = [event.seq for event in reader.events(after=9)]
        two = [event.seq for event in reader.events(after=3, limit=2)]
        of_task = [(event.stream, event.n) for event in reader.events(stream=TASK)]
        of_task_later = [event.n for event in reader.events(stream=TASK, after=4, limit=1)]

    assert everything == list(range(1, 13))
    assert later == [10, 11, 12]
    assert two == [4, 5]
    assert of_task == [(TASK, 1), (TASK, 2), (TASK, 3)]
    assert of_task_later == [2]


def test_each_commit_records_the_heads_that_it_moved_in_the_workspaces_stream(store: Store) -> None:
    tell_story(store)

    with store.read() as reader:
        heads = {row.stream: (row.n, row.hash) for row in reader.streams()}
        records = [event for event in reader.events(stream=WORKSPACE) if isinstance(event.fact, HeadsMoved)]

    last = records[-1]
    assert isinstance(last.fact, HeadsMoved)
    assert len(records) == 3
    assert (last.actor, last.at, last.n) == ("engine", AT, 4)
    assert last.fact.heads == {TASK: heads[TASK], RUN: heads[RUN]}


def test_a_commit_without_events_records_nothing(store: Store) -> None:
    with store.write() as writer:
        writer.enqueue({"command": "Pause"}, at=AT, actor=PERSON)

    with store.read() as reader:
        assert len(list(reader.events())) == 1


# -- the inbox


def test_a_command_waits_in_the_inbox_until_it_is_answered(store: Store) -> None:
    with store.write() as writer:
        first = writer.enqueue({"command": "Pause", "run": "R1"}, at=AT, actor=PERSON)
        second = writer.enqueue({"command": "Cancel", "run": "R1"}, at=AT, actor="orchestrator:chat", key="k")
    with store.write() as writer:
        writer.answer(first, refused=True, answer={"message": "it is over"})

    with store.read() as reader:
        answered = reader.command(first)
        assert answered is not None
        assert (answered.state, answered.answer) == ("refused", {"message": "it is over"})
        (pending,) = reader.inbox()
        assert (pending.id, pending.actor, pending.key, pending.state) == (second, "orchestrator:chat", "k", "pending")
        assert (pending.command, pending.answer) == ({"command": "Cancel", "run": "R1"}, None)
        assert [row.id for row in reader.inbox(pending=False)] == [first, second]
        assert reader.command(99) is None


def test_the_same_key_is_the_same_command(store: Store) -> None:
    with store.write() as writer:
        first = writer.enqueue({"command": "Pause", "run": "R1"}, at=AT, actor=PERSON, key="once")
    with store.write() as writer:
        again = writer.enqueue({"command": "Pause", "run": "R1"}, at=AT, actor=PERSON, key="once")
        with pytest.raises(RefusedError, match=f"the key 'once' was given to another command: {first}"):
            writer.enqueue({"command": "Pause", "run": "R2"}, at=AT, actor=PERSON, key="once")
        other = writer.enqueue({"command": "Pause", "run": "R1"}, at=AT, actor=PERSON)

    assert again == first
    assert other != first


@pytest.mark.parametrize(("number", "seen"), [(1, "is done already"), (7, "is not in the inbox")])
def test_a_command_is_answered_once(store: Store, number: int, seen: str) -> None:
    with store.write() as writer:
        writer.enqueue({"command": "Pause"}, at=AT, actor=PERSON)
        writer.answer(1, refused=False, answer=None)

    with pytest.raises(RefusedError, match=f"command {number} {seen}"), store.write() as writer:
        writer.answer(number, refused=False, answer="again")


def test_the_first_answer_kept_under_a_key_stays(store: Store) -> None:
    with store.write() as writer:
        writer.remember("plan/A3", {"tasks": ["T1"]})
        writer.remember("plan/A3", {"tasks": ["T2"]})

    with store.read() as reader:
        assert reader.remembered("plan/A3") == {"tasks": ["T1"]}
        assert reader.remembered("plan/A4") is None


def test_an_answer_that_is_to_follow_is_put_instead_of_its_announcement_only(store: Store) -> None:
    with store.write() as writer:
        writer.remember("k", {"by": "me"})
        writer.remember("k", {"tasks": ["T2"]}, instead={"by": "another"})
    with store.read() as reader:
        assert reader.remembered("k") == {"by": "me"}

    with store.write() as writer:
        writer.remember("k", None, instead={"by": "me"})
    with store.read() as reader:
        assert reader.remembered("k") is None

    with store.write() as writer:
        writer.remember("k", {"tasks": ["T1"]})
        writer.remember("k", {"tasks": ["T2"]})
    with store.read() as reader:
        assert reader.remembered("k") == {"tasks": ["T1"]}


# -- several at once

CREATE_A_TASK = """
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from punchlist.model.events import TaskCreated
from punchlist.model.ids import StreamId
from punchlist.store import open_store
from tests.stored import began, task, task_state, reading, writing

with open_store(Path(sys.argv[1])).write() as writer:
    number = writer.allocate("task")
    began(writer, "task", f"T{number}", stream=StreamId(sys.argv[2]), facts=[TaskCreated(task=task(number))])
    writer.put([task_state(task(number))])
print(number)
"""


def test_twenty_processes_that_create_at_once_lose_nothing(store: Store, tmp_path: Path) -> None:
    with store.write() as writer:
        writer.put([SAMPLE])
    root = Path(__file__).parents[2]

    commands = [
        [sys.executable, "-c", CREATE_A_TASK, str(tmp_path / "state.db"), f"stream-{index}"] for index in range(20)
    ]
    processes = [subprocess.Popen(each, cwd=root, stdout=subprocess.PIPE, text=True) for each in commands]
    numbers = [int(process.communicate()[0]) for process in processes]

    assert sorted(numbers) == list(range(1, 21))
    with store.read() as reader:
        assert [line.id for line in reader.tasks()] == [f"T{number}" for number in range(1, 21)]
        assert {row.stream for row in reader.streams() if row.kind == "task"} == {f"stream-{n}" for n in range(20)}
        assert reader.verify() == []


DIE_IN_A_TRANSACTION = """
import os, signal, sys
from pathlib import Path
from punchlist.store import open_store
from tests.stored import tell_story
store = open_store(Path(sys.argv[1]))
tell_story(store)
with store.write() as writer:
    writer.remember("half", "x" * 1_000_000)
    writer.enqueue({}, at="", actor="")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_in_a_transaction_loses_that_one_alone(store: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-c", DIE_IN_A_TRANSACTION, str(tmp_path / "state.db")]

    killed = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)

    assert killed.returncode == -9
    with store.write() as writer:
        assert (writer.remembered("half"), writer.inbox()) == (None, [])
        assert writer.verify() == []
        assert len(list(writer.events())) == 12
