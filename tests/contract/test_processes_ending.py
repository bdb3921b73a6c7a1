"""How attempts end against their will: limits, cancelling, and that nothing of their tree survives."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from punchlist.model.jobs import Limits, Role
from punchlist.ports import Exit
from punchlist.workers.killing import Grace
from punchlist.workers.process import LocalProcesses
from tests.attempts import KEY, QUICK, Attempts, alive, orphaned, see_alive

LONG = 1_000_000


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """Return a number of seconds to sleep that nobody else sleeps: survivors are found by it."""
    return f"{LONG + os.getpid()}.{abs(hash(str(tmp_path))) % 1_000_000}"


def test_wall_time_is_limited(attempts: Attempts, mark: str) -> None:
    ended = attempts.run("sleep", mark, limits=Limits(timeout=0.2))

    assert ended.limit == "timeout"
    assert alive(mark) == []


def test_a_process_that_prints_nothing_for_ever_passes_the_limit_on_silence(attempts: Attempts, mark: str) -> None:
    ended = attempts.sh(f"echo started; exec sleep {mark}", limits=Limits(timeout=20, silence=0.3))

    assert ended.limit == "silence"
    assert ended.stdout == b"started\n"
    assert alive(mark) == []


def test_silence_without_any_output_is_silence_too(attempts: Attempts, mark: str) -> None:
    assert attempts.run("sleep", mark, limits=Limits(timeout=20, silence=0.3)).limit == "silence"


@pytest.mark.parametrize("where", ["/dev/stderr", "$PUNCHLIST_ATTEMPT_DIR/progress.jsonl"])
def test_output_and_progress_break_the_silence(attempts: Attempts, where: str) -> None:
    script = f"for each in 1 2 3 4 5; do sleep 0.3; echo $each >>{where}; done"

    ended = attempts.sh(script, role=Role.BUILDER, limits=Limits(timeout=20, silence=1.0))

    assert (ended.code, ended.limit) == (0, None)


def test_a_process_that_prints_for_ever_passes_the_limit_on_output(attempts: Attempts) -> None:
    ended = attempts.run("yes", limits=Limits(timeout=20, output=1 << 20))

    assert ended.limit == "output"
    assert ended.stdout.endswith(b"y\n")


def test_too_much_output_counts_although_the_command_was_quick(attempts: Attempts) -> None:
    ended = attempts.sh("head -c 100000 /dev/zero", limits=Limits(timeout=20, output=1000))

    assert (ended.code, ended.limit) == (0, "output")


def test_a_process_that_ignores_everything_is_killed(attempts: Attempts, mark: str) -> None:
    script = f"trap '' INT TERM HUP; while :; do sleep {mark}; done"

    ended = attempts.sh(script, limits=Limits(timeout=0.2))

    assert (ended.limit, ended.code, ended.signal) == ("timeout", None, 9)
    assert alive(mark) == []


def test_a_process_is_asked_before_it_is_killed(attempts: Attempts) -> None:
    ended = attempts.sh("trap 'echo saved; exit 7' INT; while :; do sleep 0.05; done", limits=Limits(timeout=0.3))

    assert (ended.limit, ended.code, ended.stdout) == ("timeout", 7, b"saved\n")


ESCAPES = {
    "in the background": "sleep {mark} &",
    "in its own session": "setsid sleep {mark} &",
    "forked twice": "(sleep {mark} &) &",
    "forked twice, in its own session": "(setsid sleep {mark} &) &",
    "forked twice, in its own session, without environment": "(env -i setsid sh -c 'sleep {mark} & wait' &) &",
    "deaf": "(trap '' INT TERM; setsid sleep {mark} &) &",
    "with closed output": "setsid sleep {mark} <&- >&- 2>&- &",
}


@pytest.mark.parametrize("script", ESCAPES.values(), ids=ESCAPES)
def test_what_outlives_its_command_is_killed(attempts: Attempts, script: str, mark: str) -> None:
    ready = f"until grep -qz '{mark}' /proc/[0-9]*/cmdline 2>/dev/null; do :; done; sleep 0.1"

    ended = attempts.sh(f"{script.format(mark=mark)}\n{ready}\nexit 0")

    assert (ended.code, ended.limit) == (0, None)
    assert alive(mark) == []


@pytest.mark.parametrize("script", ESCAPES.values(), ids=ESCAPES)
def test_what_escapes_is_killed_with_the_rest(attempts: Attempts, script: str, mark: str) -> None:
    ended = attempts.sh(f"{script.format(mark=mark)}\nsleep {mark}", limits=Limits(timeout=0.3))

    assert ended.limit == "timeout"
    assert alive(mark) == []


def test_without_a_reaper_the_mark_still_finds_what_escaped(tmp_path: Path, mark: str) -> None:
    attempts = Attempts(tmp_path, reaper=False)

    attempts.sh(f"(setsid sleep {mark} &) & sleep 0.2")

    assert alive(mark) == []


def test_what_escapes_from_one_attempt_lives_while_another_that_may_own_it_does(attempts: Attempts, mark: str) -> None:
    pipe = attempts.work / "pipe"
    os.mkfifo(pipe)

    async def both() -> tuple[list[int], list[int]]:
        owner = f"(env -i setsid sleep {mark} &) & sleep 0.2; echo ready >{pipe}; sleep {mark}"
        task = asyncio.create_task(attempts.processes.run(attempts.launch("sh", "-c", owner, name="A1")))
        await attempts.processes.run(attempts.launch("cat", str(pipe), name="A2"))
        see_alive(mark, count=2)
        during = alive(mark)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return during, alive(mark)

    during, after = asyncio.run(both())

    assert len(during) == 2
    assert after == []


def test_what_left_its_session_and_wiped_its_environment_is_killed_while_an_older_attempt_runs(
    attempts: Attempts, mark: str
) -> None:
    pipe = attempts.work / "pipe"
    os.mkfifo(pipe)

    async def both() -> list[int]:
        older = asyncio.create_task(attempts.processes.run(attempts.launch("cat", str(pipe), name="A1")))
        await asyncio.sleep(0)  # the task starts its process
        script = f"(env -i setsid sleep {mark} &) & sleep 0.3"
        await attempts.processes.run(attempts.launch("sh", "-c", script, name="A2"))
        left = alive(mark)
        await asyncio.to_thread(pipe.write_text, "go on\n")
        await older
        return left

    assert asyncio.run(both()) == []


def test_what_left_its_session_and_wiped_its_environment_is_killed_after_a_restart(
    attempts: Attempts, mark: str
) -> None:
    with orphaned(attempts, f"(env -i setsid sleep {mark} &) & READY; HELD") as left:
        see_alive(mark, count=1)
        left.adopted(left.go_on)

    assert alive(mark) == []


def test_what_left_everything_behind_is_found_by_its_tag_although_its_attempt_is_over(
    attempts: Attempts, mark: str
) -> None:
    with orphaned(attempts, f"(env -i setsid sleep {mark} &) & READY; HELD", kill_wrapper=True) as left:
        see_alive(mark, count=1)
        for pid in alive(mark):
            see_orphan(pid)

        assert left.attempts.processes.alive() == {"A1"}

    assert alive(mark) == []


def see_orphan(pid: int) -> None:
    """See that a process says nothing of where it comes from."""
    assert b"PUNCHLIST" not in Path(f"/proc/{pid}/environ").read_bytes()


BOMB = """\
trap '' INT TERM
if [ "$1" -gt 0 ]; then
    setsid sh "$0" $(($1 - 1)) "$2" &
    env -i sh "$0" $(($1 - 1)) "$2" &
fi
while :; do sleep "$2"; done
"""


def test_a_bomb_of_forks_that_starts_anew_what_is_killed_is_ended(attempts: Attempts, mark: str) -> None:
    bomb = attempts.work / "bomb"
    bomb.write_text(BOMB)

    ended = attempts.run("sh", str(bomb), "4", mark, limits=Limits(timeout=0.6))

    assert ended.limit == "timeout"
    assert alive(mark) == []


def test_a_process_is_asked_twice_each_time_given_its_delay_and_then_killed(attempts: Attempts) -> None:
    script = "trap 'echo INT' INT; trap 'echo TERM' TERM; while :; do sleep 0.02; done"
    patient = LocalProcesses(attempts.root, attempts.environ, key=KEY, grace=Grace(interrupt=0.5, terminate=0.5))
    started = time.monotonic()

    ended = asyncio.run(patient.run(attempts.launch("sh", "-c", script, limits=Limits(timeout=0.3))))

    assert (ended.stdout, ended.signal) == (b"INT\nTERM\n", 9)
    assert time.monotonic() - started > 0.3 + 0.5 + 0.5


def test_what_a_process_writes_while_it_is_ended_is_kept(attempts: Attempts) -> None:
    script = "trap 'echo late; echo very late >$PUNCHLIST_ATTEMPT_DIR/late; exit 1' TERM INT; sleep 30 & wait"

    ended = attempts.sh(script, role=Role.BUILDER, limits=Limits(timeout=0.3))

    assert ended.stdout == b"late\n"
    assert (attempts.directory() / "io" / "late").read_text() == "very late\n"


def test_a_command_that_kills_its_wrapper_is_ended_with_it(attempts: Attempts, mark: str) -> None:
    ended = attempts.sh(f"kill -9 $PPID; sleep {mark}")

    assert (ended.code, ended.signal) == (None, 9)
    assert alive(mark) == []


def test_a_command_that_stops_its_wrapper_does_not_stop_the_engine(attempts: Attempts) -> None:
    ended = attempts.sh("kill -STOP $PPID", limits=Limits(timeout=0.3))

    assert ended.limit == "timeout"


def test_a_command_that_closes_its_output_and_goes_on_is_still_waited_for(attempts: Attempts) -> None:
    done = attempts.work / "done"

    ended = attempts.sh(f"exec >&- 2>&-; sleep 0.3; echo late >{done}; exit 4")

    assert ended.code == 4
    assert done.read_text() == "late\n"


def test_cancelling_kills_the_tree_before_it_is_over(attempts: Attempts, mark: str) -> None:
    assert _cancelled(attempts, f"setsid sleep {mark} & sleep {mark}", times=1) == []
    assert alive(mark) == []


def test_cancelling_again_does_not_leave_anything_alive(attempts: Attempts, mark: str) -> None:
    assert _cancelled(attempts, f"trap '' INT TERM; sleep {mark} & wait; sleep {mark}", times=3) == []
    assert alive(mark) == []


@pytest.mark.parametrize("instead", [": >$PUNCHLIST_ATTEMPT_DIR", "ln -s nowhere $PUNCHLIST_ATTEMPT_DIR", ":"])
def test_an_agent_that_destroys_its_folder_is_still_watched_and_ended(
    attempts: Attempts, mark: str, instead: str
) -> None:
    script = f"rm -r $PUNCHLIST_ATTEMPT_DIR; {instead}; sleep {mark}"

    ended = attempts.sh(script, role=Role.BUILDER, limits=Limits(timeout=0.5))

    assert (ended.limit, ended.result) == ("timeout", None)
    assert alive(mark) == []


def test_an_attempt_of_the_same_name_in_another_workspace_lives_on(tmp_path: Path, mark: str) -> None:
    here, there = Attempts(tmp_path / "here"), Attempts(tmp_path / "there")

    async def both() -> tuple[Exit, list[int]]:
        task = asyncio.create_task(there.processes.run(there.launch("sleep", mark)))
        ended = await here.processes.run(here.launch("sleep", "30", limits=Limits(timeout=0.3)))
        await here.processes.settle(here.launch("true").attempt)
        during = alive(mark)
        task.cancel()
        await asyncio.wait({task})
        return ended, during

    ended, during = asyncio.run(both())

    assert ended.limit == "timeout"
    assert len(during) == 2, "the command and its wrapper"


def test_no_zombie_is_left(attempts: Attempts) -> None:
    attempts.sh("(true &) & (setsid true &) & sleep 0.1")
    attempts.sh("true", name="A2")

    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    states = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in children]
    assert "Z" not in states


def test_an_end_takes_no_longer_than_its_delays(attempts: Attempts, mark: str) -> None:
    started = time.monotonic()

    attempts.sh(f"trap '' INT TERM; sleep {mark} & wait; wait", limits=Limits(timeout=0.2))

    assert time.monotonic() - started < 0.2 + sum(QUICK) + 2  # generous: it must end, not be fast


def _cancelled(attempts: Attempts, script: str, *, times: int) -> list[str]:
    """Cancel a started attempt, perhaps again and again while it is being killed; return tasks that are left."""
    pipe = attempts.work / "pipe"
    os.mkfifo(pipe)

    async def started_and_cancelled() -> list[str]:
        task = asyncio.create_task(attempts.processes.run(attempts.launch("sh", "-c", f"echo ready >{pipe}; {script}")))
        await asyncio.sleep(0)  # the task starts its process
        await asyncio.to_thread(pipe.read_text)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0.05)
        with pytest.raises(asyncio.CancelledError):
            await task
        return [str(other) for other in asyncio.all_tasks() if other is not asyncio.current_task()]

    return asyncio.run(started_and_cancelled())
