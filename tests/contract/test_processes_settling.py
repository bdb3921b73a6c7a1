"""What becomes of attempts that an engine finds: ended ones are read, living ones waited for, the rest is lost."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Limits, Role
from punchlist.ports import Exit, Lost
from punchlist.workers.nonces import nonces_of
from tests.attempts import KEY, Attempts, Orphaned, alive, orphaned as orphan, see_alive

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return f"{2_000_000 + os.getpid()}.{abs(hash(str(tmp_path))) % 1_000_000}"


@pytest.fixture
def orphaned(attempts: Attempts) -> Iterator[Callable[..., Orphaned]]:
    """Start an attempt in an engine of its own, and kill that when the attempt comes to READY."""
    with ExitStack() as stack:
        yield lambda script, **said: stack.enter_context(orphan(attempts, script, **said))


def test_an_attempt_without_a_directory_is_lost(attempts: Attempts) -> None:
    assert attempts.adopt() == Lost(reason="its folder is not there")


def test_an_attempt_that_ended_before_is_read_from_its_files(attempts: Attempts) -> None:
    before = attempts.sh("echo out; printf '{}' >$PUNCHLIST_ATTEMPT_DIR/result.json; exit 3", network=False)

    assert attempts.adopt(network=False) == before
    assert before.unenforced == ("sandbox", "network")


def test_the_end_is_marked_for_typed_tools_of_an_attempt_whose_engine_was_killed(attempts: Attempts) -> None:
    attempts.sh("true", role=Role.BUILDER)
    mark = attempts.directory() / "io" / "ended"
    mark.unlink()

    attempts.adopt()

    assert mark.exists()


def test_an_attempt_that_a_signal_ended_is_read_from_its_files(attempts: Attempts) -> None:
    before = attempts.sh("kill -9 $$")

    assert attempts.adopt() == before
    assert before.signal == 9


@pytest.mark.parametrize(
    "record", [b"", b"exit 0", b"exit 0\n", b"exit 0\nen", b"exit 0\nend", b"exit x\nend\n", b"exit 0\nend\n0"]
)
def test_a_record_that_is_not_whole_counts_as_none(attempts: Attempts, record: bytes) -> None:
    attempts.sh("true")
    (attempts.directory() / "exit").write_bytes(record)

    assert attempts.adopt() == Lost(reason="its exit record is not whole")


FORGED = "its exit record is not its wrapper's: something else wrote it"


def test_a_record_is_taken_as_it_is_where_nothing_says_by_what_its_wrapper_is_known(attempts: Attempts) -> None:
    attempts.sh("true")
    (attempts.directory() / "exit").write_text("exit 4\nend\n")

    older = attempts.adopt(nonce_digest="")

    assert isinstance(older, Exit)
    assert older.code == 4
    assert attempts.adopt() == Lost(reason=FORGED)


@pytest.mark.parametrize("script", ["exit 0", "exit 3"])
def test_a_success_cannot_be_made_of_a_record_that_is_known_nor_one_of_another_attempt_be_used(
    attempts: Attempts, script: str
) -> None:
    attempts.sh(script)
    record = attempts.directory() / "exit"
    known = record.read_text()
    attempts.sh("exit 0", name="A2")

    if script == "exit 3":
        record.write_text(known.replace("exit 3", "exit 0"))
        assert attempts.adopt() == Lost(reason=FORGED)
    record.write_text((attempts.directory("A2") / "exit").read_text())
    assert attempts.adopt() == Lost(reason=FORGED)


def test_a_directory_without_anything_in_it_is_lost(attempts: Attempts) -> None:
    attempts.directory().mkdir(parents=True)

    assert attempts.adopt() == Lost(reason="it left neither an exit record nor the number of its process")


@pytest.mark.parametrize("name", ["pid", "lock", "exit", "stdout", "stderr", "io", "request.json"])
@pytest.mark.parametrize("damage", ["a folder", "a broken link", "chaos"])
def test_a_damaged_file_of_an_attempt_is_no_error(attempts: Attempts, name: str, damage: str) -> None:
    attempts.sh("echo out; exit 3", role=Role.BUILDER)
    path = attempts.directory() / name
    path.rename(path.with_name("before"))
    if damage == "a folder":
        path.mkdir()
    elif damage == "a broken link":
        path.symlink_to("nowhere")
    else:
        path.write_bytes(b"\xff{[\0")

    found = attempts.adopt()

    if name == "exit":
        assert isinstance(found, Lost)
    else:
        assert isinstance(found, Exit)
        assert found.code == 3


def test_an_attempt_in_whose_place_is_a_file_is_lost(attempts: Attempts) -> None:
    attempts.root.mkdir(parents=True)
    attempts.directory().write_text("in the way")

    assert attempts.adopt() == Lost(reason="its folder is not there")


def test_an_attempt_that_lives_is_waited_for_and_ends_as_if_nothing_had_been(
    attempts: Attempts, orphaned: Callable[..., Orphaned]
) -> None:
    left = orphaned("echo before; READY; HELD; echo after; exit 5")

    ended = left.adopted(left.go_on)

    assert isinstance(ended, Exit)
    assert (ended.code, ended.signal, ended.limit) == (5, None, None)
    assert ended.stdout == b"before\nafter\n"
    assert attempts.adopt() == ended, "it is read again, and not run again"


def test_what_an_attempt_that_was_waited_for_leaves_behind_is_killed(
    mark: str, orphaned: Callable[..., Orphaned]
) -> None:
    left = orphaned(f"(setsid sleep {mark} &) & READY; HELD")
    see_alive(mark, count=1)

    ended = left.adopted(left.go_on)

    assert isinstance(ended, Exit)
    assert alive(mark) == []


def without(*names: str, anew: str | None = None) -> Callable[[Path], None]:
    """Return what removes files of an attempt, and perhaps makes an empty one."""

    def remove(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()
        if anew is not None:
            (folder / anew).touch()

    return remove


LOSSES: dict[str, Callable[[Path], object]] = {
    "its lock was removed": without("lock"),
    "its lock was made anew": without("lock", anew="lock"),
    "its number was removed": without("pid"),
    "its lock and its number were removed": without("lock", "pid"),
    "its number is cut off": lambda folder: (folder / "pid").write_text("12"),
    "its number is another's": lambda folder: (folder / "pid").write_text("1 1\n"),
    "its number is the engine's": lambda folder: (folder / "pid").write_text(this_process()),
    "its request was removed": without("request.json"),
    "its request is broken": lambda folder: (folder / "request.json").write_text("{"),
}


def this_process() -> str:
    words = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return f"{os.getpid()} {words[19]}\n"


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_an_attempt_that_lives_is_found_although(
    loss: Callable[[Path], object], attempts: Attempts, orphaned: Callable[..., Orphaned]
) -> None:
    left = orphaned("READY; HELD; exit 5")
    loss(attempts.directory())

    ended = left.adopted(left.go_on)

    assert isinstance(ended, Exit)
    assert ended.code == 5


def test_a_wrapper_that_proc_does_not_show_is_waited_for_by_its_lock(attempts: Attempts) -> None:
    """A wrapper on its way from fork to exec has no mark yet; here a process without one holds the lock."""
    attempts.directory().mkdir(parents=True)
    (attempts.directory() / "lock").touch()
    holder = subprocess.Popen(
        ["flock", str(attempts.directory() / "lock"), "sh", "-c", "echo held; read _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()

    async def adopted() -> Exit | Lost:
        task = asyncio.create_task(attempts.processes.adopt(attempts.job()))
        done, _ = await asyncio.wait({task}, timeout=0.3)
        assert not done
        nonces = nonces_of(KEY, AttemptId("A1"))
        (attempts.directory() / "exit").write_text(f"exit 4\nend {nonces.failure}\n")
        holder.communicate(b"\n")
        return await task

    ended = asyncio.run(adopted())

    assert isinstance(ended, Exit)
    assert ended.code == 4


def test_an_exit_record_that_a_living_command_wrote_is_not_believed(
    attempts: Attempts, orphaned: Callable[..., Orphaned]
) -> None:
    left = orphaned("READY; HELD; exit 5")
    (attempts.directory() / "exit").write_text("exit 0\nend\n")

    ended = left.adopted(left.go_on)

    assert isinstance(ended, Exit)
    assert ended.code == 5


def test_an_exit_record_of_a_command_that_killed_its_wrapper_is_not_believed(attempts: Attempts) -> None:
    ended = attempts.sh(f"printf 'exit 0\\nend\\n' >{attempts.directory()}/exit; kill -9 $PPID")

    assert (ended.code, ended.signal) == (None, 9)


def test_an_exit_record_that_says_another_code_than_the_wrapper_is_not_believed(attempts: Attempts) -> None:
    exit_record = attempts.directory() / "exit"
    forged = f"(while [ ! -s {exit_record} ]; do :; done; printf 'exit 0\\nend\\n' >{exit_record}) &"

    assert attempts.sh(f"{forged} exit 3").code == 3


def test_an_exit_record_that_was_written_while_no_engine_lived_is_not_believed(
    attempts: Attempts, mark: str, orphaned: Callable[..., Orphaned]
) -> None:
    left = orphaned(f"READY; sleep {mark}")
    (attempts.directory() / "exit").write_text("exit 0\nend\n")
    os.killpg(left.wrapper(), signal.SIGKILL)

    assert attempts.adopt() == Lost(reason=FORGED)


def test_an_attempt_whose_wrapper_was_killed_is_lost_and_what_lives_of_it_is_killed(
    attempts: Attempts, mark: str, orphaned: Callable[..., Orphaned]
) -> None:
    orphaned(f"(setsid sleep {mark} &) & READY; sleep {mark}", kill_wrapper=True)
    see_alive(mark, count=2)

    assert attempts.adopt() == Lost(reason="it left no exit record")
    assert alive(mark) == []


def test_a_wrapper_that_is_killed_while_it_is_waited_for_is_lost(mark: str, orphaned: Callable[..., Orphaned]) -> None:
    left = orphaned(f"READY; sleep {mark}")

    assert left.adopted(lambda: os.kill(left.wrapper(), 9)) == Lost(reason="it left no exit record")
    assert alive(mark) == []


def test_an_attempt_is_lost_whose_number_belongs_to_another_program(attempts: Attempts, mark: str) -> None:
    attempts.sh("true")
    (attempts.directory() / "exit").unlink()
    other = subprocess.Popen(["sleep", mark], start_new_session=True)
    try:
        (attempts.directory() / "pid").write_text(f"{other.pid} 1\n")

        found = attempts.adopt()

        assert isinstance(found, Lost)
        assert found.reason.startswith(f"process {other.pid}, which it was, is another program now")
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_cancelling_the_wait_for_an_attempt_kills_its_tree(
    attempts: Attempts, mark: str, orphaned: Callable[..., Orphaned]
) -> None:
    left = orphaned(f"setsid sleep {mark} & trap '' INT TERM; READY; sleep {mark}; sleep {mark}")
    see_alive(mark, count=2)

    with pytest.raises(asyncio.CancelledError):
        left.adopted(cancel=True)

    assert alive(mark) == []
    assert isinstance(attempts.adopt(), Lost), "the record that the kill brought about is not one of the command's"


def test_an_attempt_that_is_over_is_killed_and_nothing_is_made_of_it(
    attempts: Attempts, mark: str, orphaned: Callable[..., Orphaned]
) -> None:
    orphaned(f"READY; sleep {mark}; sleep {mark}")
    see_alive(mark, count=1)

    during = attempts.processes.alive()
    asyncio.run(attempts.processes.settle(attempts.job().attempt))

    assert during == {"A1"}
    assert alive(mark) == []
    assert attempts.processes.alive() == frozenset()


def test_the_time_of_an_attempt_counts_from_its_real_start(mark: str, orphaned: Callable[..., Orphaned]) -> None:
    left = orphaned(f"sleep 1.2; READY; sleep {mark}")

    ended = left.adopted(limits=Limits(timeout=1.0))

    assert isinstance(ended, Exit)
    assert ended.limit == "timeout"
    assert alive(mark) == []


def test_the_silence_of_an_attempt_counts_from_its_last_word(mark: str, orphaned: Callable[..., Orphaned]) -> None:
    left = orphaned(f"echo said; READY; sleep {mark}")
    os.utime(left.attempts.directory() / "stdout", (1, 1))
    os.utime(left.attempts.directory() / "request.json", (1, 1))

    ended = left.adopted(limits=Limits(timeout=3600, silence=0.3))

    assert isinstance(ended, Exit)
    assert ended.limit == "silence"
    assert ended.stdout == b"said\n"
    assert alive(mark) == []


def test_an_attempt_is_silent_for_no_longer_than_it_lives(orphaned: Callable[..., Orphaned]) -> None:
    left = orphaned("READY; HELD; exit 5")
    os.utime(left.attempts.directory() / "stdout", (1, 1))
    os.utime(left.attempts.directory() / "request.json", (1, 1))

    ended = left.adopted(left.go_on, limits=Limits(timeout=3600, silence=600))

    assert isinstance(ended, Exit)
    assert (ended.code, ended.limit) == (5, None)


def test_the_output_of_an_attempt_counts_from_its_first_byte(mark: str, orphaned: Callable[..., Orphaned]) -> None:
    left = orphaned(f"head -c 3000 /dev/zero; READY; sleep {mark}")

    ended = left.adopted(limits=Limits(timeout=60, output=2000))

    assert isinstance(ended, Exit)
    assert ended.limit == "output"
    assert alive(mark) == []


def test_an_attempt_that_wrote_too_much_has_passed_that_limit_after_a_restart_too(attempts: Attempts) -> None:
    limits = Limits(timeout=20, output=2000)

    before = attempts.run("head", "-c", "3000", "/dev/zero", limits=limits)

    assert before.limit == "output"
    assert attempts.adopt(limits=limits) == before


def test_an_attempt_that_was_cancelled_has_no_record_to_be_taken_for_its_own(attempts: Attempts) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(attempts.processes.run(attempts.launch("sleep", "30")))
        await asyncio.sleep(0)  # the task starts its process
        task.cancel()
        await asyncio.wait({task})

    asyncio.run(cancelled())

    assert attempts.directory().is_dir()
    assert isinstance(attempts.adopt(), Lost)


@pytest.mark.parametrize("record", [b"exit 0\nend\n", b""])
def test_an_attempt_that_was_being_ended_for_a_limit_has_passed_it_whatever_its_exit_says(
    attempts: Attempts, record: bytes
) -> None:
    attempts.run("sleep", "30", limits=Limits(timeout=0.1))
    (attempts.directory() / "exit").write_bytes(record)  # a command may end with 0 when it is asked to end

    found = attempts.adopt()

    assert isinstance(found, Exit)
    assert found.limit == "timeout"


def test_an_attempt_that_a_dead_engine_was_ending_for_a_limit_is_ended(
    mark: str, orphaned: Callable[..., Orphaned]
) -> None:
    left = orphaned(f"READY; sleep {mark}")
    (left.attempts.directory() / "limit").write_text("silence")

    ended = left.adopted(limits=Limits(timeout=60, silence=60))

    assert isinstance(ended, Exit)
    assert (ended.limit, ended.bound) == ("silence", "60 s")
    assert alive(mark) == []


@pytest.mark.parametrize("noted", ["silence", "worker", "nonsense"])
def test_a_limit_that_an_attempt_does_not_have_was_not_passed_whatever_is_noted(attempts: Attempts, noted: str) -> None:
    attempts.sh("exit 3")
    (attempts.directory() / "limit").write_text(noted)

    found = attempts.adopt()

    assert isinstance(found, Exit)
    assert (found.code, found.limit) == (3, None)


def test_a_process_that_got_the_number_of_a_wrapper_is_left_alone(attempts: Attempts, mark: str) -> None:
    attempts.sh("true")
    other = subprocess.Popen(["sleep", mark], start_new_session=True)
    try:
        (attempts.directory() / "pid").write_text(f"{other.pid} 1\n")

        assert isinstance(attempts.adopt(), Exit)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


LETTING_GO = """
import asyncio, sys
from pathlib import Path
from tests.attempts import Attempts

async def let_go(attempts):
    task = asyncio.create_task(attempts.processes.run(attempts.launch("sh", "-c", sys.argv[2])))
    await asyncio.sleep(0)  # the task starts its process
    attempts.processes.let_go()
    task.cancel()
    await asyncio.wait({task})

asyncio.run(let_go(Attempts(Path(sys.argv[1]))))
"""


def test_what_is_let_go_lives_on_and_can_be_taken_up(attempts: Attempts) -> None:
    pipe = attempts.work / "pipe"
    os.mkfifo(pipe)
    arguments = [str(attempts.work.parent), f"read -r _ <{pipe}; exit 5"]

    subprocess.run([sys.executable, "-c", LETTING_GO, *arguments], cwd=REPOSITORY, check=True)
    pipe.write_text("go on\n")

    ended = attempts.adopt()
    assert isinstance(ended, Exit)
    assert ended.code == 5
