"""What becomes of attempts that an engine finds when it starts: their own engine was killed."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from punchlist.model.jobs import Limits, Role
from punchlist.ports import Exit
from tests.attempts import Attempts, alive, see_alive

ENGINE = """
import asyncio, sys
from pathlib import Path
from tests.attempts import Attempts
attempts = Attempts(Path(sys.argv[1]))
asyncio.run(attempts.processes.run(attempts.launch("sh", "-c", sys.argv[2])))
"""
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return f"{2_000_000 + os.getpid()}.{abs(hash(str(tmp_path))) % 1_000_000}"


def test_an_attempt_without_a_directory_is_nothing(attempts: Attempts) -> None:
    assert attempts.settle() is None


def test_an_attempt_that_ended_before_is_read_from_its_files(attempts: Attempts) -> None:
    before = attempts.sh("echo out; printf '{}' >$PUNCHLIST_ATTEMPT_DIR/result.json; exit 3", network=False)

    assert attempts.settle() == before
    assert before.unenforced == ("sandbox", "network")


def test_the_end_is_marked_for_typed_tools_of_an_attempt_whose_engine_was_killed(attempts: Attempts) -> None:
    attempts.sh("true", role=Role.BUILDER)
    mark = attempts.directory() / "io" / "ended"
    mark.unlink()

    attempts.settle()

    assert mark.exists()


def test_an_attempt_that_a_signal_ended_is_read_from_its_files(attempts: Attempts) -> None:
    before = attempts.sh("kill -9 $$")

    assert attempts.settle() == before
    assert before.signal == 9


@pytest.mark.parametrize(
    "record", [b"", b"exit 0", b"exit 0\n", b"exit 0\nen", b"exit 0\nend", b"exit x\nend\n", b"exit 0\nend\n0"]
)
def test_a_record_that_is_not_whole_counts_as_none(attempts: Attempts, record: bytes) -> None:
    attempts.sh("true")
    (attempts.directory() / "exit").write_bytes(record)

    assert attempts.settle() is None


def test_a_directory_without_anything_in_it_counts_as_none(attempts: Attempts) -> None:
    attempts.directory().mkdir(parents=True)

    assert attempts.settle() is None


def test_an_attempt_that_lives_is_killed_and_counts_as_lost(attempts: Attempts, mark: str, tmp_path: Path) -> None:
    _killed_engine(tmp_path, f"setsid sleep {mark} & READY; sleep {mark}")
    see_alive(mark, count=2)

    assert attempts.settle() is None
    assert alive(mark) == []
    assert attempts.settle() is None, "the record that the kill brought about is not one of the command's"


def test_an_attempt_that_ends_by_itself_after_its_engine_is_not_lost(attempts: Attempts, tmp_path: Path) -> None:
    done = tmp_path / "done"
    os.mkfifo(done)
    _killed_engine(tmp_path, f"READY; cat {done}; exit 5")
    with (attempts.directory() / "pid").open() as pid:
        wrapper = os.pidfd_open(int(pid.read().split()[0]))

    done.write_text("go on\n")
    _wait(wrapper)

    settled = attempts.settle()
    assert settled is not None
    assert (settled.code, settled.stdout) == (5, b"go on\n")


def test_an_attempt_that_wrote_too_much_has_passed_that_limit_after_a_restart_too(attempts: Attempts) -> None:
    before = attempts.run("head", "-c", "3000", "/dev/zero", limits=Limits(timeout=20, output=2000))

    assert before.limit == "output"
    assert attempts.settle() == before


def test_an_attempt_that_was_cancelled_has_no_record_to_be_taken_for_its_own(attempts: Attempts) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(attempts.processes.run(attempts.launch("sleep", "30")))
        await asyncio.sleep(0)  # the task starts its process
        task.cancel()
        await asyncio.wait({task})

    asyncio.run(cancelled())

    assert attempts.directory().is_dir()
    assert attempts.settle() is None


@pytest.mark.parametrize("record", [b"exit 0\nend\n", b""])
def test_an_attempt_that_was_being_ended_for_a_limit_has_passed_it_whatever_its_exit_says(
    attempts: Attempts, record: bytes
) -> None:
    attempts.run("sleep", "30", limits=Limits(timeout=0.1))
    (attempts.directory() / "exit").write_bytes(record)  # a command may end with 0 when it is asked to end

    settled = attempts.settle()

    assert settled is not None
    assert settled.limit == "timeout"


def test_what_lives_on_after_its_wrapper_was_killed_is_killed(attempts: Attempts, mark: str, tmp_path: Path) -> None:
    _killed_engine(tmp_path, f"(setsid sleep {mark} &) & READY; sleep {mark}", wrapper=True)
    see_alive(mark, count=2)

    assert attempts.settle() is None
    assert alive(mark) == []


def test_a_process_that_got_the_number_of_a_wrapper_is_left_alone(attempts: Attempts, mark: str) -> None:
    attempts.sh("true")
    other = subprocess.Popen(["sleep", mark], start_new_session=True)
    try:
        (attempts.directory() / "pid").write_text(f"{other.pid} 1\n")

        assert isinstance(attempts.settle(), Exit)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def _killed_engine(folder: Path, script: str, *, wrapper: bool = False) -> None:
    """Start an attempt in an engine of its own, and SIGKILL that (and the wrapper) when `script` comes to READY."""
    ready = folder / "ready"
    os.mkfifo(ready)
    command = script.replace("READY", f"echo >{ready}")
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(folder), command], cwd=REPOSITORY)
    ready.read_text()
    if wrapper:
        pid = (folder / "workspace/.punchlist/attempts/A1/pid").read_text().split()[0]
        os.kill(engine.pid, signal.SIGSTOP)
        os.kill(int(pid), signal.SIGKILL)
    engine.kill()
    engine.wait()


def _wait(pidfd: int) -> None:
    select.select([pidfd], [], [], 20)
    os.close(pidfd)
